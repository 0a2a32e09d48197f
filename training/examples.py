"""Questions with their tagged form, made from an organisation table; right by construction.

for row in generate(Hierarchy.bundled(), seed=1, split="test", size=500):
    row.query, row.tagged, row.kind, row.alternatives
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

from qilin.hierarchy import Hierarchy
from qilin.training.kinds import KINDS
from qilin.training.maker import MOST_TRIES, Maker, Row
from qilin.training.name_index import NameIndex
from qilin.training.split import Split

_MOST_FAILURES = 5 * MOST_TRIES  # in succession


@lru_cache(maxsize=8)
def _index(hierarchy: Hierarchy) -> NameIndex:
    return NameIndex(hierarchy)


def generate(
    hierarchy: Hierarchy,
    seed: int = 0,
    split: Split = "train",
    size: int = 1000,
    kinds: Sequence[str] | None = None,
    offer_all: bool = False,
) -> Iterator[Row]:
    """Questions with the answers that a model is to give; no two the same.

    Args:
        hierarchy: the table.
        seed: the same table, seed, split and kinds give the same rows; a larger `size` only adds to them.
        split: the purpose of the rows; substations, words and odd dates of one split are in no other.
        size: how many rows.
        kinds: keys of `KINDS`; None for all of them, in their shares.
        offer_all: give alternatives wherever an ancestor is filled in, since the table is not to be learnt by heart.

    Yields: rows; fewer than `size` where the table has not enough material.
    """
    names = tuple(KINDS if kinds is None else kinds)
    rng = random.Random(f"{seed} {split}")
    maker = Maker(_index(hierarchy), rng, split, offer_all)
    weights = [KINDS[name][1] for name in names]
    seen: set[str] = set()
    failures = 0
    while len(seen) < size and failures < _MOST_FAILURES:
        (kind,) = rng.choices(names, weights)
        row = None
        for _ in range(MOST_TRIES):
            maker.begin()
            row = KINDS[kind][0](maker)
            if row is not None:
                break
        if row is None or row.query in seen:
            failures += 1
            continue
        failures = 0
        seen.add(row.query)
        yield row
