"""The question generator: the same questions every time, each of them once, the task's own among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from benchmarks.oracle import COMPANY, Slip, Table, lies_on, lightest, slip_between
from benchmarks.questions import (
    JUYE,
    QILIN,
    RESOLVED,
    SEED_QUESTIONS,
    SEED_VARIANTS,
    Question,
    makers,
    questions,
    read_aliases,
    score,
)

CHINA = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
PER_KIND = 15


@pytest.fixture(scope="module")
def shandong() -> Table:
    return Table.read(CHINA, "山东省")


@pytest.fixture(scope="module")
def made(shandong: Table) -> list[Question]:
    return questions(shandong, PER_KIND, seed=1, foreign=["涉县供电公司", "更乐供电所", "石家庄市"])


@dataclass(frozen=True)
class StubPath:
    province: str | None
    city: str | None
    company: str | None
    substation: str | None


@dataclass(frozen=True)
class StubDate:
    start: date
    end: date


@dataclass(frozen=True)
class StubResolution:
    """An answer that says nothing."""

    status: str = "resolved"
    targets: tuple[StubPath, ...] = ()
    excluded: tuple[StubPath, ...] = ()
    candidates: tuple[StubPath, ...] = ()
    group_by: str | None = None
    indicators: tuple[str, ...] = ()
    dates: tuple[StubDate, ...] = ()


def test_same_seed_gives_the_same_questions(shandong: Table, made: list[Question]) -> None:
    columns = ("province", "city", "company", "substation")
    rows = [dict(zip(columns, map(str, path), strict=True)) for path in reversed(shandong.nodes) if path[3]]
    again = questions(Table(rows), PER_KIND, seed=1, foreign=["涉县供电公司", "更乐供电所", "石家庄市"])
    assert again == made
    assert questions(shandong, PER_KIND, seed=2) != made


def test_no_question_is_asked_twice(made: list[Question]) -> None:
    asked = [(question.query, question.scope) for question in made]
    assert len(asked) == len(set(asked))


def test_every_kind_has_questions(made: list[Question]) -> None:
    assert {question.kind for question in made} == set(makers())


def test_declared_aliases_are_asked_for_what_they_mean(shandong: Table) -> None:
    aliases = read_aliases(CHINA.with_name("shandong_aliases.csv"), shandong)
    declared = {alias.text: alias.path for alias in aliases}
    assert declared["泉城"] == ("山东省", "济南", None, None)
    assert declared["定陶县供电公司"] == ("山东省", "菏泽", "定陶区供电公司", None)
    asked = questions(shandong, PER_KIND, seed=1, kinds=["declared alias"], aliases=aliases)
    assert len(asked) == PER_KIND
    for question in asked:
        text = next(text for text in declared if text in question.query)
        assert question.want_targets is not None and lies_on(declared[text], question.want_targets[0])


def test_a_forbidden_or_shared_alias_is_no_alias(shandong: Table, tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    rows = ["泉城,city,济南,,forbidden", "小城,substation,城关供电所,,nickname", "巨野,city,济南,,nickname"]
    file.write_text("\n".join(["alias,level,canonical,city,kind", *rows]) + "\n", encoding="utf-8")
    assert read_aliases(file, shandong) == []


def test_the_tasks_own_questions_are_asked(made: list[Question]) -> None:
    assert len(SEED_QUESTIONS) == 12 and len(SEED_VARIANTS) == 9
    asked = {question.query: question for question in made}
    assert all(asked[query].want_targets == (target,) for query, target, _, _ in SEED_QUESTIONS)
    assert all(asked[query].want_targets == (target,) for query, target in SEED_VARIANTS)


def test_wanted_organisations_are_in_the_table(shandong: Table, made: list[Question]) -> None:
    known = set(shandong.nodes)
    for question in made:
        assert set(question.want_targets or ()) | set(question.contains) | set(question.want_excluded or ()) <= known


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("菏泽麒麟", QILIN),
        ("巨野", JUYE),
        ("麒麟供电所巨野县供电公司菏泽", QILIN),
        ("国网巨野县供电公司麒麟所", QILIN),
        ("利津", ("山东省", "东营", "利津县供电公司", None)),
    ],
)
def test_oracle_reads_one_path(shandong: Table, text: str, want: tuple[str | None, ...]) -> None:
    verdict = shandong.verdict(text)
    assert (verdict.kind, verdict.best) == ("one", (want,))


def test_oracle_knows_that_many_own_a_name(shandong: Table) -> None:
    verdict = shandong.verdict("城关供电所")
    assert verdict.kind == "several" and verdict.sure and len(verdict.best) > 1


def test_oracle_joins_no_strangers(shandong: Table) -> None:
    assert shandong.verdict("曹县供电公司麒麟供电所").kind == "none"


@pytest.mark.parametrize(
    ("typed", "name", "slip"),
    [
        ("聚野", "巨野", Slip.HOMOPHONE),
        ("麒林", "麒麟", Slip.HOMOPHONE),
        ("麒宁", "麒麟", Slip.MERGED_SOUND),
        ("野巨", "巨野", Slip.SWAP),
        ("巨里", "巨野", Slip.OTHER),
        ("巨大野", "巨野", Slip.OTHER),
        ("巨野", "巨野", None),
        ("聚里", "巨野", None),
    ],
)
def test_slips(typed: str, name: str, slip: Slip | None) -> None:
    assert slip_between(typed, name) == slip


def test_the_lightest_slip_wins(shandong: Table) -> None:
    companies = [(str(path[2]).removesuffix("供电公司"), path) for path in shandong.by_level[COMPANY]]
    assert lightest("聚野县", companies) == (Slip.HOMOPHONE, (JUYE,))


def test_scores() -> None:
    question = Question("seed", "麒麟供电所投诉", RESOLVED, (QILIN,), want_indicators=("投诉",))
    right = StubResolution(targets=(StubPath(*QILIN),), indicators=("投诉",))
    assert score(question, right) == "right"
    assert score(question, replace(right, indicators=())) == "partly"
    assert score(question, replace(right, targets=(StubPath(*JUYE),))) == "silently_wrong"
    assert score(question, StubResolution()) == "silently_wrong"
    assert score(question, StubResolution(status="ambiguous")) == "flagged"


def test_a_resolver_that_answers_nothing_is_never_right_about_a_target(made: list[Question]) -> None:
    for question in made:
        if question.want_targets and question.want_status == RESOLVED:
            assert score(question, StubResolution()) == "silently_wrong"
