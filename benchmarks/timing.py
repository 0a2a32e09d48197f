"""Process-CPU times, and the bare work that they are held against."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

import ahocorasick

from benchmarks.oracle import stem_of
from qilin import Engine, Resolution
from qilin.hierarchy import Hierarchy

TODAY: Final = date(2024, 5, 13)
_REPEATS: Final = 3
_SIX_ENTITIES: Final = "2024年5月山东省菏泽巨野县供电公司麒麟供电所投诉数量"


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


def _automaton(hierarchy: Hierarchy) -> ahocorasick.Automaton:
    """The stems of a table, as the oracle cuts them."""
    paths = map(hierarchy.path_names, range(len(hierarchy)))
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for number, stem in enumerate(sorted({stem_of((*path, None, None, None)[:4]) for path in paths})):
        automaton.add_word(stem, number)
    automaton.make_automaton()
    return automaton


def bare_pieces(hierarchy: Hierarchy, queries: Sequence[str]) -> Callable[[], None]:
    """What no resolver of this design can do without, for each query: one automaton scan of it, and one result of six
    entities put together from parts that are there.

    Made of public things alone, so that no change of the engine changes the unit it is measured in.
    """
    automaton = _automaton(hierarchy)
    known = Engine(gap_filler=None).resolve(_SIX_ENTITIES, today=TODAY)
    assert len(known.entities) == 6
    parts = {name: value for name, value in known if name != "query"}

    def pieces() -> None:
        for query in queries:
            list(automaton.iter(query))
            Resolution(query=query, **parts)

    return pieces


def kinds_of_work() -> Mapping[str, Callable[[], object]]:
    """Some work of each kind that a resolver is made of, none of it ours; half a millisecond or so each."""
    text = _SIX_ENTITIES * 16
    automaton = _automaton(Hierarchy.bundled())
    pattern = re.compile(r"(\d+)年(\d+)月|供电(?:公司|所)")
    known = {character: (character, ord(character)) for character in text}
    parts = dict(Engine(gap_filler=None).resolve(_SIX_ENTITIES, today=TODAY))

    def interpreter() -> list[tuple[str, int]]:
        found = []
        for _ in range(8):
            for place, character in enumerate(text):
                name, code = known[character]
                if code > place:
                    found.append((name, place))
        return found

    return {
        "interpreter": interpreter,
        "scan": lambda: [list(automaton.iter(text)) for _ in range(8)],
        "pattern": lambda: [pattern.findall(text) for _ in range(32)],
        "model": lambda: [Resolution(**parts) for _ in range(128)],
    }


def profile(rounds: int) -> dict[str, float]:
    """How long each kind of work takes on this machine, as a ratio to the interpreter's own: the quickest of `rounds`.

    Two machines on which these differ treat our code and foreign code differently, and a ratio of the one to the other says
    nothing about a change of ours.
    """
    work = kinds_of_work()
    times = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, call in work.items():
            times[name] = min(times[name], cpu_us(call))
    return {name: round(us / times["interpreter"], 4) for name, us in times.items()}
