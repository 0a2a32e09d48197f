"""How fast a query is resolved, as a ratio to the bare pieces measured in the same run.

    python -m benchmarks.speed                     # Shandong and China tables, cold start, long queries
    python -m benchmarks.speed --peers             # and cpca beside it, when it is installed
    python -m benchmarks.speed --json speed.json

The bare pieces are what no resolver of this design can do without: one automaton scan of the query and one
result of six entities put together from cached parts. Times are process-CPU medians over repeated passes, in
microseconds; a shared machine is noisy, so compare ratios, not seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from benchmarks.oracle import Table
from benchmarks.questions import questions
from engine import Engine
from engine.types import Resolution
from hierarchy import Hierarchy

TODAY: Final = date(2024, 5, 13)
# Plain questions as they are asked most, and every other kind.
PLAIN: Final = ("seed", "full path", "partial path", "dates", "every form", "reordered")
MIX: Final = (*PLAIN, "bracketed", "several targets", "exclusion", "breakdown", "conflict", "ambiguous",
              "homophone", "near homophone", "other typo", "unknown name", "traps", "everyday")  # fmt: skip


def cpu_us(call: Callable[[], object], rounds: int) -> float:
    """Process-CPU time of one call in µs: the median of `rounds`."""
    times = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - begin)
    return statistics.median(times) / 1000


def per_query(engine: Engine, queries: Sequence[str], rounds: int) -> list[float]:
    """Time of each query in µs: the median of `rounds` timings, each of a few calls."""
    for query in queries:
        engine.resolve(query, today=TODAY)
    repeats = 3
    times: list[list[float]] = [[] for _ in queries]
    for _ in range(rounds):
        for i, query in enumerate(queries):
            begin = time.process_time_ns()
            for _ in range(repeats):
                engine.resolve(query, today=TODAY)
            times[i].append((time.process_time_ns() - begin) / 1000 / repeats)
    return [statistics.median(each) for each in times]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def bare_pieces(engine: Engine, queries: Sequence[str], rounds: int) -> float:
    """µs of one scan and one six-entity result from cached parts, averaged over the queries."""
    automaton = engine._tables.gazetteer._automaton
    known = engine.resolve("2024年5月山东省菏泽巨野县供电公司麒麟供电所投诉数量", today=TODAY)
    assert len(known.entities) == 6
    parts = {name: value for name, value in known if name != "query"}

    def pieces() -> None:
        for query in queries:
            list(automaton.iter(query))
            Resolution(query=query, **parts)

    pieces()
    return cpu_us(pieces, rounds) / len(queries)


def mix(table: str, per_kind: int, seed: int) -> dict[str, list[str]]:
    """Questions by kind for a table of the bundled data."""
    path = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / f"{table}.csv"
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = Table(csv.DictReader(file))
    for question in questions(rows, per_kind, seed, kinds=MIX):
        found.setdefault(question.kind, []).append(question.query)
    rng = random.Random(seed)
    return {kind: rng.sample(each, min(per_kind, len(each))) for kind, each in found.items()}


def measure_table(name: str, by_kind: dict[str, list[str]], rounds: int) -> dict[str, Any]:
    """Speed of one table over the mix: median, 99th percentile, by kind, and the ratio to the bare pieces."""
    begin = time.perf_counter()
    engine = Engine(Hierarchy.bundled(name), gap_filler=None)
    built = time.perf_counter() - begin
    queries = [query for each in by_kind.values() for query in each]
    times = per_query(engine, queries, rounds)
    bare = bare_pieces(engine, queries, rounds)
    kinds: dict[str, float] = {}
    at = 0
    for kind, each in by_kind.items():
        kinds[kind] = statistics.median(times[at : at + len(each)])
        at += len(each)
    median = statistics.median(times)
    return {
        "table": name,
        "organisations": len(engine.hierarchy),
        "build_s": round(built, 3),
        "queries": len(queries),
        "median_us": round(median, 1),
        "p99_us": round(percentile(times, 0.99), 1),
        "max_us": round(max(times), 1),
        "bare_us": round(bare, 2),
        "ratio_to_bare": round(median / bare, 2),
        "by_kind_us": {kind: round(value, 1) for kind, value in kinds.items()},
    }


def measure_length(rounds: int) -> dict[str, Any]:
    """A query of adversarial aliases, 250 to 2,000 characters: time and growth exponent."""
    engine = Engine(Hierarchy.bundled(), gap_filler=None)
    pieces = {
        "aliases": "济南市中区供电公司济南市中南部市南区安阳平阴县公司",
        "one character": "城关",
        "suffixes": "供电所供电公司县市区",
        "unknown": "火星木星土星金星",
        "typos": "菏择剧野县麒鳞供电所",
        "dates": "2024年3月5日1-4月",
    }
    result: dict[str, Any] = {}
    for name, piece in pieces.items():
        times = {}
        for size in (250, 500, 1000, 2000):
            query = (piece * (size // len(piece) + 1))[:size]
            times[size] = cpu_us(lambda query=query: engine.resolve(query, today=TODAY), rounds) / 1000  # type: ignore[misc]
        slope = statistics.linear_regression([math.log(s) for s in times], [math.log(t) for t in times.values()]).slope
        result[name] = {"ms": {s: round(t, 2) for s, t in times.items()}, "growth_exponent": round(slope, 2)}
    return result


def measure_cold_start(rounds: int) -> dict[str, float]:
    """Wall seconds of one `qilin resolve` in a new process: Shandong, China without and with its cache."""

    def run(arguments: Sequence[str], cache: str) -> float:
        environment = {**os.environ, "QILIN_CACHE_DIR": cache}
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "engine", "resolve", *arguments], check=True, capture_output=True, env=environment
        )
        return time.perf_counter() - begin

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as warm:
        for name, arguments in (
            ("shandong", ["菏泽麒麟投诉数量"]),
            ("china", ["--table", "china", "山东菏泽麒麟投诉数量"]),
        ):
            cold = []
            for _ in range(rounds):
                with tempfile.TemporaryDirectory() as fresh:
                    cold.append(run(arguments, fresh))
            run(arguments, warm)
            found[f"{name}_first_s"] = round(statistics.median(cold), 3)
            found[f"{name}_cached_s"] = round(statistics.median(run(arguments, warm) for _ in range(rounds)), 3)
    return found


def measure_cpca(by_kind: dict[str, list[str]], engine_median_us: float) -> dict[str, Any]:
    """cpca's per-call time on the same questions, when it is installed."""
    try:
        import cpca
    except ImportError:
        return {"cpca": "not installed; pip install cpca"}
    queries = [query for each in by_kind.values() for query in each]
    queries = queries[:: max(len(queries) // 200, 1)]  # of every kind
    for query in queries[:5]:
        cpca.transform([query])
    times = [cpu_us(lambda query=query: cpca.transform([query]), 3) for query in queries]  # type: ignore[misc]
    median = statistics.median(times)
    return {"cpca_median_us": round(median, 1), "times_faster": round(median / engine_median_us, 1)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-kind", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", action="store_true", help="measure cpca too")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    by_kind = mix("shandong", options.per_kind, options.seed)
    figures: dict[str, Any] = {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "date": date.today().isoformat(),
        "shandong": measure_table("shandong", by_kind, options.rounds),
        "china": measure_table("china", by_kind, options.rounds),
    }
    figures["china_to_shandong"] = round(figures["china"]["median_us"] / figures["shandong"]["median_us"], 2)
    figures["length"] = measure_length(options.rounds)
    figures["cold_start"] = measure_cold_start(5)
    if options.peers:
        figures["peers"] = measure_cpca(by_kind, figures["shandong"]["median_us"])
    print(json.dumps(figures, ensure_ascii=False, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
