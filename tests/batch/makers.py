"""Makers of resolvers that die: worker processes import them by name."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from qilin.batch.arrow import ArrowResolver
from qilin.batch.recipe import Recipe

Mark = Callable[[int], None]


def die() -> None:
    """End this process as the kernel would."""
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


class _Deadly:
    """An engine that calls `before` with each question before it answers."""

    def __init__(self, engine: Any, before: Callable[[str], None]) -> None:
        self._engine = engine
        self._before = before

    def consider(self, query: str, **options: Any) -> Any:
        self._before(query)
        return self._engine.consider(query, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def _with(resolver: ArrowResolver, before: Callable[[str], None]) -> ArrowResolver:
    resolver.engine = _Deadly(resolver.engine, before)  # type: ignore[assignment]
    return resolver


class Killing(NamedTuple):
    """Some questions kill whoever resolves them."""

    recipe: Recipe
    questions: tuple[str, ...]

    def make(self, mark: Mark | None = None) -> ArrowResolver:
        return _with(self.recipe.make(mark), lambda query: die() if query in self.questions else None)


class DyingOnce(NamedTuple):
    """At each of some questions one process dies, the next one does not."""

    recipe: Recipe
    questions: tuple[str, ...]
    folder: Path  # remembers who has died

    def make(self, mark: Mark | None = None) -> ArrowResolver:
        def before(query: str) -> None:
            if query in self.questions:
                grave = self.folder / str(self.questions.index(query))
                if not grave.exists():
                    grave.touch()
                    die()

        return _with(self.recipe.make(mark), before)


class DyingEverywhere(NamedTuple):
    """Each process dies one question later than the one before it, so that no row is to blame."""

    recipe: Recipe
    folder: Path

    def make(self, mark: Mark | None = None) -> ArrowResolver:
        count = len(list(self.folder.iterdir()))
        (self.folder / str(count)).touch()
        left = [count + 1]

        def before(query: str) -> None:
            left[0] -= 1
            if not left[0]:
                die()

        return _with(self.recipe.make(mark), before)


class Stillborn(NamedTuple):
    """No process gets as far as a resolver. `how`: die, exit, raise."""

    how: str

    def make(self, mark: Mark | None = None) -> ArrowResolver:
        if self.how == "raise":
            raise RuntimeError("no engine today")
        if self.how == "exit":
            sys.exit(3)
        die()
        raise AssertionError


class LastWords:
    """An encoding that kills its process `times` times, behind the last row of a part."""

    def __init__(self, encoding: Any, folder: Path, times: int) -> None:
        self._encoding, self._folder, self._times = encoding, folder, times

    def encode(self, rows: Any) -> Any:
        count = len(list(self._folder.iterdir()))
        if count < self._times:
            (self._folder / str(count)).touch()
            die()
        return self._encoding.encode(rows)
