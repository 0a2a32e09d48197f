"""A worker process: it makes the engine once, then resolves one part after the other."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.ipc as ipc

from qilin.batch.arrow import NO_ROW, ArrowResolver
from qilin.batch.counts import Counts
from qilin.batch.files.parts import Parts
from qilin.batch.files.sinks import Encoding
from qilin.batch.questions import Columns, Key
from qilin.llm.options import GapOptions

_RARELY = (200_000, 20, 100)  # objects and rounds between two looks for cycles, of which there are few


class Maker(Protocol):
    """Makes the resolver of a process; picklable."""

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        """A resolver that calls `mark` before each question."""
        ...


class Recipe(NamedTuple):
    """How to make an `ArrowResolver` in another process, on this machine or on another one.

    `tables`: compiled tables as `qilin.names.cache.packed` gives them, or a file that holds them. The rest is as
    for `Engine` and `ArrowResolver`.
    """

    tables: bytes | Path
    columns: Columns
    today: date
    scope: str | None = None
    default_date: str | None = None
    max_length: int = 2000
    gaps: GapOptions = GapOptions(None)

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        from qilin.names.cache import unpacked
        from qilin.resolver import Engine

        content = self.tables if isinstance(self.tables, bytes) else self.tables.read_bytes()
        today = self.today
        engine = Engine(
            unpacked(content),
            default_date=self.default_date,
            max_length=self.max_length,
            clock=lambda: today,
            **self.gaps.engine_options(),
        )
        return ArrowResolver(
            engine,
            self.columns.query,
            today=today,
            today_column=self.columns.today,
            scope=self.scope,
            scope_column=self.columns.scope,
            prefix=self.columns.prefix,
            mark=mark,
        )


class Task(NamedTuple):
    """One part to be resolved. `killers`: rows, as IPC streams, that are not to be tried; `careful`: see `ArrowResolver`."""

    number: int
    careful: bool = False
    killers: tuple[bytes, ...] = ()


class Reply(NamedTuple):
    """What a worker says: ready (`number` None), a part finished, or why not.

    `errno` and `filename` are those of an OSError.
    """

    number: int | None = None
    problem: str = ""
    errno: int | None = None
    filename: str | None = None


def work(pipe: Any, at: Any, maker: Maker, parts: Parts, encoding: Encoding) -> None:
    """Resolve the parts that come through the pipe until it is closed, or the parent is gone.

    Args:
        pipe: a connection; Task in, Reply out.
        at: a shared integer: the row of the part that is being resolved.
        maker: makes the resolver.
        parts: where the questions lie, and what is finished goes.
        encoding: how finished rows are kept.
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
        gc.set_threshold(*_RARELY)
        pipe.send(Reply())
        while True:
            task: Task = pipe.recv()
            _finish(task, resolver, parts, encoding, mark)
            pipe.send(Reply(task.number))
    except EOFError:
        return
    except MemoryError:
        os._exit(1)  # like one that the system ends; if it is always the same row, that is found out
    except OSError as error:
        problem = Reply(problem=error.strerror or str(error), errno=error.errno, filename=error.filename)
    except Exception as error:
        problem = Reply(problem=f"{type(error).__name__}: {error}")
    with suppress(OSError):  # the parent may be what is gone
        pipe.send(problem)


def _finish(task: Task, resolver: ArrowResolver, parts: Parts, encoding: Encoding, mark: Callable[[int], None]) -> None:
    questions = parts.questions(task.number)
    killers: frozenset[Key] = frozenset(key for row in task.killers for key in resolver.keys(one_row(row)))
    rows = resolver(questions, killers, task.careful)
    mark(NO_ROW)  # none is to blame for what happens while they are written
    parts.finish(task.number, encoding.encode(rows), Counts.of(rows, resolver.columns.prefix))
    pa.default_memory_pool().release_unused()


def one_row(stream: bytes) -> pa.RecordBatch:
    """A record batch from an IPC stream."""
    return ipc.open_stream(stream).read_next_batch()


def as_stream(rows: pa.RecordBatch) -> bytes:
    """A record batch as an IPC stream."""
    content = pa.BufferOutputStream()
    with ipc.new_stream(content, rows.schema) as writer:
        writer.write_batch(rows)
    return content.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _end_with_parent() -> None:
    """Leave at once when the parent is killed: nobody would take the work."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
