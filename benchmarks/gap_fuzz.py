"""Whatever a model says: does an organisation outside the table, or under the wrong parent, ever come out?

    python -m benchmarks.gap_fuzz                    # 120,000 outputs
    python -m benchmarks.gap_fuzz --outputs 1000000 --seed 7

Each output is a legal answer picked at random, most of them then changed: pieces put in, cut out, moved,
repeated, taken from another question. Exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.internals import (
    Choice,
    Free,
    GapAnswer,
    GapRequest,
    Gaps,
    OpenCase,
    Segment,
    Tables,
    conclude,
    find_gaps,
    settle,
)
from benchmarks.oracle import Table
from benchmarks.questions import TODAY, questions
from qilin import Engine, Resolution, check

_TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "shandong.csv"
_KINDS: Final = ("ambiguous", "unknown name", "homophone", "other typo", "several targets", "exclusion",
                 "breakdown", "partial path", "traps", "everyday", "dates")  # fmt: skip
_TAILS: Final = ("", "低电压台区数", "上个礼拜三下午的停电次数", "光伏装机和户均容量", "&<台区>")
_PIECES: Final = (
    "<Province>", "</Province>", "<City>", "</City>", "<Company>", "</Company>", "<Substation>", "</Substation>",
    "<Indicator>", "</Indicator>", "<Date>", "</Date>", "<County>", "OUTPUT:", "山东省", "济南", "济南市", "河南省",
    "曹县供电公司", "火星供电所", "平度市供电公司", "&lt;", "&", "<", ">", " ", "\n", "\x00", "\ud800", "<|im_end|>",
)  # fmt: skip


class _Asked(NamedTuple):
    case: OpenCase
    gaps: Gaps


def open_questions(engine: Engine, per_kind: int, seed: int) -> list[_Asked]:
    """Questions with something open, as a model would be asked about them."""
    found: dict[str, _Asked] = {}
    made = [q.query for q in questions(Table.read(_TABLE), per_kind=per_kind, seed=seed) if q.kind in _KINDS]
    chosen = random.Random(seed)
    for query in [q + chosen.choice(_TAILS) for q in made] + [_garbled(q, chosen) for q in made]:
        tables, asked, considered = engine.consider(query, today=TODAY)
        case = OpenCase(tables, asked, considered, conclude(tables, asked, considered))
        gaps = find_gaps(*case)
        if isinstance(gaps, Gaps):
            found[query] = _Asked(case, gaps)
    return list(found.values())


def _garbled(query: str, chosen: random.Random) -> str:
    """The query with two characters exchanged for others."""
    characters = list(query)
    for _ in range(2):
        if characters:
            characters[chosen.randrange(len(characters))] = chosen.choice("启灵聚也荷择旦刘庄和张东明")
    return "".join(characters)


def legal_answer(request: GapRequest, chosen: random.Random) -> str:
    """An answer from inside the language, picked at random."""
    return "".join(_said(segment, chosen) for segment in request.segments)


def _said(segment: Segment, chosen: random.Random) -> str:
    if isinstance(segment, Choice):
        return chosen.choice(segment.alternatives)
    text = segment.text
    if isinstance(segment, Free) and chosen.random() < 0.8:
        a, b = sorted((chosen.randrange(len(text) + 1), chosen.randrange(len(text) + 1)))
        tag = chosen.choice(("Indicator", "Date"))
        return f"{text[:a]}<{tag}>{text[a:b]}</{tag}>{text[b:]}"
    return text


def changed(text: str, others: Sequence[str], chosen: random.Random) -> str:
    """The text, changed one to three times."""
    for _ in range(chosen.randint(1, 3)):
        a, b = sorted((chosen.randrange(len(text) + 1), chosen.randrange(len(text) + 1)))
        match chosen.randrange(7):
            case 0:
                text = text[:a] + chosen.choice(_PIECES) + text[a:]
            case 1:
                text = text[:a] + text[b:]
            case 2:
                text = text[b:] + text[a:b] + text[:a]
            case 3:
                text = text[:a] + text[a:b] * 2 + text[b:]
            case 4:
                other = chosen.choice(others)
                text = text[:a] + other[chosen.randrange(len(other) + 1) :]
            case 5:
                text = text[:a] + chr(chosen.randrange(0x10FFFF)) + text[b:]
            case _:
                one, other = chosen.sample(("济南", "菏泽", "潍坊", "临沂", "曹县", "东明", "巨野"), 2)
                text = text.replace(one, other)
    return text


def wrong(outcome: Resolution, tables: Tables) -> str:
    """What is wrong with a resolution; "" for nothing."""
    for path in (*outcome.targets, *outcome.excluded, *outcome.candidates):
        if tables.node_of(path) is None:
            return f"{path} is not in the table"
    tagged = outcome.to_xml()
    if outcome.status == "resolved" and "<" in tagged:  # text without a tag would be read as a path
        return "".join(conflict.message for conflict in check(tagged, tables.hierarchy))
    return ""


def main() -> None:
    """Make the questions and outputs, and count what becomes of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--outputs", type=int, default=120_000)
    parser.add_argument("--per-kind", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    engine = Engine(gap_filler=None)
    asked = open_questions(engine, options.per_kind, options.seed)
    chosen = random.Random(options.seed)
    legal = [legal_answer(a.gaps.request, chosen) for a in asked]
    counts: Counter[str] = Counter()
    faults: list[str] = []
    begin = time.process_time()
    for number in range(options.outputs):
        (case, gaps), kind = asked[number % len(asked)], chosen.random()
        text = legal_answer(gaps.request, chosen)
        if kind < 0.7:
            text = changed(text, legal, chosen)
        elif kind < 0.75:
            text = chosen.choice(legal)
        score = chosen.choice((None, chosen.random(), 1.0))
        scores = None if score is None else (score,) * len(gaps.openings)
        outcome, record = settle(*case, gaps, GapAnswer(text, scores), filler="fuzz", threshold=0.5, settles=True)
        if record.degraded is None:
            counts["changed the answer" if outcome != case.resolution else "left it as it was"] += 1
        else:
            counts[
                "not legal"
                if "not one of those" in record.degraded or "empty" in record.degraded
                else "rejected by the hierarchy"
            ] += 1
            if outcome.model_copy(update={"degraded": None}) != case.resolution:
                faults.append(f"{case.asked.query!r}: {text!r}: degraded, and not the rules' answer")
        if outcome is not case.resolution and (fault := wrong(outcome, case.tables)):
            faults.append(f"{case.asked.query!r}: {text!r}: {fault}")
    print(f"{len(asked)} questions, {options.outputs} outputs, {time.process_time() - begin:.0f} s")
    for what, count in counts.most_common():
        print(f"  {what}: {count}")
    print(f"organisations outside the table or under the wrong parent, or rules' answers changed: {len(faults)}")
    for fault in faults[:20]:
        print(f"  {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
