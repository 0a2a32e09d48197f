"""A query with all that came with the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from qilin.answer.resolution import Resolution
from qilin.answer.values import Source
from qilin.names.compiled import Tables
from qilin.text.normalize import Folded


class Asked(NamedTuple):
    """A query and all that came with the call; `scope` is a node of the table."""

    query: str
    folded: Folded
    given_today: date | None
    clock: Callable[[], date]
    scope: int | None
    context: Resolution | None
    default_date: str | None

    def today(self) -> date:
        """The day that relative dates count from."""
        return self.given_today or self.clock()

    def written(self, start: int, end: int) -> str:
        """A stretch of the folded text, as the query has it."""
        first, last = self.folded.span(start, end)
        return self.query[first:last]

    def whereabouts(self, tables: Tables) -> Iterator[tuple[int, Source]]:
        """Organisations that say where the caller is: the scope, then the targets of the question before."""
        if self.scope is not None:
            yield self.scope, "scope"
        if self.context is not None:
            for target in self.context.targets:
                node = tables.node_of(target)
                if node is not None:
                    yield node, "context"
