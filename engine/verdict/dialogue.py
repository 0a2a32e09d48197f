"""What scope, context and the default date choose and fill in, where a query leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qilin.answer.values import DateRange, Entity, OrgPath, Resolution, trusted
from qilin.check import shared_levels
from qilin.dates.find import find_dates
from qilin.hierarchy import Level
from qilin.names.gazetteer import State
from qilin.readings.lattice import Group, Reading
from qilin.verdict.draft import Asked, Draft

if TYPE_CHECKING:
    from qilin.names.compiled import Tables


def prefer(tables: Tables, asked: Asked, group: Group) -> None:
    """Let the caller's whereabouts choose among organisations that are otherwise equally good."""
    hierarchy = tables.hierarchy
    for node, source in asked.whereabouts(tables):
        path = hierarchy.paths[node]
        tops = [node] if source == "scope" else [top for top in reversed(path) if hierarchy.levels[top] >= Level.CITY]
        for top in tops:
            inside = tuple(o for o in group.options if top <= o <= hierarchy.last[top])
            if inside:
                group.options = inside
                group.source = source
                group.via = _via(group, inside[0])
                return
        near = sorted(group.options, key=lambda o: -shared_levels(hierarchy, node, o))
        group.options = tuple(near)  # sorted is stable: id order among the equally near


def _via(group: Group, node: int) -> State:
    return min(s for s in group.states if s.deepest == node)


def nearest_readings(tables: Tables, asked: Asked, readings: list[Reading]) -> list[Reading]:
    """Readings with every organisation inside the caller's own, if there are any."""
    hierarchy = tables.hierarchy
    for top, _ in asked.whereabouts(tables):
        inside = [r for r in readings if all(top <= o <= hierarchy.last[top] for g in r.groups for o in g.options)]
        if inside:
            return inside
    return readings


def fill_from_context(context: Resolution, draft: Draft) -> None:
    """Indicators and dates that the query leaves open and the resolution before it said."""
    if not draft.indicators:
        draft.indicators = list(context.indicators)
        draft.entities += [
            trusted(Entity, type="Indicator", name=name, source="context", score=0.9) for name in context.indicators
        ]
    if not draft.dates:
        draft.dates = list(context.dates)
        draft.entities += [
            trusted(Entity, type="Date", name=d.text, source="context", score=0.9) for d in context.dates
        ]


def targets_from_context(
    tables: Tables, context: Resolution, draft: Draft
) -> tuple[tuple[OrgPath, ...], tuple[OrgPath, ...]]:
    """What the resolution before this one asked about and took out, as far as this table has it."""
    found: list[tuple[OrgPath, ...]] = []
    inferred: list[Entity] = []
    group = 1 + max((e.group for e in draft.entities if e.group is not None), default=-1)
    for paths in (context.targets, context.excluded):
        nodes = [node for node in map(tables.node_of, paths) if node is not None]
        for node in nodes:
            inferred += [tables.inferred(each, group, "context") for each in tables.hierarchy.paths[node]]
            group += 1
        found.append(tuple(map(tables.org_path, nodes)))
    draft.entities = inferred + draft.entities
    return found[0], found[1]


def fill_default_date(asked: Asked, draft: Draft) -> None:
    """The date that the engine was told to assume."""
    text = asked.default_date or ""
    for mention in find_dates(text, asked.today()):
        if mention.first is not None and mention.last is not None:
            draft.dates.append(trusted(DateRange, text=text, start=mention.first, end=mention.last))
            draft.entities.append(trusted(Entity, type="Date", name=text, source="default", score=0.9))
