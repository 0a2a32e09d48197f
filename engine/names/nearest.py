"""The nearest names of the table, for a name that it does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from qilin.hierarchy import Hierarchy, Level
from qilin.hierarchy.suffixes import division_words, one_of, organisation_words, single_characters

_MOST = 3
_CUTOFF = 60.0  # half of a two-character stem is not near
# 州 and 镇 belong to the stem: 德州 is not 德.
_PLACES = single_characters(division_words(Level.PROVINCE, Level.COMPANY))
_SUFFIX = re.compile(f"{one_of([*organisation_words(*Level), *_PLACES])}$")


@lru_cache(maxsize=65536)
def stem_of(name: str) -> str:
    """A name without its last suffix."""
    return _SUFFIX.sub("", name) or name


def nearest_nodes(
    hierarchy: Hierarchy,
    name: str,
    level: Level | None = None,
    parents: Sequence[int] = (),
    cutoff: float = _CUTOFF,
) -> list[int]:
    """Organisations with the most similar names, best first, at most three.

    Args:
        hierarchy: the table.
        name: what was written, suffix included.
        level: look at this level only.
        parents: look below these only; none: in the whole table, which takes its time.
        cutoff: least similarity of the stems, 0 to 100.
    """
    pools = [range(p + 1, hierarchy.last[p] + 1) for p in parents] or [range(len(hierarchy))]
    levels, names = hierarchy.levels, hierarchy.names
    pool = {i: stem_of(names[i]) for ids in pools for i in ids if level is None or levels[i] == level}
    found = process.extract(stem_of(name), pool, scorer=fuzz.ratio, limit=_MOST, score_cutoff=cutoff)
    return [node for _, _, node in found]
