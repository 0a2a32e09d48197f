"""The columns that a batch adds: one resolution as one flat row, for tables and SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa

from qilin.answer.resolution import Resolution
from qilin.answer.values import OrgPath, encodable, path_text
from qilin.text.tuples import quickly

FAILED = "failed"  # the status of a row that was not answered; `error` says why
_first_six = itemgetter("status", "province", "city", "company", "substation", "indicators")


class FlatRow(NamedTuple):
    """The added values of one row, in the order of `RESULT`.

    The first eleven show a resolution at a glance. The others keep several targets, exclusions, breakdowns and
    dates from being mistaken for less than they are.
    """

    status: str  # resolved, ambiguous, conflict, unresolved; failed
    province: str | None = None  # of the one target; null where several targets differ
    city: str | None = None
    company: str | None = None
    substation: str | None = None
    indicators: Sequence[str] = ()
    date_start: Any = None  # of the one date range, both ends inclusive; null where there are several
    date_end: Any = None
    candidates: Sequence[str] = ()  # paths such as 山东省/菏泽/曹县供电公司, best first
    question: str | None = None
    xml: str | None = None
    targets: Sequence[str] = ()  # paths; a report on several targets, or without the excluded ones, needs both
    excluded: Sequence[str] = ()
    group_by: str | None = None
    dates: Sequence[str] = ()  # ISO 8601 intervals such as 2024-05-01/2024-05-31
    unknown: Sequence[str] = ()
    degraded: str | None = None
    error: str | None = None


_LISTS = dict.fromkeys(("indicators", "candidates", "targets", "excluded", "dates", "unknown"), pa.list_(pa.string()))
_DATES = dict.fromkeys(("date_start", "date_end"), pa.date32())
RESULT = pa.schema([(name, {**_LISTS, **_DATES}.get(name, pa.string())) for name in FlatRow._fields])
"""The columns that a batch adds, in order: the fields of `FlatRow`, as text, lists of text and dates."""


def flat_row(resolution: Resolution) -> FlatRow:
    """One resolution as the values of `RESULT`."""
    fields = resolution.__dict__  # attribute access on a model takes twice as long
    dates, unknown = fields["dates"], fields["unknown"]
    one = dates[0] if len(dates) == 1 else None
    return quickly(
        FlatRow,
        (
            *_first_six(fields),
            one and one.start,
            one and one.end,
            _paths(fields["candidates"]),
            fields["question"],
            resolution.to_xml(),
            _paths(fields["targets"]),
            _paths(fields["excluded"]),
            fields["group_by"],
            [_interval(d.start, d.end) for d in dates] if dates else (),
            [u.text for u in unknown] if unknown else (),
            fields["degraded"],
            None,
        ),
    )


def _paths(paths: Sequence[OrgPath]) -> Sequence[str]:
    return [path_text(path) for path in paths] if paths else ()


@lru_cache(maxsize=4096)
def _interval(start: date, end: date) -> str:
    return f"{start.isoformat()}/{end.isoformat()}"


def failed_row(error: str) -> FlatRow:
    """The row of a question that was not answered."""
    return FlatRow(FAILED, error=error)


def result_arrays(rows: Sequence[FlatRow]) -> list[pa.Array]:
    """The rows as one array a column of `RESULT`; lone surrogates, which UTF-8 cannot hold, as U+FFFD."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(RESULT)
    return [_array(column, field.type) for column, field in zip(columns, RESULT, strict=True)]


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([_encodable(value) for value in values], kind)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    return value if value is None else [encodable(each) for each in value]
