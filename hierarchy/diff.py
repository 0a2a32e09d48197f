"""The changes from one version of a table to the next, as moves and renames where that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

from .hierarchy import Hierarchy
from .levels import Level
from .tree import FORBIDDEN

Kind = Literal["added", "removed", "moved", "renamed"]


class Change(NamedTuple):
    """One organisation that changed. What is below a moved or renamed one comes along, without a change of its own."""

    kind: Kind
    level: Level
    old: tuple[str, ...]
    """Its path in the old table; () for an added one."""
    new: tuple[str, ...]
    """Its path in the new table; () for a removed one."""

    def __str__(self) -> str:
        paths = " → ".join("/".join(path) for path in (self.old, self.new) if path)
        return f"{self.kind} {self.level.column}: {paths}"


def diff(old: Hierarchy, new: Hierarchy) -> tuple[Change, ...]:
    """The changes, top level first, then by path.

    Renamed: the new table declares the old name as an alias, or the parent is the same and at least half of
    the children are. Moved: the name is the same, and neither table leaves a choice. Anything else is removed
    and added.
    """
    became: dict[int, int] = {}
    for level in Level:
        gone = [i for i in range(len(old)) if old.levels[i] == level]
        came = {i for i in range(len(new)) if new.levels[i] == level}
        here = {(new.parents[i], new.names[i]): i for i in came}
        for i in gone:
            parent = _became_parent(old, i, became)
            match = here.get((parent, old.names[i])) if parent is not None else None
            if match is not None:
                became[i] = match
                came.discard(match)
        gone = [i for i in gone if i not in became]
        for matches in (_by_alias, _by_name, _by_children):
            for i, j in matches(old, new, gone, sorted(came), became):
                became[i] = j
                came.discard(j)
            gone = [i for i in gone if i not in became]
    changes = [_change(old, new, i, became[i], became) for i in became]
    changes += [Change("removed", Level(old.levels[i]), _path(old, i), ()) for i in range(len(old)) if i not in became]
    known = set(became.values())
    changes += [Change("added", Level(new.levels[j]), (), _path(new, j)) for j in range(len(new)) if j not in known]
    return tuple(sorted((c for c in changes if c is not None), key=lambda c: (c.level, c.old or c.new, c.new)))


def _path(hierarchy: Hierarchy, node: int) -> tuple[str, ...]:
    return tuple(hierarchy.names[i] for i in hierarchy.paths[node])


def _became_parent(old: Hierarchy, i: int, became: dict[int, int]) -> int | None:
    parent = old.parents[i]
    return became.get(parent) if parent >= 0 else -1


def _change(old: Hierarchy, new: Hierarchy, i: int, j: int, became: dict[int, int]) -> Change | None:
    moved = new.parents[j] != _became_parent(old, i, became)
    if not moved and old.names[i] == new.names[j]:
        return None
    return Change("moved" if moved else "renamed", Level(old.levels[i]), _path(old, i), _path(new, j))


Pairs = Iterable[tuple[int, int]]


def _unique(pairs: Pairs) -> Pairs:
    """The pairs in which neither side stands in another pair."""
    every = list(pairs)
    lefts, rights = Counter(i for i, _ in every), Counter(j for _, j in every)
    return [(i, j) for i, j in every if lefts[i] == 1 and rights[j] == 1]


def _by_alias(old: Hierarchy, new: Hierarchy, gone: list[int], came: list[int], became: dict[int, int]) -> Pairs:
    added = set(came)
    holders: dict[str, list[int]] = {}
    for alias in new.aliases:
        if alias.kind != FORBIDDEN and alias.node in added:
            holders.setdefault(alias.name, []).append(alias.node)
    return _unique(
        (i, j) for i in gone for j in holders.get(old.names[i], ()) if new.parents[j] == _became_parent(old, i, became)
    )


def _by_name(old: Hierarchy, new: Hierarchy, gone: list[int], came: list[int], became: dict[int, int]) -> Pairs:
    named = {new.names[j]: j for j in came}
    before, after = Counter(old.names[i] for i in gone), Counter(new.names[j] for j in came)
    return [(i, named[name]) for i in gone if before[name := old.names[i]] == 1 == after[name]]


def _by_children(old: Hierarchy, new: Hierarchy, gone: list[int], came: list[int], became: dict[int, int]) -> Pairs:
    beside: dict[int, list[int]] = {}
    for j in came:
        beside.setdefault(new.parents[j], []).append(j)
    pairs = []
    for i in gone:
        before = {old.names[k] for k in old.children(i)}
        parent = _became_parent(old, i, became)
        for j in beside.get(parent, ()) if parent is not None else ():
            after = {new.names[k] for k in new.children(j)}
            if before and 2 * len(before & after) >= max(len(before), len(after)):
                pairs.append((i, j))
    return _unique(pairs)
