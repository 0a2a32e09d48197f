"""Questions made from other provinces' tables, with the answers the contract demands (benchmarks.questions)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.accuracy import answered
from benchmarks.oracle import Table
from benchmarks.questions import TODAY, Question, ResolutionLike, foreign_names, makers, questions
from qilin import Engine

CHINA = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
PROVINCES = ("河南省", "江西省", "新疆维吾尔自治区")
PER_KIND = 40
UNSURE = ("homophone", "near homophone", "other typo", "unknown name")  # kinds where being unsure is fine


@pytest.fixture(scope="module")
def everything() -> Table:
    return Table.read(CHINA)


@pytest.mark.parametrize("province", PROVINCES)
def test_answers_are_right_or_say_that_they_are_not_sure(
    province: str, everything: Table, engine_of: Callable[[str], Engine]
) -> None:
    """Never silently wrong; and right wherever the name is written as it should be."""
    engine = engine_of(province)
    foreign = foreign_names([everything])[:: len(everything.nodes) // 400]

    def resolve(question: Question) -> ResolutionLike:
        return engine.resolve(question.query, today=TODAY, scope=question.scope)

    table = Table.read(CHINA, province)
    made = questions(table, PER_KIND, seed=7, foreign=foreign, kinds=set(makers()) - {"everyday"})
    answers = [answered(province, question, resolve) for question in made]
    assert [(a.question.query, a.got) for a in answers if a.score == "silently_wrong"] == []
    counts: dict[str, Counter[str]] = {}
    for answer in answers:
        counts.setdefault(answer.question.kind, Counter())[answer.score] += 1
    assert len(counts) >= 15
    for kind, count in counts.items():
        fine = count["right"] + (count["flagged"] if kind in UNSURE else 0)
        share = 0.95 if kind in UNSURE else 0.99
        worst = [(a.question.query, a.got) for a in answers if a.question.kind == kind and a.score != "right"]
        assert fine >= share * count.total(), (kind, count, worst)
