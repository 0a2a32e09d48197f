"""What a gap filler costs: how many questions reach it, and the time of everything around the model.

    python -m benchmarks.gap_cost

Times are process-CPU; the grammar is compiled for the vocabulary of Qwen where llguidance and dashscope are
installed.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import qwen_vocabulary
from benchmarks.gap_fuzz import open_questions
from benchmarks.internals import (
    Choice,
    Free,
    GapAnswer,
    GapRequest,
    ScriptedGapFiller,
    Segment,
    Settled,
    find_gaps,
    grammar,
    lark,
    left_open,
    read_answer,
    settle,
    tags_of,
)
from benchmarks.oracle import Table
from benchmarks.questions import TODAY, questions
from qilin import Engine
from qilin.hierarchy import Hierarchy, Level

_TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "shandong.csv"
_ORDINARY: Final = ("seed", "full path", "partial path", "dates", "every form", "reordered", "bracketed",
                    "several targets", "exclusion", "breakdown")  # fmt: skip


def shares_of_reach(engine: Engine, per_kind: int, seed: int) -> dict[str, float]:
    """Which share of the questions of each kind has something open; "ordinary" is all plain kinds together."""
    asked: dict[str, list[bool]] = defaultdict(list)
    for question in questions(Table.read(_TABLE), per_kind, seed):
        filler = ScriptedGapFiller()
        Engine(engine._tables, gap_filler=filler).resolve(question.query, today=TODAY)
        asked[question.kind].append(bool(filler.asked))
        if question.kind in _ORDINARY:
            asked["ordinary"].append(bool(filler.asked))
    return {kind: sum(each) / len(each) for kind, each in asked.items()}


def reach(engine: Engine) -> None:
    """Print which share of the questions of each kind has something open."""
    shares = shares_of_reach(engine, per_kind=100, seed=3)
    print(f"ordinary questions that reach the model: {100 * shares['ordinary']:.1f} %")
    others = {kind: share for kind, share in shares.items() if kind not in (*_ORDINARY, "ordinary")}
    print("  others: " + ", ".join(f"{kind} {100 * share:.1f} %" for kind, share in others.items()))


def latency(engine: Engine) -> None:
    """Ordinary questions without and with a gap filler, by turns."""
    made = [q.query for q in questions(Table.read(_TABLE), per_kind=30, seed=3) if q.kind in _ORDINARY]
    plain, with_filler = Engine(engine._tables, gap_filler=None), Engine(engine._tables, gap_filler=ScriptedGapFiller())
    quiet = [
        q
        for q in made
        if plain.resolve(q, today=TODAY).status == "resolved" and not plain.resolve(q, today=TODAY).unknown
    ]
    times: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(15):
        for name, each in (("without", plain), ("with", with_filler)):
            begin = time.process_time_ns()
            for query in quiet:
                each.resolve(query, today=TODAY)
            times[name].append((time.process_time_ns() - begin) / 1000 / len(quiet))
    print(
        f"{len(quiet)} settled questions, mean µs: "
        + ", ".join(f"{n} {statistics.median(t):.2f}" for n, t in times.items())
    )


def around(engine: Engine) -> None:
    """Finding what is open, reading an answer, reading the question again."""
    asked = open_questions(engine, 30, 3)
    find = [_us(partial(find_gaps, *a.case)) for a in asked]
    read = [_us(partial(read_answer, left_open(a.gaps.request), a.gaps.request)) for a in asked]
    text = [_us(partial(grammar, a.gaps.request.segments)) for a in asked]
    again = []
    for case, gaps in asked:
        said = "".join(
            s.alternatives[1]
            if isinstance(s, Choice)
            else f"<Indicator>{s.text}</Indicator>"
            if isinstance(s, Free)
            else s.text
            for s in gaps.request.segments
        )
        answer = GapAnswer(said, (1.0,) * len(gaps.openings))
        again.append(_us(partial(settle, *case, gaps, answer, filler="", threshold=0.5, settles=True)))
    for name, times in (
        ("find what is open", find),
        ("write the grammar", text),
        ("read an answer", read),
        ("conclude again", again),
    ):
        ordered = sorted(times)
        print(
            f"{name}: median {statistics.median(times):.0f} µs, 99th percentile {ordered[int(0.99 * len(ordered))]:.0f} µs"
        )


def _us(call: Callable[[], object]) -> float:
    call()
    begin = time.process_time_ns()
    for _ in range(5):
        call()
    return (time.process_time_ns() - begin) / 5000


def compiling() -> None:
    """Building the grammar and compiling it, by the number of candidates."""
    if not qwen_vocabulary.is_there():
        print("no llguidance or no vocabulary: nothing is compiled")
        return
    import llguidance

    tokenizer = qwen_vocabulary.tokenizer()
    china = Hierarchy.bundled("china")
    engine = Engine(china, gap_filler=None)
    nodes = [i for i in range(len(china)) if china.levels[i] == Level.SUBSTATION][::15]
    for count in (1, 10, 100, 2000):
        paths = [tags_of(engine._tables.org_path(i)) for i in nodes[:count]]
        segments: tuple[Segment, ...] = (
            Settled("<Date>本月</Date>"),
            Choice(("<Substation>城关供电所</Substation>", *paths)),
            Free("低电压台区数有多少"),
        )
        parts: list[tuple[float, float, float]] = []
        for _ in range(9):
            a = time.process_time()
            text = lark(grammar(segments))
            b = time.process_time()
            matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(text))
            c = time.process_time()
            matcher.compute_bitmask()
            parts.append(((b - a) * 1e3, (c - b) * 1e3, (time.process_time() - c) * 1e3))
            assert not matcher.is_error()
        build, compile_, mask = (statistics.median(p) for p in zip(*parts, strict=True))
        read = _us(partial(read_answer, f"<Date>本月</Date>{paths[-1]}低电压台区数有多少", GapRequest("", segments)))
        print(
            f"{count} candidates: build {build:.2f} ms + compile {compile_:.2f} ms = {build + compile_:.2f} ms, "
            f"first mask {mask:.2f} ms; {len(text)} characters; read {read:.0f} µs"
        )


def main() -> None:
    """Print all of it."""
    engine = Engine(gap_filler=None)
    reach(engine)
    latency(engine)
    around(engine)
    compiling()


if __name__ == "__main__":
    main()
