"""Parquet files in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from qilin.batch.files import batches
from qilin.batch.result_columns import RESULT

_BUFFER_BYTES = 1 << 20  # of each column
_STEP_ROWS = 256  # rows decoded before their size is looked at
# Added columns whose values repeat within a file; a dictionary for the others only costs time.
_REPEATING = ("status", "province", "city", "company", "substation", "group_by")
_REPEATING_LISTS = ("indicators", "dates")


def parquet_file(path: str) -> pq.ParquetFile:
    """A Parquet file for one pass from beginning to end; only what is being read is held in memory."""
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
        fitting = max(int(batches.BATCH_BYTES / max(self._row_bytes, 1.0)), 1)  # by their encoded size, a mere estimate
        step = min(rows, fitting, _STEP_ROWS)
        with parquet_file(self._path) as file:
            decoded = file.iter_batches(batch_size=step, use_threads=False)
            for some in batches.in_batches(decoded, rows // step, lambda batch: int(batch.nbytes)):
                batch = pa.concat_batches(some)
                self._read += batch.num_rows
                yield batch

    def share_read(self) -> float:
        return self._read / self._rows if self._rows else 1.0


class AsRows:
    """Rows as they are: a Parquet file is compressed when it is joined."""

    def encode(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return rows


@contextmanager
def parquet_output(file: IO[bytes], schema: pa.Schema, prefix: str = "") -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that writes the next row group; `prefix`: of the added columns."""
    added = {prefix + name for name in RESULT.names}
    repeating = [name for name in schema.names if name not in added]
    repeating += [prefix + name for name in _REPEATING]
    repeating += [f"{prefix}{name}.list.element" for name in _REPEATING_LISTS]
    sink = pa.PythonFile(file, mode="w")
    writer = pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1, use_dictionary=repeating)
    try:
        yield lambda rows: writer.write_batch(rows, row_group_size=max(rows.num_rows, 1))
        writer.close()
    except BaseException:
        with suppress(Exception):  # else the writer's destructor would close it, when the file is closed already
            writer.close()
        writer.is_open = False
        raise
    file.flush()
