"""Whether an answer is legal for a request, and what it says; shares no code with the grammar.

Servers fail open: they drop a grammar they do not know, cut an answer short, add a preamble. So every
answer is parsed here once more, character by character, whoever claims that it was constrained.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from qilin.llm.protocol import Choice, Free, GapRequest, Segment, Settled

_PIECE = re.compile("&lt;|&gt;|&amp;|.", re.S)  # an escaped character is one place, however many it is written with
_OPENING = {"<Indicator>": "Indicator", "<Date>": "Date"}


class Tagged(NamedTuple):
    """A tagged span of free text: half-open, in code points of the *unescaped* text."""

    start: int
    end: int
    tag: str


class Said(NamedTuple):
    """The answer to one open segment, from `begin` to `end` of the whole answer.

    `choice` is the index of the alternative of a Choice, `tags` the tagged spans of a Free.
    """

    begin: int
    end: int
    choice: int | None
    tags: tuple[Tagged, ...]


class _Parsed(NamedTuple):
    """The ways to parse a segment at one place; `short`: the text ends within it, with nothing wrong up to there."""

    ways: list[Said]
    short: bool


def read_answer(text: str, request: GapRequest) -> tuple[Said, ...] | None:
    """The answer to each open segment, in order; None for a text that is not legal.

    Linear in the length of the text; one that can be parsed in two ways is not legal.
    """
    if not isinstance(text, str) or len(text) > longest(request.segments):
        return None
    whole = [said for end, said in _parse(text, request.segments)[0] if end == len(text)]
    return whole[0] if len(whole) == 1 else None


def is_legal(text: str, request: GapRequest) -> bool:
    """Whether the text is an answer that the request allows."""
    return read_answer(text, request) is not None


def is_beginning(text: str, segments: Sequence[Segment]) -> bool:
    """Whether some legal answer begins with the text, a whole answer included."""
    ends, short = _parse(text, segments)
    return short or any(end == len(text) for end, _ in ends)


def longest(segments: Sequence[Segment]) -> int:
    """An upper bound for the length of a legal answer, in characters."""
    total = 0
    for segment in segments:
        if isinstance(segment, Settled):
            total += len(segment.text)
        elif isinstance(segment, Choice):
            total += max(map(len, segment.alternatives))
        else:
            total += len(segment.text) * 24  # <Indicator> and </Indicator> around every character
    return total


def _parse(text: str, segments: Sequence[Segment]) -> tuple[list[tuple[int, tuple[Said, ...]]], bool]:
    """Each end that the segments, in order from the beginning of the text, may have, with the answers up to there.

    Only a choice between a name and a longer one that begins with it leaves several.

    Returns: these, and whether the text may also end within a segment.
    """
    ends: list[tuple[int, tuple[Said, ...]]] = [(0, ())]
    short = False
    for segment in segments:
        following: list[tuple[int, tuple[Said, ...]]] = []
        for at, said in ends:
            if isinstance(segment, Free):
                parsed = _tagged(text, at, segment)
            else:
                parsed = _chosen(text, at, segment.alternatives if isinstance(segment, Choice) else (segment.text,))
            for way in parsed.ways:
                following.append((way.end, said if isinstance(segment, Settled) else (*said, way)))
            short = short or parsed.short
        ends = following
    return ends, short


def _chosen(text: str, at: int, alternatives: Sequence[str]) -> _Parsed:
    """Every alternative that stands at a place; equal ones count as the first of them."""
    numbers = {alternative: number for number, alternative in reversed(list(enumerate(alternatives)))}
    ways = [Said(at, at + len(a), number, ()) for a, number in numbers.items() if text.startswith(a, at)]
    return _Parsed(ways, any(len(text) - at < len(a) and a.startswith(text[at:]) for a in numbers))


def _tagged(text: str, at: int, free: Free) -> _Parsed:
    """Walk along the free text and the answer at once; only tags may stand in between."""
    begin, short = at, False
    pieces = _PIECE.findall(free.text)
    ink = max((i + 1 for i, piece in enumerate(pieces) if not piece.isspace()), default=0)
    inside, started = "", 0  # the open tag, and where it opened
    tags: list[Tagged] = []
    for i, piece in enumerate([*pieces, ""]):
        if inside and i > started and not pieces[i - 1].isspace():
            closing = f"</{inside}>"
            if text.startswith(closing, at):
                tags.append(Tagged(started, i, inside))
                at += len(closing)
                inside = ""
            else:
                short = short or closing.startswith(text[at:])
        if inside and i >= ink:  # the tag must have closed by now
            return _Parsed([], short)
        if not inside and i < len(pieces) and not piece.isspace():
            for opening, tag in _OPENING.items():
                if text.startswith(opening, at):
                    at += len(opening)
                    inside, started = tag, i
                    break
                short = short or opening.startswith(text[at:])
        if not text.startswith(piece, at):
            return _Parsed([], short or piece.startswith(text[at:]))
        at += len(piece)
    return _Parsed([Said(begin, at, None, tuple(tags))], short)
