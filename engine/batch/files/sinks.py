"""Rows to a file or stream of one of the three formats: workers encode them, then they are joined in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import IO, Protocol

import pyarrow as pa

from qilin.batch.files.csv_files import AsCsv
from qilin.batch.files.formats import Format
from qilin.batch.files.json_lines import AsJsonLines
from qilin.batch.files.parquet import AsRows, parquet_output
from qilin.batch.files.text import text_output


class Encoding(Protocol):
    """The form in which finished rows are kept until they are joined. Picklable, for worker processes."""

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Rows in this form; the costly half of writing, done by the worker that made the rows."""
        ...


Append = Callable[[pa.RecordBatch], None]  # joins the next encoded rows to an output


def encoding_of(kind: Format, *, delimiter: str = ",", added: Sequence[str] | None = None) -> Encoding:
    """The encoding for an output of this format; `added`: as for `AsJsonLines`."""
    if kind is Format.PARQUET:
        return AsRows()
    return AsCsv(delimiter) if kind is Format.CSV else AsJsonLines(added)


def open_output(
    file: IO[bytes], encoding: Encoding, schema: pa.Schema, *, mark: bool = False, prefix: str = ""
) -> AbstractContextManager[Append]:
    """An output to which encoded rows are joined, in order; an exception in the block leaves it without its end.

    Args:
        file: where to write; the caller closes it.
        encoding: of the rows.
        schema: of the rows before they were encoded.
        mark: begin a CSV file with a byte order mark, which some spreadsheet programs need.
        prefix: of the added columns.

    Raises: OSError, also from `Append`, when the disk is full or the reader of a pipe went away.
    """
    if isinstance(encoding, AsRows):
        return parquet_output(file, schema, prefix)
    if isinstance(encoding, AsCsv):
        return text_output(file, b"\xef\xbb\xbf" * mark + encoding.header(schema.names))
    return text_output(file)
