"""Worker processes that resolve the parts of a job, are replaced when they die, and lose no row."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing import connection
from typing import Any

from qilin.batch.arrow import NO_ROW
from qilin.batch.files.part_files import PartFiles
from qilin.batch.files.sinks import Encoding
from qilin.batch.recipe import Maker
from qilin.batch.workers.worker import Reply, Task, WorkersFailed, as_stream, work

_QUEUED = 2  # parts a worker has at most: one in work, and the next one
# Before we give up. A part that is finished sets the first two back.
_MAX_DEATHS_OUTSIDE_ROWS = 3  # worker deaths outside any row
_MAX_KILLERS = 16  # rows blamed for worker deaths
_MAX_DEATHS_IN_A_PART = 8  # worker deaths over one part, each at another row


class _Worker:
    """One process, and the parts it was given, the one in work first."""

    def __init__(self, maker: Maker, parts: PartFiles, encoding: Encoding) -> None:
        context = multiprocessing.get_context("spawn")  # safe beside threads, and the same on every system
        self.pipe, theirs = context.Pipe()
        self.at: Any = context.RawValue("q", NO_ROW)
        self.tasks: deque[Task] = deque()
        self.ready = False
        self.process = context.Process(target=work, args=(theirs, self.at, maker, parts, encoding), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        """Hand a part over; a dead worker is noticed later, with the part still among its tasks."""
        self.tasks.append(task)
        with suppress(OSError):
            self.pipe.send(task)

    def replies(self) -> Iterator[Reply]:
        """The replies since the last call, also those that it sent before it died."""
        try:
            while self.pipe.poll():
                yield self.pipe.recv()
        except (EOFError, OSError):
            return

    def stop(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()  # not earlier: the worker would complain


class Pool:
    """Resolves parts in worker processes. A context manager: leaving it ends them.

    A worker that dies is replaced, and its parts are given out again. A row at which two workers died one after
    the other is marked failed; the rest of its part goes on.

    `parts`: questions in, finished parts out, in this encoding; `workers`: how many processes.
    """

    def __init__(self, maker: Maker, parts: PartFiles, encoding: Encoding, workers: int) -> None:
        self._common = (maker, parts, encoding)
        self._parts = parts
        self._size = workers
        self._workers: list[_Worker] = []
        self._again: deque[Task] = deque()
        self._died_at: dict[int, list[int]] = {}
        self._killers: tuple[bytes, ...] = ()
        self._deaths_outside_rows = 0
        self._recent_killers = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()

    def finish(self, numbers: Iterable[int]) -> Iterator[int]:
        """Resolve parts whose questions are written; gives the number of each when it is finished, in any order.

        Args:
            numbers: of the parts; taken one by one, as workers become free.

        Raises: OSError, when a worker cannot write; WorkersFailed.
        """
        coming = iter(numbers)
        while self._hand_out(coming):
            pipes: list[Any] = [worker.pipe for worker in self._workers]
            connection.wait(pipes + [worker.process.sentinel for worker in self._workers])
            for worker in list(self._workers):
                is_dead = not worker.process.is_alive()  # asked before reading: no reply can come after it
                for reply in worker.replies():
                    if reply.error is not None:
                        raise reply.error
                    worker.ready = True
                    if reply.number is not None:
                        worker.tasks.popleft()
                        self._deaths_outside_rows = self._recent_killers = 0
                        self._died_at.pop(reply.number, None)
                        self._parts.drop_questions(reply.number)  # not by the worker, which may die before its reply
                        yield reply.number
                if is_dead:
                    self._bury(worker)

    def _hand_out(self, coming: Iterator[int]) -> bool:
        """Fill the queue of every worker; False when no part is left, not even in work."""
        for depth in range(1, _QUEUED + 1):
            for i in range(self._size):
                if i < len(self._workers) and len(self._workers[i].tasks) >= depth:
                    continue
                task = self._next(coming)
                if task is None:
                    break
                if i == len(self._workers):
                    self._workers.append(_Worker(*self._common))
                self._workers[i].give(task)
        return any(worker.tasks for worker in self._workers)

    def _next(self, coming: Iterator[int]) -> Task | None:
        if self._again:
            return self._again.popleft()._replace(killers=self._killers)
        number = next(coming, None)
        return None if number is None else Task(number, killers=self._killers)

    def _bury(self, worker: _Worker) -> None:
        """Take a dead worker's parts back, and find out whether a row is to blame."""
        self._workers.remove(worker)
        worker.stop()
        tasks = worker.tasks
        row = int(worker.at.value)
        if not worker.ready or row == NO_ROW:
            self._deaths_outside_rows += 1
            if self._deaths_outside_rows >= _MAX_DEATHS_OUTSIDE_ROWS:
                raise _dying("outside any row" if worker.ready else "before they resolve anything", worker)
        elif tasks:
            task = tasks.popleft()
            rows = self._died_at.setdefault(task.number, [])
            if row in rows:
                self._recent_killers += 1
                if self._recent_killers > _MAX_KILLERS:
                    raise _dying("at one row after the other", worker)
                self._killers += (as_stream(self._parts.questions(task.number).slice(row, 1)),)
                rows.clear()
            else:
                rows.append(row)
                if len(rows) >= _MAX_DEATHS_IN_A_PART:
                    raise _dying("at no row in particular", worker)
            tasks.appendleft(task._replace(careful=True))
        self._again.extendleft(reversed(tasks))


def _dying(when: str, worker: _Worker) -> WorkersFailed:
    """The error for workers that die again and again."""
    code = worker.process.exitcode or 0
    cause = f"signal {-code}" if code < 0 else f"exit code {code}"
    if code == -signal.SIGKILL:
        cause = "killed, perhaps for want of memory: try fewer --workers"
    return WorkersFailed(f"worker processes keep dying {when} ({cause}).")
