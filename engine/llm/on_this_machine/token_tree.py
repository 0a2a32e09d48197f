"""The language between decisions and forward passes: trees of tokens, and the model's scores for what follows them.

A decision is a generator. It yields a `TokenTree` (tokens to look at, forced ones and guesses of what comes next
included), is sent the `Logits` that the tree's queries ask for, and returns what it decided. So many decisions run
side by side, one forward pass for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

Result = TypeVar("Result")


class LogitQuery(NamedTuple):
    """Asks for the scores of `tokens` behind node `node` of a tree (-1: the prompt); no tokens: of all there are."""

    node: int
    tokens: tuple[int, ...] = ()


class TokenTree(NamedTuple):
    """Tokens behind the prompt: `parents[i]` is the index of the token before `tokens[i]`, or -1."""

    tokens: list[int]
    parents: list[int]
    queries: list[LogitQuery]


class Logits(NamedTuple):
    """The model's scores (natural log, unnormalised) for the token behind one node.

    `total` is the logsumexp over the whole vocabulary, `text` that over the tokens without markup, `of` the score by
    token id: a mapping for the tokens of the query, or a vector of the whole vocabulary for a query without any.
    """

    total: float
    text: float
    of: Mapping[int, float]


Decision = Generator[TokenTree, list[Logits], Result]


class Encoded(NamedTuple):
    """Token ids, and the offset in the text at which each begins."""

    ids: list[int]
    starts: list[int]


class Encoder(Protocol):
    """A tokenizer, as far as decisions need one."""

    end: int  # the token that ends an answer
    markup: frozenset[int]  # tokens that hold a <, and control tokens

    def encode(self, text: str) -> Encoded: ...


class Limits(NamedTuple):
    """How much is asked at once.

    Args:
        exact: With up to so many alternatives every one is scored in full.
        lookahead: About how many tokens one tree may add.
    """

    exact: int = 10
    lookahead: int = 64


def common_beginning(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences begin with in common."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def most_probable(scores: Sequence[float]) -> tuple[int, float]:
    """The place of the highest score and its softmax probability; the first place where no score is finite."""
    top = max(scores)
    if not math.isfinite(top):
        return 0, 1.0 / len(scores)
    weights = [math.exp(score - top) for score in scores]
    total = sum(weights)
    chances = [weight / total for weight in weights]
    best = max(range(len(chances)), key=chances.__getitem__)
    return best, chances[best]
