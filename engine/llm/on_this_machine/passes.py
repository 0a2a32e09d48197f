"""Drafts to forward passes: many answers side by side, each a tree of tokens that is never computed twice.

Every row of a batch keeps all tokens it ever looked at in one key-value cache, rejected guesses included,
and a mask says which of them a token sees: the prompt and what lies before it in its own tree. So rows of
different lengths need no padding between their tokens, a guess that was wrong is not seen again, and one
that comes up again costs nothing. What all prompts begin with is computed once and kept.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Generator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from transformers import DynamicCache

from qilin.llm.on_this_machine.decide import Draft, Read, Reading

Said = TypeVar("Said")
Asking = Generator[Draft, list[Reading], Said]
_AT_ONCE = 64  # rows of the vocabulary held in memory together


class Ended(NamedTuple, Generic[Said]):
    """What one row came to: a decision, or why there is none."""

    said: Said | None
    passes: int
    seconds: float
    error: str | None


class _Node(NamedTuple):
    seen: Any  # int32 array of cache columns, its own included
    position: int
    turn: int  # where its hidden state lies
    place: int


class _Row(Generic[Said]):
    def __init__(self, number: int, prompt: Sequence[int], asking: Asking[Said]) -> None:
        self.number = number
        self.prompt = list(prompt)
        self.asking = asking
        self.draft = Draft([], [], [])
        self.nodes: dict[tuple[int, int], int] = {}  # (node before, token) to node; -1 is the prompt's end
        self.known: list[_Node] = []
        self.hidden: list[torch.Tensor] = []
        self.end: _Node | None = None  # the last token of the prompt
        self.ids: list[int] = []  # the draft's tokens as nodes
        self.passes = 0


class Passes:
    """Runs a model over batches of drafts."""

    def __init__(self, model: Any, text_tokens: torch.Tensor, *, batch_size: int) -> None:
        """`text_tokens`: a boolean for each entry of the vocabulary, whether it counts as text."""
        self.decoder: Any = model.base_model
        named = inspect.signature(self.decoder.forward).parameters
        self.cache_name = "cache" if "cache" in named else "past_key_values"  # renamed within transformers 5
        self.head: Any = model.get_output_embeddings()
        self.device = model.device
        self.dtype = model.dtype
        self.not_text = (~text_tokens).to(self.device)
        self.batch_size = batch_size
        self.total = 0
        self._beginning: tuple[tuple[int, ...], DynamicCache] | None = None

    def run(
        self,
        prompts: Sequence[Sequence[int]],
        askings: Sequence[Asking[Said]],
        *,
        shared: int = 0,
        deadline: float | None = None,
    ) -> list[Ended[Said]]:
        """Let every asking go on until it returns. Raises nothing: an error is the row's own.

        Args:
            prompts: Token ids, one prompt for each asking.
            shared: How many tokens all prompts begin with; computed once for all calls.
            deadline: As `time.monotonic()` counts; looked at before each pass.
        """
        ended: dict[int, Ended[Said]] = {}
        for begin in range(0, len(askings), self.batch_size):
            numbers = range(begin, min(begin + self.batch_size, len(askings)))
            rows = [_Row(i, prompts[i], askings[i]) for i in numbers]
            with torch.inference_mode():
                _Batch(self, rows, shared, deadline, ended).run()
        return [ended[i] for i in range(len(askings))]

    def beginning(self, tokens: Sequence[int], rows: int) -> DynamicCache:
        """A cache that holds the tokens, for so many rows."""
        if not tokens:
            return DynamicCache()
        if self._beginning is None or self._beginning[0] != tuple(tokens):
            cache = DynamicCache()
            ids = torch.tensor([list(tokens)], device=self.device)
            self.decoder(input_ids=ids, use_cache=True, **{self.cache_name: cache})
            self._beginning = (tuple(tokens), cache)
        cache = copy.deepcopy(self._beginning[1])
        if rows > 1:
            cache.batch_repeat_interleave(rows)
        return cache

    def read(self, states: Sequence[torch.Tensor], wanted: Sequence[Read]) -> list[Reading]:
        """What the hidden states say about the next token."""
        found: list[Reading] = []
        for begin in range(0, len(states), _AT_ONCE):
            scores = self.logits(states[begin : begin + _AT_ONCE])
            reads = wanted[begin : begin + _AT_ONCE]
            names = [read.of for read in reads]
            total = torch.logsumexp(scores, dim=-1).tolist()
            width = max(1, max(map(len, names)))
            ids = torch.tensor([[*n, *[0] * (width - len(n))] for n in names], device=self.device)
            picked = scores.gather(1, ids).tolist()
            text = torch.logsumexp(scores.masked_fill(self.not_text, -torch.inf), dim=-1).tolist()
            for i, read in enumerate(reads):
                if read.allowed is not None:
                    mask = torch.frombuffer(bytearray(read.allowed), dtype=torch.uint8)[: scores.shape[1]]
                    scores[i].masked_fill_((mask == 0).to(self.device), -torch.inf)
            for i, read in enumerate(reads):
                best = -1 if read.of else int(scores[i].argmax())
                found.append(Reading(total[i], text[i], dict(zip(read.of, picked[i], strict=False)), best))
        return found

    def logits(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        scores: torch.Tensor = self.head(torch.stack(list(states))).float()
        return scores[:, : self.not_text.shape[0]]


class _Batch(Generic[Said]):
    def __init__(
        self,
        passes: Passes,
        rows: list[_Row[Said]],
        shared: int,
        deadline: float | None,
        ended: dict[int, Ended[Said]],
    ) -> None:
        self.passes = passes
        self.rows = rows
        self.shared = shared
        self.deadline = deadline
        self.ended = ended
        self.began = time.monotonic()
        self.columns = shared
        self.cache: DynamicCache | None = None

    def run(self) -> None:
        for row in list(self.rows):
            self._advance(row, None)
        self._drop_ended(None)
        while self.rows:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                for row in self.rows:
                    late = f"the time was up after {row.passes} forward passes"
                    self._end(row, None, late)
                return
            try:
                readings = self._forward()
            except Exception as error:  # out of memory, a device that went away
                for row in self.rows:
                    self._end(row, None, f"the forward pass failed: {type(error).__name__}: {error}")
                return
            for row, found in zip(list(self.rows), readings, strict=True):
                self._advance(row, found)
            self._drop_ended(self.cache)

    def _advance(self, row: _Row[Said], readings: list[Reading] | None) -> None:
        try:
            row.draft = next(row.asking) if readings is None else row.asking.send(readings)
        except StopIteration as stop:
            self._end(row, stop.value, None)
        except Exception as error:
            self._end(row, None, f"{type(error).__name__}: {error}")

    def _end(self, row: _Row[Said], said: Said | None, error: str | None) -> None:
        row.asking.close()
        self.ended[row.number] = Ended(said, row.passes, time.monotonic() - self.began, error)

    def _drop_ended(self, cache: DynamicCache | None) -> None:
        keep = [i for i, row in enumerate(self.rows) if row.number not in self.ended]
        if keep and cache is not None and len(keep) < len(self.rows):
            cache.batch_select_indices(torch.tensor(keep, device=self.passes.device))
        self.rows = [self.rows[i] for i in keep]

    def _forward(self) -> list[list[Reading]]:
        """One pass over what the drafts hold that was not computed before; none if there is nothing."""
        new = [self._new_tokens(row) for row in self.rows]
        width = max(map(len, new))
        if width:
            self._compute(new, width)
        states: list[torch.Tensor] = []
        wanted: list[Read] = []
        for row in self.rows:
            for read in row.draft.reads:
                node = row.end if read.node == -1 else row.known[row.ids[read.node]]
                assert node is not None
                states.append(row.hidden[node.turn][node.place])
                wanted.append(read)
        readings = iter(self.passes.read(states, wanted))
        return [[next(readings) for _ in row.draft.reads] for row in self.rows]

    def _new_tokens(self, row: _Row[Said]) -> list[tuple[int, _Node]]:
        """The tokens that a row must look at now, and what each of them sees."""
        new: list[tuple[int, _Node]] = []
        turn = len(row.hidden)
        if row.end is None:
            shared: Any = np.arange(self.shared, dtype=np.int32)
            for i, token in enumerate(row.prompt[self.shared :]):
                own: Any = np.arange(self.columns, self.columns + i + 1, dtype=np.int32)
                new.append((token, _Node(np.concatenate((shared, own)), self.shared + i, turn, i)))
            row.end = new[-1][1]
        row.ids = []
        for token, parent in zip(row.draft.tokens, row.draft.parents, strict=True):
            before = -1 if parent == -1 else row.ids[parent]
            node = row.nodes.get((before, token))
            if node is None:
                node = len(row.known)
                row.nodes[before, token] = node
                above = row.end if before == -1 else row.known[before]
                seen: Any = np.append(above.seen, np.int32(self.columns + len(new)))
                row.known.append(_Node(seen, above.position + 1, turn, len(new)))
                new.append((token, row.known[-1]))
            row.ids.append(node)
        return new

    def _compute(self, new: list[list[tuple[int, _Node]]], width: int) -> None:
        passes = self.passes
        if self.cache is None:
            self.cache = passes.beginning(self.rows[0].prompt[: self.shared], len(self.rows))
        ids: Any = np.zeros((len(new), width), dtype=np.int64)
        positions = np.zeros_like(ids)
        seen: Any = np.zeros((len(new), 1, width, self.columns + width), dtype=np.bool_)
        for i, tokens in enumerate(new):
            for j, (token, node) in enumerate(tokens):
                ids[i, j], positions[i, j] = token, node.position
                seen[i, 0, j, node.seen] = True
            for j in range(len(tokens), width):  # what only fills the row up sees itself: never nothing at all
                seen[i, 0, j, self.columns + j] = True
        visible = torch.from_numpy(seen).to(passes.device)
        mask = torch.zeros(visible.shape, dtype=passes.dtype, device=passes.device)
        mask.masked_fill_(~visible, torch.finfo(passes.dtype).min)
        output = passes.decoder(
            input_ids=torch.from_numpy(ids).to(passes.device),
            position_ids=torch.from_numpy(positions).to(passes.device),
            attention_mask=mask,
            use_cache=True,
            **{passes.cache_name: self.cache},
        ).last_hidden_state
        self.columns += width
        passes.total += 1
        for i, row in enumerate(self.rows):
            row.hidden.append(output[i])
            row.passes += bool(new[i])
