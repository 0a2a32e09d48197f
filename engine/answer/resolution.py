"""The answer to a question, and its wire format."""

from __future__ import annotations

from typing import Any

import pydantic_core

from qilin.answer.markup import tagged
from qilin.answer.values import (
    Conflict,
    DateRange,
    Entity,
    Frozen,
    LevelName,
    OrgPath,
    Status,
    Unknown,
    encodable,
)


class Resolution(Frozen):
    """What a query asks about, as far as it is certain. See docs/architecture.md.

    `degraded` says why what a gap filler was asked could not be used; the rest is then the rules' answer.
    """

    query: str
    status: Status
    targets: tuple[OrgPath, ...] = ()
    excluded: tuple[OrgPath, ...] = ()
    group_by: LevelName | None = None
    province: str | None = None
    city: str | None = None
    company: str | None = None
    substation: str | None = None
    entities: tuple[Entity, ...] = ()
    indicators: tuple[str, ...] = ()
    dates: tuple[DateRange, ...] = ()
    candidates: tuple[OrgPath, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    question: str | None = None
    degraded: str | None = None

    def to_xml(self) -> str:
        """The query in the tagged form; a lone surrogate is written as U+FFFD."""
        return tagged(self.query, self.entities)

    def model_dump_json(self, **options: Any) -> str:
        """The wire format; a lone surrogate, which UTF-8 cannot hold, is written as U+FFFD."""
        try:
            return super().model_dump_json(**options)
        except pydantic_core.PydanticSerializationError:
            return self.model_copy(update=_encodable(dict(self))).model_dump_json(**options)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, tuple):
        return tuple(map(_encodable, value))
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, Frozen):
        return value.model_copy(update=_encodable(dict(value)))
    return value
