"""From a query to its best readings: find parts, segment, take out accidents, link, compare, try typos."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from qilin.names.compiled import Tables
from qilin.names.mention import OrgMention, Part
from qilin.readings.asked import Asked
from qilin.readings.cost import Cost
from qilin.readings.lattice import lay_out, overlapped_bare, segment
from qilin.readings.link import link
from qilin.readings.parts import find_parts
from qilin.readings.rating import rate
from qilin.readings.reading import Group, Reading
from qilin.readings.support import Dropped, unsupported, without
from qilin.readings.typos import Stretch, find_stretches, find_typos
from qilin.readings.whereabouts import nearest
from qilin.text.tuples import quickly

_MAX_ROUNDS = 16  # rounds of taking out accidental mentions; each round takes out at least one


class Considered(NamedTuple):
    """Everything that was weighed for a query: the verdict rests on it, explain shows it.

    `parts` are those that the readings were chosen from; `readings` are equally good; `dropped` are mentions
    taken out for want of support; `lost` are the readings that cost more; `complete` is False where there were
    too many readings to follow up; `refused` are typos that would not explain more.
    """

    text: str
    parts: list[Part]
    readings: list[Reading]
    dropped: list[Dropped]
    complete: bool
    lost: list[Reading]
    refused: list[OrgMention]


class _Best(NamedTuple):
    """The best readings of some parts, with the other fields as in `Considered`."""

    readings: list[Reading]
    dropped: list[Dropped]
    complete: bool
    lost: list[Reading]


def consider(tables: Tables, asked: Asked) -> Considered:
    """The parts of a query and its best readings."""
    text = asked.folded.text
    parts, tails = find_parts(tables, asked)
    best = _read(tables, text, parts, tails)
    refused: list[OrgMention] = []
    if best.readings[0].segmentation.leftover:
        parts, best, refused = _correct(tables, text, parts, best)
    readings, lost = best.readings, best.lost
    if asked.scope is not None or asked.context is not None:
        readings, further = nearest(tables, asked, readings)
        lost = further + lost
    return quickly(Considered, (text, parts, readings, best.dropped, best.complete, lost, refused))


def _read(tables: Tables, text: str, parts: list[Part], tails: bool) -> _Best:
    """The best consistent readings; where there is none, the one that costs least."""
    dropped: list[Dropped] = []
    for _ in range(_MAX_ROUNDS):
        cut = segment(text, parts, tables.filler)
        if not (tails or cut.equal[0].leftover):
            break
        accidents = unsupported(tables, text, cut.equal[0])
        if not accidents:
            break
        dropped += accidents
        parts = without(parts, accidents)
    hierarchy, filler = tables.hierarchy, tables.filler
    readings = [link(text, segmentation, hierarchy, filler) for segmentation in cut.equal]
    if len(readings) == 1 and not readings[0].clashes:
        if readings[0].apart is not None:
            readings = _or_apart(tables, text, readings)
        return quickly(_Best, (readings, dropped, cut.complete, []))
    rated = rate(readings, parts) if len(readings) > 1 else readings
    if not any(map(_is_consistent, rated)):
        overlapped = overlapped_bare(parts)
        others: list[Reading] = []
        if overlapped:
            again = segment(text, [p for p in parts if p not in overlapped], filler)
            others = rate([link(text, s, hierarchy, filler) for s in again.equal], parts)
            others = list(filter(_is_consistent, others))
        if others:
            if len(rated) == 1:
                rated = rate(rated, parts)
            rated = [*others, *(r._replace(cost=_cost(r)._replace(torn=1)) for r in rated)]
            cut = again
        elif len(rated) == 1:
            return quickly(_Best, (rated, dropped, cut.complete, []))
    least = min(map(_cost, rated))
    best = [r for r in rated if r.cost == least]
    lost = [r for r in rated if r.cost != least]
    if not _is_consistent(best[0]):
        return _Best(best[:1], dropped, cut.complete, lost)
    return _Best(_distinct(_or_apart(tables, text, best)), dropped, cut.complete, lost)


def _is_consistent(reading: Reading) -> bool:
    """Whether nothing clashes in a reading, and no longer name is torn."""
    return not reading.clashes and (reading.cost is None or not reading.cost.torn)


def _cost(reading: Reading) -> Cost:
    assert reading.cost is not None
    return reading.cost


def _or_apart(tables: Tables, text: str, readings: list[Reading]) -> list[Reading]:
    """With the other way to take a list whose later mention may be a target of its own."""
    others = [
        link(text, r.segmentation, tables.hierarchy, tables.filler, r.apart)._replace(cost=r.cost)
        for r in readings
        if r.apart
    ]
    return readings + [r for r in others if not r.clashes] if others else readings


def _distinct(readings: list[Reading]) -> list[Reading]:
    """One reading for each different answer."""
    answers: dict[tuple[tuple[bool, tuple[int, ...]], ...], Reading] = {}
    for reading in readings:
        answers.setdefault(reading.answer, reading)
    return list(answers.values())


# ── typos ────────────────────────────────────────────────────────────────────────────────────────


class _Corrected(NamedTuple):
    """The parts with the misspelt names that explain more, their best readings, and the typos that do not."""

    parts: list[Part]
    best: _Best
    refused: list[OrgMention]


def _correct(tables: Tables, text: str, parts: list[Part], exact: _Best) -> _Corrected:
    """The best readings with misspelt names as further mentions; the exact ones where they explain no more."""
    corrected = _Corrected(parts, exact, [])
    before = exact.readings[0]
    least = before.segmentation.leftover, 0
    lonely: list[Dropped] = []
    stretches: list[Stretch] = []
    for swallow in (False, True):  # an exact name is only swallowed where that explains still more, or joins more
        tried, stretches = stretches, find_stretches(tables, text, before, swallow)
        if stretches == tried:
            break  # nothing to swallow: the same again
        typos = find_typos(tables, text, before, stretches)
        while typos:
            misspelt = frozenset(typos)
            best = _read(tables, text, [*parts, *typos], True)
            alone = [g.mentions[0] for g in best.readings[0].groups if _is_lonely(g)]
            if alone:
                lonely += [Dropped(mention, "lonely") for mention in alone]
                typos = [t for t in typos if t not in alone]
                continue
            first = best.readings[0]
            left = first.segmentation.leftover, _abrupt(first, misspelt)
            if left < least and not first.clashes and not misspelt.isdisjoint(first.segmentation.parts):
                lost = [*best.lost, before, *exact.lost]
                if left[0] == least[0]:  # as much explained, with fewer abrupt targets
                    lost += _more_abrupt(corrected, least[1] - left[1])
                corrected = _Corrected([*parts, *typos], best._replace(lost=lost), [])
                least = left
            else:
                corrected.refused.extend(t for t in typos if t not in corrected.parts)
            break
        if least == (0, 0):
            break
    best = corrected.best
    return corrected._replace(best=best._replace(dropped=best.dropped + lonely)) if lonely else corrected


def _abrupt(reading: Reading, misspelt: frozenset[Part]) -> int:
    """Targets that begin right behind another one where one of the two is misspelt: 唐闸|姿镇供电所."""
    count = 0
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        count += a.end == b.start and (a in misspelt or b in misspelt)
    return count


def _more_abrupt(corrected: _Corrected, more: int) -> list[Reading]:
    """The readings of an earlier correction, with the abrupt targets that they have more than the better one."""
    rated = rate(corrected.best.readings, corrected.parts)
    return [r._replace(cost=_cost(r)._replace(abrupt=more)) for r in rated]


def _is_lonely(group: Group) -> bool:
    """Whether a misspelt name is all of a target, though only a mention on its path could support it."""
    return len(group.mentions) == 1 and not group.mentions[0].name.lonely.isdisjoint(group.options)


# ── for explanations ─────────────────────────────────────────────────────────────────────────────


def costed(considered: Considered) -> Considered:
    """The same, with a cost for each reading that has been compared with no other."""

    def rated(reading: Reading) -> Reading:
        return reading if reading.cost is not None else rate([reading], considered.parts)[0]

    return considered._replace(
        readings=[rated(r) for r in considered.readings], lost=[rated(r) for r in considered.lost]
    )


def best_with(tables: Tables, considered: Considered, part: Part) -> tuple[Reading, Reading]:
    """The winner and the best reading that keeps a part, each with its cost, compared with each other.

    For explanations: the first component in which the costs differ is why the part was left out.
    """
    text, winner = considered.text, considered.readings[0]
    gone = {each.mention for each in considered.dropped}
    beside = [p for p in considered.parts if p not in gone and (p.end <= part.start or part.end <= p.start)]
    cuts = [s for s in segment(text, [*beside, part], tables.filler).equal if part in s.parts]
    if not cuts:
        chosen = [p for p in winner.segmentation.parts if p.end <= part.start or part.end <= p.start]
        cuts = [lay_out(text, tuple(sorted([*chosen, part], key=lambda p: p.start)), tables.filler)]
    readings = [link(text, cut, tables.hierarchy, tables.filler) for cut in cuts]
    parts = [*(p for p in considered.parts if p not in gone), part]
    first, *others = rate([winner, *readings], parts)
    best = min(others, key=_cost)
    if best.clashes and not first.clashes and _cost(best) < _cost(first):  # 市南 of 济南市南部: cut out to clash
        best = best._replace(cost=_cost(best)._replace(torn=1))
    return first, best
