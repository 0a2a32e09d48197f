"""JSON lines: objects to columns and back, and lines that keep what they said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from qilin.answer.values import encodable

LINE = "\0line"  # the column that holds a line as it was written; no key of an object is called so


def column_types(objects: Iterable[dict[str, Any]], texts: Sequence[str]) -> pa.Schema:
    """One column for each key, in the order of first appearance, of the narrowest type that holds all its values.

    Truth values, whole numbers, numbers and text keep their type. What is nested, or of types that no column
    holds together, becomes JSON text: no value is lost.
    """
    found: dict[str, set[str]] = {}
    for content in objects:
        for key, value in content.items():
            found.setdefault(key, set()).add(_kind(value))
    for name in texts:
        found[name] = {"str"}  # whatever else is in it is read as it is written in JSON
    return pa.schema([_field(key, frozenset(kinds - {"null"})) for key, kinds in found.items()])


def to_batch(objects: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Objects as one row each, by the types of `column_types`."""
    columns: list[pa.Array] = []
    for field in schema:
        values: list[Any] = [content.get(field.name) for content in objects]
        if field.metadata is not None:  # JSON text
            values = [None if value is None else _dumped(value) for value in values]
        elif field.type == pa.string():
            values = [as_text(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def as_text(value: Any) -> str | None:
    """A value that is to be text; what is none, as JSON text, so that it is not taken for missing."""
    if isinstance(value, str):
        return encodable(value)
    return None if value is None else _dumped(value)


def lines_with(batch: pa.RecordBatch, added: Sequence[str]) -> Iterator[bytes]:
    """The line of each row, as it was written, with the added columns as further keys."""
    rows = batch.select(list(added)).to_pylist()
    for line, row in zip(batch.column(LINE).to_pylist(), rows, strict=True):
        head = line.removesuffix(b"}").rstrip()
        comma = b"" if head.endswith(b"{") else b", "
        yield head + comma + _dumped(row)[1:].encode("utf-8") + b"\n"


def lines_of(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Each row as a JSON object; dates and times in ISO 8601, what JSON cannot say as text."""
    names = batch.schema.names
    for row in zip(*map(_values, batch.columns), strict=True):
        yield _dumped(dict(zip(names, row, strict=True))).encode("utf-8") + b"\n"


def json_text(column: pa.Array) -> pa.Array:
    """A column of any type as JSON text, null where it is null."""
    return pa.array([None if value is None else _dumped(value) for value in _values(column)], pa.string())


def _values(column: pa.Array) -> Sequence[Any]:
    """The values of a column, those that Python has no type for as text."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (ValueError, OverflowError):  # nanoseconds, years past 9999, text that is not UTF-8
        return [_value(each) for each in column]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        pass
    kind = scalar.type
    if pa.types.is_map(kind):
        return [(_value(each["key"]), _value(each["value"])) for each in scalar.values]
    if pa.types.is_struct(kind):
        return {name: _value(each) for name, each in scalar.items()}
    if pa.types.is_nested(kind):
        return [_value(each) for each in scalar.values]
    if pa.types.is_dictionary(kind):
        return _value(scalar.value)
    if pa.types.is_temporal(kind):
        text = str(scalar.cast(pa.string()).as_py())
        return text.replace(" ", "T", 1) if pa.types.is_timestamp(kind) else text
    return scalar.as_buffer().to_pybytes()


def as_utf8(column: pa.Array) -> pa.Array:
    """A text column as it is, or with \\xff for bytes that are not UTF-8."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        values = _values(column)
        return pa.array([_as_json(v) if isinstance(v, bytes) else v for v in values], pa.large_string())
    return column


def _dumped(value: Any) -> str:
    try:
        return encodable(json.dumps(value, ensure_ascii=False, default=_as_json, allow_nan=False))
    except ValueError:
        return _dumped(_without_nan(value))


def _without_nan(value: Any) -> Any:
    """The value with null for the numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_EXACT = 2**53  # whole numbers up to here are exact as floating-point ones


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if abs(value) <= _EXACT else "long" if -(2**63) <= value < 2**63 else "json"
    if isinstance(value, float):
        return "float"
    return "str" if isinstance(value, str) else "json"


_TYPES = {
    frozenset({"bool"}): pa.bool_(),
    frozenset({"int"}): pa.int64(),
    frozenset({"long"}): pa.int64(),
    frozenset({"int", "long"}): pa.int64(),
    frozenset({"float"}): pa.float64(),
    frozenset({"int", "float"}): pa.float64(),
    frozenset({"str"}): pa.string(),
    frozenset[str](): pa.string(),
}


def _field(name: str, kinds: frozenset[str]) -> pa.Field:
    if kinds in _TYPES:
        return pa.field(name, _TYPES[kinds])
    return pa.field(name, pa.string(), metadata={"content": "JSON"})
