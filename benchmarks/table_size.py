"""Time and memory over the size of the table: each size in a process of its own.

    python -m benchmarks.table_size 185000          # one size, as JSON

Once a table's memory is known, the smallest table is loaded beside it and the two take turns, so that the ratio of their
times does not hang on how fast the machine happens to be.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.batch_input import distinct_questions, name_texts
from benchmarks.growth import exponent, per_doubling
from benchmarks.machine import rss_bytes
from benchmarks.report import Curves, Ratio, Rows, Section, number
from benchmarks.timing import TODAY, each_us, medians, percentile, quickest
from qilin.hierarchy import Hierarchy

SMALLEST: Final = 1_836
SIZES: Final = {"quick": (SMALLEST, 10_000, 40_563, 185_000), "full": (SMALLEST, 10_000, 40_563, 185_000, 1_850_000)}
"""Substations: 2 k organisations (Shandong), 11 k, 44 k (China), 200 k, 2 M."""
_QUESTIONS: Final = 400
_SAMPLED: Final = 4_000


def measure_size(substations: int, seed: int, rounds: int) -> dict[str, Any]:
    """One size: seconds of CPU to load, memory, time of a question; in this process, which must be fresh."""
    from benchmarks.synthetic import synthetic_hierarchy
    from qilin import Engine

    gc.collect()
    before, begin = rss_bytes(), time.process_time()
    hierarchy = synthetic_hierarchy(substations, seed)
    made, tree = time.process_time(), rss_bytes()
    engine = Engine(hierarchy, gap_filler=None)
    built = time.process_time()
    gc.collect()
    after = rss_bytes()
    queries = _questions(hierarchy, seed)
    smallest = synthetic_hierarchy(SMALLEST, seed)
    sides = ((engine, queries), (Engine(smallest, gap_filler=None), _questions(smallest, seed)))
    first, first_beside = (statistics.median(each_us(each, asked)) for each, asked in sides)
    passes, beside = [], []
    for _ in range(rounds):
        passes.append(each_us(*sides[0]))
        beside.append(each_us(*sides[1]))
    times = medians(passes)
    return {
        "organisations": len(hierarchy),
        "load_s": round(built - begin, 3),
        "tree_s": round(made - begin, 3),
        "memory_mb": round((after - before) / 1e6, 2),
        "tree_mb": round((tree - before) / 1e6, 2),
        "first_us": round(first, 2),
        "first_to_smallest": round(first / first_beside, 4),
        "median_us": round(statistics.median(times), 2),
        "p99_us": round(percentile(times, 0.99), 1),
        "to_smallest": round(statistics.median(quickest(passes)) / statistics.median(quickest(beside)), 4),
        "resolved": sum(engine.resolve(query, today=TODAY).status == "resolved" for query in queries),
        "questions": len(queries),
    }


def _questions(hierarchy: Hierarchy, seed: int) -> list[str]:
    """Plain questions about organisations of every level, drawn from the whole table."""
    rng = random.Random(seed)
    nodes = rng.sample(range(len(hierarchy)), min(len(hierarchy), _SAMPLED))
    return list(islice(distinct_questions(name_texts(map(hierarchy.path_names, nodes)), seed), _QUESTIONS))


def _in_a_process(substations: int, seed: int, rounds: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.table_size", str(substations), "--seed", str(seed), "--rounds", str(rounds)],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=Path(__file__).resolve().parent.parent,
    )
    return dict(json.loads(done.stdout))


def measure(section: Section, sizes: Sequence[int], seed: int, rounds: int) -> None:
    """Measure every size, and add curves, their growth and what an organisation costs."""
    found = [_in_a_process(size, seed, rounds) for size in sizes]
    first, last = found[0], found[-1]
    growth = {"time of a question": exponent((one["organisations"], one["to_smallest"]) for one in found)}
    for what, key in (("memory", "memory_mb"), ("load", "load_s")):
        # Above the smallest table: what is loaded whatever the size says nothing about growth.
        above = [(one["organisations"] - first["organisations"], one[key] - first[key]) for one in found[1:]]
        growth[what] = exponent(above)
    growth = {what: round(value, 3) for what, value in growth.items()}
    grown = last["organisations"] - first["organisations"]
    bytes_each = (last["memory_mb"] - first["memory_mb"]) * 1e6 / grown
    load_us_each = (last["load_s"] - first["load_s"]) * 1e6 / grown
    section.figures["table size"] = {
        "sizes": found,
        "growth exponents": growth,
        "largest to smallest": round(last["to_smallest"], 3),
        "bytes an organisation": round(bytes_each, 1),
        "load_us an organisation": round(load_us_each, 3),
    }
    name = f"{found[-1]['organisations']:,} to {found[0]['organisations']:,} organisations"
    section.ratios[f"time of a question, {name}"] = Ratio(last["to_smallest"], "lower", "machine")
    section.ratios["memory an organisation, bytes"] = Ratio(bytes_each, "lower")
    section.ratios["memory, twice the organisations"] = Ratio(per_doubling(growth["memory"]), "lower")
    section.blocks += _blocks(found, growth, bytes_each, load_us_each)


def _blocks(
    found: Sequence[dict[str, Any]], growth: dict[str, float], bytes_each: float, load_us_each: float
) -> Iterator[Rows | Curves]:
    head = (
        "organisations",
        "median µs, first time",
        "again",
        "99th percentile µs",
        "memory MB",
        "load s (CPU)",
        "resolved",
    )
    rows = [
        [
            f"{one['organisations']:,}",
            number(one["first_us"]),
            number(one["median_us"]),
            number(one["p99_us"]),
            number(one["memory_mb"]),
            number(one["load_s"]),
            f"{one['resolved']} of {one['questions']}",
        ]
        for one in found
    ]
    ratio = found[-1]["to_smallest"]
    rows.append(
        [
            "growth exponent",
            "",
            number(growth["time of a question"]),
            "",
            number(growth["memory"]),
            number(growth["load"]),
            "",
        ]
    )
    rows.append(["largest / smallest", number(found[-1]["first_to_smallest"]), number(ratio), "", "", "", ""])
    rows.append(["for each organisation", "", "", "", f"{bytes_each:.0f} bytes", f"{load_us_each:.1f} µs", ""])
    yield Rows("Size of the table; memory and load grow by these exponents above the smallest table", head, rows)
    yield Curves(
        "Size of the table",
        "organisations",
        "",
        {
            "µs a question": [(one["organisations"], one["median_us"]) for one in found],
            "memory, MB": [(one["organisations"], one["memory_mb"]) for one in found],
            "load, s": [(one["organisations"], one["load_s"]) for one in found],
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one size in this process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table_size", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("substations", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    print(json.dumps(measure_size(options.substations, options.seed, options.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
