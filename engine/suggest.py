"""The nearest names of the table, for a name that it does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

from hierarchy import Hierarchy, Level

_MOST = 3
_CUTOFF = 60.0  # half of a two-character stem is not near
_SUFFIX = re.compile("(?:供电公司|供电中心|供电局|供电所|供电站|公司|所|省|市|县|区|旗)$")


def nearest_nodes(
    hierarchy: Hierarchy, name: str, level: Level | None = None, parents: Sequence[int] = ()
) -> list[int]:
    """Organisations with the most similar names, best first, at most three.

    Args:
        hierarchy: the table.
        name: what was written, suffix included.
        level: look at this level only.
        parents: look below these only, if anything there is near.
    """
    for within in ([range(p + 1, hierarchy.last[p] + 1) for p in parents], [range(len(hierarchy))]):
        pool = {
            i: _SUFFIX.sub("", hierarchy.names[i])
            for ids in within
            for i in ids
            if level is None or hierarchy.levels[i] == level
        }
        found = process.extract(_SUFFIX.sub("", name), pool, scorer=fuzz.ratio, limit=_MOST, score_cutoff=_CUTOFF)
        if found:
            return [key for _, _, key in found]
    return []
