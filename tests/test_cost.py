"""The one cost: the winner's is the least, and explanations name the first component that differs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_golden import TABLES, golden

from qilin import Engine
from qilin.readings.cost import Cost, deciding
from qilin.report.explain import explain
from qilin.report.explanation import ReadingNote

COMPONENTS = Cost._fields


def complete(note: ReadingNote) -> tuple[int, ...]:
    """The cost of a note with its zeros, in the order in which components count."""
    return tuple(note.cost.get(name, 0) for name in COMPONENTS)


def check(engine: Engine, query: str, **options: Any) -> int:
    """Hold the explanation of a query against its costs; how many readings lost."""
    notes = explain(engine, query, **options).readings
    winner = complete(notes[0])
    for note in notes[1:]:
        theirs = complete(note)
        if note.verdict == "tied":
            assert note.decided is None
            continue
        first = next(name for name, a, b in zip(COMPONENTS, winner, theirs, strict=True) if a != b)
        assert winner < theirs, query
        assert note.decided == first, query
        assert note.why, query
    return sum(note.verdict == "lost" for note in notes)


def test_the_winner_of_every_golden_question_costs_least(engine_of: Callable[[str], Engine], today: date) -> None:
    lost = 0
    for row in (row for table in TABLES for row in golden(table)):
        engine = engine_of(row.get("table", "山东省"))
        context = engine.resolve(row["context"], today=today) if "context" in row else None
        for query in row["queries"]:
            lost += check(engine, query, today=today, scope=row.get("scope"), context=context)
    assert lost > 60  # or the test says nothing


@given(
    query=st.lists(
        st.sampled_from(["菏泽", "巨野", "剧野县", "曹县", "麒麟供电所", "市中", "济南市", "城关", "新城", "本周", "投诉", "今日照常"]),
        min_size=1,
        max_size=6,
    ).map("".join)
)  # fmt: skip
def test_the_winner_costs_least_whatever_is_asked(engine: Engine, query: str, today: date) -> None:
    check(engine, query, today=today)


@pytest.mark.parametrize(
    ("query", "component"),
    [
        ("蓬莱区供电公司北长东山供电所投诉", "torn"),
        ("菏泽剧野县投诉", "leftover"),
        ("莒县经济开发区投诉百万户量数量", "clashes"),
        ("张鲁电压投诉", "form"),
    ],
)
def test_a_component_that_decides(engine: Engine, today: date, query: str, component: str) -> None:
    """A question for each component that decides between whole readings of the bundled table."""
    decided = {note.decided for note in explain(engine, query, today=today).readings}
    assert component in decided


def test_costs_compare_component_by_component() -> None:
    assert deciding(Cost(leftover=1), Cost(leftover=2, typos=-1)) == "leftover"
    assert deciding(Cost(), Cost()) is None
    assert deciding(Cost(form=1), Cost(form=0)) is None  # the first is no winner
    assert Cost(torn=0, leftover=9) < Cost(torn=1)
