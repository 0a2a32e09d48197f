"""From the log probabilities that a server returns to the probability of what was said.

Servers tell how likely the model found each token *before* the grammar spoke. What counts is how
likely it was among the tokens that were legal there, so the others are left out of the sum. Tokens
beyond those that the server lists are taken to be legal all of them: the score is a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """A token of an answer: its bytes, its log probability, and the likeliest tokens in its place."""

    piece: bytes
    logprob: float
    others: tuple[tuple[bytes, float], ...]


def heard_in_chat(logprobs: Any) -> list[Heard] | None:
    """The tokens of a chat completion; None where there are none, or not as they should be."""
    try:
        return [
            Heard(
                _bytes(t), float(t["logprob"]), tuple((_bytes(o), float(o["logprob"])) for o in t["top_logprobs"] or ())
            )
            for t in logprobs["content"]
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def heard_in_completion(logprobs: Any) -> list[Heard] | None:
    """The tokens of a text completion; None where there are none, or not as they should be."""
    try:
        tops = logprobs.get("top_logprobs") or [{}] * len(logprobs["tokens"])
        return [
            Heard(token.encode(), float(logprob), tuple((o.encode(), float(p)) for o, p in (top or {}).items()))
            for token, logprob, top in zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=True)
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _bytes(token: Any) -> bytes:
    listed = token.get("bytes")
    return bytes(listed) if listed is not None else str(token["token"]).encode()


def stretch_scores(
    heard: Sequence[Heard], text: str, stretches: Sequence[tuple[int, int]], is_beginning: Callable[[str], bool]
) -> tuple[float, ...] | None:
    """The probability of each stretch of the text that was said; None where the tokens are not that text.

    Args:
        heard: the tokens; what comes behind the text, such as an end token, is left out.
        text: what was said.
        stretches: half-open, in characters of the text.
        is_beginning: whether some legal answer begins so.
    """
    whole = text.encode()
    places = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in stretches]
    logs = [0.0] * len(stretches)
    at = 0
    for token in heard:
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


def _share(said: bytes, token: Heard, is_beginning: Callable[[str], bool]) -> float:
    """The log of the token's part of all that was legal in its place."""
    others = {piece: math.exp(min(p, 0.0)) for piece, p in token.others}
    own = others[token.piece] = math.exp(min(token.logprob, 0.0))
    unseen = max(1.0 - sum(others.values()), 0.0)
    # Part of a character at the end says nothing yet; it counts as legal.
    legal = sum(
        p for piece, p in others.items() if piece == token.piece or is_beginning((said + piece).decode(errors="ignore"))
    )
    return math.log(max(own, 1e-12) / max(legal + unseen, 1e-12))
