"""Files and streams of questions as record batches, with all their columns."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from qilin.batch.files.csv_files import CsvSource
from qilin.batch.files.formats import STREAM, Format
from qilin.batch.files.json_lines import JsonLinesSource
from qilin.batch.files.parquet import ParquetSource

_COPY_BYTES = 4 << 20


class Source(Protocol):
    """An input that is read from its beginning to its end, any number of times."""

    schema: pa.Schema

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The input in batches of at most `rows` rows, fewer if they are long; the same batches each time.

        Raises: ValueError, saying where, for content that cannot be read.
        """
        ...

    def share_read(self) -> float:
        """How much of the input the latest `batches` has read, 0 to 1."""
        ...


def open_source(
    path: str, kind: Format, texts: Iterable[str], *, added: Iterable[str] | None, encoding: str | None
) -> Source:
    """The input of a batch; `texts`, `added`: as for `JsonLinesSource`; `encoding`: as for `CsvSource`.

    Raises: OSError; ValueError, for a file that is not of this format.
    """
    if kind is Format.PARQUET:
        return ParquetSource(path)
    return CsvSource(path, encoding) if kind is Format.CSV else JsonLinesSource(path, texts, added)


@contextmanager
def local_file(path: str) -> Iterator[str]:
    """A path that can be read more than once: standard input, or a pipe, is kept in a temporary file meanwhile."""
    if path != STREAM and not Path(path).is_fifo():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="qilin-") as folder:
        copy = Path(folder, "stdin")
        pipe = nullcontext(sys.stdin.buffer) if path == STREAM else open(path, "rb")  # noqa: SIM115
        with copy.open("wb") as file, pipe as stream:
            shutil.copyfileobj(stream, file, _COPY_BYTES)
        yield str(copy)
