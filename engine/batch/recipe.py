"""How another process, on this machine or on another one, makes its resolver: plain values that can be pickled."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qilin.batch.arrow import ArrowResolver
from qilin.batch.files.manifest import rules_hash
from qilin.batch.input_columns import Columns
from qilin.llm.options import GapOptions


class Maker(Protocol):
    """Makes the resolver of a process; picklable."""

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        """A resolver that calls `mark` before each question."""
        ...


class Recipe(NamedTuple):
    """How to make an `ArrowResolver` in another process, on this machine or on another one.

    `tables`: compiled tables as `qilin.names.cache.packed` gives them, or a file that holds them; `rules`: their
    hash, where `pinned`. The others are as for `Engine` and `ArrowResolver`.
    """

    tables: bytes | Path
    columns: Columns
    today: date
    scope: str | None = None
    default_date: str | None = None
    max_length: int = 2000
    gaps: GapOptions = GapOptions(None)
    rules: str | None = None

    def pinned(self) -> Recipe:
        """The recipe for a machine that must have the same rules as this one.

        Half of the rows answered by one version and half by another would be an answer that nobody can repeat.
        """
        return self._replace(rules=rules_hash())

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        """As `Maker.make`. Raises: ValueError, where the rules are not those that the recipe is pinned to."""
        if self.rules is not None and self.rules != rules_hash():
            raise ValueError(
                f"{platform.node()} has another version of qilin, or of a library that decides answers, than the "
                "machine that began the job. Install the same everywhere."
            )
        from qilin.names.cache import unpacked
        from qilin.resolver import Engine

        content = self.tables if isinstance(self.tables, bytes) else self.tables.read_bytes()
        engine = Engine(
            unpacked(content),
            default_date=self.default_date,
            max_length=self.max_length,
            clock=lambda: self.today,
            **self.gaps.engine_options(),
        )
        read = self.columns
        given: dict[str, Any] = {"today": self.today, "scope": self.scope, "prefix": read.prefix, "mark": mark}
        return ArrowResolver(engine, read.query, today_column=read.today, scope_column=read.scope, **given)
