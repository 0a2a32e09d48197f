"""A local model that tags whole questions by itself, greedily and without the rules: for evaluation, not for use."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from qilin.llm.extras import needing
from qilin.llm.on_this_machine.decide import Decided
from qilin.llm.on_this_machine.local import LocalGapFiller
from qilin.llm.on_this_machine.token_tree import Decision, LogitQuery, TokenTree
from qilin.llm.protocol import GapAnswer, GapRequest
from qilin.training.byte_level import byte_letters


class ModelAlone:
    """A gap filler that can also be asked without the rules."""

    def __init__(self, filler: LocalGapFiller) -> None:
        self.name = filler.name
        self._filler = filler
        self._tokenizer = filler.checkpoint.tokenizer
        self._ends = filler.checkpoint.ends
        self._llguidance_tokenizer: Any = None  # made when first needed

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """As `GapFiller.fill`."""
        return self._filler.fill(requests, timeout_s=timeout_s)

    def generate(
        self, queries: Sequence[str], *, grammar: Callable[[str], str] | None = None, timeout_s: float | None = None
    ) -> list[GapAnswer]:
        """The model's own tagged form of whole questions, without scores. Never raises.

        Args:
            grammar: From a question to the Lark grammar that its answer must follow; None leaves the model free.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        decisions = [self._greedy(query, grammar) for query in queries]
        return self._filler.run([(query, ()) for query in queries], decisions, deadline)

    def _greedy(self, query: str, grammar: Callable[[str], str] | None) -> Decision[Decided]:
        """Token by token, the most probable one that the grammar allows; forced ones go along with the next.

        Raises: ValueError, for a grammar that llguidance refuses, or that lets an answer go on without end.
        """
        matcher = self.matcher(grammar(query)) if grammar is not None else None
        said: list[int] = []
        while len(said) < 200 + 4 * len(query):
            if matcher is not None:
                forced = matcher.compute_ff_tokens()
                matcher.consume_tokens(forced)
                said.extend(forced)
                _check(matcher)
                if matcher.is_stopped():
                    break
            (logits,) = yield TokenTree(said, list(range(-1, len(said) - 1)), [LogitQuery(len(said) - 1)])
            token = _best(logits.of, matcher.compute_logit_bias() if matcher is not None else None)
            if token in self._ends:
                break
            said.append(token)
            if matcher is not None and (not matcher.consume_token(token) or matcher.is_error()):
                raise ValueError(f"llguidance: {matcher.get_error()}")
        else:
            if matcher is not None:
                raise ValueError(f"the answer did not end within {len(said)} tokens")
        text = self._tokenizer.decode([t for t in said if t not in self._ends], skip_special_tokens=False)
        return Decided(str(text), None)

    def matcher(self, grammar: str) -> Any:
        """An `LLMatcher` for a Lark grammar.

        Raises: MissingExtra, without llguidance; ValueError, for a grammar that it refuses.
        """
        with needing("a grammar", "llm"):
            from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
        if self._llguidance_tokenizer is None:
            view = _TokenizerView(self._tokenizer, self._filler.vocabulary_size, self._filler.end)
            self._llguidance_tokenizer = LLTokenizer(TokenizerWrapper(view))
        matcher = LLMatcher(self._llguidance_tokenizer, LLMatcher.grammar_from_lark(grammar))
        _check(matcher)
        return matcher


def _best(scores: Any, allowed: bytes | None) -> int:
    """The token with the highest score in a vector of the whole vocabulary, among those whose byte is not 0."""
    import torch

    if allowed is not None:
        mask = torch.frombuffer(bytearray(allowed), dtype=torch.uint8)[: scores.shape[0]]
        scores = scores.masked_fill((mask == 0).to(scores.device), -torch.inf)
    return int(scores.argmax())


def _check(matcher: Any) -> None:
    if matcher.is_error():
        raise ValueError(f"llguidance: {matcher.get_error()}")


class _TokenizerView:
    """A tokenizer as llguidance asks for one: the bytes of each token, and a call that encodes.

    Given the tokenizer's JSON instead, llguidance takes every added token of the form <…> for a control token,
    which no text can match, and forces tags letter by letter.
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
