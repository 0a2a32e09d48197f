"""How fast a query is resolved, as a ratio to the bare pieces measured in the same run.

    python -m benchmarks.speed                     # Shandong and China tables, cold start, long queries
    python -m benchmarks.speed --peers             # and cpca, jionlp and dateparser beside it
    python -m benchmarks.speed --json speed.json

The bare pieces are what no resolver of this design can do without: one automaton scan of the query and one
result of six entities put together from cached parts. Times are process-CPU medians over repeated passes, in
microseconds; a shared machine is noisy, so compare ratios, not seconds. Whatever is compared takes turns, and a ratio
is that of the quickest passes, to which other work on the machine has added least.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from benchmarks import peer_env, table_size
from benchmarks.growth import exponent, per_doubling
from benchmarks.machine import cores, describe
from benchmarks.oracle import Table
from benchmarks.peers import PARTS
from benchmarks.questions import questions
from benchmarks.report import Block, Curves, Ratio, Rows, Section, Text, number
from benchmarks.timing import TODAY, bare_pieces, cpu_us, each_us, medians, percentile, quickest
from qilin import Engine
from qilin.hierarchy import Hierarchy

# Plain questions as they are asked most, and every other kind.
PLAIN: Final = ("seed", "full path", "partial path", "dates", "every form", "reordered")
MIX: Final = (*PLAIN, "bracketed", "several targets", "exclusion", "breakdown", "conflict", "ambiguous",
              "homophone", "near homophone", "other typo", "unknown name", "traps", "everyday")  # fmt: skip
TABLES: Final = ("shandong", "china")
LENGTHS: Final = (10, 30, 100, 250, 500, 1000, 2000)
_GROWS_FROM: Final = 250  # below, the fixed part of a call hides how it grows
# Each begins a date expression again and again, or nearly: what would make a pattern go back and forth.
_PIECES_OF_DATES: Final = """
年月 1年 1、 1- 上 一 1号、 前1 近1 今年的 3月到 周一 2024 2024- 第1 5.1- 每 20240428- 春节 3月、
1,1- 五一路 3月和 上上月 最近 一百 本周 以来 2024年1- 近11 1.1~ 十一 的年 至今 年初 大前 2024/
""".split()  # noqa: SIM905
PIECES: Final[Mapping[str, Sequence[str]]] = {
    "plain questions": ["2024年5月菏泽巨野县供电公司麒麟供电所投诉数量，"],
    "aliases": ["济南市中区供电公司济南市中南部市南区安阳平阴县公司"],
    "one character": ["城关"],
    "suffixes": ["供电所供电公司县市区"],
    "unknown": ["火星木星土星金星"],
    "typos": ["菏择剧野县麒鳞供电所"],
    "dates": ["2024年3月5日1-4月"],
    "pieces of dates": _PIECES_OF_DATES,
}
"""What long queries are made of, over and over; all but the first chosen to be hard."""

ByKind = Mapping[str, Sequence[str]]


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


def measure_tables(by_kind: ByKind, rounds: int) -> dict[str, Any]:
    """Each table over the mix: median, 99th percentile, by kind, and the ratio to the bare pieces; and one to another.

    Tables and bare pieces take turns. Times are medians over the rounds, ratios those of the quickest passes.
    """
    queries = [query for each in by_kind.values() for query in each]
    engines, built = {}, {}
    for name in TABLES:
        begin = time.perf_counter()
        engines[name] = Engine(Hierarchy.bundled(name), gap_filler=None)
        built[name] = time.perf_counter() - begin
    pieces = {name: bare_pieces(engine.hierarchy, queries) for name, engine in engines.items()}
    for name in TABLES:
        each_us(engines[name], queries)
        pieces[name]()
    passes: dict[str, list[list[float]]] = {name: [] for name in TABLES}
    bare: dict[str, list[float]] = {name: [] for name in TABLES}
    for _ in range(rounds):
        for name in TABLES:
            passes[name].append(each_us(engines[name], queries))
            bare[name].append(cpu_us(pieces[name], 3) / len(queries))
    best = {name: statistics.median(quickest(passes[name])) for name in TABLES}
    found: dict[str, Any] = {}
    for name in TABLES:
        times = medians(passes[name])
        kinds, at = {}, 0
        for kind, each in by_kind.items():
            kinds[kind] = round(statistics.median(times[at : at + len(each)]), 1)
            at += len(each)
        found[name] = {
            "table": name,
            "organisations": len(engines[name].hierarchy),
            "build_s": round(built[name], 3),
            "queries": len(queries),
            "median_us": round(statistics.median(times), 1),
            "p99_us": round(percentile(times, 0.99), 1),
            "max_us": round(max(times), 1),
            "bare_us": round(statistics.median(bare[name]), 2),
            "ratio_to_bare": round(best[name] / min(bare[name]), 3),
            "by_kind_us": kinds,
        }
    found["china_to_shandong"] = round(best["china"] / best["shandong"], 3)
    return found


def measure_length(rounds: int) -> dict[str, Any]:
    """Queries of 10 to 2,000 characters: time, and growth exponent from 250 characters up."""
    engine = Engine(Hierarchy.bundled(), gap_filler=None)
    queries = {
        (name, size): [(piece * (size // len(piece) + 1))[:size] for piece in pieces]
        for name, pieces in PIECES.items()
        for size in LENGTHS
    }
    times: dict[tuple[str, int], list[float]] = {key: [] for key in queries}
    for _ in range(rounds + 1):
        for (name, size), asked in queries.items():
            calls = max(600 // (size * len(asked)), 1)  # a short query is timed over many calls

            def ask(asked: Sequence[str] = asked, calls: int = calls) -> None:
                for _ in range(calls):
                    for query in asked:
                        engine.resolve(query, today=TODAY)

            times[name, size].append(cpu_us(ask) / (calls * len(asked)) / 1000)
    result: dict[str, Any] = {}
    for name in PIECES:
        ms = {size: statistics.median(times[name, size][1:]) for size in LENGTHS}  # the first round warms up
        slope = exponent((size, min(times[name, size])) for size in LENGTHS if size >= _GROWS_FROM)
        result[name] = {"ms": {s: round(t, 3) for s, t in ms.items()}, "growth_exponent": round(slope, 3)}
    return result


def measure_cold_start(rounds: int) -> dict[str, float]:
    """Wall seconds of one `qilin resolve` in a new process: Shandong, China without and with its cache."""

    def run(arguments: Sequence[str], cache: str) -> float:
        environment = {**os.environ, "QILIN_CACHE_DIR": cache}
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "qilin", "resolve", *arguments], check=True, capture_output=True, env=environment
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


# ── many at once ─────────────────────────────────────────────────────────────────────────────────

_engine: Engine | None = None


def _start() -> None:
    global _engine
    _engine = Engine(gap_filler=None)


def _resolve_all(queries: Sequence[str]) -> int:
    assert _engine is not None
    return sum(_engine.resolve(query, today=TODAY).status == "resolved" for query in queries)


def measure_batch(queries: Sequence[str], rounds: int) -> dict[str, Any]:
    """The same questions one call each, in one call, as one Arrow batch; and over processes, one to a core."""
    engine = Engine(gap_filler=None)
    calls = {
        "one call each": lambda: [engine.resolve(query, today=TODAY) for query in queries] and None,
        "resolve_many": lambda: engine.resolve_many(queries, today=TODAY) and None,
    }
    figures: dict[str, Any] = {"queries": len(queries)}
    try:
        import pyarrow as pa

        arrow_resolver = import_module("qilin.batch").ArrowResolver
    except (ImportError, AttributeError) as error:
        figures["arrow"] = f"not measured: {error}; it needs the extra 'batch': pip install '.[batch]'"
    else:
        batch = pa.record_batch({"query": pa.array(list(queries), pa.string())})
        calls["Arrow batch"] = lambda: (
            arrow_resolver(engine, column="query", today=TODAY)(batch) and None
        )  # a new one remembers nothing
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(cpu_us(call) / len(queries))
    figures["us"] = {name: round(statistics.median(each[1:] or each), 2) for name, each in times.items()}
    return figures


def measure_cores(queries: Sequence[str], copies: int) -> dict[str, Any]:
    """Questions a second (wall clock) with one process and with one to a core; their start is not counted."""
    figures: dict[str, Any] = {}
    for processes in sorted({1, cores()}):
        with ProcessPoolExecutor(processes, get_context("spawn"), _start) as pool:
            chunks = [queries] * copies
            list(pool.map(_resolve_all, chunks[: 2 * processes]))
            begin = time.perf_counter()
            list(pool.map(_resolve_all, chunks))
            figures[str(processes)] = round(len(queries) * copies / (time.perf_counter() - begin))
    return figures


# ── peers ────────────────────────────────────────────────────────────────────────────────────────


def measure_peers(by_kind: ByKind, rounds: int, worker: peer_env.Worker) -> dict[str, Any]:
    """Every peer and this engine by turns, on the same questions of every kind.

    The engine answers the whole question; a peer only the place or the date part of it.
    """
    queries = [query for each in by_kind.values() for query in each]
    queries = queries[:: max(len(queries) // 150, 1)]
    engine = Engine(gap_filler=None)
    asked = [(peer, part) for peer in worker.versions for part in PARTS[peer] if part != "batch"]
    ours: list[list[float]] = []
    theirs: dict[tuple[str, str], list[list[float]]] = {key: [] for key in asked}
    batch: list[float] = []
    raised: dict[str, int] = {}
    each_us(engine, queries)
    for turn in range(rounds + 1):
        ours.append(each_us(engine, queries))
        for peer, part in asked:
            replies = [worker.ask(peer, part, query=query, today=TODAY.isoformat()) for query in queries]
            theirs[peer, part].append([reply.us for reply in replies])
            if not turn:
                raised[f"{peer} {part}"] = sum(reply.error is not None for reply in replies)
        if "cpca" in worker.versions:
            batch.append(worker.ask("cpca", "batch", queries=queries * 20).us / len(queries) / 20)
    own = statistics.median(quickest(ours))
    figures: dict[str, Any] = {"queries": len(queries), "raised": raised, "peers": {}}
    figures["qilin_us"] = round(statistics.median(medians(ours)), 1)
    for (peer, part), passes in theirs.items():
        figures["peers"][f"{peer} {part}"] = {
            "us": round(statistics.median(medians(passes)), 1),
            "times_as_fast": round(statistics.median(quickest(passes)) / own, 2),
        }
    if batch:
        figures["cpca_batch_us"] = round(statistics.median(batch[1:]), 2)
    return figures


# ── the sub-command ──────────────────────────────────────────────────────────────────────────────


def measure(*, quick: bool, seed: int, peers: bool, install_peers: bool) -> Section:
    """The sub-command: everything above."""
    section = Section("speed")
    rounds = 15 if quick else 25
    by_kind = mix("shandong", 30 if quick else 40, seed)
    queries = [query for each in by_kind.values() for query in each]
    tables = measure_tables(by_kind, rounds)
    section.figures["tables"] = tables
    _describe_tables(section, tables)
    if peers:
        with peer_env.worker(install=install_peers) as worker:
            found = measure_peers(by_kind, 5 if quick else 9, worker)
            section.figures["peers"] = found | {"versions": dict(worker.versions), "missing": worker.missing}
            _describe_peers(section, found, worker.missing)
    else:
        section.figures["peers"] = "not asked for"
    batch = measure_batch(queries, 5 if quick else 9)
    batch["processes"] = measure_cores(queries, 40 if quick else 160)
    section.figures["batch"] = batch
    section.blocks += _batch_blocks(batch)
    length = measure_length(9 if quick else 15)
    section.figures["length"] = length
    _describe_length(section, length)
    table_size.measure(section, table_size.SIZES["quick" if quick else "full"], seed, 9 if quick else 15)
    section.figures["start_s"] = measure_cold_start(3 if quick else 5)
    section.blocks.append(
        Rows(
            "Start of `qilin resolve`, wall seconds",
            ("", "s"),
            [[name.removesuffix("_s").replace("_", ", "), number(s)] for name, s in section.figures["start_s"].items()],
        )
    )
    return section


def _describe_tables(section: Section, tables: dict[str, Any]) -> None:
    rows = [
        [
            name,
            f"{one['organisations']:,}",
            *(number(one[key]) for key in ("median_us", "p99_us", "max_us", "bare_us", "ratio_to_bare")),
        ]
        for name in TABLES
        for one in (tables[name],)
    ]
    head = ("table", "organisations", "median µs", "99th percentile", "longest", "bare pieces µs", "median / bare")
    kinds = [
        [kind, *(number(tables[name]["by_kind_us"][kind]) for name in TABLES)]
        for kind in tables["shandong"]["by_kind_us"]
    ]
    section.blocks += [
        Text("One thread, one call a question, process-CPU. The bare pieces are one scan of the query and one result."),
        Rows("One question", head, rows),
        Rows("Median µs by kind", ("kind", *TABLES), kinds),
    ]
    for name in TABLES:
        section.ratios[f"median to bare pieces, {name}"] = Ratio(tables[name]["ratio_to_bare"], "lower", "unit")
    section.ratios["China to Shandong"] = Ratio(tables["china_to_shandong"], "lower", "machine")


def _describe_peers(section: Section, found: dict[str, Any], missing: Mapping[str, str]) -> None:
    rows = [[name, number(one["us"]), number(one["times_as_fast"])] for name, one in found["peers"].items()]
    rows.insert(0, ["qilin, the whole question", number(found["qilin_us"]), ""])
    if "cpca_batch_us" in found:
        rows.append(["cpca, place, many in one call", number(found["cpca_batch_us"]), ""])
    section.blocks.append(
        Rows(f"Peers: one call, {found['queries']} questions, median", ("", "µs", "times as fast as the peer"), rows)
    )
    section.blocks += [Text(f"{peer}: {why}") for peer, why in missing.items()]
    for name, one in found["peers"].items():
        section.ratios[f"times as fast as {name}"] = Ratio(one["times_as_fast"], "higher", "unit")


def _batch_blocks(batch: dict[str, Any]) -> list[Block]:
    rows = [[name, f"{us:.1f} µs a question", f"{1e6 / us:,.0f} a second"] for name, us in batch["us"].items()]
    rows += [
        [f"processes: {count}", f"{1e6 / rate:.1f} µs a question", f"{rate:,} a second (wall)"]
        for count, rate in batch["processes"].items()
    ]
    blocks: list[Block] = [Rows(f"Many questions: the mix of {batch['queries']}", ("", "", ""), rows)]
    if "arrow" in batch:
        blocks.append(Text(f"Arrow batch: {batch['arrow']}"))
    return blocks


def _describe_length(section: Section, length: dict[str, Any]) -> None:
    rows = [
        [name, *(number(ms) for ms in one["ms"].values()), number(one["growth_exponent"])]
        for name, one in length.items()
    ]
    section.blocks += [
        Rows(
            f"Length of the query: ms; growth exponent from {_GROWS_FROM} characters",
            ("made of", *map(str, LENGTHS), "exponent"),
            rows,
        ),
        Curves("Length of the query", "characters", "ms", {n: list(one["ms"].items()) for n, one in length.items()}),
    ]
    for name, one in length.items():
        section.ratios[f"twice the length, {name}"] = Ratio(per_doubling(one["growth_exponent"]), "lower")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure tables, length and start, and peers if asked; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-kind", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", action="store_true", help="measure the peers too; installs them where they are not")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    by_kind = mix("shandong", options.per_kind, options.seed)
    figures: dict[str, Any] = {"machine": describe(), **measure_tables(by_kind, options.rounds)}
    figures["length"] = measure_length(options.rounds)
    figures["cold_start"] = measure_cold_start(5)
    if options.peers:
        with peer_env.worker() as worker:
            figures["peers"] = measure_peers(by_kind, 3, worker) | {"missing": worker.missing}
    print(json.dumps(figures, ensure_ascii=False, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
