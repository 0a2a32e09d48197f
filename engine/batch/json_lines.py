"""JSON lines: objects to columns and back, and lines that keep what they said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from engine.types import encodable

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
        found[name] = {"str"}  # anything else in it is no text to be read
    return pa.schema([_field(key, frozenset(kinds - {"null"})) for key, kinds in found.items()])


def to_batch(objects: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Objects as one row each, by the types of `column_types`."""
    columns: list[pa.Array] = []
    for field in schema:
        values: list[Any] = [content.get(field.name) for content in objects]
        if field.metadata is not None:  # JSON text
            values = [None if value is None else _dumped(value) for value in values]
        elif field.type == pa.string():
            values = [encodable(value) if isinstance(value, str) else None for value in values]
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def lines_with(batch: pa.RecordBatch, added: Sequence[str]) -> Iterator[bytes]:
    """The line of each row, as it was written, with the added columns as further keys."""
    rows = batch.select(list(added)).to_pylist()
    for line, row in zip(batch.column(LINE).to_pylist(), rows, strict=True):
        head = line.removesuffix(b"}").rstrip()
        comma = b"" if head.endswith(b"{") else b", "
        yield head + comma + _dumped(row)[1:].encode("utf-8") + b"\n"


def lines_of(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Each row as a JSON object; dates and times in ISO 8601, what JSON cannot say as text."""
    for row in batch.to_pylist():
        yield _dumped(row).encode("utf-8") + b"\n"


def json_text(column: pa.Array) -> pa.Array:
    """A nested column as JSON text, null where it is null."""
    return pa.array([None if value is None else _dumped(value) for value in column.to_pylist()], pa.string())


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
        return value.decode("utf-8", "replace")
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
