"""A worker process: it makes its resolver once, then resolves one part after the other."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, parent_process
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.ipc as ipc

from qilin.batch.arrow import NO_ROW, ArrowResolver
from qilin.batch.counts import Counts
from qilin.batch.files.part_files import PartFiles
from qilin.batch.files.sinks import Encoding
from qilin.batch.input_columns import Key
from qilin.batch.recipe import Maker

_GC_THRESHOLDS = (200_000, 20, 100)  # the collector runs rarely: there are few cycles


class Task(NamedTuple):
    """One part to be resolved.

    `killers`: rows that are not to be tried, as IPC streams; `careful`: as for `ArrowResolver`.
    """

    number: int
    careful: bool = False
    killers: tuple[bytes, ...] = ()


class Reply(NamedTuple):
    """A message of a worker: it is ready (`number` None), it has finished a part, or it cannot go on (`error`)."""

    number: int | None = None
    error: Exception | None = None


class WorkersFailed(RuntimeError):
    """Worker processes fail or die, and no row is to blame."""


def work(pipe: Any, at: Any, maker: Maker, parts: PartFiles, encoding: Encoding) -> None:
    """Resolve the parts that come through the pipe until it is closed, or the parent is gone.

    Args:
        pipe: a connection; Task in, Reply out.
        at: a shared integer: the row of the part that is being resolved.
        maker, parts, encoding: as for `Pool`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _end_with_parent()
    pa.set_cpu_count(1)
    at.value = NO_ROW

    def mark(row: int) -> None:
        at.value = row

    try:
        resolver = maker.make(mark)
        resolver.engine.prepare()  # before any row, which would be blamed if there is no memory for it
        gc.freeze()  # the tables stay; to walk through them again and again is a sixth of the time
        gc.set_threshold(*_GC_THRESHOLDS)
        pipe.send(Reply())
        while True:
            task: Task = pipe.recv()
            _finish(task, resolver, parts, encoding, mark)
            pipe.send(Reply(task.number))
    except EOFError:
        return
    except MemoryError:
        os._exit(1)  # as if the system had killed it; the pool finds out whether a row is to blame
    except Exception as error:  # rebuilt: not every error can be pickled
        told: Exception = WorkersFailed(f"a worker process failed: {type(error).__name__}: {error}")
        if isinstance(error, OSError) and error.errno is not None:
            told = OSError(error.errno, error.strerror, error.filename)
        with suppress(OSError):  # the parent may be gone
            pipe.send(Reply(error=told))


def _finish(
    task: Task, resolver: ArrowResolver, parts: PartFiles, encoding: Encoding, mark: Callable[[int], None]
) -> None:
    questions = parts.questions(task.number)
    killers: frozenset[Key] = frozenset(
        key for row in task.killers for key in resolver.keys(ipc.open_stream(row).read_next_batch())
    )
    rows = resolver(questions, killers, task.careful)
    mark(NO_ROW)  # no row is to blame for a death while they are written
    parts.finish(task.number, encoding.encode(rows), Counts.of(rows, resolver.columns.prefix))
    pa.default_memory_pool().release_unused()


def as_stream(rows: pa.RecordBatch) -> bytes:
    """A record batch as an IPC stream, which holds these rows alone, unlike the pickle of a slice."""
    content = pa.BufferOutputStream()
    with ipc.new_stream(content, rows.schema) as writer:
        writer.write_batch(rows)
    return content.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _end_with_parent() -> None:
    """Exit at once when the parent is killed: the work would have no taker."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
