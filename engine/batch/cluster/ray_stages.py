"""What runs on the nodes of a Ray cluster: read, resolve, fill gaps, write. Begun by `qilin.batch.cluster.ray_data`.

Every row carries its number in the input, so whatever Ray cuts, moves or does twice, each file that is
written says which rows it holds.
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
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import ray

from qilin.batch.columns import FAILED, RESULT
from qilin.batch.counts import Counts
from qilin.batch.files.parts import Parts, publish
from qilin.batch.files.sinks import AsRows, Sink
from qilin.batch.files.sources import in_batches, parquet_file
from qilin.batch.workers.pool import Pool, WorkersFailed
from qilin.batch.workers.worker import Maker

NUMBER = "\0row"  # the last column of every block: the row's number in the input
OUTPUT, TRIES = "rows", "tries"  # folders within that of the job
_WRITTEN = pa.schema([("first", pa.int64()), ("rows", pa.int64()), ("counts", pa.string())])
_MOST_TRIES = 8  # of one block; nodes that are lost count too


class Piece(NamedTuple):
    """Rows of a Parquet file that one task reads.

    `size`: of the file in bytes; `groups`: which row groups; `skip`: rows of these that are passed over;
    `first`: the number of the first row that is read; `rows`: how many are.
    """

    path: str
    size: int
    groups: list[int]
    skip: int
    first: int
    rows: int


class Place(NamedTuple):
    """Where a job keeps its files, and what the rows that it writes look like."""

    folder: Path
    schema: pa.Schema
    prefix: str


class NodeError(Exception):
    """Carries what went wrong on a node to the driver as it was: Ray adds advice of its own to the text of errors.

    `error`: what went wrong.
    """

    def __init__(self, text: str, error: Exception | None = None) -> None:
        super().__init__(text)
        self.error = error


@contextmanager
def _carried() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise NodeError(str(error), error) from None


def read(pieces: pa.Table, part_rows: int, place: Place) -> Iterator[pa.Table]:
    """The rows of the pieces, numbered, at most `part_rows` at a time.

    Raises: NodeError, as all stages do: an OSError, where the file is not here, a ValueError, where it is another one.
    """
    pa.set_cpu_count(1)
    with _carried():
        for piece in (Piece(**each) for each in pieces.to_pylist()):
            if os.stat(piece.path).st_size != piece.size:
                raise ValueError(
                    f"{piece.path} is another file on {platform.node()}; every node must see the same one."
                )
            with _try(place, piece.first, "read"), parquet_file(piece.path) as file:
                batches = file.iter_batches(batch_size=part_rows, row_groups=piece.groups, use_threads=False)
                number = piece.first
                for batch in in_batches(_between(batches, piece.skip, piece.rows), part_rows):
                    numbers = pa.array(range(number, number + batch.num_rows), pa.int64())
                    number += batch.num_rows
                    yield pa.Table.from_batches([batch]).append_column(NUMBER, numbers)


def _between(batches: Iterator[pa.RecordBatch], skip: int, rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        part = batch.slice(skip, rows)
        skip = max(skip - batch.num_rows, 0)
        rows -= part.num_rows
        yield part
        if not rows:
            return


@_carried()
def resolve(block: pa.Table, maker: Any, place: Place) -> pa.Table:
    """The rows with what the rules say of them.

    Args:
        block: numbered rows.
        maker: a reference to the `Maker` of a resolver without a gap filler.
        place: of the job.
    """
    rows, numbers = _unnumbered(block)
    found = _answers(maker, rows, place, numbers[0].as_py(), "resolve") if rows.num_rows else no_rows(place.schema)
    return pa.Table.from_batches([found]).append_column(NUMBER, numbers)


class Filler:
    """Resolves rows that the rules left open once more, with the gap filler. An actor: the model stays loaded.

    Args:
        maker: a reference to the `Maker` of a resolver with the gap filler.
        place: of the job.
    """

    def __init__(self, maker: Any, place: Place) -> None:
        self._maker = maker
        self._place = place

    @_carried()
    def __call__(self, block: pa.Table) -> pa.Table:
        rows, numbers = _unnumbered(block)
        width = rows.num_columns - len(RESULT)
        wanted = pc.indices_nonzero(is_open(rows, self._place.prefix))
        if not len(wanted):
            return block
        questions = pa.RecordBatch.from_arrays(
            [column.take(wanted) for column in rows.columns[:width]], schema=pa.schema(list(rows.schema)[:width])
        )
        filled = _answers(self._maker, questions, self._place, numbers[0].as_py(), "fill")
        sources = list(range(rows.num_rows))
        for position, row in enumerate(wanted.to_pylist()):
            sources[row] = rows.num_rows + position
        order = pa.array(sources, pa.int64())
        columns = [*rows.columns[:width]]
        columns += [
            pa.concat_arrays([rows.column(i), filled.column(i)]).take(order) for i in range(width, rows.num_columns)
        ]
        return pa.Table.from_arrays([*columns, numbers], schema=block.schema)


def is_open(rows: pa.RecordBatch, prefix: str) -> pa.Array:
    """For each row, whether the rules left something open: `Engine.is_open`, read from the columns."""
    status = rows.column(prefix + "status")
    unsettled = pc.and_(pc.not_equal(status, "resolved"), pc.not_equal(status, FAILED))
    return pc.or_(unsettled, pc.greater(pc.list_value_length(rows.column(prefix + "unknown")), 0))


@_carried()
def write(block: pa.Table, place: Place) -> pa.Table:
    """Keep the rows in files that are named by their first row.

    Returns: one row a file: first row, how many, how they came out (`Counts`, as JSON).
    """
    rows, numbers = _unnumbered(block)
    rows = pa.RecordBatch.from_arrays(rows.columns, schema=place.schema)
    written: list[dict[str, Any]] = []
    for first, part in _unbroken(rows, numbers.to_pylist()):
        with _try(place, first, "write"):
            write_part(place, first, part)
        counts = json.dumps(Counts.of(part, place.prefix)._asdict())
        written.append({"first": first, "rows": part.num_rows, "counts": counts})
    return pa.Table.from_pylist(written, schema=_WRITTEN)


def write_part(place: Place, first: int, rows: pa.RecordBatch) -> Path:
    """One file of the output, whole or not there at all."""
    draft = place.folder / f"{uuid4().hex}.draft"
    path = place.folder / OUTPUT / part_name(first)
    try:
        with draft.open("wb") as file:
            sink = Sink(file, AsRows(), place.schema, prefix=place.prefix)
            sink.append(rows)
            sink.close()
        publish(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path


def no_rows(schema: pa.Schema) -> pa.RecordBatch:
    """A record batch of these columns without any rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def part_name(first: int) -> str:
    """The file that begins with this row; in the order of their names the files are in that of the rows."""
    return f"part-{first:012d}.parquet"


def first_row(path: Path) -> int:
    """The row that a file of the output begins with."""
    return int(path.stem.removeprefix("part-"))


def _unbroken(rows: pa.RecordBatch, numbers: list[int]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Stretches of rows whose numbers follow each other, with the first number of each."""
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


def _answers(maker: Any, rows: pa.RecordBatch, place: Place, first: int, what: str) -> pa.RecordBatch:
    """Resolve in this process; where an earlier try did not come back, in one of its own, which may die.

    That one finds the row that is to blame, as on a single machine, and marks it failed.
    """
    with _try(place, first, what) as earlier:
        return _in_child(_maker(maker), rows) if earlier else _resolver(maker)(rows)


@contextmanager
def _try(place: Place, first: int, what: str) -> Iterator[int]:
    """How many tries at a block did not come back, on any node; this one is noted for those that may follow.

    Ray tries again for ever. Here it ends.

    Raises: WorkersFailed, when there were too many.
    """
    notes = [place.folder / TRIES / f"{first}.{what}.{number}" for number in range(_MOST_TRIES)]
    earlier = next((number for number, note in enumerate(notes) if _is_new(note)), None)
    if earlier is None:
        raise WorkersFailed(
            f"the processes that {what} the rows from number {first} on were lost {_MOST_TRIES} times, "
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
        parts = Parts(Path(folder), "block")
        parts.put_questions(0, rows)
        with Pool(maker, parts, AsRows(), 1) as pool:
            for _ in pool.finish([0]):
                pass
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
