"""CSV files in and out."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv

from qilin.batch.files.batches import in_batches
from qilin.batch.files.json_values import as_utf8, json_text
from qilin.batch.files.text import TextSource, text_batch
from qilin.batch.input_columns import is_text

_SNIFFED_BYTES = 1 << 20
_LONGEST_CELL = 1 << 24  # characters
_limit_is_ours = threading.Lock()


class CsvSource(TextSource):
    """A delimited text file. Every column is text, so that 007 and 1.50 come out as they went in.

    `encoding`: default: UTF-8 (with or without a byte order mark), UTF-16 with one, else GB18030.

    Raises: ValueError, for a file without a header, or whose header names a column twice.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        super().__init__(path)
        with open(path, "rb") as file:
            start = file.read(_SNIFFED_BYTES)
        self.encoding = encoding or _encoding(path, start)
        self.has_mark = start.startswith(b"\xef\xbb\xbf")
        try:
            text = start.decode(self.encoding, "replace").removeprefix("\ufeff")
        except LookupError:
            raise ValueError(f"{encoding!r} is no encoding that is known; try utf-8, gb18030 or utf-16.") from None
        first_line = text.lstrip("\r\n").split("\n", 1)[0]
        self.delimiter = max(",\t;", key=first_line.count)
        lines = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter))
        try:
            header = next(lines, [])
        except csv.Error as error:
            raise ValueError(f"{path}:1: this is no header ({error}).") from None
        if not header:
            raise ValueError(f"{path}: the file is empty; its first line must name the columns.")
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise ValueError(f"{path}:1: the header names {', '.join(map(repr, twice))} twice; rename one of them.")
        self.schema = pa.schema([(name, pa.string()) for name in header])

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        with open(self._path, "rb") as self._file:
            text = io.TextIOWrapper(self._file, self.encoding, newline="")
            lists = in_batches(self._records(text), rows, lambda record: sum(map(len, record)))
            while some := _next_with_long_cells(lists):
                columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _records(self, text: io.TextIOWrapper) -> Iterator[list[str]]:
        """The rows below the header. An empty line is a row where there is one column, but not at the end."""
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)  # strict: a stray quote must not eat rows
        width = len(self.schema)
        empty = 0
        begin = 1
        try:
            rows = filter(None, reader)
            next(rows, None)
            begin = reader.line_num + 1
            for row in reader:
                if not row:
                    empty += width == 1
                elif len(row) != width:
                    raise ValueError(
                        f"{self._path}:{begin}: this row has {len(row)} cells, the header {width}. Correct the row."
                    )
                else:
                    yield from [[""]] * empty
                    empty = 0
                    yield row
                begin = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{self._path}:{begin}: the row that begins here cannot be read ({error}). Look for a stray quote in it."
            ) from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self._path}: the text after line {begin} is not {self.encoding} ({error}). "
                "Correct the file, or name its --encoding."
            ) from None


def _next_with_long_cells(lists: Iterator[list[list[str]]]) -> list[list[str]]:
    """The next list, none at the end; only meanwhile does this process allow cells longer than its limit."""
    with _limit_is_ours:
        limit = csv.field_size_limit(_LONGEST_CELL)
        try:
            return next(lists, [])
        finally:
            csv.field_size_limit(limit)


def _encoding(path: str, start: bytes) -> str:
    """UTF-16 with its mark, UTF-8, else GB18030. Raises: ValueError, for UTF-8 with some broken bytes."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    whole_lines = start[: start.rfind(b"\n") + 1 or len(start)]
    try:
        whole_lines.decode("utf-8")
        return "utf-8-sig"  # with or without its mark
    except UnicodeDecodeError as error:
        text = whole_lines.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        if len(whole_lines) - len(text) > 4 * broken:  # a Chinese character is 3 bytes; GB18030 is hardly ever UTF-8
            line = whole_lines.count(b"\n", 0, error.start) + 1
            raise ValueError(
                f"{path}:{line}: this line is not UTF-8, though most of the file is. Correct it, or name the --encoding."
            ) from None
    return "gb18030"


class AsCsv(NamedTuple):
    """Rows as the text of a CSV file without its header. Lists and nested values are JSON text."""

    delimiter: str = ","

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        flat = pa.RecordBatch.from_arrays([_flat(column) for column in rows.columns], names=rows.schema.names)
        return text_batch(self._written(flat, include_header=False))

    def header(self, names: Sequence[str]) -> bytes:
        """The first line."""
        return self._written(pa.schema([(name, pa.string()) for name in names]).empty_table(), include_header=True)

    def _written(self, rows: Any, include_header: bool) -> bytes:
        text = io.BytesIO()
        pa_csv.write_csv(rows, text, pa_csv.WriteOptions(include_header=include_header, delimiter=self.delimiter))
        return text.getvalue()


def _flat(column: pa.Array) -> pa.Array:
    """A column as a type that CSV can hold."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if kind != column.type or pa.types.is_string_view(kind):
        column = column.cast(pa.large_string() if is_text(kind) else kind)
    if is_text(kind):
        return as_utf8(column)
    is_plain = pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    return column if is_plain and not pa.types.is_interval(kind) else json_text(column)
