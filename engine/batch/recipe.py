"""How another process, on this machine or on another one, makes its resolver: plain values that can be pickled."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple, Protocol

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

    `tables`: compiled tables as `qilin.names.cache.packed` gives them, or a file that holds them. The others are
    as for `Engine` and `ArrowResolver`.
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
        engine = Engine(
            unpacked(content),
            default_date=self.default_date,
            max_length=self.max_length,
            clock=lambda: self.today,
            **self.gaps.engine_options(),
        )
        query, today_column, scope_column, prefix = self.columns
        return ArrowResolver(
            engine,
            query,
            today=self.today,
            today_column=today_column,
            scope=self.scope,
            scope_column=scope_column,
            prefix=prefix,
            mark=mark,
        )


class PinnedRecipe(NamedTuple):
    """A `Maker` that refuses to make anything where the rules differ from those of the driver.

    Half of the rows answered by one version and half by another would be an answer that nobody can repeat.
    """

    maker: Maker
    rules: str

    @classmethod
    def of(cls, maker: Maker) -> PinnedRecipe:
        """The maker, pinned to the rules of this machine."""
        return cls(maker, rules_hash())

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        """As `Maker.make`.

        Raises: ValueError, where this machine has other rules.
        """
        if rules_hash() != self.rules:
            raise ValueError(
                f"{platform.node()} has another version of qilin, or of a library that decides answers, than the "
                "machine that began the job. Install the same everywhere."
            )
        return self.maker.make(mark)
