"""Rows to a file or stream of one of the three formats, in two halves: what workers encode, and what joins it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from qilin.batch.columns import RESULT
from qilin.batch.files import json_lines
from qilin.batch.files.formats import Format
from qilin.batch.questions import is_text

_TEXT = pa.schema([("text", pa.large_binary())])
# Columns whose values repeat within a file; to look for repeats in the others only costs time.
_REPEATING = ("status", "province", "city", "company", "substation", "group_by")
_REPEATING_LISTS = ("indicators", "dates")


class Encoding(Protocol):
    """How finished rows are kept until they are joined. Used in worker processes, so it can be pickled."""

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Rows as they are kept; the costly part of writing, done where the rows are made."""
        ...


class AsRows:
    """Rows stay rows: a Parquet file is compressed as a whole."""

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return rows


class AsCsv:
    """Rows as the text of a CSV file without its header. Lists and nested values are JSON text.

    Args:
        delimiter: between the cells.
    """

    def __init__(self, delimiter: str = ",") -> None:
        self._delimiter = delimiter

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        text = io.BytesIO()
        options = pa_csv.WriteOptions(include_header=False, delimiter=self._delimiter)
        pa_csv.write_csv(_flat(rows), text, options)
        return _as_text(text.getvalue())

    def header(self, names: Sequence[str]) -> bytes:
        """The first line."""
        text = io.BytesIO()
        empty = pa.schema([(name, pa.string()) for name in names]).empty_table()
        pa_csv.write_csv(empty, text, pa_csv.WriteOptions(delimiter=self._delimiter))
        return text.getvalue()


class AsJsonLines:
    """Rows as JSON lines; where the input was JSON lines, each line goes on as it was.

    Args:
        added: names of the columns to be added to such lines; None where there are none.
    """

    def __init__(self, added: Sequence[str] | None) -> None:
        self._added = added

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        lines = json_lines.lines_of(rows) if self._added is None else json_lines.lines_with(rows, self._added)
        return _as_text(b"".join(lines))


def encoding_of(
    kind: Format, *, delimiter: str = ",", added: Sequence[str] | None = None
) -> AsRows | AsCsv | AsJsonLines:
    """How the rows of a format are kept."""
    if kind is Format.PARQUET:
        return AsRows()
    return AsCsv(delimiter) if kind is Format.CSV else AsJsonLines(added)


class Sink:
    """An output that what was encoded is joined to, in order.

    Args:
        file: where to write; closing it is the caller's.
        encoding: what the rows were encoded by.
        schema: of the rows before that.
        mark: begin with a byte order mark, which some spreadsheet programs need (CSV).
        prefix: of the columns that were added.
    """

    def __init__(
        self, file: IO[bytes], encoding: Encoding, schema: pa.Schema, *, mark: bool = False, prefix: str = ""
    ) -> None:
        self._file = file
        self._parquet: pq.ParquetWriter | None = None
        if isinstance(encoding, AsRows):
            added = {prefix + name for name in RESULT.names}
            repeating = [name for name in schema.names if name not in added]
            repeating += [prefix + name for name in _REPEATING]
            repeating += [f"{prefix}{name}.list.element" for name in _REPEATING_LISTS]
            self._parquet = pq.ParquetWriter(
                pa.PythonFile(file, mode="w"), schema, compression="zstd", compression_level=1, use_dictionary=repeating
            )
        elif isinstance(encoding, AsCsv):
            file.write((b"\xef\xbb\xbf" if mark else b"") + encoding.header(schema.names))

    def append(self, encoded: pa.RecordBatch) -> None:
        """Join one more piece.

        Raises: OSError, when the disk is full or the reader of a pipe went away.
        """
        if self._parquet is not None:
            self._parquet.write_batch(encoded, row_group_size=max(encoded.num_rows, 1))
        else:
            for text in encoded.column(0):
                self._file.write(text.as_buffer())

    def close(self) -> None:
        """Write what ends the file, and everything that is still held back."""
        if self._parquet is not None:
            self._parquet.close()
        self._file.flush()

    def abandon(self) -> None:
        """End without an end: for a file that nobody will read."""
        if self._parquet is not None:
            with suppress(Exception):  # or it would be tried when the writer is disposed of, on a file that is closed
                self._parquet.close()
            self._parquet.is_open = False


def _as_text(text: bytes) -> pa.RecordBatch:
    return pa.record_batch([pa.array([text], pa.large_binary())], schema=_TEXT)


def _flat(rows: pa.RecordBatch) -> Any:
    """The rows with every column of a type that CSV can hold."""
    return pa.RecordBatch.from_arrays([_flat_column(column) for column in rows.columns], names=rows.schema.names)


def _flat_column(column: pa.Array) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if kind != column.type or pa.types.is_string_view(kind):
        column = column.cast(pa.large_string() if is_text(kind) else kind)
    if is_text(kind):
        return json_lines.as_utf8(column)
    is_plain = pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    return column if is_plain and not pa.types.is_interval(kind) else json_lines.json_text(column)
