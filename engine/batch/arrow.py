"""The core of every batch: one Arrow function, questions in, the same rows with their resolutions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from qilin.batch.input_columns import Columns, Key
from qilin.batch.result_columns import FlatRow, failed_row, flat_row, result_arrays
from qilin.names.recent import Recent
from qilin.verdict.status import conclude

if TYPE_CHECKING:
    from qilin.resolver import Engine

_SLICE = 4096  # rows in work at a time, whatever the size of a batch: bounds memory
_REMEMBERED = 8192  # answers kept for repeated questions; at most twice as many, fewer if they are long
NO_ROW = -1  # what `mark` is told before work that belongs to no single row


class ArrowResolver:
    """Resolves a column of questions: `RecordBatch` → `RecordBatch`, row for row, in order.

    The same object serves a worker process, Ray Data's `map_batches` and, through `qilin.batch.cluster.spark`,
    Spark's `mapInArrow`. All columns of the input are kept; those of `RESULT` are added. Questions that
    repeat are resolved once within a slice of 4,096 rows, and remembered for the next 8,192 different ones.
    A row that cannot be answered (no text, too long, a scope that is not in the table) has the status
    `failed` and the reason in `error`; it never fails the batch.

    Args:
        engine: answers the questions. Its gap filler, if it has one, is asked once a slice, about all open rows.
        column: the text column that holds the questions.
        today: the day that relative dates count from; default: the engine's today, read once.
        today_column: a column with each row's own day (date, timestamp or ISO text), for logs of past
            questions. A null falls back on `today`.
        scope: the caller's own organisation, for all rows.
        scope_column: a text column with each row's own scope. A null falls back on `scope`.
        prefix: put before the name of each added column.
        mark: called with the row's number before each question that is resolved, so that an observer of the
            process knows the row at which it died.

    Raises: ValueError, for a scope that the table does not have, or has more than once.
    """

    def __init__(
        self,
        engine: Engine,
        column: str = "query",
        *,
        today: date | None = None,
        today_column: str | None = None,
        scope: str | None = None,
        scope_column: str | None = None,
        prefix: str = "",
        mark: Callable[[int], None] | None = None,
    ) -> None:
        self.engine = engine
        self.columns = Columns(column, today_column, scope_column, prefix)
        self.today = today if today is not None else engine.today()
        self.scope = scope
        if scope is not None:
            engine.consider("", scope=scope)  # raises now, not at every row
        self._mark = mark or _unwatched
        self._recent = Recent(_REMEMBERED, _weight)
        self._hierarchy = engine.hierarchy
        self._gap_filler_ready = False

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """As `Columns.output_schema`."""
        return self.columns.output_schema(schema)

    def keys(self, batch: Any) -> list[Key]:
        """What each row of a batch asks."""
        return self.columns.keys(batch, self.today, self.scope)

    def __call__(self, batch: pa.RecordBatch, failed: frozenset[Key] = frozenset(), careful: bool = False) -> Any:
        """The rows of `batch`, with their resolutions.

        Args:
            batch: a record batch or a table of any number of rows.
            failed: questions that are known to kill the process; they are not tried.
            careful: ask the gap filler about one question at a time, so that `mark` is exact.

        Returns: the same type as `batch`, with the schema of `output_schema`.
        """
        schema = self.output_schema(batch.schema)
        slices: list[list[pa.Array]] = []
        for start in range(0, batch.num_rows, _SLICE):
            keys = self.keys(batch.slice(start, _SLICE))
            slices.append(result_arrays(self._answers(keys, start, failed, careful)))
        slices = slices or [result_arrays([])]
        added = [pa.concat_arrays(column) for column in zip(*slices, strict=True)]
        return type(batch).from_arrays([*batch.columns, *added], schema=schema)

    def _answers(self, keys: Sequence[Key], start: int, failed: frozenset[Key], careful: bool) -> list[FlatRow]:
        """One row a key, with what the gap filler says of the open ones."""
        if self.engine.hierarchy is not self._hierarchy:  # Engine.reload
            self._hierarchy = self.engine.hierarchy
            self._recent = Recent(_REMEMBERED, _weight)
        rows: dict[Key, FlatRow] = {}
        still_open: list[tuple[int, Key, Any]] = []
        for position, key in enumerate(keys, start):
            if key in rows:
                continue
            row = self._recent.get(key)
            if row is None:
                self._mark(position)
                row, case = self._resolve(key, failed)
                if case is not None:
                    still_open.append((position, key, case))
                else:
                    self._recent.put(key, row)
            rows[key] = row
        if still_open:
            rows |= self._filled(still_open, careful)
        return [rows[key] for key in keys]

    def _filled(self, still_open: list[tuple[int, Key, Any]], careful: bool) -> dict[Key, FlatRow]:
        """The rows of the keys that the gap filler is asked about."""
        if not self._gap_filler_ready:
            self._mark(NO_ROW)  # no row is to blame if there is no memory for the model
            self.engine.prepare_gap_filler()
            self._gap_filler_ready = True
        rows: dict[Key, FlatRow] = {}
        for some in [[each] for each in still_open] if careful else [still_open]:
            self._mark(some[0][0])
            filled = self.engine.fill_gaps([case for _, _, case in some])
            for (_, key, _), (resolution, _) in zip(some, filled, strict=True):
                rows[key] = flat_row(resolution)
                if resolution.degraded is None:  # else a repeat of the question may be luckier
                    self._recent.put(key, rows[key])
        return rows

    def _resolve(self, key: Key, failed: frozenset[Key]) -> tuple[FlatRow, Any]:
        """What the rules say, and the case for the gap filler; None: nothing is open."""
        query, today, scope = key
        if key in failed:
            return failed_row("resolving this question ended its worker process twice; please report it"), None
        if query is None:
            return failed_row("there is no question in this row"), None
        if isinstance(today, str):
            return failed_row(f"{today!r} in column {self.columns.today!r} is no date such as 2024-05-13"), None
        try:
            considered = self.engine.consider(query, today=today, scope=scope)
            resolution = conclude(*considered)
            return flat_row(resolution), (*considered, resolution) if self.engine.is_open(resolution) else None
        except ValueError as error:  # too long, or a scope that is not in the table
            return failed_row(str(error)), None
        except MemoryError:  # says nothing about the question
            raise
        except Exception as error:  # a bug of ours costs one row, not the batch
            return failed_row(f"{type(error).__name__}: {error}; please report this question"), None


def _weight(key: Key, row: FlatRow) -> int:
    """How much memory an answer takes, in ordinary answers."""
    return 1 + len(row.candidates) // 2 + len(key.query or "") // 64


def _unwatched(row: int) -> None:
    return None
