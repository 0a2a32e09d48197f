"""A gap filler in this process: a transformers model, with a LoRA adapter if there is one."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from qilin.answer.values import LEVEL_NAMES
from qilin.llm.on_this_machine.checkpoint import Checkpoint, load_checkpoint
from qilin.llm.on_this_machine.decide import Decided, decide, is_settled
from qilin.llm.on_this_machine.token_tree import Decision, Encoded, Limits
from qilin.llm.protocol import Choice, GapAnswer, GapRequest

if TYPE_CHECKING:
    import torch

_SMALL = 50_000_000  # parameters; below, a second thread costs more than it brings
_LEVEL = re.compile(f"<(?:{'|'.join(LEVEL_NAMES)})>")


class LocalGapFiller:
    """Asks a model in this process; safe to share between threads, which then take turns.

        filler = LocalGapFiller.load()                                    # the bundled small model
        filler = LocalGapFiller.load("Qwen/Qwen1.5-4B-Chat", "saves/sft")  # a base and an adapter

    An answer is put together from the request's own text (see `decide`), so it is always legal.
    """

    def __init__(self, checkpoint: Checkpoint, *, batch_size: int | None = None, limits: Limits | None = None) -> None:
        import torch

        from qilin.llm.on_this_machine.forward_passes import ForwardPasses

        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.end = checkpoint.end
        self.model: Any = checkpoint.model
        self._tokenizer = checkpoint.tokenizer
        on_gpu = self.model.device.type == "cuda"
        self.limits = limits or Limits(lookahead=512 if on_gpu else 64)
        self.vocabulary_size: int = self.model.get_output_embeddings().weight.shape[0]
        self.markup = _markup(self._tokenizer, self.vocabulary_size, checkpoint.special)
        text = torch.ones(self.vocabulary_size, dtype=torch.bool)
        text[sorted(self.markup)] = False
        self._passes = ForwardPasses(self.model, text, batch_size=batch_size or (32 if on_gpu else 8))
        self._one_thread = not on_gpu and sum(p.numel() for p in self.model.parameters()) < _SMALL
        self._lock = threading.Lock()
        # The last token of the beginning may reach into a question.
        self._beginning = self.encode(checkpoint.prompt_format.beginning()).ids[:-1]

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
        questions = [None if is_settled(request) else (request.query, offered(request)) for request in requests]
        return self.run(questions, [decide(request, self, self.limits) for request in requests], deadline)

    @property
    def forward_passes(self) -> int:
        """Forward passes since this was loaded; one for a whole batch."""
        return self._passes.total

    # ── a tokenizer, as decisions see it ─────────────────────────────────────────────────────────

    def encode(self, text: str) -> Encoded:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Encoded(encoding.ids, [start for start, _ in encoding.offsets])

    def prompt(self, query: str, alternatives: Sequence[str] = ()) -> list[int]:
        """The token ids in front of the answer to a query; `alternatives` as in `PromptFormat.render`.

        Raises: ValueError, for a query with a control token that cannot be escaped.
        """
        safe = query.encode("utf-8", "replace").decode()
        for token in self.checkpoint.special:
            safe = safe.replace(token, token.replace("<", "&lt;"))
        if any(token in safe for token in self.checkpoint.special):
            raise ValueError("the query holds a token that steers the model")
        return self.encode(self.checkpoint.prompt_format.render(safe, alternatives)).ids

    # ── asking ───────────────────────────────────────────────────────────────────────────────────

    def run(
        self,
        questions: Sequence[tuple[str, Sequence[str]] | None],
        decisions: Sequence[Decision[Decided]],
        deadline: float | None = None,
    ) -> list[GapAnswer]:
        """Let decisions run on the model, side by side. Never raises.

        Args:
            questions: The arguments of `prompt` for each decision; None for one that asks nothing.
            deadline: As `time.monotonic()` counts.
        """
        answers: list[GapAnswer | None] = [None] * len(questions)
        wait = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._lock.acquire(timeout=wait):
            return [GapAnswer("", error="the model was busy until the time was up") for _ in questions]
        try:
            prompts: dict[int, list[int]] = {}
            for place, question in enumerate(questions):
                try:
                    prompts[place] = [] if question is None else self.prompt(*question)
                except Exception as error:
                    answers[place] = _failure(error)
            size = len(self._beginning)
            shared = size if all(p[:size] == self._beginning for p in prompts.values() if p) else 0
            running = [decisions[place] for place in prompts]
            with self._threads():
                results = self._passes.run(list(prompts.values()), running, shared=shared, deadline=deadline)
            for place, (decided, passes, seconds, problem) in zip(prompts, results, strict=True):
                text, scores = decided or Decided("", None)
                answers[place] = GapAnswer(text, scores, passes, seconds * 1000, problem)
        except Exception as error:
            return [answer or _failure(error) for answer in answers]
        finally:
            self._lock.release()
        return [answer or GapAnswer("", error="no answer") for answer in answers]

    @contextlib.contextmanager
    def _threads(self) -> Iterator[None]:
        """One thread of torch inside, for a small model on a CPU."""
        import torch

        before = torch.get_num_threads()
        if self._one_thread and before > 1:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if self._one_thread and before > 1:
                torch.set_num_threads(before)


def offered(request: GapRequest) -> list[str]:
    """The organisations that a request offers, as tagged forms; the alternatives that leave it open are none."""
    choices = [segment for segment in request.segments if isinstance(segment, Choice)]
    return list(dict.fromkeys(a for choice in choices for a in choice.alternatives[1:] if _LEVEL.match(a)))


def _failure(error: Exception) -> GapAnswer:
    return GapAnswer("", error=f"{type(error).__name__}: {error}")


def _markup(tokenizer: Any, size: int, special: Sequence[str]) -> frozenset[int]:
    """The tokens that count as no text: those with a <, control tokens, ids without a token."""
    known = {token: id_ for token, id_ in tokenizer.get_vocab().items() if id_ < size}
    found = {id_ for token, id_ in known.items() if "<" in token or token in special}
    return frozenset(found | (set(range(size)) - set(known.values())))
