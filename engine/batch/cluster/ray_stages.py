"""The stages on the nodes of a Ray cluster: read, resolve, fill gaps, write. Begun by `qilin.batch.cluster.ray_driver`.

Every row carries its number in the input, so each file that is written says which rows it holds, whatever Ray
cuts, moves or does twice.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import ray

from qilin.batch.cluster.ray_output import Destination, no_rows
from qilin.batch.files.parquet import AsRows, parquet_file
from qilin.batch.files.part_files import PartFiles
from qilin.batch.recipe import Maker
from qilin.batch.result_columns import FAILED, RESULT
from qilin.batch.workers.pool import Pool
from qilin.batch.workers.worker import WorkersFailed

NUMBER = "\0row"  # the last column of every block: the row's number in the input
_MAX_TRIES = 8  # of one block; nodes that are lost count too
_WRITTEN = pa.schema([("first", pa.int64()), ("rows", pa.int64()), ("counts", pa.string())])


class ReadTask(NamedTuple):
    """Rows of a Parquet file that one task reads.

    `size`: of the file in bytes; `groups`: indices of row groups; `skip`: rows of these to pass over;
    `first`: the number of the first row that is read; `rows`: how many are.
    """

    path: str
    size: int
    groups: list[int]
    skip: int
    first: int
    rows: int


class NodeError(Exception):
    """Carries an error of a node to the driver as it was: Ray adds advice of its own to the text of errors."""

    def __init__(self, text: str, error: Exception | None = None) -> None:
        super().__init__(text)
        self.error = error


@contextmanager
def _carried() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise NodeError(str(error), error) from None


def read(tasks: pa.Table, part_rows: int, destination: Destination) -> Iterator[pa.Table]:
    """The rows of the read tasks, numbered, at most `part_rows` at a time.

    Raises: NodeError, as all stages do: with an OSError, where the file is not on this node, with a ValueError,
        where it is another file.
    """
    pa.set_cpu_count(1)
    with _carried():
        for task in (ReadTask(**each) for each in tasks.to_pylist()):
            if os.stat(task.path).st_size != task.size:
                raise ValueError(f"{task.path} is another file on {platform.node()}; every node must see the same one.")
            with attempt(destination, task.first, "read"), parquet_file(task.path) as file:
                batches = file.iter_batches(batch_size=part_rows, row_groups=task.groups, use_threads=False)
                number = task.first
                for batch in _between(batches, task.skip, task.rows):
                    numbers = pa.array(range(number, number + batch.num_rows), pa.int64())
                    number += batch.num_rows
                    yield pa.Table.from_batches([batch]).append_column(NUMBER, numbers)


def _between(batches: Iterator[pa.RecordBatch], skip: int, rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        wanted = batch.slice(skip, rows)
        skip = max(skip - batch.num_rows, 0)
        rows -= wanted.num_rows
        yield wanted
        if not rows:
            return


@_carried()
def resolve(block: pa.Table, maker: Any, destination: Destination) -> pa.Table:
    """Numbered rows as the rules resolve them; `maker`: a reference to that of a resolver without a gap filler."""
    rows, numbers = _unnumbered(block)
    found = no_rows(destination.schema)
    if rows.num_rows:
        found = _answers(maker, rows, destination, numbers[0].as_py(), "resolve")
    return pa.Table.from_batches([found]).append_column(NUMBER, numbers)


class GapFillerActor:
    """Resolves rows that the rules left open once more, with the gap filler. An actor: the model stays loaded.

    `maker`: a reference to the `Maker` of a resolver with the gap filler.
    """

    def __init__(self, maker: Any, destination: Destination) -> None:
        self._maker = maker
        self._destination = destination

    @_carried()
    def __call__(self, block: pa.Table) -> pa.Table:
        rows, numbers = _unnumbered(block)
        width = rows.num_columns - len(RESULT)
        wanted = pc.indices_nonzero(is_open(rows, self._destination.prefix))
        if not len(wanted):
            return block
        questions = pa.RecordBatch.from_arrays(
            [column.take(wanted) for column in rows.columns[:width]], schema=pa.schema(list(rows.schema)[:width])
        )
        filled = _answers(self._maker, questions, self._destination, numbers[0].as_py(), "fill")
        order = list(range(rows.num_rows))  # where each row comes from, in the rows followed by the filled ones
        for position, row in enumerate(wanted.to_pylist(), rows.num_rows):
            order[row] = position
        columns = [
            pa.concat_arrays([old, new]).take(pa.array(order, pa.int64()))
            for old, new in zip(rows.columns[width:], filled.columns[width:], strict=True)
        ]
        return pa.Table.from_arrays([*rows.columns[:width], *columns, numbers], schema=block.schema)


def is_open(rows: pa.RecordBatch, prefix: str) -> pa.Array:
    """For each row, whether the rules left something open: `Engine.is_open`, read from the columns."""
    status = rows.column(prefix + "status")
    unsettled = pc.and_(pc.not_equal(status, "resolved"), pc.not_equal(status, FAILED))
    return pc.or_(unsettled, pc.greater(pc.list_value_length(rows.column(prefix + "unknown")), 0))


@_carried()
def write(block: pa.Table, destination: Destination) -> pa.Table:
    """Write the rows to files of the output, one for each run of consecutive numbers.

    Returns: one row a file: the fields of `PartFile`, the counts as JSON.
    """
    rows, numbers = _unnumbered(block)
    rows = pa.RecordBatch.from_arrays(rows.columns, schema=destination.schema)
    written: list[dict[str, Any]] = []
    for first, consecutive in _consecutive(rows, numbers.to_pylist()):
        with attempt(destination, first, "write"):
            file = destination.write(first, consecutive)
        written.append({**file._asdict(), "counts": json.dumps(file.counts._asdict())})
    return pa.Table.from_pylist(written, schema=_WRITTEN)


def _consecutive(rows: pa.RecordBatch, numbers: list[int]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Runs of rows with consecutive numbers, and the first number of each."""
    begin = 0
    for i in range(1, len(numbers) + 1):
        if i == len(numbers) or numbers[i] != numbers[i - 1] + 1:
            yield numbers[begin], rows.slice(begin, i - begin)
            begin = i


def _unnumbered(block: pa.Table) -> tuple[pa.RecordBatch, Any]:
    """A block as one record batch, and the numbers of its rows."""
    batches = block.combine_chunks().to_batches()
    whole = batches[0] if batches else no_rows(block.schema)
    return whole.remove_column(whole.num_columns - 1), whole.column(whole.num_columns - 1)


# ── rows that kill their process ─────────────────────────────────────────────────────────────────


def _answers(maker: Any, rows: pa.RecordBatch, destination: Destination, first: int, stage: str) -> pa.RecordBatch:
    """Resolve rows in this process, or in a child process where an earlier try did not come back.

    The death of the child shows which row is to blame, as on a single machine, and that row is marked failed.
    """
    with attempt(destination, first, stage) as earlier:
        return _in_child(_maker(maker), rows) if earlier else _resolver(maker)(rows)


@contextmanager
def attempt(destination: Destination, first: int, stage: str) -> Iterator[int]:
    """How many tries at a block did not come back, on any node; this try is noted for the later ones.

    Ray itself would try for ever.

    Raises: WorkersFailed, when there were too many.
    """
    notes = [destination.tries / f"{first}.{stage}.{number}" for number in range(_MAX_TRIES)]
    earlier = next((number for number, note in enumerate(notes) if _is_new(note)), None)
    if earlier is None:
        raise WorkersFailed(
            f"the processes that {stage} the rows from number {first} on were lost {_MAX_TRIES} times, "
            "perhaps for want of memory: try fewer --workers"
        )
    yield earlier
    for note in notes[: earlier + 1]:
        note.unlink(missing_ok=True)


def _is_new(note: Path) -> bool:
    """Make an empty file; False where it is there already."""
    try:
        note.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _in_child(maker: Maker, rows: pa.RecordBatch) -> pa.RecordBatch:
    with tempfile.TemporaryDirectory(prefix="qilin-") as folder:
        parts = PartFiles(Path(folder), "block")
        parts.put_questions(0, rows)
        with Pool(maker, parts, AsRows(), 1) as pool:
            list(pool.finish([0]))
        return parts.finished(0)


@lru_cache(maxsize=2)
def _maker(reference: Any) -> Maker:
    maker: Maker = ray.get(reference)
    return maker


@lru_cache(maxsize=2)
def _resolver(reference: Any) -> Any:
    """The resolver of this process, made once."""
    pa.set_cpu_count(1)
    return _maker(reference).make()
