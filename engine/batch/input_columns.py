"""Which columns of an input are read, and what each row asks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import repeat
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from qilin.batch.result_columns import RESULT

_EPOCH = date(1970, 1, 1)


class Key(NamedTuple):
    """What an answer depends on, besides the engine: rows with the same key are resolved once."""

    query: str | None
    today: date | str  # text where the row's own day cannot be read
    scope: str | None


class Columns(NamedTuple):
    """The columns that are read, and the names of the added ones.

    Args:
        query: the text column that holds the questions.
        today: a column with the day that relative dates count from: date, timestamp or ISO text. A
            time with a time zone counts by the day in Shanghai, one without as it is written.
        scope: a text column with the organisation of the person who asked.
        prefix: put before the name of each added column.
    """

    query: str = "query"
    today: str | None = None
    scope: str | None = None
    prefix: str = ""

    @property
    def texts(self) -> list[str]:
        """The names of the columns that are read, without repeats."""
        return list(dict.fromkeys(filter(None, (self.query, self.today, self.scope))))

    @property
    def added(self) -> list[str]:
        """The names of the added columns."""
        return [self.prefix + name for name in RESULT.names]

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns of the input, then those of `RESULT`.

        Raises: ValueError, for an input that lacks a column, has no text in it, or already has a column
            with the name of an added one.
        """
        for name in self.texts:
            kind = schema.field(_only(schema, name)).type
            dated = name == self.today and (pa.types.is_date(kind) or pa.types.is_timestamp(kind))
            if not (is_text(kind) or dated):
                raise ValueError(
                    f"column {name!r} holds {kind}, not {'a date' if name == self.today else 'text'}; "
                    f"the columns are {', '.join(schema.names)}."
                )
        taken = [name for name in self.added if name in schema.names]
        if taken:
            raise ValueError(
                f"the input already has {', '.join(map(repr, taken))}; "
                "give a prefix for the added columns (--prefix, prefix=…)."
            )
        added = [pa.field(name, field.type) for name, field in zip(self.added, RESULT, strict=True)]
        return pa.schema([*schema, *added], metadata=schema.metadata)

    def keys(self, batch: Any, today: date, scope: str | None) -> list[Key]:
        """What each row of a batch asks; `today` and `scope` are for rows without values of their own."""
        todays: Any = repeat(today)
        scopes: Any = repeat(scope)
        if self.today is not None:
            todays = [day or today for day in _days(batch.column(self.today))]
        if self.scope is not None:
            scopes = [text or scope for text in _texts(batch.column(self.scope))]
        return list(map(Key._make, zip(_texts(batch.column(self.query)), todays, scopes, strict=False)))


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _only(schema: pa.Schema, name: str) -> int:
    """The index of the column of this name. Raises: ValueError, where there is none or more than one."""
    places: list[int] = schema.get_all_field_indices(name)
    if len(places) != 1:
        there = "more than one column" if places else "no column"
        raise ValueError(f"the input has {there} {name!r}; its columns are {', '.join(schema.names)}.")
    return places[0]


def _texts(column: Any) -> list[str | None]:
    """The values of a text column; bytes that are not UTF-8 become U+FFFD."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        raw = column.cast(pa.large_binary()).to_pylist()
        return [None if value is None else value.decode("utf-8", "replace") for value in raw]


def _days(column: Any) -> list[date | str | None]:
    """The day of each value; a value that is no date stays text."""
    kind = column.type
    if is_text(kind):
        return [text and text.strip() and _day(text.strip()) for text in _texts(column)]
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = pc.local_timestamp(column.cast(pa.timestamp(kind.unit, "Asia/Shanghai")))
        column = pc.floor_temporal(column, unit="day")
    days = column.cast(pa.date32())
    try:
        return days.to_pylist()  # type: ignore[no-any-return]
    except OverflowError:  # outside the years 1 to 9999
        return [None if day is None else _from_epoch(day) for day in days.cast(pa.int32()).to_pylist()]


def _day(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is None else moment.astimezone(ZoneInfo("Asia/Shanghai"))).date()
    except (ValueError, OverflowError):
        return text


def _from_epoch(days: int) -> date | str:
    try:
        return _EPOCH + timedelta(days)
    except OverflowError:
        return f"{days} days after 1970-01-01"
