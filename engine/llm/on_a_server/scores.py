"""From the log probabilities that a server returns to the probability of each open segment.

Servers report how likely the model found each token *before* the grammar cut in. The score is its
probability among the tokens that were legal there, so illegal ones are left out of the sum. Tokens
beyond those that the server lists all count as legal: the score is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class ScoredToken(NamedTuple):
    """A token of an answer: its bytes, its log probability, and the likeliest tokens in its place."""

    piece: bytes
    logprob: float
    others: tuple[tuple[bytes, float], ...]


def tokens_of_chat(logprobs: Any) -> list[ScoredToken] | None:
    """The tokens of a chat completion; None where they are missing or malformed."""
    try:
        return [
            ScoredToken(
                _bytes(t), float(t["logprob"]), tuple((_bytes(o), float(o["logprob"])) for o in t["top_logprobs"] or ())
            )
            for t in logprobs["content"]
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def tokens_of_completion(logprobs: Any) -> list[ScoredToken] | None:
    """The tokens of a text completion; None where they are missing or malformed."""
    try:
        tops = logprobs.get("top_logprobs") or [{}] * len(logprobs["tokens"])
        return [
            ScoredToken(token.encode(), float(logprob), tuple((o.encode(), float(p)) for o, p in (top or {}).items()))
            for token, logprob, top in zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=True)
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _bytes(token: Any) -> bytes:
    listed = token.get("bytes")
    return bytes(listed) if listed is not None else str(token["token"]).encode()


def segment_scores(
    tokens: Sequence[ScoredToken], text: str, segments: Sequence[tuple[int, int]], is_beginning: Callable[[str], bool]
) -> tuple[float, ...] | None:
    """The probability of each segment of a text; None where the tokens do not spell the text.

    Args:
        tokens: of the answer; those behind the text, such as an end token, are ignored.
        text: the answer.
        segments: half-open, in characters of the text.
        is_beginning: whether some legal answer begins so.
    """
    whole = text.encode()
    places = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in segments]
    logs = [0.0] * len(segments)
    at = 0
    for token in tokens:
        if at == len(whole):
            break
        end = at + len(token.piece)
        if whole[at:end] != token.piece:
            return None
        touched = [i for i, (a, b) in enumerate(places) if at < b and a < end]
        if touched:
            share = _share(whole[:at], token, is_beginning)
            for i in touched:
                logs[i] += share
        at = end
    if at != len(whole):
        return None
    return tuple(max(min(math.exp(log), 1.0), 1e-9) for log in logs)


def _share(said: bytes, token: ScoredToken, is_beginning: Callable[[str], bool]) -> float:
    """The log probability of a token among the legal ones in its place."""
    others = {piece: math.exp(min(p, 0.0)) for piece, p in token.others}
    own = others[token.piece] = math.exp(min(token.logprob, 0.0))
    unseen = max(1.0 - sum(others.values()), 0.0)
    # A character that is not complete yet counts as legal.
    legal = sum(
        p for piece, p in others.items() if piece == token.piece or is_beginning((said + piece).decode(errors="ignore"))
    )
    return math.log(max(own, 1e-12) / max(legal + unseen, 1e-12))
