"""All that is gathered for one resolution, and the resolution made of it."""

from __future__ import annotations

from qilin.answer.resolution import Resolution
from qilin.answer.values import Conflict, DateRange, Entity, LevelName, OrgPath, Unknown, complete
from qilin.operators.phrase import Phrase
from qilin.readings.asked import Asked


class Draft:
    """The fields of a resolution while they are gathered."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self.indicators: list[str] = []
        self.dates: list[DateRange] = []
        self.unknown: list[Unknown] = []
        self.group_by: LevelName | None = None
        self.relatives: list[Phrase] = []


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
    """The resolution of a draft."""
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
    """In text order, without those that lie in the one before: ¼ folds to two runs, but is one character."""
    kept: list[Unknown] = []
    for each in sorted(unknown, key=lambda u: (u.start, -u.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept
