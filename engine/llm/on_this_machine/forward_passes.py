"""Token trees to forward passes: many decisions side by side, no token of a tree computed twice.

Every row of a batch keeps all tokens it ever looked at in one key-value cache, rejected guesses included,
and a mask says which of them a token sees: the prompt and its ancestors in its own tree. So rows of
different lengths need no padding between their tokens, a wrong guess is not seen again, and one that
comes up again costs nothing. The common beginning of all prompts is computed once and kept.
"""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import DynamicCache

from qilin.llm.on_this_machine.decide import Decided
from qilin.llm.on_this_machine.token_tree import Decision, LogitQuery, Logits, TokenTree

_AT_ONCE = 64  # rows of vocabulary scores held in memory together


class RowResult(NamedTuple):
    """How one decision ended: decided, or why not."""

    decided: Decided | None
    passes: int
    seconds: float
    error: str | None


class _Node(NamedTuple):
    """A token that was computed."""

    seen: Any  # int32 array of the cache columns it sees, its own included
    position: int
    turn: int  # the pass that computed its hidden state
    place: int  # and where in the row's part of that pass


class _Row:
    """One decision of a batch, and every token computed for it."""

    def __init__(self, number: int, prompt: Sequence[int], decision: Decision[Decided]) -> None:
        self.number = number
        self.prompt = list(prompt)
        self.decision = decision
        self.tree = TokenTree([], [], [])
        self.nodes: dict[tuple[int, int], int] = {}  # (node before, token) → node; -1 is the prompt's end
        self.known: list[_Node] = []
        self.hidden: list[torch.Tensor] = []  # of each pass, shape (width, hidden size)
        self.end: _Node | None = None  # the last token of the prompt
        self.ids: list[int] = []  # the node of each token of the tree
        self.passes = 0


class ForwardPasses:
    """Runs decisions on a model, a batch of rows to each forward pass.

    Args:
        model: A causal language model of transformers.
        text_tokens: A boolean for each entry of the vocabulary: whether it counts as text.
        batch_size: Rows of one forward pass.
    """

    def __init__(self, model: Any, text_tokens: torch.Tensor, *, batch_size: int) -> None:
        self.decoder: Any = model.base_model
        named = inspect.signature(self.decoder.forward).parameters
        self.cache_name = "cache" if "cache" in named else "past_key_values"  # renamed within transformers 5
        self.head: Any = model.get_output_embeddings()
        self.device = model.device
        self.dtype = model.dtype
        self.not_text = (~text_tokens).to(self.device)
        self.batch_size = batch_size
        self.total = 0  # passes so far
        self._beginning: tuple[tuple[int, ...], DynamicCache] | None = None

    def run(
        self,
        prompts: Sequence[Sequence[int]],
        decisions: Sequence[Decision[Decided]],
        *,
        shared: int = 0,
        deadline: float | None = None,
    ) -> list[RowResult]:
        """Let every decision go on until it returns. Never raises: an error is the row's own.

        Args:
            prompts: Token ids, one prompt for each decision.
            shared: How many tokens all prompts begin with; computed once for all calls.
            deadline: As `time.monotonic()` counts; looked at before each pass.
        """
        results: dict[int, RowResult] = {}
        for begin in range(0, len(decisions), self.batch_size):
            numbers = range(begin, min(begin + self.batch_size, len(decisions)))
            rows = [_Row(i, prompts[i], decisions[i]) for i in numbers]
            with torch.inference_mode():
                results |= _Batch(self, rows, shared, deadline).run()
        return [results[i] for i in range(len(decisions))]

    def beginning(self, tokens: Sequence[int], rows: int) -> DynamicCache:
        """A cache that holds the tokens, for a number of rows."""
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

    def logits(self, states: Sequence[torch.Tensor], queries: Sequence[LogitQuery]) -> list[Logits]:
        """The answer to each query from the hidden state it asks about."""
        found: list[Logits] = []
        for begin in range(0, len(states), _AT_ONCE):
            scores: torch.Tensor = self.head(torch.stack(list(states[begin : begin + _AT_ONCE]))).float()
            scores = scores[:, : self.not_text.shape[0]]
            wanted = [query.tokens for query in queries[begin : begin + _AT_ONCE]]
            total = torch.logsumexp(scores, dim=-1).tolist()
            width = max(1, max(map(len, wanted)))
            ids = torch.tensor([[*tokens, *[0] * (width - len(tokens))] for tokens in wanted], device=self.device)
            picked = scores.gather(1, ids).tolist()
            text = torch.logsumexp(scores.masked_fill(self.not_text, -torch.inf), dim=-1).tolist()
            for i, tokens in enumerate(wanted):
                of: Any = dict(zip(tokens, picked[i], strict=False)) if tokens else scores[i]
                found.append(Logits(total[i], text[i], of))
        return found


class _Batch:
    """Rows that share their forward passes."""

    def __init__(self, passes: ForwardPasses, rows: list[_Row], shared: int, deadline: float | None) -> None:
        self.passes = passes
        self.rows = rows  # those that have not ended
        self.shared = shared
        self.deadline = deadline
        self.results: dict[int, RowResult] = {}
        self.began = time.monotonic()
        self.columns = shared  # of the cache
        self.cache: DynamicCache | None = None

    def run(self) -> dict[int, RowResult]:
        """The result of each row, by its number."""
        self._advance([None] * len(self.rows))
        while self.rows:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                for row in self.rows:
                    self._end(row, None, f"the time was up after {row.passes} forward passes")
                break
            try:
                logits = self._forward()
            except Exception as error:  # out of memory, a lost device
                for row in self.rows:
                    self._end(row, None, f"the forward pass failed: {type(error).__name__}: {error}")
                break
            self._advance(logits)
        return self.results

    def _advance(self, logits: Sequence[list[Logits] | None]) -> None:
        """Let every decision go on with its logits (None: begin), and drop the rows that end."""
        for row, found in zip(self.rows, logits, strict=True):
            try:
                row.tree = next(row.decision) if found is None else row.decision.send(found)
            except StopIteration as stop:
                self._end(row, stop.value, None)
            except Exception as error:
                self._end(row, None, f"{type(error).__name__}: {error}")
        keep = [i for i, row in enumerate(self.rows) if row.number not in self.results]
        if keep and self.cache is not None and len(keep) < len(self.rows):
            self.cache.batch_select_indices(torch.tensor(keep, device=self.passes.device))
        self.rows = [self.rows[i] for i in keep]

    def _end(self, row: _Row, decided: Decided | None, error: str | None) -> None:
        row.decision.close()
        self.results[row.number] = RowResult(decided, row.passes, time.monotonic() - self.began, error)

    def _forward(self) -> list[list[Logits]]:
        """The logits each row asks for, after one pass over its new tokens; no pass if there are none."""
        new = [self._new_tokens(row) for row in self.rows]
        width = max(map(len, new))
        if width:
            self._compute(new, width)
        states: list[torch.Tensor] = []
        queries: list[LogitQuery] = []
        for row in self.rows:
            for query in row.tree.queries:
                node = row.end if query.node == -1 else row.known[row.ids[query.node]]
                assert node is not None
                states.append(row.hidden[node.turn][node.place])
                queries.append(query)
        logits = iter(self.passes.logits(states, queries))
        return [[next(logits) for _ in row.tree.queries] for row in self.rows]

    def _new_tokens(self, row: _Row) -> list[tuple[int, _Node]]:
        """The tokens of a row that no pass has computed, the prompt's among them at first."""
        new: list[tuple[int, _Node]] = []
        turn = len(row.hidden)
        if row.end is None:
            shared: Any = np.arange(self.shared, dtype=np.int32)
            for i, token in enumerate(row.prompt[self.shared :]):
                own: Any = np.arange(self.columns, self.columns + i + 1, dtype=np.int32)
                new.append((token, _Node(np.concatenate((shared, own)), self.shared + i, turn, i)))
            row.end = new[-1][1]
        row.ids = []
        for token, parent in zip(row.tree.tokens, row.tree.parents, strict=True):
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
            for j in range(len(tokens), width):  # padding sees itself: a softmax over nothing is undefined
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
