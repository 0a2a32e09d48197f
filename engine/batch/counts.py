"""How many rows have each status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import pyarrow as pa

from qilin.batch.result_columns import FAILED


class Counts(NamedTuple):
    """Rows by status; `degraded`: rows for which a gap filler was needed and could not be used."""

    statuses: dict[str, int]
    degraded: int = 0

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """The number of rows that were not answered."""
        return self.statuses.get(FAILED, 0)

    @classmethod
    def of(cls, rows: Any, prefix: str) -> Self:
        """The counts of a record batch or table that has the columns of `RESULT`, named with `prefix`."""
        statuses = rows.column(prefix + "status").value_counts().to_pylist()
        degraded: pa.Array = rows.column(prefix + "degraded")
        return cls({each["values"]: each["counts"] for each in statuses}, len(degraded) - degraded.null_count)

    @classmethod
    def sum(cls, parts: Iterable[Counts]) -> Self:
        """The counts of several part files together."""
        statuses: Counter[str] = Counter()
        degraded = 0
        for part in parts:
            statuses.update(part.statuses)
            degraded += part.degraded
        return cls(dict(statuses), degraded)
