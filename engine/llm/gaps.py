"""What the rules leave open in one query, as a request to a language model; or that nothing is.

Open are: an organisation that could be several, content that nothing explains (an indicator no one
listed, an odd date), and a name that the table lacks but that looks like some of its own. A conflict
is not: no model can talk the hierarchy round.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qilin.answer.markup import Fragment, escape, tagged_fragments
from qilin.answer.resolution import Resolution
from qilin.answer.values import LEVEL_NAMES, OrgPath, Unknown
from qilin.dates import DateMention
from qilin.llm.garbled import lookalikes
from qilin.llm.protocol import Choice, Free, GapRequest, Segment, Settled, left_open
from qilin.names.compiled import Tables
from qilin.names.suffixes import suffix_at
from qilin.operators.phrase import Phrase
from qilin.readings.asked import Asked
from qilin.readings.reading import Group, Reading
from qilin.readings.search import Considered
from qilin.verdict.exclusions import unread_exclusion
from qilin.verdict.status import is_doubtful

_LONGEST = 500  # characters of a query that is still asked about
_LONGEST_STEM = 6  # characters of a garbled name before its suffix
_MOST_FREE = 120  # characters of free text in one request
# What chat templates mark turns with; inside a prompt it would end the question.
_CONTROL_TOKENS = re.compile(
    r"<[|｜][^<>]{0,40}[|｜]>|</?(?:s|bos|eos|pad|unk|mask)>|<(?:start|end)_of_turn>|\[/?(?:INST|SYS)\]|<</?SYS>>", re.I
)
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_JOINING = frozenset("%％‰·./-+")  # may stand inside the name of an indicator


class Organisations(NamedTuple):
    """A choice among organisations: `nodes` are those of the alternatives, the open one left out.

    `group`: the ambiguous target, or None where `start` to `end` of the query is a name that the
    table lacks; `parent`: the organisation named right before that.
    """

    nodes: tuple[int, ...]
    start: int
    end: int
    group: Group | None
    parent: int | None = None


class Stretch(NamedTuple):
    """Free text: half-open, in code points of the query."""

    start: int
    end: int


Opening = Organisations | Stretch


class Gaps(NamedTuple):
    """What is asked; `openings` are the open segments of the request, in order."""

    request: GapRequest
    openings: tuple[Opening, ...]


class NotAsked(NamedTuple):
    """Something is open, but the query cannot safely be put to a model."""

    reason: str


def find_gaps(tables: Tables, asked: Asked, considered: Considered, resolution: Resolution) -> Gaps | NotAsked | None:
    """What a model may say about a query; None where there is only one legal answer."""
    if resolution.status == "conflict" or not considered.complete:
        return None
    if unread_exclusion(considered.text, considered.readings[0]) is not None:
        return None  # what is to be taken out is not certain: only the person can tell
    query = asked.query
    openings = [*_ambiguous(considered, resolution, asked), *_garbled(tables, asked, considered, resolution)]
    stretches = list(_free(asked, considered, resolution, openings))
    if not openings and not stretches:
        return None
    reason = _why_unsafe(query)
    if reason:
        return NotAsked(reason)
    segments, kept = _segments(tables, asked, resolution, openings, stretches)
    if not kept:
        return None
    request = GapRequest(query, tuple(segments))
    if unicodedata.normalize("NFC", whole := left_open(request)) != whole:
        return NotAsked("the query is not in Unicode normal form C")
    return Gaps(request, tuple(kept))


def _why_unsafe(query: str) -> str:
    if len(query) > _LONGEST:
        return f"the query has more than {_LONGEST} characters"
    if _CONTROL_TOKENS.search(query):
        return "the query holds text that a model could take for a control token"
    if _UNSAFE.search(query):
        return "the query holds control characters"
    return ""


def tags_of(path: OrgPath, above: int = 0) -> str:
    """The tagged form of a path, without its first `above` levels."""
    names = (path.province, path.city, path.company, path.substation)
    return "".join(
        f"<{level}>{escape(name)}</{level}>"
        for i, (level, name) in enumerate(zip(LEVEL_NAMES, names, strict=True))
        if name and i >= above
    )


# ── ambiguous targets ────────────────────────────────────────────────────────────────────────────


def _ambiguous(considered: Considered, resolution: Resolution, asked: Asked) -> Iterator[Organisations]:
    """Targets that could be several organisations, where they are all that is ambiguous."""
    if resolution.status != "ambiguous" or len(considered.readings) > 1:
        return
    spans = {(e.start, e.end) for e in resolution.entities if e.group is not None}
    for group in considered.readings[0].groups:
        span = asked.folded.span(group.mentions[0].start, group.mentions[0].end)
        if is_doubtful(group) and span in spans:
            yield Organisations(group.options, *span, group)


def _unsettled(tables: Tables, asked: Asked, choice: Organisations, alternatives: Sequence[str], tagged: str) -> str:
    """The form that settles nothing: as the rules tagged it, or, for a guess they tagged in full, as written.

    "": a guess said in several places, which has no such form.
    """
    if tagged not in alternatives or choice.group is None:
        return tagged
    mentions, states = choice.group.mentions, choice.group.states
    start, end = asked.folded.span(mentions[-1].start, mentions[-1].end)
    written = escape(asked.query[start:end])
    if len(mentions) == 1:
        return written
    parents = {s.nodes[0] for s in states if s.deepest in choice.nodes}
    if len(mentions) > 2 or mentions[0].end != mentions[1].start or len(parents) > 1:
        return ""
    return tags_of(tables.org_path(parents.pop())) + written


# ── names that the table lacks ───────────────────────────────────────────────────────────────────


def _garbled(tables: Tables, asked: Asked, considered: Considered, resolution: Resolution) -> Iterator[Organisations]:
    """Unknown names that look or sound like some of the table, below their parent where one is named."""
    if len(considered.readings) > 1:
        return
    reading = considered.readings[0]
    for unknown in resolution.unknown:
        start, end = folded_span(asked, unknown.start, unknown.end)
        if unknown.kind == "other":
            end = _with_suffix(considered.text, reading, start, end)
        if unknown.kind == "organisation" or (unknown.kind == "other" and end):
            first, last = asked.folded.span(start, end)
            parent = _parent(reading, start, end)
            nodes = lookalikes(tables, considered.text[start:end], parent)
            named = {node for group in reading.groups for state in group.states for node in state.nodes}
            swallowed = any(start <= m.start and m.end <= end for g in reading.groups for m in g.mentions)
            nodes = [n for n in nodes if swallowed or n not in named]
            if nodes:
                yield Organisations(tuple(nodes), first, last, None, parent)


def _with_suffix(text: str, reading: Reading, start: int, end: int) -> int:
    """Where a name ends whose beginning is unexplained, and the rest filler and a suffix: 聚|也县供电公司; 0: nowhere."""
    kept = [p for p in reading.segmentation.parts if not isinstance(p, Phrase) and p.end > start]
    limit = min([p.start for p in kept], default=len(text))
    for at in range(max(end, start + 2), min(start + _LONGEST_STEM, limit)):
        suffix = suffix_at(text, at)
        if "供电" in suffix and at + len(suffix) <= limit:
            return at + len(suffix)
    return 0


def _parent(reading: Reading, start: int, end: int) -> int | None:
    """The organisation named right before a stretch."""
    groups = [g for g in reading.groups if not any(start <= m.start and m.end <= end for m in g.mentions)]
    for group in groups:
        if group.mentions[-1].end == start and len(group.options) == 1:
            return group.options[0]
    return None


def folded_span(asked: Asked, start: int, end: int) -> tuple[int, int]:
    """A span of the query as offsets into the folded text."""
    offsets = asked.folded.offsets
    if offsets is None:
        return start, end
    return bisect_left(offsets, start), bisect_left(offsets, end)


# ── free text ────────────────────────────────────────────────────────────────────────────────────


def _free(
    asked: Asked, considered: Considered, resolution: Resolution, openings: Sequence[Organisations]
) -> Iterator[Stretch]:
    """Unexplained stretches, with the plain text beside them that may be part of the same name."""
    query = asked.query
    taken = [False] * len(query)
    for reading in considered.readings:
        for part in reading.segmentation.parts:
            if not isinstance(part, DateMention) or part.first is not None:
                _mark(taken, *asked.folded.span(part.start, part.end))
    for unknown in resolution.unknown:
        if unknown.kind == "organisation":
            _mark(taken, unknown.start, unknown.end)
    for opening in openings:
        _mark(taken, opening.start, opening.end)
    position = left = 0
    for unknown in sorted(resolution.unknown, key=lambda u: u.start):
        if unknown.kind == "organisation" or unknown.start < position or any(taken[unknown.start : unknown.end]):
            continue
        start, end = _widened(query, taken, unknown, position)
        position = end
        left += end - start
        if left > _MOST_FREE:
            return
        yield Stretch(start, end)


def _mark(taken: list[bool], start: int, end: int) -> None:
    taken[start:end] = [True] * (end - start)


def _widened(query: str, taken: Sequence[bool], unknown: Unknown, position: int) -> tuple[int, int]:
    start, end = unknown.start, unknown.end
    while start > position and not taken[start - 1] and _joins(query[start - 1]):
        start -= 1
    while end < len(query) and not taken[end] and _joins(query[end]):
        end += 1
    return start, end


def _joins(character: str) -> bool:
    return character.isalnum() or character in _JOINING


# ── segments ─────────────────────────────────────────────────────────────────────────────────────


def _segments(
    tables: Tables, asked: Asked, resolution: Resolution, choices: Sequence[Organisations], stretches: Sequence[Stretch]
) -> tuple[list[Segment], list[Opening]]:
    """The tagged form with its openings as open segments; an opening that has no place in it stays closed."""
    groups = {(e.start, e.end): e.group for e in resolution.entities if e.group is not None and e.start is not None}
    by_group = {groups.get((c.start, c.end)): c for c in choices if c.group is not None}
    places: dict[int, Opening] = {}
    plain: list[Opening] = [*(c for c in choices if c.group is None), *stretches]
    for each in plain:
        places.update(dict.fromkeys(range(each.start, each.end), each))
    segments: list[Segment] = []
    kept: list[Opening] = []
    for fragment in tagged_fragments(resolution.query, resolution.entities):
        if fragment.places is None:
            choice = by_group.get(fragment.group) if fragment.group is not None else None
            if choice is None:
                _settle(segments, fragment.text)
            else:
                alternatives = [tags_of(tables.org_path(node)) for node in choice.nodes]
                unsettled = _unsettled(tables, asked, choice, alternatives, fragment.text)
                if unsettled and unsettled not in alternatives:
                    segments.append(Choice((unsettled, *alternatives)))
                    kept.append(choice)
                else:
                    _settle(segments, fragment.text)
            continue
        for opening, text in _runs(resolution.query, fragment, places):
            if isinstance(opening, Stretch):
                segments.append(Free(escape(text)))
                kept.append(opening)
            elif opening is not None:
                segments.append(Choice((escape(text), *_paths_behind(tables, segments, opening))))
                kept.append(opening)
            else:
                _settle(segments, escape(text))
    return segments, kept


def _paths_behind(tables: Tables, segments: Sequence[Segment], opening: Organisations) -> list[str]:
    """The tagged paths of a choice; right behind the tags of their parent they go on from there."""
    above = 0
    if opening.parent is not None and segments and isinstance(before := segments[-1], Settled):
        path = tables.org_path(opening.parent)
        above = tables.hierarchy.levels[opening.parent] + 1 if before.text.endswith(tags_of(path)) else 0
    return [tags_of(tables.org_path(node), above) for node in opening.nodes]


def _settle(segments: list[Segment], text: str) -> None:
    if segments and isinstance(segments[-1], Settled):
        segments[-1] = Settled(segments[-1].text + text)
    elif text:
        segments.append(Settled(text))


def _runs(query: str, fragment: Fragment, places: dict[int, Opening]) -> Iterator[tuple[Opening | None, str]]:
    """Plain text cut where an opening begins or ends; one that is not there in full is left closed."""
    assert fragment.places is not None
    at, size = 0, len(fragment.places)
    while at < size:
        opening = places.get(fragment.places[at])
        end = at + 1
        while end < size and places.get(fragment.places[end]) == opening:
            end += 1
        run = fragment.places[at:end]
        whole = opening is not None and (run[0], run[-1] + 1, end - at) == (
            opening.start,
            opening.end,
            opening.end - opening.start,
        )
        yield (opening if whole else None), "".join([query[i] for i in run])
        at = end
