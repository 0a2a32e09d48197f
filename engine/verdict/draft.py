"""A query with all that came with the call, and what is gathered for its resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from qilin.answer.values import Conflict, DateRange, Entity, LevelName, OrgPath, Resolution, Source, Unknown, complete
from qilin.operators.phrases import Phrase
from qilin.text.normalize import Folded

if TYPE_CHECKING:
    from qilin.names.compiled import Tables


class Asked(NamedTuple):
    """A query and all that came with the call."""

    query: str
    folded: Folded
    given_today: date | None
    clock: Callable[[], date]
    scope: int | None
    context: Resolution | None
    default_date: str | None

    def today(self) -> date:
        """The day that relative dates count from."""
        return self.given_today or self.clock()

    def whereabouts(self, tables: Tables) -> Iterator[tuple[int, Source]]:
        """Organisations that say where the caller is: the scope, then what was asked before."""
        if self.scope is not None:
            yield self.scope, "scope"
        if self.context is not None:
            for target in self.context.targets:
                node = tables.node_of(target)
                if node is not None:
                    yield node, "context"


class Draft:
    """What is being gathered for one resolution."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self.indicators: list[str] = []
        self.dates: list[DateRange] = []
        self.unknown: list[Unknown] = []
        self.group_by: LevelName | None = None
        self.relatives: list[Phrase] = []


def written_as(asked: Asked, start: int, end: int) -> str:
    """A stretch of the folded text, as the query has it."""
    a, b = asked.folded.span(start, end)
    return asked.query[a:b]


def finish(
    asked: Asked,
    draft: Draft,
    status: str,
    *,
    targets: tuple[OrgPath, ...] = (),
    excluded: tuple[OrgPath, ...] = (),
    candidates: tuple[OrgPath, ...] = (),
    conflicts: tuple[Conflict, ...] = (),
    question: str | None = None,
) -> Resolution:
    """The resolution of what was gathered."""
    if len(draft.unknown) > 1:
        draft.unknown = _apart(draft.unknown)
    province = city = company = substation = None
    if targets:
        first = targets[0].__dict__  # looking a field up on a model takes twice as long
        province, city, company, substation = first["province"], first["city"], first["company"], first["substation"]
        for other in targets[1:]:
            province = province if province == other.province else None
            city = city if city == other.city else None
            company = company if company == other.company else None
            substation = substation if substation == other.substation else None
    return complete(
        Resolution,
        {
            "query": asked.query,
            "status": status,
            "targets": targets,
            "excluded": excluded,
            "group_by": draft.group_by,
            "province": province,
            "city": city,
            "company": company,
            "substation": substation,
            "entities": tuple(draft.entities),
            "indicators": tuple(draft.indicators),
            "dates": tuple(draft.dates),
            "candidates": candidates,
            "conflicts": conflicts,
            "unknown": tuple(draft.unknown),
            "question": question,
            "degraded": None,
        },
    )


def _apart(unknown: list[Unknown]) -> list[Unknown]:
    """In text order, without what lies in the one before: ¼ folds to two runs, but is one character."""
    kept: list[Unknown] = []
    for each in sorted(unknown, key=lambda u: (u.start, -u.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept
