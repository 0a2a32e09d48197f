"""How often the resolver is right, says that it is not sure, or is silently wrong, by kind of question.

    python -m benchmarks.accuracy --provinces 山东省,河南省 --per-kind 100 --json accuracy.json

Each province is a table of its own, without declared aliases. A resolver that raises is counted as silently
wrong. Exit status 1 when anything was silently wrong, so that a job can gate on it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.oracle import OrgNames, Table
from benchmarks.questions import (
    TODAY,
    Question,
    ResolutionLike,
    Score,
    foreign_names,
    makers,
    names_of,
    questions,
    score,
)

CHINA: Final = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
PROVINCES: Final = "山东省,河南省,河北省,江西省"
SCORES: Final[tuple[Score, ...]] = ("right", "flagged", "partly", "silently_wrong")
WORST_SHOWN: Final = 10

Resolve = Callable[[Question], ResolutionLike]


class Answer(NamedTuple):
    """One question with its score and what came back, in words."""

    province: str
    question: Question
    score: Score
    got: str


def shown(paths: Sequence[OrgNames] | None) -> str:
    """Paths as people read them."""
    if paths is None:
        return "any"
    return " + ".join("/".join(name for name in path if name) for path in paths) or "none"


def answered(province: str, question: Question, resolve: Resolve) -> Answer:
    """Ask one question."""
    try:
        resolution = resolve(question)
    except Exception as error:
        return Answer(province, question, "silently_wrong", f"{type(error).__name__}: {error}")
    parts = [resolution.status, shown(names_of(resolution.targets))]
    if resolution.candidates:
        parts.append("candidates " + shown(names_of(resolution.candidates)[:3]))
    if resolution.excluded:
        parts.append("without " + shown(names_of(resolution.excluded)))
    if question.want_group_by is not None:
        parts.append(f"by {resolution.group_by}")
    if question.want_dates is not None:
        parts.append(" ".join(f"{found.start}..{found.end}" for found in resolution.dates))
    if question.want_indicators is not None:
        parts.append("、".join(resolution.indicators))
    return Answer(province, question, score(question, resolution), "; ".join(filter(None, parts)))


def wanted(question: Question) -> str:
    """What a question wants, in words."""
    parts = ["/".join(sorted(question.want_status | question.acceptable)), shown(question.want_targets)]
    if question.contains:
        parts.append("candidates with " + shown(question.contains[:3]))
    if question.want_first_repair:
        parts.append("first repair " + shown([question.want_first_repair]))
    if question.want_excluded:
        parts.append("without " + shown(question.want_excluded))
    if question.want_group_by:
        parts.append(f"by {question.want_group_by}")
    if question.want_dates:
        parts.append(" ".join(f"{first}..{last}" for first, last in question.want_dates))
    if question.want_indicators:
        parts.append("、".join(question.want_indicators))
    return "; ".join(parts)


def print_report(answers: Sequence[Answer], worst: int = WORST_SHOWN) -> None:
    """Print counts by province and kind, then the worst answers of each kind."""
    counts: dict[tuple[str, str], Counter[Score]] = defaultdict(Counter)
    for answer in answers:
        for province in (answer.province, "all"):
            for kind in (answer.question.kind, "all"):
                counts[province, kind][answer.score] += 1
    print(f"{'table':<10} {'kind':<18} {'right':>7} {'flagged':>8} {'partly':>7} {'silently wrong':>15}")
    for (province, kind), count in sorted(counts.items(), key=lambda item: (item[0][0] == "all", item[0])):
        print(
            f"{province:<10} {kind:<18} {count['right']:>7} {count['flagged']:>8} {count['partly']:>7} "
            f"{count['silently_wrong']:>15}"
        )
    by_kind: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.score != "right":
            by_kind[answer.question.kind].append(answer)
    for kind, found in by_kind.items():
        print(f"\n{kind}")
        for answer in sorted(found, key=lambda one: -SCORES.index(one.score))[:worst]:
            scope = f" (scope {answer.question.scope})" if answer.question.scope else ""
            print(f"  {answer.score} [{answer.province}] {answer.question.query}{scope}")
            print(f"    want {wanted(answer.question)}\n    got  {answer.got}")


def write_json(path: Path, answers: Sequence[Answer]) -> None:
    """Write every answer, one object each."""
    rows = [
        {
            "province": answer.province,
            "kind": answer.question.kind,
            "query": answer.question.query,
            "scope": answer.question.scope,
            "score": answer.score,
            "want": wanted(answer.question),
            "got": answer.got,
        }
        for answer in answers
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, count, print; 1 if anything was silently wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--provinces", default=PROVINCES, help="comma-separated, or all; each is a table of its own")
    parser.add_argument("--table", type=Path, default=CHINA, help="CSV with province,city,company,substation")
    parser.add_argument("--per-kind", type=int, default=100)
    parser.add_argument("--kinds", help=f"comma-separated, of: {', '.join(makers())}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", type=int, default=WORST_SHOWN, help="bad answers to print of each kind")
    parser.add_argument("--json", type=Path, help="write every answer there")
    options = parser.parse_args(arguments)
    kinds = options.kinds.split(",") if options.kinds else None

    from engine import Engine
    from hierarchy import Hierarchy

    everything = Table.read(options.table)
    known = sorted(str(path[0]) for path in everything.by_level[0])
    provinces: list[str] = known if options.provinces == "all" else options.provinces.split(",")
    missing = sorted(set(provinces) - set(known))
    if missing:
        parser.error(f"{options.table} has no {'、'.join(missing)}")
    whole = Hierarchy.from_csv(options.table)
    answers: list[Answer] = []
    for province in provinces:
        table = Table.read(options.table, province)
        foreign = foreign_names([everything])
        engine = Engine(whole.subset(province), gap_filler=None)

        def resolve(question: Question, engine: Engine = engine) -> ResolutionLike:
            return engine.resolve(question.query, today=TODAY, scope=question.scope)

        for question in questions(table, options.per_kind, options.seed, foreign, kinds):
            answers.append(answered(province, question, resolve))
    print_report(answers, options.worst)
    if options.json:
        write_json(options.json, answers)
    return int(any(answer.score == "silently_wrong" for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
