"""The cost of whole readings that compete for one text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from qilin.names.mention import OrgMention, Part
from qilin.readings.cost import Cost, explained
from qilin.readings.parts import Cover
from qilin.readings.reading import Reading


def rate(readings: Sequence[Reading], parts: Sequence[Part]) -> list[Reading]:
    """The readings, each with its cost.

    Args:
        readings: all that compete; mentions that all consistent ones have do not count for `form`.
        parts: every part of the text.
    """
    names = Cover(p for p in parts if isinstance(p, OrgMention))
    torn = [_tears(r, names) for r in readings]
    consistent = [r for r, is_torn in zip(readings, torn, strict=True) if not r.clashes and not is_torn] or readings
    shared = frozenset.intersection(*(frozenset(r.segmentation.parts) for r in consistent))
    return [r._replace(cost=_cost(r, is_torn, shared)) for r, is_torn in zip(readings, torn, strict=True)]


def _cost(reading: Reading, torn: bool, shared: Collection[Part]) -> Cost:
    chosen = reading.segmentation.parts
    typos, form = (0, 0) if reading.clashes else _typos_and_form(reading, shared)  # a clash chooses no organisation
    steering, named = map(sum, zip((0, 0), *map(explained, chosen), strict=True))
    return Cost(
        torn=int(torn),
        leftover=reading.segmentation.leftover,
        clashes=int(bool(reading.clashes)),
        steering=steering,
        named=named,
        typos=typos,
        form=form,
    )


def _tears(reading: Reading, names: Cover) -> bool:
    """Whether a longer mention was torn into targets of its own, all consistent: 呼伦贝尔 is not 呼伦 and 贝尔."""
    if reading.clashes:
        return False
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        if a.end == b.start and names.covers(a.start, b.end):
            return True
    return False


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
