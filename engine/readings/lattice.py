"""The lattice of parts: which of them to choose so that they do not overlap and explain most.

`segment` chooses the parts that leave the fewest content characters unexplained; equally good choices are
all kept. Each organisation may also be called by less of its suffix (`OrgName.shorter`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from qilin.names.mention import OrgMention, OrgName, Part
from qilin.names.rules import BARE
from qilin.operators.phrase import Phrase
from qilin.readings.cost import explained
from qilin.readings.reading import Segmentation
from qilin.text.filler import Filler
from qilin.text.tuples import quickly

_MAX_SEGMENTATIONS = 64  # equally good ways to cut one text that are followed up
_MAX_WORK = 4000  # parts in all alternatives of one text together
_by_place = itemgetter(0, 1)
_BEGIN = -1


class Segmentations(NamedTuple):
    """The best segmentations, equally good; `complete` is False when there were too many."""

    equal: list[Segmentation]
    complete: bool


class _Chain(NamedTuple):
    """Chosen parts from the left end of a text onwards, the first of them at the head."""

    part: Part
    rest: _Chain | None


def _unrolled(chain: _Chain | None) -> Iterator[Part]:
    while chain is not None:
        yield chain.part
        chain = chain.rest


def segment(text: str, parts: Sequence[Part], filler: Filler) -> Segmentations:
    """The choices of non-overlapping parts that leave least unexplained. Linear in the text."""
    covered = 0
    for part in parts:  # nearly always one behind the other, as they were found
        if part[0] < covered:
            break
        covered = part[1]
    else:
        return quickly(Segmentations, ([lay_out(text, tuple(parts), filler)], True))
    ordered = sorted(parts, key=_by_place)
    chosen: list[Part] = []
    covered = 0
    shortest = 0  # where the shortest part that begins with the last chosen one ends
    for part in ordered:
        start, end = part[0], part[1]
        if start >= covered:
            chosen.append(part)
            covered = shortest = end
        elif start == chosen[-1][0]:
            if type(part) is not type(chosen[-1]) or end == covered:
                break  # one stretch that is two kinds of thing, or misspelt in two ways
            chosen[-1] = part  # same start, sorted by end: the longer one
            covered = end
        elif end > covered or (end == covered and _splits(text, chosen[-1], part, shortest, filler)):
            break  # overlaps, or ends alike and splits the longer one in two
    else:
        return quickly(Segmentations, ([lay_out(text, tuple(chosen), filler)], True))
    return _best_cuts(text, ordered, filler)


def _splits(text: str, longer: Part, part: Part, shortest: int, filler: Filler) -> bool:
    """Whether the beginning of a longer part, before one that ends with it, could be explained without it."""
    middle = part[0]
    if _is_tail(part, longer):
        return False
    if shortest <= middle or not filler.gap(text[longer[0] : middle]).content:
        return True
    return isinstance(longer, OrgMention) and any(longer[1] - less <= middle for less, _ in longer.name.shorter)


def lay_out(text: str, chosen: tuple[Part, ...], filler: Filler) -> Segmentation:
    """The parts as a segmentation, with the text between them that filler words do not explain."""
    leftover = 0
    runs: list[tuple[int, int]] = []
    position = 0
    for part in chosen:
        start = part[0]
        if start > position:
            gap = filler.gap(text[position:start])
            if gap.content:
                leftover += gap.content
                runs.extend((position + a, position + b) for a, b in gap.runs)
        position = part[1]
    if position < len(text):
        gap = filler.gap(text[position:])
        if gap.content:
            leftover += gap.content
            runs.extend((position + a, position + b) for a, b in gap.runs)
    return quickly(Segmentation, (chosen, leftover, tuple(runs)))


def _best_cuts(text: str, ordered: list[Part], filler: Filler) -> Segmentations:
    """Dynamic programming over parts by their end; ties are all kept."""
    parts = sorted(_without_tails(with_shorter(ordered, _divisible(text, ordered))), key=lambda t: (t.end, t.start))
    ends = [t.end for t in parts]
    # latest[k]: the latest start among the first k parts; a part must follow one that ends after
    # it, or it would leave room for a part in between.
    latest = [-1]
    for part in parts:
        latest.append(max(latest[-1], part.start))
    costs: list[tuple[int, int, int]] = []  # leftover, steering and named of readings.cost
    before: list[list[int]] = []
    final = Phrase(len(text), len(text), "echo", None)
    for part in [*parts, final]:
        known = bisect_right(ends, part.start, hi=len(costs))
        first = bisect_right(ends, latest[known], hi=known)
        options: list[tuple[tuple[int, int, int], int]] = []
        if known == 0:
            options.append(((filler.gap(text[: part.start]).content, 0, 0), _BEGIN))
        for k in range(first, known):
            gap = text[ends[k] : part.start]
            leftover, steering, named = costs[k]
            options.append(((leftover + (filler.gap(gap).content if gap else 0), steering, named), k))
        best = min(cost for cost, _ in options)
        before.append([k for cost, k in options if cost == best])
        steering, named = explained(part)
        costs.append((best[0], best[1] + steering, best[2] + named))
    # Fewer alternatives for a longer text, so that the work stays linear; what is cut off makes it ambiguous.
    limit = max(2, min(_MAX_SEGMENTATIONS, _MAX_WORK // len(parts)))
    found: list[tuple[Part, ...]] = []
    stack: list[tuple[int, _Chain | None]] = [(len(parts), None)]
    while stack and len(found) < limit:
        at, chain = stack.pop()
        for k in reversed(before[at]):
            if k == _BEGIN:
                found.append(tuple(_unrolled(chain)))
            else:
                stack.append((k, _Chain(parts[k], chain)))
    found.sort(key=lambda chosen: (len(chosen), [t[:2] for t in chosen]))
    return Segmentations([lay_out(text, chosen, filler) for chosen in found], not stack)


def with_shorter(ordered: Sequence[Part], wanted: Sequence[Part]) -> list[Part]:
    """Add the names that the wanted organisations have with less of their suffix: 济南市|中 may be 济南|市中."""
    added = [
        OrgMention(part.start, part.end - less, name)
        for part in wanted
        if isinstance(part, OrgMention)
        for less, name in part.name.shorter
    ]
    return sorted([*ordered, *added], key=_by_place)


def _divisible(text: str, ordered: list[Part]) -> list[Part]:
    """The parts that another part begins in, or that plain text follows, which may begin in them: 麒麟|所有.

    The others lose by being shorter: nothing else would explain the rest.
    """
    starts = sorted({part[0] for part in ordered} | {len(text)})
    return [part for part in ordered if starts[bisect_right(starts, part[0])] != part[1]]


def _without_tails(ordered: list[Part]) -> list[Part]:
    """Leave out 经济开发区 where the text has 郓城县经济开发区: the same organisation, less of it."""
    kept = []
    for i, part in enumerate(ordered):
        if not any(_is_tail(part, other) for other in ordered[max(i - 24, 0) : i]):
            kept.append(part)
    return kept


def _is_tail(part: Part, longer: Part) -> bool:
    """Whether a part is the end, or the middle, of a longer one that may be the same organisation."""
    return (
        longer[0] < part[0]
        and part[1] <= longer[1]
        and isinstance(part, OrgMention)
        and isinstance(longer, OrgMention)
        and _share(part.name, longer.name)
    )


def _share(one: OrgName, other: OrgName) -> bool:
    """Whether there is an organisation that both could be."""
    few, many = (one.nodes, other.nodes) if len(one.nodes) < len(other.nodes) else (other.nodes, one.nodes)
    for node in few:
        at = bisect_left(many, node)
        if at < len(many) and many[at] == node:
            return True
    return False


def overlapped_bare(parts: Sequence[Part]) -> frozenset[Part]:
    """Bare mentions that overlap a longer mention without lying in it: 市南 in 济南市南部."""
    mentions = [p for p in with_shorter(parts, parts) if isinstance(p, OrgMention)]
    found: set[Part] = set()
    for i, left in enumerate(mentions):
        for right in mentions[i + 1 :]:
            if right.start >= left.end:
                break
            if left.start < right.start and left.end < right.end:
                short, long = sorted((left, right), key=lambda m: m.end - m.start)
                if short.name.form >= BARE and short.end - short.start < long.end - long.start:
                    found.add(short)
    return frozenset(found)
