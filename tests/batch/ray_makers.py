"""Makers of resolvers that do what must not happen; the workers of a test's cluster import them from here."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import ray

DEADLY = "曹县投诉数量!"


class Deadly(NamedTuple):
    """Ends its process at one question."""

    maker: Any

    def make(self, mark: Callable[[int], None] | None = None) -> Any:
        def kill(query: str) -> None:
            if query == DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)

        return before_each(self.maker.make(mark), kill)


class Trap(NamedTuple):
    """Stops at its first question for ever on any node but one; on that one, until the test lets it go on.

    `sprung` is a FIFO that is opened when the first has happened; `gate` a file that the test has locked.
    """

    maker: Any
    node: str
    sprung: Path
    gate: Path

    def make(self, mark: Callable[[int], None] | None = None) -> Any:
        def stop(_: str) -> None:
            if ray.is_initialized() and ray.get_runtime_context().get_node_id() != self.node:
                self.sprung.open("w").close()
                threading.Event().wait()
            with self.gate.open() as gate:
                fcntl.flock(gate, fcntl.LOCK_SH)

        return before_each(self.maker.make(mark), stop)


def before_each(resolver: Any, act: Callable[[str], None]) -> Any:
    """The resolver, which calls `act` with each question first."""
    consider = resolver.engine.consider

    def considered(query: str, **options: Any) -> Any:
        act(query)
        return consider(query, **options)

    resolver.engine.consider = considered
    return resolver
