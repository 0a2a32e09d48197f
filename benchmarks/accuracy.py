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
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import against_peers, peer_env
from benchmarks.against_peers import Asked
from benchmarks.oracle import OrgNames, Table
from benchmarks.parts import Places
from benchmarks.questions import (
    TODAY,
    DeclaredAlias,
    Question,
    ResolutionLike,
    Score,
    foreign_names,
    makers,
    names_of,
    questions,
    read_aliases,
    score,
)
from benchmarks.report import Parts, Ratio, Rows, Section, Text
from benchmarks.shares import SCORES, Counts, cells
from qilin import Engine
from qilin.hierarchy import Hierarchy

CHINA: Final = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
PROVINCES: Final = "山东省,河南省,河北省,江西省"
ALIASES: Final = CHINA.with_name("shandong_aliases.csv")
SHANDONG: Final = "山东省"
WORST_SHOWN: Final = 10

Resolve = Callable[[Question], ResolutionLike]


class Answer(NamedTuple):
    """One question with its score and what came back, in words."""

    province: str
    question: Question
    score: Score
    got: str
    resolution: ResolutionLike | None = None


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
    return Answer(province, question, score(question, resolution), "; ".join(filter(None, parts)), resolution)


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


def ask_all(
    province: str,
    engine: Engine,
    table: Table,
    per_kind: int,
    seed: int,
    foreign: Sequence[str] = (),
    kinds: Collection[str] | None = None,
    aliases: Sequence[DeclaredAlias] = (),
) -> Iterator[Answer]:
    """Make the questions of one table, and ask them. Arguments as for `questions`."""

    def resolve(question: Question) -> ResolutionLike:
        return engine.resolve(question.query, today=TODAY, scope=question.scope)

    for question in questions(table, per_kind, seed, foreign, kinds, aliases):
        yield answered(province, question, resolve)


def measure(*, quick: bool, seed: int, peers: bool, install_peers: bool) -> Section:
    """The sub-command: every set of questions, then their place and date parts with the peers."""
    provinces, per_kind = PROVINCES.split(","), 30 if quick else 100
    everything, whole = Table.read(CHINA), Hierarchy.from_csv(CHINA)
    tables = {province: Table.read(CHINA, province) for province in provinces}
    engines = {province: Engine(whole.subset(province), gap_filler=None) for province in provinces}
    foreign = foreign_names([everything])
    sets: dict[str, list[Answer]] = {}
    for province, table in tables.items():
        name = "Shandong" if province == SHANDONG else "other provinces"
        sets.setdefault(name, []).extend(ask_all(province, engines[province], table, per_kind, seed, foreign))
    with_aliases = Engine(Hierarchy.bundled(), gap_filler=None)
    aliases = read_aliases(ALIASES, tables[SHANDONG])
    sets["Shandong, declared aliases"] = list(
        ask_all(SHANDONG, with_aliases, tables[SHANDONG], per_kind, seed, kinds=["declared alias"], aliases=aliases)
    )
    section = Section("accuracy")
    _describe(section, sets)
    # A name that only the table lacks is a place all the same, and fair to no peer: names that nobody has instead.
    nowhere = [
        answer
        for province, table in tables.items()
        for answer in ask_all(province, engines[province], table, per_kind, seed, kinds=["unknown name"])
    ]
    china = Engine(whole, gap_filler=None)
    asked = [
        Asked(a.question, a.resolution, china.resolve(a.question.query, today=TODAY, scope=None))
        for a in (*sets["Shandong"], *sets["other provinces"], *nowhere)
        if a.resolution is not None and (a.question.kind != "unknown name" or a in nowhere)
    ]
    with peer_env.worker(peer_env.PEERS if peers else (), install=install_peers) as worker:
        ask = partial(_ask_peer, worker)
        found = against_peers.score_parts(asked, Places(everything), list(worker.versions), ask)
        section.figures["peers"] = dict(worker.versions)
        against_peers.describe(section, found, worker.missing)
    return section


def _ask_peer(worker: peer_env.Worker, peer: str, part: str, query: str) -> peer_env.Reply:
    return worker.ask(peer, part, query=query, today=TODAY.isoformat())


def _describe(section: Section, sets: dict[str, list[Answer]]) -> None:
    """Counts by set and kind."""
    rows, figures, bars = [], {}, {}
    for name, answers in sets.items():
        counts: dict[str, Counts] = defaultdict(Counter)
        for answer in answers:
            kind, variety = answer.question.kind, answer.question.variety
            counts[""][answer.score] += 1
            counts[kind][answer.score] += 1
            if variety:
                counts[f"{kind}: {variety}"][answer.score] += 1
        for kind, count in sorted(counts.items()):
            rows.append([f"{name}: {kind}" if kind else f"{name}: all", *cells(count)])
        figures[name] = {kind or "all": {score: count[score] for score in SCORES} for kind, count in counts.items()}
        bars[name] = [counts[""][score] for score in against_peers.SCORES_IN_BARS]
        total = max(len(answers), 1)
        section.ratios[f"right, {name}"] = Ratio(counts[""]["right"] / total, "higher")
        section.ratios[f"silently wrong, {name}"] = Ratio(counts[""]["silently_wrong"] / total, "lower")
    section.figures["sets"] = figures
    wrong = [
        f"[{a.province}] {a.question.query}: want {wanted(a.question)}; got {a.got}"
        for answers in sets.values()
        for a in answers
        if a.score == "silently_wrong"
    ]
    section.figures["silently wrong"] = wrong
    section.blocks += [
        Text("Answers by an oracle that shares no code with the engine; in brackets 95 % intervals (Wilson)."),
        Parts("Whole answers", [s.replace("_", " ") for s in against_peers.SCORES_IN_BARS], bars),
        Rows("Whole answers", ("set: kind", "questions", "right", "partly", "flagged", "silently wrong"), rows),
        *(Text(f"Silently wrong: {text}") for text in wrong),
    ]


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
        answers += ask_all(province, engine, table, options.per_kind, options.seed, foreign, kinds)
    print_report(answers, options.worst)
    if options.json:
        write_json(options.json, answers)
    return int(any(answer.score == "silently_wrong" for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
