"""Process-CPU times, and the bare pieces that they are held against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from qilin import Engine, Resolution

TODAY: Final = date(2024, 5, 13)
_REPEATS: Final = 3


def cpu_us(call: Callable[[], object], rounds: int = 1) -> float:
    """Process-CPU time of one call in µs: the median of `rounds`."""
    times = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - begin)
    return statistics.median(times) / 1000


def each_us(engine: Engine, queries: Sequence[str]) -> list[float]:
    """One pass: the time of each query in µs, the mean of three calls."""
    times = []
    for query in queries:
        begin = time.process_time_ns()
        for _ in range(_REPEATS):
            engine.resolve(query, today=TODAY)
        times.append((time.process_time_ns() - begin) / 1000 / _REPEATS)
    return times


def medians(passes: Sequence[Sequence[float]]) -> list[float]:
    """Of each query its median over the passes: for figures to read."""
    return [statistics.median(column) for column in zip(*passes, strict=True)]


def quickest(passes: Sequence[Sequence[float]]) -> list[float]:
    """Of each query its quickest pass: for ratios, since whatever else the machine does can only add to a time."""
    return [min(column) for column in zip(*passes, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def bare_pieces(engine: Engine, queries: Sequence[str]) -> Callable[[], None]:
    """What no resolver of this design can do without, for each query: one automaton scan of it, and one result of six
    entities put together from cached parts.
    """
    automaton = engine._tables.gazetteer._automaton
    known = Engine(gap_filler=None).resolve("2024年5月山东省菏泽巨野县供电公司麒麟供电所投诉数量", today=TODAY)
    assert len(known.entities) == 6
    parts = {name: value for name, value in known if name != "query"}

    def pieces() -> None:
        for query in queries:
            list(automaton.iter(query))
            Resolution(query=query, **parts)

    return pieces
