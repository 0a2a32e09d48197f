"""Repairs of a conflict, nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qilin.hierarchy import Hierarchy
from qilin.readings.whereabouts import shared_levels


def order_repairs(
    hierarchy: Hierarchy, uppers: Sequence[int], lowers: Sequence[int], neighbours: Iterable[int] = ()
) -> list[int]:
    """Repairs of a conflict, best first.

    Every owner of the lower mention, nearest to the named parent first, then the upper mention
    alone, then `neighbours`: organisations one typo away that would fit.
    """
    owners = sorted(
        set(lowers), key=lambda low: (-max((shared_levels(hierarchy, up, low) for up in uppers), default=0), low)
    )
    return list(dict.fromkeys([*owners, *uppers, *neighbours]))
