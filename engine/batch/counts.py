"""How many rows came out how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import pyarrow as pa

from qilin.batch.columns import FAILED


class Counts(NamedTuple):
    """Rows by status, and how many of them a gap filler should have been asked about and was not (`degraded`)."""

    statuses: dict[str, int]
    degraded: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Those that were not answered at all."""
        return self.statuses.get(FAILED, 0)

    @classmethod
    def of(cls, rows: Any, prefix: str) -> Self:
        """Those of a record batch or table with the columns of `RESULT`."""
        statuses = {
            each["values"]: each["counts"] for each in rows.column(prefix + "status").value_counts().to_pylist()
        }
        degraded: pa.Array = rows.column(prefix + "degraded")
        return cls(statuses, len(degraded) - degraded.null_count)

    @classmethod
    def sum(cls, parts: Iterable[Counts]) -> Self:
        """Those of several parts together."""
        statuses: dict[str, int] = {}
        degraded = 0
        for part in parts:
            degraded += part.degraded
            for status, count in part.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
        return cls(statuses, degraded)
