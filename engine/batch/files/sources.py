"""Files and streams of questions as record batches, column by column as they were written."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from qilin.batch.files import json_lines
from qilin.batch.files.formats import STREAM, Format

_READ_BYTES = 4 << 20
_SNIFFED_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 20  # of each column
_STEP_ROWS = 256  # of a Parquet file, before their size is looked at
_LONGEST_CELL = 1 << 24  # characters
BATCH_BYTES = 32 << 20  # or characters: a batch that holds so much has enough rows, however few

T = TypeVar("T")


class Source(Protocol):
    """An input that is read from its beginning to its end, as often as it is asked for."""

    schema: pa.Schema

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The input in batches of at most `rows` rows, fewer if they are long; the same ones each time.

        Raises: ValueError, saying where, for content that cannot be read.
        """
        ...

    def share_read(self) -> float:
        """How much of the input the latest `batches` has read, 0 to 1."""
        ...


def parquet_file(path: str) -> pq.ParquetFile:
    """A Parquet file that is read from beginning to end, and of which no more is held than what is read just now."""
    return pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)


class ParquetSource:
    """A Parquet file; types and values stay as they are."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            file = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path}: this is no readable Parquet file ({error}).") from None
        self.schema = file.schema_arrow
        self._rows: int = file.metadata.num_rows
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        self._row_bytes = max((g.total_byte_size / g.num_rows for g in groups if g.num_rows), default=0.0)
        self._read = 0
        file.close()

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        self._read = 0
        few = max(
            int(BATCH_BYTES / max(self._row_bytes, 1.0)), 1
        )  # at a time; how long they are shows when they are read
        step = min(rows, few, _STEP_ROWS)
        with parquet_file(self._path) as file:
            pieces = file.iter_batches(batch_size=step, use_threads=False)
            for some in _cut(pieces, rows // step, lambda piece: int(piece.nbytes)):
                batch = pa.concat_batches(some)
                self._read += batch.num_rows
                yield batch

    def share_read(self) -> float:
        return self._read / self._rows if self._rows else 1.0


class CsvSource:
    """A delimited text file. Every column is text, so that 007 and 1.50 come out as they went in.

    Args:
        path: the file.
        encoding: how it is encoded; default: UTF-8 (with or without a byte order mark), UTF-16 with
            one, else GB18030.

    Raises: ValueError, for a file without a header, or whose header names a column twice.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        self._path = path
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
        self._size = Path(path).stat().st_size
        self._file: IO[bytes] | None = None

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        with open(self._path, "rb") as self._file:
            text = io.TextIOWrapper(self._file, self.encoding, newline="")
            for some in _cut(self._records(text), rows, lambda row: sum(map(len, row))):
                yield self._batch(some)

    def _batch(self, rows: list[list[str]]) -> pa.RecordBatch:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _records(self, text: io.TextIOWrapper) -> Iterator[list[str]]:
        """The rows behind the header. An empty line is a row where there is one column, but not at the end."""
        csv.field_size_limit(_LONGEST_CELL)
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
                f"{self._path}: behind line {begin} something is not {self.encoding} ({error}). "
                "Correct the file, or name its --encoding."
            ) from None

    def share_read(self) -> float:
        return _share_read(self._file, self._size)


class JsonLinesSource:
    """A file of JSON objects, one a line; blank lines are passed over.

    Args:
        path: the file.
        texts: the columns that are read as text.
        added: keys that will be added to each line, kept as it is beside those columns
            (`json_lines.LINE`), for an output that is JSON lines too. None: every key becomes a column, of
            the type that `json_lines.column_types` finds.

    Raises: ValueError, where a line is no object or has one of the added keys already, and where no line at
        all has one of `texts`.
    """

    def __init__(self, path: str, texts: Iterable[str], added: Iterable[str] | None) -> None:
        self._path = path
        self._texts = tuple(dict.fromkeys(texts))
        self._whole = added is not None
        self._added = frozenset(added or ())
        self._size = Path(path).stat().st_size
        self._file: IO[bytes] | None = None
        if self._whole:
            self.schema = pa.schema([*((name, pa.string()) for name in self._texts), (json_lines.LINE, pa.binary())])
        else:
            with open(path, "rb") as file:
                self.schema = json_lines.column_types(self._objects(file), self._texts)

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        with open(self._path, "rb") as self._file:
            for some in _cut(self._numbered(self._file), rows, lambda row: len(row[0])):
                lines, objects = zip(*some, strict=True)
                yield self._batch(lines, objects)

    def _batch(self, lines: Sequence[bytes], objects: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        if not self._whole:
            return json_lines.to_batch(objects, self.schema)
        texts = [pa.array([json_lines.as_text(o.get(name)) for o in objects], pa.string()) for name in self._texts]
        return pa.RecordBatch.from_arrays([*texts, pa.array(lines, pa.binary())], schema=self.schema)

    def _objects(self, file: IO[bytes]) -> Iterator[dict[str, Any]]:
        return (content for _, content in self._numbered(file))

    def _numbered(self, file: IO[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
        content: dict[str, Any] | None = None
        unseen = set(self._texts)
        for number, raw in enumerate(file, 1):
            line = raw.strip()
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line:
                continue
            try:
                content = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(
                    f"{self._path}:{number}: this line is not JSON ({error}). Correct or remove it."
                ) from None
            if not isinstance(content, dict):
                raise ValueError(f'{self._path}:{number}: this line is no JSON object such as {{"query": "…"}}.')
            clash = self._added & content.keys()
            if clash:
                raise ValueError(f"{self._path}:{number}: the line already has {min(clash)!r}; give a --prefix.")
            unseen -= content.keys()
            yield line, content
        if unseen and content is not None:  # a misspelt name: every row would be taken to say nothing there
            raise ValueError(
                f"{self._path}: no line has the key {min(unseen)!r}; the last one has {', '.join(map(repr, content))}."
            )

    def share_read(self) -> float:
        return _share_read(self._file, self._size)


def _cut(items: Iterable[T], most: int, size: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in lists of at most `most`, each ended by the item that fills `BATCH_BYTES`."""
    found: list[T] = []
    held = 0
    for item in items:
        found.append(item)
        held += size(item)
        if len(found) == most or held >= BATCH_BYTES:
            yield found
            found, held = [], 0
    if found:
        yield found


def in_batches(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly `rows` rows; the last one may be shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, rows - count)
            waiting.append(part)
            count += part.num_rows
            batch = batch.slice(part.num_rows)
            if count == rows:
                yield pa.concat_batches(waiting)
                waiting, count = [], 0
    if waiting:
        yield pa.concat_batches(waiting)


@contextmanager
def local_file(path: str) -> Iterator[str]:
    """A path that can be read more than once: standard input, or a pipe, is kept in a temporary file meanwhile."""
    if path != STREAM and not Path(path).is_fifo():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="qilin-") as kept:
        copy = Path(kept, "stdin")
        with copy.open("wb") as file, _stream(path) as stream:
            shutil.copyfileobj(stream, file, _READ_BYTES)
        yield str(copy)


def _stream(path: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if path == STREAM else open(path, "rb")


def open_source(
    path: str, kind: Format, texts: Iterable[str], *, added: Iterable[str] | None, encoding: str | None
) -> Source:
    """The input of a batch.

    Args:
        path: a file.
        kind: its format.
        texts: for JSON lines, the keys that hold text to be read.
        added: as for `JsonLinesSource`.
        encoding: of a CSV file; None: recognised.

    Raises: OSError; ValueError, for a file that is not of this format.
    """
    if kind is Format.PARQUET:
        return ParquetSource(path)
    if kind is Format.CSV:
        return CsvSource(path, encoding)
    return JsonLinesSource(path, texts, added)


def _share_read(file: IO[bytes] | None, size: int) -> float:
    if file is None or not size:
        return 1.0
    return 1.0 if file.closed else file.tell() / size


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
