"""Whether an answer is one of those that a request allows, and what it says; shares no code with the grammar.

Servers fail open: they drop a grammar they do not know, cut an answer short, add a preamble. So every
answer is read here once more, character by character, whoever says that it was constrained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qilin.llm.protocol import Choice, Free, GapRequest, Segment, Settled


class Tagged(NamedTuple):
    """A stretch of free text that was tagged: half-open, in code points of the *unescaped* text."""

    start: int
    end: int
    tag: str


class Said(NamedTuple):
    """What was said for one open segment, from `begin` to `end` of the answer.

    `choice` is the index of the alternative of a Choice, `tags` what was tagged in a Free.
    """

    begin: int
    end: int
    choice: int | None
    tags: tuple[Tagged, ...]


def read_answer(text: str, request: GapRequest) -> tuple[Said, ...] | None:
    """What the answer says for each open segment, in order; None for an answer that is not legal.

    Linear in the length of the answer; an answer that could be read in two ways is not legal.
    """
    if not isinstance(text, str) or len(text) > longest(request.segments):
        return None
    read = [said for end, said in _ends(text, request.segments) if end == len(text)]
    return read[0] if len(read) == 1 else None


def is_legal(text: str, request: GapRequest) -> bool:
    """Whether the text is an answer that the request allows."""
    return read_answer(text, request) is not None


def is_beginning(text: str, segments: Sequence[Segment]) -> bool:
    """Whether some legal answer begins with the text, the whole of one included."""
    cut = _Cut()
    ends = _ends(text, segments, cut)
    return cut.short or any(end == len(text) for end, _ in ends)


def longest(segments: Sequence[Segment]) -> int:
    """The length of the longest legal answer, in characters, or a little more."""
    total = 0
    for segment in segments:
        if isinstance(segment, Settled):
            total += len(segment.text)
        elif isinstance(segment, Choice):
            total += max(map(len, segment.alternatives))
        else:
            total += len(segment.text) * 24  # <Indicator> and </Indicator> around every character
    return total


class _Cut:
    """Whether the text ended before the answer did, with nothing wrong up to there."""

    short = False


Reading = tuple[int, tuple[Said, ...]]


def _ends(text: str, segments: Sequence[Segment], cut: _Cut | None = None) -> list[Reading]:
    """Where the segments, said one after the other from the beginning of the text, may end.

    Only a choice between a name and a longer one that begins with it leaves more than one place open.
    """
    note = cut if cut is not None else _Cut()
    open_ends: list[Reading] = [(0, ())]
    for segment in segments:
        following: list[Reading] = []
        for at, said in open_ends:
            if isinstance(segment, Settled):
                if text.startswith(segment.text, at):
                    following.append((at + len(segment.text), said))
                elif segment.text.startswith(text[at:]):
                    note.short = True
            elif isinstance(segment, Choice):
                following += [(s.end, (*said, s)) for s in _chosen(text, at, segment, note)]
            else:
                found = _tagged(text, at, segment, note)
                if found is not None:
                    following.append((found.end, (*said, found)))
        open_ends = following
        if not open_ends:
            break
    return open_ends


def _chosen(text: str, at: int, choice: Choice, note: _Cut) -> Iterator[Said]:
    seen: set[str] = set()
    for number, alternative in enumerate(choice.alternatives):
        if alternative in seen:
            continue  # the same words mean the first alternative that has them
        seen.add(alternative)
        if text.startswith(alternative, at):
            yield Said(at, at + len(alternative), number, ())
        elif len(text) - at < len(alternative) and alternative.startswith(text[at:]):
            note.short = True


_OPENING = {"<Indicator>": "Indicator", "<Date>": "Date"}


def _tagged(text: str, at: int, free: Free, note: _Cut) -> Said | None:
    """Walk along the free text and the answer at once; only tags may stand in between."""
    begin, size = at, len(text)
    ink = len(free.text.rstrip())  # a tag ends here at the latest
    position = 0  # in the escaped text
    plain = 0  # the same place in the unescaped text
    inside = ""
    started = 0
    tags: list[Tagged] = []
    while True:
        if inside and plain > started and not free.text[position - 1].isspace():
            closing = f"</{inside}>"
            if text.startswith(closing, at):
                tags.append(Tagged(started, plain, inside))
                at += len(closing)
                inside = ""
                continue
            if closing.startswith(text[at:]):
                note.short = True
        if position == len(free.text):
            return None if inside else Said(begin, at, None, tuple(tags))
        if inside and position >= ink:
            return None
        if not inside and not free.text[position].isspace():
            for opening, tag in _OPENING.items():
                if text.startswith(opening, at):
                    at += len(opening)
                    inside, started = tag, plain
                    break
                if opening.startswith(text[at:]):
                    note.short = True
        width = 1
        if free.text[position] == "&":  # an escaped character is one place, however many it is written with
            width = next((len(e) for e in ("&lt;", "&gt;", "&amp;") if free.text.startswith(e, position)), 1)
        if not text.startswith(free.text[position : position + width], at):
            if at + width > size and free.text.startswith(text[at:], position):
                note.short = True
            return None
        position += width
        plain += 1
        at += width
