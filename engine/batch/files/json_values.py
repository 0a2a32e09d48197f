"""Values between JSON and Arrow: objects to columns, columns to JSON text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from qilin.answer.values import encodable


def column_types(objects: Iterable[dict[str, Any]], texts: Sequence[str]) -> pa.Schema:
    """One column for each key, in the order of first appearance, of the narrowest type that holds all its values.

    Truth values, whole numbers, numbers and text keep their type. Nested values, and values of types that no
    column holds together, become JSON text: no value is lost.
    """
    found: dict[str, set[str]] = {}
    for content in objects:
        for key, value in content.items():
            found.setdefault(key, set()).add(_kind(value))
    for name in texts:
        found[name] = {"str"}  # other values are read as their JSON text
    return pa.schema([_field(key, kinds - {"null"}) for key, kinds in found.items()])


def to_batch(objects: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Objects as one row each, by the types of `column_types`."""
    columns: list[pa.Array] = []
    for field in schema:
        values: list[Any] = [content.get(field.name) for content in objects]
        if field.metadata is not None:  # JSON text
            values = [None if value is None else dumped(value) for value in values]
        elif field.type == pa.string():
            values = [as_text(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def as_text(value: Any) -> str | None:
    """A value as text; a value of another type as its JSON text, so that it is not taken for missing."""
    if isinstance(value, str):
        return encodable(value)
    return None if value is None else dumped(value)


def json_text(column: pa.Array) -> pa.Array:
    """A column of any type as JSON text, null where it is null."""
    return pa.array([None if value is None else dumped(value) for value in values_of(column)], pa.string())


def values_of(column: pa.Array) -> Sequence[Any]:
    """The values of a column; values without a Python type as text."""
    try:
        if "time64[ns]" not in str(column.type):  # whose nanoseconds are lost where pandas is installed
            return column.to_pylist()  # type: ignore[no-any-return]
    except (ValueError, OverflowError):  # nanoseconds, years past 9999, text that is not UTF-8
        pass
    return [_value(each) for each in column]


def _value(scalar: Any) -> Any:
    kind = scalar.type
    try:
        if (
            not scalar.is_valid
            or "time64[ns]" not in str(kind)
            or (pa.types.is_time(kind) and scalar.value % 1000 == 0)
        ):
            return scalar.as_py()
    except (ValueError, OverflowError):
        pass
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
        values = values_of(column)
        return pa.array([_as_json(v) if isinstance(v, bytes) else v for v in values], pa.large_string())
    return column


def dumped(value: Any) -> str:
    """A value as JSON text; dates and times in ISO 8601, other values that JSON lacks as text."""
    try:
        return encodable(json.dumps(value, ensure_ascii=False, default=_as_json, allow_nan=False))
    except ValueError:
        return dumped(_without_nan(value))


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


_TYPES: tuple[tuple[pa.DataType, set[str]], ...] = (
    (pa.bool_(), {"bool"}),
    (pa.int64(), {"int", "long"}),
    (pa.float64(), {"int", "float"}),
    (pa.string(), {"str"}),
)


def _field(name: str, kinds: set[str]) -> pa.Field:
    """The column of a key with values of these kinds."""
    for column_type, held in _TYPES:
        if (kinds or {"str"}) <= held:
            return pa.field(name, column_type)
    return pa.field(name, pa.string(), metadata={"content": "JSON"})
