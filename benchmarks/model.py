"""What asking the model costs: calls, forward passes, tokens and time by the number of candidates.

    python -m benchmarks.model                     # the bundled small model, and llguidance beside it
    python -m benchmarks.model --model FOLDER --adapter FOLDER

Times are wall-clock, one question at a time. Needs the extra 'llm'.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks import gap_cost
from benchmarks.gap_cost import shares_of_reach
from benchmarks.internals import Choice, Free, GapRequest, Segment, Settled, tags_of
from benchmarks.report import Curves, Ratio, Rows, Section, Text, number
from benchmarks.timing import percentile
from qilin import Engine
from qilin.hierarchy import Hierarchy, Level

if TYPE_CHECKING:
    from qilin.llm.on_this_machine.local import LocalGapFiller

CANDIDATES: Final = (1, 10, 100, 1000, 2000)
FREE_TEXT: Final = "低电压台区数"
_QUESTIONS: Final = 40
_QUESTIONS_QUICK: Final = 12


def _china() -> Engine:
    """The table of China: that of Shandong has fewer than 2,000 substations."""
    return Engine(Hierarchy.bundled("china"), gap_filler=None)


def _requests(engine: Engine, candidates: int, free: str, count: int, seed: int) -> list[GapRequest]:
    """Questions about one of so many substations; 1: nothing is left to choose."""
    hierarchy = engine.hierarchy
    substations = [i for i in range(len(hierarchy)) if hierarchy.levels[i] == Level.SUBSTATION]
    rng = random.Random(f"{seed}:{candidates}")
    made = []
    for _ in range(count):
        nodes = rng.sample(substations, candidates)
        name = hierarchy.names[nodes[0]]
        paths = tuple(tags_of(engine._tables.org_path(i)) for i in nodes)
        tail: Segment = Free(free) if free else Settled("<Indicator>投诉</Indicator>数量")
        made.append(GapRequest(f"本月{name}{free or '投诉数量'}", (Settled("<Date>本月</Date>"), Choice(paths), tail)))
    return made


@contextmanager
def _counting(filler: LocalGapFiller) -> Iterator[list[int]]:
    """How many token positions each forward pass computes, prompt and padding included."""
    sizes: list[int] = []

    def count(_module: Any, _positional: Any, named: dict[str, Any]) -> None:
        sizes.append(int(named["input_ids"].numel()))

    handle = filler._passes.decoder.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield sizes
    finally:
        handle.remove()


def ask_by_candidates(filler: LocalGapFiller, engine: Engine, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """How often the model runs for one question, over how many tokens, and for how long."""
    rows = []
    for free in ("", FREE_TEXT):
        for candidates in CANDIDATES:
            requests = _requests(engine, candidates, free, count, seed)
            filler.fill(requests[:1], timeout_s=600)
            passes, tokens, times = [], [], []
            with _counting(filler) as sizes:
                for request in requests:
                    sizes.clear()
                    began = time.perf_counter()
                    answer = filler.fill([request], timeout_s=600)[0]
                    times.append((time.perf_counter() - began) * 1000)
                    if answer.error is not None:
                        raise RuntimeError(answer.error)
                    passes.append(answer.forward_passes)
                    tokens.append(sum(sizes))
            began = time.perf_counter()
            filler.fill(requests, timeout_s=600)
            rows.append(
                {
                    "candidates": candidates,
                    "free_text": bool(free),
                    "calls": round(statistics.mean(made > 0 for made in passes), 3),
                    "forward_passes": round(statistics.mean(passes), 2),
                    "most_forward_passes": max(passes),
                    "tokens": round(statistics.mean(tokens), 1),
                    "median_ms": round(statistics.median(times), 2),
                    "p99_ms": round(percentile(times, 0.99), 2),
                    "in_a_batch_ms": round((time.perf_counter() - began) * 1000 / len(requests), 2),
                }
            )
    return rows


def measure(*, quick: bool, seed: int) -> Section:
    """The sub-command; a section that says how to install the extra, where it is missing."""
    section = Section("model")
    try:
        from benchmarks.internals import MissingExtra
        from qilin.llm.on_this_machine.local import LocalGapFiller

        filler = LocalGapFiller.load()
    except (ImportError, MissingExtra) as error:
        section.figures["model"] = "not measured"
        section.blocks.append(Text(f"Not measured: {error}. Install the extra: pip install '.[llm]'"))
        return section
    parameters = sum(p.numel() for p in filler.model.parameters())
    reach = shares_of_reach(Engine(gap_filler=None), 30 if quick else 100, seed)
    rows = ask_by_candidates(filler, _china(), _QUESTIONS_QUICK if quick else _QUESTIONS, seed)
    section.figures |= {"model": filler.name, "parameters": parameters, "reach": reach, "by candidates": rows}
    device = str(filler.model.device)
    section.blocks += [
        Text(
            f"{filler.name}: {parameters:,} parameters on {device}. A question with nothing to choose is not put to it."
        ),
        Rows(
            "Questions that reach the model, by kind", ("kind", "%"), [[k, f"{100 * s:.1f}"] for k, s in reach.items()]
        ),
        Rows("By the number of candidates", _HEAD, [_cells(row) for row in rows]),
        Curves(
            "Time of one question",
            "candidates",
            "ms",
            {
                name: [(row["candidates"], row["median_ms"]) for row in rows if row["free_text"] == free]
                for name, free in (("candidates alone", False), ("and free text", True))
            },
        ),
    ]
    for row in rows:
        if row["candidates"] in (10, 2000):
            what = f"{row['candidates']} candidates{' and free text' if row['free_text'] else ''}"
            section.ratios[f"forward passes, {what}"] = Ratio(row["forward_passes"], "lower")
            section.ratios[f"tokens, {what}"] = Ratio(row["tokens"], "lower")
    section.ratios["ordinary questions that reach the model"] = Ratio(reach["ordinary"], "lower")
    return section


_HEAD: Final = (
    "candidates",
    "calls",
    "forward passes",
    "at most",
    "tokens",
    "median ms",
    "99th percentile",
    "in a batch",
)


def _cells(row: dict[str, Any]) -> Sequence[str]:
    keys = ("calls", "forward_passes", "most_forward_passes", "tokens", "median_ms", "p99_ms", "in_a_batch_ms")
    name = f"{row['candidates']:,}{' and free text' if row['free_text'] else ''}"
    return [name, *(number(row[key]) for key in keys)]


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--adapter")
    arguments = parser.parse_args()
    from qilin.llm.on_this_machine.local import LocalGapFiller

    filler = LocalGapFiller.load(arguments.model, arguments.adapter)
    print(f"{filler.name}: {sum(p.numel() for p in filler.model.parameters()):,} parameters on {filler.model.device}")
    for row in ask_by_candidates(filler, _china(), _QUESTIONS):
        what = f"{row['candidates']} candidates" + (" and free text" if row["free_text"] else "")
        print(
            f"{what}: forward passes mean {row['forward_passes']:.2f}, most {row['most_forward_passes']}; "
            f"{row['tokens']:.0f} tokens; median {row['median_ms']:.1f} ms, in a batch {row['in_a_batch_ms']:.1f} ms a question"
        )
    gap_cost.compiling()


if __name__ == "__main__":
    main()
