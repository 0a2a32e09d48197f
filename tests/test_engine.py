"""The engine around the pipeline: scope, context, defaults, reload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from qilin import Engine, OrgPath, Resolution
from qilin.hierarchy import Hierarchy, HierarchyError
from qilin.llm.protocol import GapAnswer, GapRequest
from qilin.names.compiled import Tables

Ask = Callable[..., Resolution]
Short = Callable[[OrgPath], str]
DAY = date(2024, 5, 13)
CHENGGUAN = "菏泽/东明县供电公司/城关供电所"


def sources(found: Resolution) -> set[tuple[str, str]]:
    return {(entity.type, entity.source) for entity in found.entities}


# Scope ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    ["菏泽", "菏泽市", "山东省/菏泽", "山东省→菏泽", " 菏泽 ", "菏澤", "东明县供电公司", "菏泽/东明县供电公司", "东明"],
)
def test_scope_chooses_among_equals(ask: Ask, short: Short, scope: str) -> None:
    """By name, form or path; the ancestors it told say so."""
    found = ask("城关供电所投诉", scope=scope)
    assert [short(path) for path in found.targets] == [CHENGGUAN]
    assert ("Company", "scope") in sources(found)


def test_scope_may_be_an_org_path(ask: Ask, short: Short) -> None:
    (heze,) = ask("菏泽投诉").targets
    (qilin,) = ask("麒麟供电所投诉").targets
    assert [short(path) for path in ask("城关供电所投诉", scope=heze).targets] == [CHENGGUAN]
    assert [short(path) for path in ask("县公司投诉", scope=qilin).targets] == ["菏泽/巨野县供电公司"]


def test_scope_that_holds_none_of_them_chooses_nothing(ask: Ask, short: Short) -> None:
    """It still puts the nearest first, so that the question begins with what is likely."""
    found = ask("城关供电所投诉", scope="菏泽/巨野县供电公司")
    assert found.status == "ambiguous" and short(found.candidates[0]) == CHENGGUAN
    assert len(found.candidates) == 3


def test_scope_that_holds_several_leaves_those(ask: Ask) -> None:
    found = ask("城关供电所投诉", scope="潍坊")
    assert found.status == "ambiguous"
    assert {path.city for path in found.candidates} == {"潍坊"} and len(found.candidates) == 2


def test_scope_never_becomes_a_target(ask: Ask) -> None:
    assert ask("投诉数量", scope="菏泽") == ask("投诉数量")
    assert ask("各县公司投诉", scope="菏泽").targets == ()


def test_scope_does_not_bend_an_explicit_mention(ask: Ask, short: Short) -> None:
    assert [short(path) for path in ask("济南投诉", scope="菏泽").targets] == ["济南"]
    assert ask("济宁巨野投诉", scope="菏泽").status == "conflict"
    assert [short(path) for path in ask("利津投诉", scope="利津供电所").targets] == ["东营/利津县供电公司"]


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("城关供电所", ["东明县供电公司", "临朐县供电公司", "潍城区供电公司"]),
        ("市中区", ["枣庄", "济南"]),
        ("火星供电所", ["火星供电所"]),
        ("济南/麒麟供电所", ["济南/麒麟供电所"]),
        ("荷泽", ["荷泽"]),
        ("", []),
    ],
)
def test_scope_that_is_not_unique_or_unknown_is_a_value_error(ask: Ask, scope: str, names: list[str]) -> None:
    """The message says what was given, and the candidates where there are several."""
    with pytest.raises(ValueError, match="scope") as error:
        ask("投诉", scope=scope)
    assert all(name in str(error.value) for name in names)


def test_scope_chooses_among_readings(engine_with: Callable[..., Engine]) -> None:
    """乙丙丁 is 乙丙 or 丙丁, by where the person is who asks."""
    engine = engine_with("甲省,乙丙,戊县供电公司,东关供电所", "甲省,丙丁,己县供电公司,西关供电所")
    assert engine.resolve("乙丙丁投诉").status == "ambiguous"
    for city, company in (("乙丙", "戊县供电公司"), ("丙丁", "己县供电公司")):
        assert engine.resolve("乙丙丁投诉", scope=city).city == city
        assert engine.resolve("乙丙丁投诉", scope=company).status == "ambiguous"


def test_scope_of_another_table_is_a_value_error(ask: Ask) -> None:
    stranger = OrgPath(province="河北省", city="保定", level="City", name="保定")
    with pytest.raises(ValueError, match="保定"):
        ask("投诉", scope=stranger)


# Context -------------------------------------------------------------------------------------------------


def test_context_fills_what_is_left_open_and_says_so(ask: Ask, short: Short) -> None:
    before = ask("菏泽2024年3月投诉")
    found = ask("意见呢", context=before)
    assert [short(path) for path in found.targets] == ["菏泽"]
    assert found.indicators == ("意见",) and found.dates == before.dates
    assert sources(found) == {
        ("Province", "context"), ("City", "context"), ("Date", "context"), ("Indicator", "exact"),
    }  # fmt: skip
    found = ask("济南", context=before)
    assert [short(path) for path in found.targets] == ["济南"]
    assert found.indicators == ("投诉",) and found.dates == before.dates
    assert ("Indicator", "context") in sources(found) and ("City", "exact") in sources(found)


def test_context_is_replaced_by_what_the_query_says(ask: Ask, short: Short) -> None:
    before = ask("菏泽2024年3月投诉")
    found = ask("济南上月意见", context=before)
    assert found.model_copy(update={"entities": ()}) == ask("济南上月意见").model_copy(update={"entities": ()})
    assert not any(source == "context" for _, source in sources(found))


def test_context_chooses_among_equals(ask: Ask, short: Short) -> None:
    """The targets of the question before, then what is around them."""
    for before in ("菏泽投诉", "东明县投诉", "巨野县供电公司投诉"):
        found = ask("城关供电所", context=ask(before))
        assert [short(path) for path in found.targets] == [CHENGGUAN], before
        assert ("Company", "context") in sources(found)
    assert ask("城关供电所", context=ask("济南投诉")).status == "ambiguous"


def test_scope_before_context(ask: Ask, short: Short) -> None:
    found = ask("城关供电所投诉", scope="菏泽", context=ask("潍坊投诉"))
    assert [short(path) for path in found.targets] == [CHENGGUAN]


def test_context_takes_several_targets_along(ask: Ask, short: Short) -> None:
    found = ask("意见", context=ask("济南和菏泽投诉"))
    assert [short(path) for path in found.targets] == ["济南", "菏泽"]


def test_context_without_targets_adds_none(ask: Ask) -> None:
    """An ambiguous or conflicting question before leaves nothing to take along."""
    for before in ("城关供电所投诉", "曹县供电公司麒麟供电所投诉", "投诉数量"):
        found = ask("意见", context=ask(before))
        assert (found.status, found.targets, found.indicators) == ("resolved", (), ("意见",))


def test_context_does_not_answer_what_is_no_question(ask: Ask) -> None:
    before = ask("菏泽投诉")
    for query in ("", "你好", "火星供电所", "13月", "本县"):
        assert ask(query, context=before).status == "unresolved", query
        assert ask(query, context=before).targets == ()
    assert ask("昨天", context=before).status == "resolved"


def test_context_survives_the_wire(ask: Ask) -> None:
    before = ask("菏泽2024年3月投诉")
    again = Resolution.model_validate_json(before.model_dump_json())
    assert ask("意见", context=again) == ask("意见", context=before)


def test_context_of_another_table_is_left_aside(ask: Ask, engine_with: Callable[..., Engine]) -> None:
    """Its organisations are none of ours; its indicators and dates are words like any other."""
    before = engine_with("河北省,保定,涞水县供电公司,龙门供电所").resolve("保定2024年3月投诉")
    found = ask("意见", context=before)
    assert found.targets == () and found.dates == before.dates


# Defaults ------------------------------------------------------------------------------------------------


def test_default_date_fills_a_date_that_is_left_out(engine_with: Callable[..., Engine], today: date) -> None:
    engine = engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所", default_date="本月")
    found = engine.resolve("菏泽投诉", today=today)
    assert [(d.text, d.start, d.end) for d in found.dates] == [("本月", date(2024, 5, 1), date(2024, 5, 31))]
    assert ("Date", "default") in sources(found)
    assert [d.text for d in engine.resolve("昨天菏泽投诉", today=today).dates] == ["昨天"]
    assert [d.text for d in engine.resolve("各县公司火星投诉", today=today).dates] == ["本月"]
    context = engine.resolve("2024年3月菏泽投诉", today=today)
    assert [d.text for d in engine.resolve("意见", today=today, context=context).dates] == ["2024年3月"]
    assert engine.resolve("火星供电所投诉", today=today).dates == ()
    assert engine.resolve("2月30日菏泽投诉", today=today).dates == ()


def test_default_date_is_off_unless_asked_for(ask: Ask) -> None:
    assert ask("菏泽投诉").dates == ()


@pytest.mark.parametrize("wrong", ["某天", "", "13月"])
def test_default_date_must_be_a_date(engine_with: Callable[..., Engine], wrong: str) -> None:
    with pytest.raises(ValueError, match="default_date"):
        engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所", default_date=wrong)


def test_indicators_of_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "indicators.csv"
    path.write_text("\ufeffname,aliases\n飞线充电,飞充 | 飞线\n,空\n投诉,\n", encoding="utf-8")
    engine = Engine(indicators=path)
    assert engine.resolve("菏泽飞充和飞线充电数量").indicators == ("飞线充电",)
    assert engine.resolve("菏泽意见").indicators == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"a,b\n1,2\n", "name"),
        (b"name\n", "no indicator"),
    ],
)
def test_an_indicator_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "indicators.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HierarchyError, match=words) as error:
        Engine(indicators=path)
    assert "indicators.csv" in str(error.value)


# Reload --------------------------------------------------------------------------------------------------


@pytest.fixture
def served(engine_with: Callable[..., Engine]) -> Engine:
    return engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所")


def test_reload_switches_to_the_new_table(served: Engine, write_table: Callable[..., Path]) -> None:
    new = served.reload(write_table("河北省,保定,涞水县供电公司,龙门供电所"))
    assert served.hierarchy is new and len(new) == 4
    assert served.resolve("龙门所投诉").city == "保定"
    assert served.resolve("麒麟供电所投诉").status == "unresolved"


def test_reload_takes_a_hierarchy_and_loader_options(served: Engine, tmp_path: Path) -> None:
    path = tmp_path / "others.csv"
    path.write_text("省,市,县公司,所\n河北省,保定,涞水县供电公司,龙门供电所\n", encoding="gb18030")
    columns = {"province": "省", "city": "市", "company": "县公司", "substation": "所"}
    served.reload(path, columns=columns)
    assert served.resolve("保定投诉").city == "保定"
    assert served.reload(Hierarchy.from_csv(path, columns=columns)) == served.hierarchy


def test_a_table_that_cannot_be_used_leaves_the_old_one_serving(served: Engine, tmp_path: Path) -> None:
    """A missing file, one of rubbish, one without rows: the error is raised, and answers go on as before."""
    rubbish = tmp_path / "rubbish.csv"
    rubbish.write_bytes(b"\x00\x01\xff\xfe")
    empty = tmp_path / "empty.csv"
    empty.write_text("province,city,company,substation\n", encoding="utf-8")
    before = served.resolve("麒麟供电所投诉")
    table = served.hierarchy
    for source in (tmp_path / "missing.csv", rubbish, empty, "sqlite:///missing.db"):
        with pytest.raises(HierarchyError):
            served.reload(source)
        assert served.hierarchy is table
        assert served.resolve("麒麟供电所投诉") == before


def test_reload_keeps_the_engines_own_indicators(tmp_path: Path, write_table: Callable[..., Path]) -> None:
    path = tmp_path / "indicators.csv"
    path.write_text("name,aliases\n飞线充电,飞充\n", encoding="utf-8")
    engine = Engine(indicators=path)
    engine.reload(write_table("河北省,保定,涞水县供电公司,龙门供电所"))
    assert engine.resolve("保定飞充").indicators == ("飞线充电",)


def test_a_table_of_several_provinces(engine_with: Callable[..., Any]) -> None:
    """全省 is no one's without a scope; the province tells two cities of one name apart."""
    engine = engine_with("甲省,东城,红旗县供电公司,一心供电所", "乙省,东城,蓝旗县供电公司,一心供电所")
    assert engine.resolve("全省投诉").status == "unresolved"
    assert [str(path) for path in engine.resolve("全省投诉", scope="蓝旗县供电公司").targets] == ["乙省"]
    assert engine.resolve("东城投诉").status == "ambiguous"
    assert [str(path) for path in engine.resolve("乙省东城投诉").targets] == ["乙省 → 东城"]
    assert [str(path) for path in engine.resolve("乙省一心所投诉").targets] == [
        "乙省 → 东城 → 蓝旗县供电公司 → 一心供电所"
    ]


def test_prepare_changes_no_answer(engine: Engine) -> None:
    other = Engine(Tables.build(engine.hierarchy), gap_filler=None)
    other.prepare()
    for query in ("新欣供电所报修", "火星供电所投诉", "去年菏泽麒麟投诉"):
        assert other.resolve(query, today=DAY) == engine.resolve(query, today=DAY)


def test_prepare_loads_the_gap_filler(engine: Engine) -> None:
    class Lazy:
        name = "lazy"
        loaded = 0

        def prepare(self) -> None:
            self.loaded += 1

        def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
            raise AssertionError("nothing was asked")

    filler = Lazy()
    Engine(Tables.build(engine.hierarchy), gap_filler=filler).prepare_gap_filler()
    assert filler.loaded == 1
