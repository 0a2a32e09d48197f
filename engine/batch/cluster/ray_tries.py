"""Blocks of rows that are tried again on Ray: the row that kills its process is found, and not for ever tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray

from qilin.batch.cluster.ray_output import Destination
from qilin.batch.files.parquet import AsRows
from qilin.batch.files.part_files import PartFiles
from qilin.batch.recipe import Maker
from qilin.batch.workers.pool import Pool, WorkersFailed

_MAX_TRIES = 8  # of one block; nodes that are lost count too


def answers(maker: Any, rows: pa.RecordBatch, destination: Destination, first: int, stage: str) -> pa.RecordBatch:
    """The rows with their resolutions.

    They are resolved in this process. Where an earlier try did not come back, a child process does it: its death
    shows which row is to blame, as on a single machine, and that row is marked failed.

    Args:
        maker: a reference to a `Maker`.
        rows: without their numbers.
        destination: of the job.
        first: the number of the first row.
        stage: the name of the stage, for notes and messages.
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
