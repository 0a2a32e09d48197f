"""A gap filler on this machine: a transformers model, with a LoRA adapter if there is one."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, TypeVar

from qilin.answer.values import LEVEL_NAMES
from qilin.llm.extras import MissingExtra
from qilin.llm.on_this_machine.checkpoint import INSTALL, Checkpoint, load_checkpoint
from qilin.llm.on_this_machine.decide import Draft, Encoded, Limits, Read, Reading, decide, is_settled
from qilin.llm.protocol import Choice, GapAnswer, GapRequest

if TYPE_CHECKING:
    import torch

    from qilin.llm.on_this_machine.passes import Ended

Said = TypeVar("Said")
_SMALL = 50_000_000  # parameters; below, a second thread costs more than it brings
_ESCAPED = "&lt;"
_LEVEL = re.compile(f"<(?:{'|'.join(LEVEL_NAMES)})>")


class LocalGapFiller:
    """Asks a model in this process; safe to share between threads, which then take turns.

        filler = LocalGapFiller.load()                                    # the bundled small model
        filler = LocalGapFiller.load("Qwen/Qwen1.5-4B-Chat", "saves/sft")  # a base and an adapter

    An answer is put together from the request's own text (see `decide`), so it is always a legal one.
    """

    def __init__(self, checkpoint: Checkpoint, *, batch_size: int | None = None, limits: Limits | None = None) -> None:
        import torch

        from qilin.llm.on_this_machine.passes import Passes

        self.name = checkpoint.name
        self.manner = checkpoint.manner
        self.end = checkpoint.end
        self._ends = checkpoint.ends
        self.model: Any = checkpoint.model
        self._tokenizer = checkpoint.tokenizer
        self._special = checkpoint.special
        on_gpu = self.model.device.type == "cuda"
        self.limits = limits or Limits(draft=512 if on_gpu else 64)
        size = self.model.get_output_embeddings().weight.shape[0]
        self.markup = _markup(self._tokenizer, size, self._special)
        text = torch.ones(size, dtype=torch.bool)
        text[sorted(self.markup)] = False
        self._passes = Passes(self.model, text, batch_size=batch_size or (32 if on_gpu else 8))
        self._one_thread = not on_gpu and sum(p.numel() for p in self.model.parameters()) < _SMALL
        self._lock = threading.Lock()
        self._matching: Any = None  # llguidance's view of the tokenizer, made when first needed
        self._beginning = self.encode(self.manner.beginning()).ids[:-1]  # the last token may go on into a question

    @classmethod
    def load(
        cls,
        base: str | PathLike[str] | None = None,
        adapter: str | PathLike[str] | None = None,
        *,
        device: str = "auto",
        dtype: str | torch.dtype = "auto",
        batch_size: int | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """Load a base model and an adapter, each a folder or a name.

        Args:
            base: None for the one the adapter was trained on, or, without an adapter, the bundled small model.
            adapter: A LoRA adapter; checked against the base, then merged into it.
            device: "cpu", "cuda", "cuda:1"; "auto" takes a GPU where there is one.
            dtype: "float32" or "bfloat16"; "auto" takes bfloat16 on a GPU that has it.
            batch_size: How many requests share a forward pass; 8 on a CPU, 32 on a GPU.

        Raises: MissingExtra, with the command that installs it; ModelError, where they do not fit.
        """
        return cls(load_checkpoint(base, adapter, device=device, dtype=dtype), batch_size=batch_size, limits=limits)

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """One answer a request, in order, within `timeout_s` seconds for all of them. Never raises."""
        deadline = time.monotonic() + timeout_s
        return self._ask(
            [(request.query, offered(request)) for request in requests],
            [lambda request=request: decide(request, self, self.limits) for request in requests],  # type: ignore[misc]
            lambda decided: (decided.text, decided.scores),
            deadline,
            [is_settled(request) for request in requests],
        )

    def generate(
        self, queries: Sequence[str], *, grammar: Callable[[str], str] | None = None, timeout_s: float | None = None
    ) -> list[GapAnswer]:
        """What the model says by itself, greedily, for whole questions: for evaluation, not for use.

        Args:
            grammar: From a question to the Lark grammar that its answer must follow; None leaves the model free.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        return self._ask(
            [(query, ()) for query in queries],
            [lambda query=query: self._say(query, grammar and grammar(query)) for query in queries],  # type: ignore[misc]
            lambda text: (text, None),
            deadline,
            [False] * len(queries),
        )

    def generate_free(self, queries: Sequence[str]) -> list[str]:
        """The model alone: unconstrained greedy tagging. "" where it failed."""
        return [answer.text for answer in self.generate(queries)]

    @property
    def forward_passes(self) -> int:
        """How many forward passes were run since this was loaded, batches counted once."""
        return self._passes.total

    # ── a tokenizer, as decisions see it ──

    def encode(self, text: str) -> Encoded:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoded(encoding.ids, [start for start, _ in encoding.offsets])

    def prompt(self, query: str, alternatives: Sequence[str] = ()) -> list[int]:
        """The token ids that an answer to a query follows; `alternatives` as in `Manner.render`.

        Raises: ValueError, for a query that holds a token which steers the model and cannot be escaped.
        """
        said = query.encode("utf-8", "replace").decode()
        for token in self._special:
            said = said.replace(token, token.replace("<", _ESCAPED))
        if any(token in said for token in self._special):
            raise ValueError("the query holds a token that steers the model")
        return self.encode(self.manner.render(said, alternatives)).ids

    # ── asking ──

    def _ask(
        self,
        questions: Sequence[tuple[str, Sequence[str]]],
        askings: Sequence[Callable[[], Generator[Draft, list[Reading], Any]]],
        text_and_scores: Callable[[Any], tuple[str, tuple[float, ...] | None]],
        deadline: float | None,
        settled: Sequence[bool],
    ) -> list[GapAnswer]:
        answers: list[GapAnswer | None] = [None] * len(questions)
        began = time.monotonic()
        wait = -1.0 if deadline is None else max(0.0, deadline - began)
        if not self._lock.acquire(timeout=wait):
            return [GapAnswer("", error="the model was busy until the time was up") for _ in questions]
        try:
            places, prompts, generators = [], [], []
            for place, (question, asking) in enumerate(zip(questions, askings, strict=True)):
                try:
                    prompts.append([] if settled[place] else self.prompt(*question))
                    generators.append(asking())
                    places.append(place)
                except Exception as error:
                    answers[place] = GapAnswer("", error=f"{type(error).__name__}: {error}")
            with self._threads():
                size = len(self._beginning)
                shared = size if all(p[:size] == self._beginning for p in prompts if p) else 0
                found = self._passes.run(prompts, generators, shared=shared, deadline=deadline)
            for place, ended in zip(places, found, strict=True):
                answers[place] = _answer(ended, text_and_scores)
        except Exception as error:
            failed = GapAnswer("", error=f"{type(error).__name__}: {error}")
            return [answer or failed for answer in answers]
        finally:
            self._lock.release()
        return [answer or GapAnswer("", error="no answer") for answer in answers]

    @contextlib.contextmanager
    def _threads(self) -> Iterator[None]:
        import torch

        before = torch.get_num_threads()
        if self._one_thread and before > 1:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if self._one_thread and before > 1:
                torch.set_num_threads(before)

    def _say(self, query: str, grammar: str | None) -> Generator[Draft, list[Reading], str]:
        """Token by token, the most probable one that the grammar allows; forced ones go along with the next."""
        matcher = self._matcher(grammar) if grammar is not None else None
        said: list[int] = []
        while len(said) < 200 + 4 * len(query):
            allowed = None
            if matcher is not None:
                forced = matcher.compute_ff_tokens()
                matcher.consume_tokens(forced)
                said.extend(forced)
                if matcher.is_error():
                    raise ValueError(f"llguidance: {matcher.get_error()}")
                if matcher.is_stopped():
                    break
                allowed = matcher.compute_logit_bias()
            readings = yield Draft(said, list(range(-1, len(said) - 1)), [Read(len(said) - 1, (), allowed)])
            token = readings[0].best
            if token in self._ends:
                break
            said.append(token)
            if matcher is not None and not (matcher.consume_token(token) and not matcher.is_error()):
                raise ValueError(f"llguidance: {matcher.get_error()}")
        else:
            if matcher is not None:
                raise ValueError(f"the answer did not end within {len(said)} tokens")
        return str(self._tokenizer.decode([t for t in said if t not in self._ends], skip_special_tokens=False))

    def _matcher(self, grammar: str) -> Any:
        try:
            from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
        except ImportError as error:
            raise MissingExtra(f"a grammar needs the extra 'llm' ({error}). Install it: {INSTALL}") from error
        if self._matching is None:
            size = self.model.get_output_embeddings().weight.shape[0]
            self._matching = LLTokenizer(TokenizerWrapper(_ForLLGuidance(self._tokenizer, size, self.end)))
        matcher = LLMatcher(self._matching, LLMatcher.grammar_from_lark(grammar))
        if matcher.is_error():
            raise ValueError(f"llguidance: {matcher.get_error()}")
        return matcher


def offered(request: GapRequest) -> list[str]:
    """The organisations that a request offers; what leaves the question open is none."""
    choices = [segment for segment in request.segments if isinstance(segment, Choice)]
    return list(dict.fromkeys(a for choice in choices for a in choice.alternatives[1:] if _LEVEL.match(a)))


def _answer(ended: Ended[Any], text_and_scores: Callable[[Any], tuple[str, tuple[float, ...] | None]]) -> GapAnswer:
    if ended.error is not None:
        return GapAnswer("", None, ended.passes, ended.seconds * 1000, ended.error)
    text, scores = text_and_scores(ended.said)
    return GapAnswer(text, scores, ended.passes, ended.seconds * 1000)


def _markup(tokenizer: Any, size: int, special: Sequence[str]) -> frozenset[int]:
    """The tokens that count as no text: all that hold a <, all that steer the model, all that mean nothing."""
    known = {token: id_ for token, id_ in tokenizer.get_vocab().items() if id_ < size}
    found = {id_ for token, id_ in known.items() if "<" in token or token in special}
    return frozenset(found | (set(range(size)) - set(known.values())))


class _ForLLGuidance:
    """A tokenizer as llguidance asks for one: the bytes of each token, and a call that encodes.

    Given the tokenizer's JSON instead, it takes every added token of the form <…> for a control token, which no
    text can match, and forces tags letter by letter.
    """

    bos_token_id = None

    def __init__(self, tokenizer: Any, size: int, end: int) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id = end
        added = json.loads(tokenizer.to_str())["added_tokens"]
        plain = {t["id"]: t["content"].encode() for t in added if not t["special"]}
        control = {t["id"] for t in added if t["special"]}
        byte_of = {letter: byte for byte, letter in byte_letters().items()}
        self.tokens: list[bytes] = []
        for i in range(size):
            token = tokenizer.id_to_token(i)
            known = token is not None and all(c in byte_of for c in token)
            self.tokens.append(plain.get(i) or (bytes(byte_of[c] for c in token) if known and token else b""))
        nothing = {i for i, token in enumerate(self.tokens) if not token}
        self.special_token_ids = sorted(control | nothing)

    def __call__(self, text: bytes) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text.decode("utf-8", "replace"), add_special_tokens=False).ids
        return ids


def byte_letters() -> dict[int, str]:
    """The printable letter that byte-level vocabularies write for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}
