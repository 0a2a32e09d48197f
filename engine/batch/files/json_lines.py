"""JSON lines in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

import pyarrow as pa

from qilin.batch.files.batches import in_batches
from qilin.batch.files.json_values import as_text, column_types, dumped, to_batch, values_of
from qilin.batch.files.text import TextSource, text_batch

LINE = "\0line"  # the column that holds a line as it was written; no key has this name


class JsonLinesSource(TextSource):
    """A file of JSON objects, one a line; blank lines are skipped.

    Args:
        texts: the keys that are read as text.
        added: the keys that an output of JSON lines adds to each line. The line itself is then a column
            (`LINE`) beside `texts`. None: every key becomes a column, of the type that
            `column_types` finds.

    Raises: ValueError, where a line is no object or has one of the added keys already, and where no line at
        all has one of `texts`.
    """

    def __init__(self, path: str, texts: Iterable[str], added: Iterable[str] | None) -> None:
        super().__init__(path)
        self._texts = tuple(dict.fromkeys(texts))
        self._keeps_lines = added is not None
        self._added = frozenset(added or ())
        if self._keeps_lines:
            self.schema = pa.schema([*((name, pa.string()) for name in self._texts), (LINE, pa.binary())])
        else:
            with open(path, "rb") as file:
                self.schema = column_types((content for _, content in self._objects(file)), self._texts)

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        with open(self._path, "rb") as self._file:
            for some in in_batches(self._objects(self._file), rows, lambda pair: len(pair[0])):
                lines, objects = zip(*some, strict=True)
                yield self._batch(lines, objects)

    def _batch(self, lines: Sequence[bytes], objects: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        if not self._keeps_lines:
            return to_batch(objects, self.schema)
        texts = [pa.array([as_text(o.get(name)) for o in objects], pa.string()) for name in self._texts]
        return pa.RecordBatch.from_arrays([*texts, pa.array(lines, pa.binary())], schema=self.schema)

    def _objects(self, file: IO[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Each line that is not blank, stripped, with the object in it."""
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
        if unseen and content is not None:  # a misspelt name: every row would seem to have no value there
            raise ValueError(
                f"{self._path}: no line has the key {min(unseen)!r}; the last one has {', '.join(map(repr, content))}."
            )


class AsJsonLines(NamedTuple):
    """Rows as JSON lines; where the input was JSON lines, each line stays as it was written.

    `added`: names of the columns to be added to such lines; None for an input of another format.
    """

    added: Sequence[str] | None

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return text_batch(b"".join(_lines_of(rows) if self.added is None else _lines_with(rows, self.added)))


def _lines_with(batch: pa.RecordBatch, added: Sequence[str]) -> Iterator[bytes]:
    """The line of each row, as it was written, with the added columns as further keys."""
    rows = batch.select(list(added)).to_pylist()
    for line, row in zip(batch.column(LINE).to_pylist(), rows, strict=True):
        head = line.removesuffix(b"}").rstrip()
        comma = b"" if head.endswith(b"{") else b", "
        yield head + comma + dumped(row)[1:].encode("utf-8") + b"\n"


def _lines_of(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Each row as a JSON object; dates and times in ISO 8601, other values that JSON lacks as text."""
    names = batch.schema.names
    for row in zip(*map(values_of, batch.columns), strict=True):
        yield dumped(dict(zip(names, row, strict=True))).encode("utf-8") + b"\n"
