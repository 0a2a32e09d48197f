"""The cost of whole readings that compete for one text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from qilin.names.mention import OrgMention
from qilin.readings.cost import Cost, explained
from qilin.readings.lattice import overlapped_bare
from qilin.readings.parts import Cover, Part
from qilin.readings.reading import Reading


def rate(
    readings: Sequence[Reading],
    parts: Sequence[Part],
    misspelt: Collection[Part] = (),
    overlapped: set[Part] | None = None,
) -> list[Reading]:
    """The readings, each with its cost.

    Args:
        readings: all that compete; mentions that all of them have do not count for `form`.
        parts: every part of the text.
        misspelt: the mentions among them that are typos.
        overlapped: the bare mentions that a longer one overlaps, where they are known (`lattice.overlapped_bare`).
    """
    if overlapped is None:
        overlapped = overlapped_bare(parts) if any(r.clashes for r in readings) else set()
    names = Cover(p for p in parts if isinstance(p, OrgMention))
    shared = frozenset.intersection(*(frozenset(r.segmentation.parts) for r in readings))
    return [r._replace(cost=_cost(r, names, overlapped, shared, misspelt)) for r in readings]


def _cost(
    reading: Reading, names: Cover, overlapped: set[Part], shared: Collection[Part], misspelt: Collection[Part]
) -> Cost:
    chosen = reading.segmentation.parts
    clashes = bool(reading.clashes)
    torn = not overlapped.isdisjoint(chosen) if clashes else _tears(reading, names)
    typos, form = (0, 0) if clashes else _typos_and_form(reading, shared)  # where names clash, nothing is chosen
    steering, named = map(sum, zip((0, 0), *map(explained, chosen), strict=True))
    return Cost(
        torn=int(torn),
        leftover=reading.segmentation.leftover,
        clashes=int(clashes),
        abrupt=_abrupt(reading, misspelt) if misspelt else 0,
        steering=steering,
        named=named,
        typos=typos,
        form=form,
    )


def _tears(reading: Reading, names: Cover) -> bool:
    """Whether a longer mention was torn into targets of its own: 呼伦贝尔 is not 呼伦 and 贝尔."""
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        if a.end == b.start and names.covers(a.start, b.end):
            return True
    return False


def _abrupt(reading: Reading, misspelt: Collection[Part]) -> int:
    count = 0
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        count += a.end == b.start and (a in misspelt or b in misspelt)
    return count


def _typos_and_form(reading: Reading, shared: Collection[Part]) -> tuple[int, int]:
    typos = form = 0
    for group in reading.groups:
        typos += group.via.typos
        for mention, node in zip(group.mentions, group.via.nodes, strict=True):
            if mention not in shared:
                candidate = mention.name.candidate(node)
                if not candidate.typo:  # equally light typos are equally good, however full the form
                    form = max(form, candidate.form)
    return typos, form
