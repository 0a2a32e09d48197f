"""The caller's whereabouts: scope and context choose among readings that are otherwise equal."""

from __future__ import annotations

from typing import NamedTuple

from qilin.hierarchy import Hierarchy, Level
from qilin.names.compiled import Tables
from qilin.readings.asked import Asked
from qilin.readings.reading import Group, Reading


class Nearest(NamedTuple):
    """The readings nearest to the caller, and those that lost for being further away."""

    readings: list[Reading]
    lost: list[Reading]


def nearest(tables: Tables, asked: Asked, readings: list[Reading]) -> Nearest:
    """The readings, and in them the organisations, nearest to scope and context; all where none is near."""
    readings = [
        r._replace(groups=[_preferred(tables, asked, g) if len(g.options) > 1 else g for g in r.groups])
        for r in readings
    ]
    if len(readings) == 1:
        return Nearest(readings, [])
    last = tables.hierarchy.last
    for top, _ in asked.whereabouts(tables):
        inside = [all(top <= o <= last[top] for g in r.groups for o in g.options) for r in readings]
        if any(inside):
            lost = [r for r, near in zip(readings, inside, strict=True) if not near and r.cost is not None]
            further = [r._replace(cost=r.cost._replace(distance=1)) for r in lost if r.cost is not None]
            return Nearest([r for r, near in zip(readings, inside, strict=True) if near], further)
    return Nearest(readings, [])


def _preferred(tables: Tables, asked: Asked, group: Group) -> Group:
    """The group with those of its organisations that are nearest to the caller, where they are equally good."""
    hierarchy = tables.hierarchy
    for node, source in asked.whereabouts(tables):
        path = hierarchy.paths[node]
        tops = [node] if source == "scope" else [top for top in reversed(path) if hierarchy.levels[top] >= Level.CITY]
        for top in tops:
            inside = tuple(o for o in group.options if top <= o <= hierarchy.last[top])
            if inside:
                via = min(s for s in group.states if s.deepest == inside[0])
                return group._replace(options=inside, source=source, via=via)
        near = sorted(group.options, key=lambda o: -shared_levels(hierarchy, node, o))
        group = group._replace(options=tuple(near))  # sorted is stable: id order among the equally near
    return group


def shared_levels(hierarchy: Hierarchy, a: int, b: int) -> int:
    """How many ancestors two nodes share, from the province down, themselves included."""
    return sum(x == y for x, y in zip(hierarchy.paths[a], hierarchy.paths[b], strict=False))
