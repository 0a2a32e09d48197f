"""The output of a job on Ray: a folder of Parquet files, each of which says by its name which rows it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from qilin.batch.counts import Counts
from qilin.batch.files.parquet import parquet_output
from qilin.batch.files.published import published
from qilin.batch.workers.worker import WorkersFailed


class PartFile(NamedTuple):
    """A file of the output: its first row, the number of its rows, and their counts."""

    first: int
    rows: int
    counts: Counts


class Destination(NamedTuple):
    """The folder of a job, and the columns of its output. `prefix`: of the added columns."""

    folder: Path
    schema: pa.Schema
    prefix: str

    @property
    def output(self) -> Path:
        """Where the files of the output lie until all are there."""
        return self.folder / "rows"

    @property
    def tries(self) -> Path:
        """Where the processes note the blocks of rows that they begin."""
        return self.folder / "tries"

    def prepare(self) -> None:
        """Make the folders that are missing; notes of an earlier run go."""
        self.output.mkdir(exist_ok=True)
        self.tries.mkdir(exist_ok=True)
        for note in self.tries.iterdir():
            note.unlink(missing_ok=True)

    def write(self, first: int, rows: pa.RecordBatch) -> PartFile:
        """Write one file of the output, which appears whole or not at all; `first`: the number of its first row."""
        path = self.output / f"part-{first:012d}.parquet"
        with (
            published(path, self.folder) as temporary,
            temporary.open("wb") as file,
            parquet_output(file, self.schema, self.prefix) as append,
        ):
            append(rows)
        return PartFile(first, rows.num_rows, Counts.of(rows, self.prefix))

    def finished(self) -> Iterator[PartFile]:
        """The files that an earlier run has written, in row order."""
        for first, path in self._files():
            rows = pq.read_table(path, columns=[self.prefix + "status", self.prefix + "degraded"])
            yield PartFile(first, rows.num_rows, Counts.of(rows, self.prefix))

    def check_whole(self, rows: int) -> None:
        """Compare the files with the input: every row must be in one file, and in one only.

        Raises: WorkersFailed, where it is not.
        """
        number = 0
        for first, path in self._files():
            if first != number:
                break
            number += pq.read_metadata(path).num_rows
        else:
            if number == rows:
                return
        raise WorkersFailed(f"of {rows} rows only those before {number} are in {self.folder} once; give --restart")

    def _files(self) -> list[tuple[int, Path]]:
        return sorted((int(path.stem.removeprefix("part-")), path) for path in self.output.iterdir())


def missing_rows(files: list[PartFile], rows: int) -> list[tuple[int, int]]:
    """Ranges of rows that no file holds, from the first to the one after the last."""
    ends = [0, *(file.first + file.rows for file in files)]
    firsts = [*(file.first for file in files), rows]
    return [(end, first) for end, first in zip(ends, firsts, strict=True) if end < first]


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """A record batch of these columns without any rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
