"""`check` holds tagged text and paths against the hierarchy: every kind of conflict, each with its repairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qilin import Engine, OrgPath, Resolution, check

Ask = Callable[..., Resolution]
Short = Callable[[OrgPath], str]
GOOD = (
    "<Province>山东省</Province><City>菏泽</City><Company>巨野县供电公司</Company>"
    "<Substation>麒麟供电所</Substation><Indicator>投诉</Indicator>数量"
)
WRONG_PARENT = "<City>菏泽</City><Company>曹县供电公司</Company><Substation>麒麟供电所</Substation>"


@pytest.mark.parametrize(
    "right",
    [
        GOOD,
        "",
        "<City>菏泽</City>投诉",
        "<City>菏泽</City><Substation>麒麟供电所</Substation>",
        "<Substation>麒麟供电所</Substation>",
        "<City>菏泽</City><Company>曹县供电公司</Company>和<City>济南</City>",
        "<City>菏泽</City>、<City>济南</City>",
        "<Province>山东省</Province><City>菏泽</City><Province>山东省</Province><City>济南</City>",
        "<Date>昨天</Date><City>菏泽</City><Indicator>投诉</Indicator>",
        "菏泽/巨野县供电公司/麒麟供电所",
        "山东省 → 菏泽 → 巨野县供电公司",
        "麒麟供电所",
        ("山东省", "菏泽", "巨野县供电公司", "麒麟供电所"),
        ("山东省", "菏泽", None, "麒麟供电所"),
        ("山东省",),
        [None, "菏泽"],
        {"city": "菏泽", "company": "巨野县供电公司"},
        {},
        OrgPath(province="山东省", city="菏泽", level="City", name="菏泽"),
    ],
)
def test_nothing_is_wrong(right: Any) -> None:
    assert check(right) == []


@pytest.mark.parametrize(
    ("wrong", "kind", "words", "first"),
    [
        (
            WRONG_PARENT,
            "wrong-parent",
            ["曹县供电公司", "麒麟供电所", "巨野县供电公司"],
            "菏泽/巨野县供电公司/麒麟供电所",
        ),
        (("山东省", "济宁", "巨野县供电公司"), "wrong-parent", ["济宁", "菏泽"], "菏泽/巨野县供电公司"),
        ("济宁/巨野县供电公司", "wrong-parent", ["济宁", "菏泽"], "菏泽/巨野县供电公司"),
        (
            {"city": "济宁", "substation": "麒麟供电所"},
            "wrong-parent",
            ["济宁", "麒麟"],
            "菏泽/巨野县供电公司/麒麟供电所",
        ),
        ("<City>荷泽</City>投诉", "unknown-organisation", ["荷泽"], None),
        ("<Company>巨野供电公司</Company>", "unknown-organisation", ["巨野供电公司"], "菏泽/巨野县供电公司"),
        ("菏泽/巨叶县供电公司", "unknown-organisation", ["巨叶县供电公司"], "菏泽/巨野县供电公司"),
        ("<City>巨野县供电公司</City>", "unknown-organisation", ["巨野县供电公司", "表中"], "菏泽/巨野县供电公司"),
        ("火星", "unknown-organisation", ["火星"], None),
        ("<City>菏泽</City><Region>鲁西南</Region>", "unknown-tag", ["Region", "Substation"], None),
        ("<Substation>城关供电所</Substation>", "missing-parent", ["城关供电所", "东明县供电公司"], None),
        (
            "<City>潍坊</City><Substation>城关供电所</Substation>",
            "missing-parent",
            ["潍城区供电公司", "临朐县供电公司"],
            None,
        ),
        ("<Company>巨野县供电公司</Company><City>菏泽</City>", "level-order", ["巨野县供电公司", "菏泽"], "菏泽"),
        ("巨野县供电公司/菏泽", "level-order", ["巨野县供电公司", "菏泽"], "菏泽"),
        ("<City>菏泽", "malformed", ["City"], None),
        ("菏泽</City>", "malformed", ["City"], None),
        ("<City><Company>曹县供电公司</Company></City>", "malformed", ["Company"], None),
    ],
)
def test_what_is_wrong(short: Short, wrong: Any, kind: str, words: list[str], first: str | None) -> None:
    """The kind, a message that names both sides and where each really is, and the best repair first."""
    (conflict,) = check(wrong)
    assert conflict.kind == kind
    assert all(word in conflict.message for word in words), conflict.message
    if first is not None:
        assert short(conflict.repairs[0]) == first


def test_every_repair_passes_the_check() -> None:
    """A repair is an organisation of the table on its own path."""
    for wrong in (
        WRONG_PARENT,
        "济宁/巨野县供电公司",
        "<Company>巨叶县供电公司</Company>",
        "<Substation>城关供电所</Substation>",
    ):
        for conflict in check(wrong):
            assert conflict.repairs
            for repair in conflict.repairs:
                assert check(repair) == []
                assert check(str(repair)) == []


def test_owners_of_the_lower_name_come_nearest_first_then_the_upper_alone(short: Short) -> None:
    (conflict,) = check(("山东省", "菏泽", "曹县供电公司", "城关供电所"))
    assert [short(path) for path in conflict.repairs] == [
        "菏泽/东明县供电公司/城关供电所",
        "潍坊/临朐县供电公司/城关供电所",
        "潍坊/潍城区供电公司/城关供电所",
        "菏泽/曹县供电公司",
    ]


def test_each_target_of_a_text_is_checked(short: Short) -> None:
    """Text between tags ends a path, so that one wrong target does not hide behind a right one."""
    found = check(f"{GOOD}和{WRONG_PARENT}与<City>荷泽</City>")
    assert [conflict.kind for conflict in found] == ["wrong-parent", "unknown-organisation"]


@pytest.mark.parametrize(
    ("tagged", "query", "kinds"),
    [
        (GOOD, "菏泽麒麟投诉数量", []),
        (GOOD, "菏泽麒麟投诉", ["text-differs"]),
        (GOOD, "菏泽麒麟意见数量", ["text-differs"]),
        ("数量<Indicator>投诉</Indicator>", "投诉数量", ["text-differs"]),
        ("<Date>昨天</Date><City>菏泽</City>", "昨天菏泽", []),
        ("<Date>今天</Date><City>菏泽</City>", "昨天菏泽", ["text-differs"]),
    ],
)
def test_text_is_compared_with_the_query(tagged: str, query: str, kinds: list[str]) -> None:
    """Outside the organisation tags nothing may be added or reordered."""
    assert [conflict.kind for conflict in check(tagged, query=query)] == kinds


def test_a_file_is_checked_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "tagged.txt"
    path.write_text(f"\ufeff{GOOD}\n{WRONG_PARENT}\n<City>菏泽\n", encoding="utf-8")
    assert [conflict.kind for conflict in check(path)] == ["wrong-parent", "malformed"]


def test_any_table_can_be_checked_against(engine_with: Callable[..., Engine]) -> None:
    table = engine_with("河北省,保定,涞水县供电公司,龙门供电所").hierarchy
    assert check("保定/涞水县供电公司/龙门供电所", table) == []
    assert [conflict.kind for conflict in check(GOOD, table)] == ["unknown-organisation"] * 4


@pytest.mark.parametrize(
    "query",
    ["菏泽麒麟投诉数量", "菏泽巨野和曹县投诉", "昨天菏泽除曹县外投诉", "麒麟供电所（菏泽巨野）投诉", "<City>菏泽</City>投诉", "菏泽聚野县投诉", "麒麟a<b投诉"],
)  # fmt: skip
def test_what_the_engine_writes_passes_its_own_check(ask: Ask, query: str) -> None:
    found = ask(query)
    assert found.status == "resolved"
    assert check(found.to_xml(), query=query) == []
    assert all(check(path) == [] for path in found.targets)


# Conflicts in a question ---------------------------------------------------------------------------------


def test_a_conflict_names_both_sides_and_where_each_really_is(ask: Ask) -> None:
    (conflict,) = ask("曹县供电公司麒麟供电所投诉").conflicts
    assert conflict.kind == "path"
    for words in (
        "曹县供电公司",
        "麒麟供电所",
        "山东省 → 菏泽 → 曹县供电公司",
        "山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所",
    ):
        assert words in conflict.message
    assert [entity.text for entity in conflict.entities] == ["曹县供电公司", "麒麟供电所"]


@pytest.mark.parametrize(
    ("query", "repairs"),
    [
        ("曹县麒麟投诉", ["菏泽/巨野县供电公司/麒麟供电所", "菏泽/曹县供电公司"]),
        (
            "曹县城关供电所投诉",
            [
                "菏泽/东明县供电公司/城关供电所",
                "潍坊/临朐县供电公司/城关供电所",
                "潍坊/潍城区供电公司/城关供电所",
                "菏泽/曹县供电公司",
            ],
        ),
        ("济宁巨野投诉", ["菏泽/巨野县供电公司", "济宁"]),
        ("菏泽市中区投诉", ["枣庄/市中区供电公司", "济南/市中供电中心", "菏泽"]),
    ],
)
def test_repairs_owners_first_then_the_upper_alone(ask: Ask, short: Short, query: str, repairs: list[str]) -> None:
    """Typo neighbours, if there are any, come last; each repair resolves cleanly."""
    found = ask(query)
    assert found.status == "conflict" and found.targets == ()
    assert [short(path) for path in found.candidates][: len(repairs)] == repairs
    for path in found.candidates:
        again = ask(f"{str(path).replace(' → ', '')}投诉")
        assert (again.status, again.targets) == ("resolved", (path,))


def test_typo_neighbours_come_last(engine_with: Callable[..., Engine], short: Short) -> None:
    """曹县 has no 麒麟, but a 其林 that sounds the same: worth offering, after what is written."""
    engine = engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所", "山东省,菏泽,曹县供电公司,其林供电所")
    found = engine.resolve("曹县麒麟供电所投诉")
    assert found.status == "conflict"
    assert [short(path) for path in found.candidates][:2] == ["菏泽/巨野县供电公司/麒麟供电所", "菏泽/曹县供电公司"]


def test_an_upper_name_one_slip_away_is_offered(engine_with: Callable[..., Engine], short: Short) -> None:
    """平阴 and 平音 are one sound; the company that does own the substation is the neighbour."""
    engine = engine_with("山东省,甲城,平阴县供电公司,东关供电所", "山东省,乙城,平音县供电公司,西关供电所")
    found = engine.resolve("平音县东关供电所投诉")
    assert found.status == "conflict"
    assert [short(path) for path in found.candidates] == ["甲城/平阴县供电公司/东关供电所", "乙城/平音县供电公司"]


def test_an_exclusion_outside_the_target_is_a_conflict(ask: Ask) -> None:
    found = ask("菏泽除济宁外投诉")
    (conflict,) = found.conflicts
    assert conflict.kind == "exclusion" and "济宁" in conflict.message and "菏泽" in conflict.message
    assert found.targets == () and found.question
    assert [path.name for path in found.candidates] == ["菏泽"]
