"""The values that leave the engine: frozen pydantic models, and how to build them quickly."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from qilin.hierarchy import Hierarchy

LevelName = Literal["Province", "City", "Company", "Substation"]
EntityType = Literal["Province", "City", "Company", "Substation", "Indicator", "Date"]
Source = Literal["exact", "alias", "fuzzy", "graph", "pattern", "scope", "context", "default", "llm"]
Status = Literal["resolved", "ambiguous", "conflict", "unresolved"]
LEVEL_NAMES: tuple[LevelName, ...] = ("Province", "City", "Company", "Substation")


class QueryTooLong(ValueError):
    """The query has more characters than the engine was told to accept."""


class Frozen(BaseModel):
    """A value: compared by content, never edited."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrgPath(Frozen):
    """One organisation, by its path from the province down."""

    province: str | None = None
    city: str | None = None
    company: str | None = None
    substation: str | None = None
    level: LevelName
    name: str

    def __str__(self) -> str:
        return " → ".join(filter(None, (self.province, self.city, self.company, self.substation)))


def path_text(path: OrgPath) -> str:
    """山东省/菏泽/巨野县供电公司: the form that `scope` and `Hierarchy.find` take."""
    fields = path.__dict__  # looking a field up on a model takes twice as long
    return _joined(fields["province"], fields["city"], fields["company"], fields["substation"])


@lru_cache(maxsize=65536)
def _joined(*names: str | None) -> str:
    return "/".join(filter(None, names))


class Entity(Frozen):
    """One thing the query names, or that follows from what it names.

    `text`, `start`, `end` are None for an inferred one; offsets are code points of the query as
    given. `group` numbers the organisation mentions that belong together (one target, one
    exclusion); None for indicators and dates. `note` says what a reader should know, such as that
    a former name was used.
    """

    type: EntityType
    name: str
    text: str | None = None
    start: int | None = None
    end: int | None = None
    source: Source
    score: float = 1.0
    group: int | None = None
    note: str | None = None


class DateRange(Frozen):
    """A date expression and the days it means, both inclusive."""

    text: str
    start: date
    end: date


class Conflict(Frozen):
    """Two things that cannot both be true of the hierarchy.

    `repairs` are organisations that resolve cleanly, best first.
    """

    kind: Literal[
        "path",
        "exclusion",
        "unknown-tag",
        "unknown-organisation",
        "wrong-parent",
        "missing-parent",
        "level-order",
        "text-differs",
        "malformed",
    ]
    message: str
    entities: tuple[Entity, ...] = ()
    repairs: tuple[OrgPath, ...] = ()


class Unknown(Frozen):
    """A stretch of the query that the reading does not explain."""

    text: str
    start: int
    end: int
    kind: Literal["organisation", "date", "other"]
    suggestions: tuple[str, ...] = ()


M = TypeVar("M", bound=Frozen)
_FIELDS: dict[type[Frozen], set[str]] = {}
_DEFAULTS: dict[type[Frozen], dict[str, Any]] = {}
_new = object.__new__
# The slots of a model, written to directly: half the time of object.__setattr__.
_set_dict, _set_fields, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def complete(model: type[M], values: dict[str, Any]) -> M:
    """A model from a dict of every one of its fields, in order, that we made ourselves: no validation.

    Seven times as fast as the constructor; the dict becomes the model's and must not be used again.
    """
    instance = _new(model)
    _set_dict(instance, values)
    try:
        _set_fields(instance, _FIELDS[model])
    except KeyError:
        _set_fields(instance, _fields(model))
    _set_extra(instance, None)
    _set_private(instance, None)
    return instance


def trusted(model: type[M], **values: Any) -> M:
    """As `complete`, with the defaults filled in."""
    if model not in _DEFAULTS:
        _DEFAULTS[model] = {name: f.default for name, f in model.model_fields.items()}
    return complete(model, {**_DEFAULTS[model], **values})


def _fields(model: type[Frozen]) -> set[str]:
    return _FIELDS.setdefault(model, set(model.model_fields))


def encodable(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD."""
    if text.isprintable():  # a lone surrogate is not
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def org_path(hierarchy: Hierarchy, node: int) -> OrgPath:
    """A node of the tree as a value of its own."""
    province, city, company, substation = hierarchy.path_names(node)
    values = {
        "province": province,
        "city": city,
        "company": company,
        "substation": substation,
        "level": LEVEL_NAMES[hierarchy.levels[node]],
        "name": hierarchy.names[node],
    }
    return complete(OrgPath, values)
