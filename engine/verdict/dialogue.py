"""The fillings of context and default date, where a query leaves something open."""

from __future__ import annotations

from qilin.answer.resolution import Resolution
from qilin.answer.values import DateRange, Entity, OrgPath, trusted
from qilin.dates import find_dates
from qilin.names.compiled import Tables
from qilin.readings.asked import Asked
from qilin.verdict.draft import Draft


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
    """The targets and exclusions of the resolution before this one, as far as this table has them."""
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
