"""Explanations: what was kept and dropped, which reading won, and the tree that is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qilin import Engine
from qilin.hierarchy import Hierarchy
from qilin.names.compiled import Tables
from qilin.names.find import find_names
from qilin.report.explain import explain
from qilin.report.explanation import Branch, Explanation, MentionNote
from qilin.report.lines import explanation_lines
from qilin.report.text import safe

TODAY = date(2024, 5, 13)
QUERIES = (
    "菏泽麒麟投诉数量",
    "曹县供电公司麒麟供电所",
    "济宁巨野",
    "城关供电所",
    "济南市南部",
    "菏泽剧野县投诉",
    "附近建设投诉情况",
    "菏泽除曹县外各供电所投诉",
    "济宁除曹县外投诉",
    "枣庄市中区供电公司",
    "济南市中和历下",
    "今日照常投诉",
    "菏泽火星供电所",
    "济宁市巨野县麒麟供电所投诉",
    "东城区投诉",
    "13月投诉",
    "全市投诉",
    "",
    "麒\ud800麟\x1b[31m投诉",
    "东明和城关供电所投诉",
    "兴安盟投诉",
    "智远市北镇供电所",
    "前曹济河县",
    "兴安水泉城",
    "滨海新区",
    "东街",
    "济北城",
    "滨河供电所藏南齐鲁城",
)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(clock=lambda: TODAY)


def text_of(explanation: Explanation) -> str:
    lines = explanation_lines(explanation)
    return "\n".join("".join(safe(piece.text) for piece in line).rstrip() for line in lines) + "\n"


def marks(branches: tuple[Branch, ...]) -> set[tuple[str, str]]:
    """(mark, name) of every marked branch."""
    found: set[tuple[str, str]] = {(b.mark, b.name) for b in branches if b.mark is not None}
    for branch in branches:
        found |= marks(branch.children)
    return found


def note(notes: tuple[MentionNote, ...], text: str) -> MentionNote:
    return next(n for n in notes if n.text == text)


@pytest.mark.parametrize("query", QUERIES)
def test_concludes_what_resolve_does(engine: Engine, query: str) -> None:
    assert explain(engine, query).resolution == engine.resolve(query)


@pytest.mark.parametrize("query", QUERIES)
def test_spans_slice_the_query_and_json_reads_back(engine: Engine, query: str) -> None:
    explanation = explain(engine, query)
    for each in (*explanation.kept, *explanation.dropped):
        assert query[each.start : each.end] == each.text
        assert (each.reason is None) == (each in explanation.kept)
    content = json.loads(explanation.to_json())
    assert [n["text"] for n in content["kept"]] == [
        n.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for n in explanation.kept
    ]
    assert explanation.readings
    assert explain(engine, query).to_json() == explanation.to_json()
    assert text_of(explanation).isprintable() or "\n" in text_of(explanation)


@given(query=st.lists(st.sampled_from(["菏泽", "巨野", "剧野县", "麒麟供电所", "市中", "城关", "新城", "除", "外", "和", "所",
                                       "各县公司", "本周", "投诉", "\u202e", "x"]) | st.text(max_size=3), max_size=7).map("".join))  # fmt: skip
def test_any_query_is_explained(engine: Engine, query: str) -> None:
    """No text fails, everything dropped has its reason, and the conclusion is that of `resolve`."""
    explanation = explain(engine, query)
    assert explanation.resolution == engine.resolve(query)
    assert all(n.reason for n in explanation.dropped)
    assert text_of(explanation).startswith("问题")
    json.loads(explanation.to_json())


def test_a_plain_path_as_text(engine: Engine) -> None:
    assert (
        text_of(explain(engine, "菏泽麒麟投诉数量"))
        == """\
问题  菏泽麒麟投诉数量

采用的提及
  “菏泽” [0, 2)  单位，来源：与表中名称相同
      ✓ 山东省 → 菏泽（全称）
  “麒麟” [2, 4)  单位，来源：别名或简称
      ✓ 山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所（词干）
  “投诉” [4, 6)  指标：投诉，来源：与表中名称相同

未采用的提及：无

读法（优者在前）
  1. 胜出  菏泽 + 麒麟 + 投诉
     代价  未解释 0 字；错别字 0；最不完整的写法：词干
     单位  山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所
     理由  没有别的读法代价这样小

路径
  山东省
  └── 菏泽  ←“菏泽”
      └── 巨野县供电公司
          └── ✓ 麒麟供电所  ←“麒麟”

结论
✓ 已解析  山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所
  指标    投诉
"""
    )


def test_a_conflict_shows_both_branches(engine: Engine) -> None:
    assert """
路径
  山东省
  └── 菏泽
      ├── 巨野县供电公司
      │   └── ✓ 麒麟供电所  ←“麒麟供电所”实际在这里
      └── 曹县供电公司  ←“曹县供电公司”
          └── ✗ 麒麟供电所  “麒麟供电所”不在这里

结论
✗ 有冲突
""" in text_of(explain(engine, "曹县供电公司麒麟供电所"))


def test_a_conflict_across_cities(engine: Engine) -> None:
    explanation = explain(engine, "济宁巨野")
    assert explanation.readings[0].verdict == "clashes"
    assert explanation.readings[0].clashes == ("济宁 ✗ 巨野",)
    assert marks(explanation.tree) == {
        ("named", "济宁"),
        ("missing", "巨野县供电公司"),
        ("actual", "巨野县供电公司"),
    }


def test_mentions_beside_a_conflict_are_drawn_too(engine: Engine) -> None:
    assert ("named", "麒麟供电所") in marks(explain(engine, "济宁市巨野县麒麟供电所投诉").tree)


def test_an_ambiguity_shows_every_candidate(engine: Engine) -> None:
    explanation = explain(engine, "城关供电所")
    (mention,) = explanation.kept
    assert [n.chosen for n in mention.namings] == [True] * 3
    assert "3 个单位" in explanation.readings[0].why
    assert marks(explanation.tree) == {("candidate", "城关供电所")}


def test_scope_chooses_and_says_so(engine: Engine) -> None:
    explanation = explain(engine, "城关供电所", scope="菏泽")
    (mention,) = explanation.kept
    assert [(n.path.city, n.why) for n in mention.namings] == [
        ("菏泽", ""),
        ("潍坊", "不在提问者所在单位之内"),
        ("潍坊", "不在提问者所在单位之内"),
    ]
    assert marks(explanation.tree) == {("target", "城关供电所")}


def test_a_name_cut_out_of_a_word(engine: Engine) -> None:
    explanation = explain(engine, "济南市南部")
    assert note(explanation.dropped, "市南").reason == "是从“南部”一词中截出来的"


def test_an_ordinary_word_without_support(engine: Engine) -> None:
    explanation = explain(engine, "更新城网设备投诉")
    assert "普通词" in str(note(explanation.dropped, "新城").reason)


def test_a_typo_and_what_it_beat(engine: Engine) -> None:
    explanation = explain(engine, "菏泽剧野县投诉")
    (naming,) = note(explanation.kept, "剧野县").namings
    assert (naming.form, naming.typo, naming.chosen) == ("简称", "同音字", True)
    assert note(explanation.kept, "剧野县").source == "fuzzy"
    winner, loser = explanation.readings
    assert (winner.verdict, winner.typos, winner.why) == ("wins", 1, "留下的字更少（0 < 3）")
    assert (loser.verdict, loser.unexplained, loser.content) == ("lost", ("剧野县",), 3)


def test_a_date_beats_the_name_it_overlaps(engine: Engine) -> None:
    explanation = explain(engine, "今日照常投诉")
    assert note(explanation.kept, "今日").meaning == "2024-05-13 至 2024-05-13"
    assert note(explanation.dropped, "日照").reason == "与“今日”重叠；日期、指标和句式优先于单位名"


def test_exclusion_and_breakdown(engine: Engine) -> None:
    explanation = explain(engine, "菏泽除曹县外各供电所投诉")
    assert {n.kind: n.meaning for n in explanation.kept if n.kind != "organisation"} == {
        "exclusion": "",
        "breakdown": "供电所",
        "indicator": "投诉",
    }
    assert marks(explanation.tree) == {("target", "菏泽"), ("excluded", "曹县供电公司")}


def test_an_exclusion_outside_what_is_asked(engine: Engine) -> None:
    assert ("outside", "曹县供电公司") in marks(explain(engine, "济宁除曹县外投诉").tree)


def test_another_owner_is_ruled_out_by_the_path(engine: Engine) -> None:
    explanation = explain(engine, "枣庄市中区供电公司")
    other = next(n for n in note(explanation.kept, "市中区供电公司").namings if not n.chosen)
    assert (other.path.city, other.form, other.why) == ("济南", "别名", "与“枣庄”不在同一条路径上")


def test_the_higher_level_wins_for_a_short_form(engine: Engine) -> None:
    explanation = explain(engine, "利津投诉")
    lower = next(n for n in note(explanation.kept, "利津").namings if not n.chosen)
    assert (lower.path.level, lower.why) == ("Substation", "写法一样时取上级单位")


def test_a_name_the_table_lacks_hangs_below_its_parent(engine: Engine) -> None:
    explanation = explain(engine, "菏泽火星供电所")
    assert marks(explanation.tree) == {("named", "菏泽"), ("missing", "火星供电所")}


def test_a_mention_that_is_part_of_an_unknown_name() -> None:
    rows = [{"province": "甲省", "city": "乙市", "company": "丙县供电公司", "substation": "丁戊供电所"}]
    engine = Engine(Hierarchy.from_rows(rows), clock=lambda: TODAY)
    explanation = explain(engine, "大丁戊供电所投诉")
    if explanation.resolution.status == "unresolved":  # whether 大 belongs to the name is the engine's to say
        assert "丁戊供电所" not in {n.text for n in explanation.kept}


def test_a_date_that_does_not_exist(engine: Engine) -> None:
    assert "不能理解的日期" in {n.meaning for n in explain(engine, "13月投诉").kept}


def test_former_names_say_so(engine: Engine) -> None:
    former = [a for a in engine.hierarchy.aliases if a.valid_to is not None and a.kind != "forbidden"]
    explanation = explain(engine, former[0].name)
    forms = {n.form for m in explanation.kept for n in m.namings}
    assert f"{former[0].valid_to}年以前的名称" in forms


def table(*paths: str) -> Engine:
    columns = ("province", "city", "company", "substation")
    rows = [dict(zip(columns, path.split("/"), strict=False)) for path in paths]
    return Engine(Hierarchy.from_rows(rows), clock=lambda: TODAY)


def test_many_owners_are_counted_not_drawn() -> None:
    engine = table(*(f"甲省/乙市{i}/丙丁{i}县供电公司/城关供电所" for i in range(20)))
    explanation = explain(engine, "城关供电所")
    text = text_of(explanation)
    assert len(explanation.kept[0].namings) == 20
    assert "… 共 20 个单位可以这样称呼" in text
    assert "另有 8 个没有画出" in text
    assert "等 20 个" in text


def test_less_of_a_suffix_that_names_another_is_listed() -> None:
    engine = table("甲省/乙丙市/利津县供电公司/利津供电所")
    dropped = explain(engine, "利津供电所").dropped
    assert [(n.text, n.reason) for n in dropped if n.text == "利津"] == [
        ("利津", "包含在更长的“利津供电所”之内；留下更多没有解释的字（3 > 0）")
    ]


def test_an_indicator_named_like_an_organisation_wins(tmp_path: Path) -> None:
    indicators = tmp_path / "indicators.csv"
    indicators.write_text("name,category,unit,aliases\n菏泽,,,\n", encoding="utf-8")
    explanation = explain(Engine(indicators=indicators, clock=lambda: TODAY), "菏泽")
    assert note(explanation.kept, "菏泽").kind == "indicator"
    assert note(explanation.dropped, "菏泽").reason == "同一处取了另一种读法；日期、指标和句式优先于单位名"


# Reasons that are easily given wrongly, each with its true one: (table, query, scope, mention, part of the reason).
REASONS = [
    ("山东省", "滨海新区", None, "滨海新区", "只是名称略去上级后的尾部"),
    ("山东省", "青口供电所投诉", None, "口供电所", "更长名称的后半段"),
    ("山东省", "最近7天平阴投诉", None, "天平", "留下更多没有解释的字（4 > 0）"),
    ("山东省", "今日照常投诉", None, "日照", "日期、指标和句式优先于单位名"),
    ("内蒙古自治区", "呼伦贝尔投诉", None, "呼伦", "拆开了一个更长的名称"),
    ("山东省", "菏泽除夕投诉", None, "除", "留下更多没有解释的字"),
    ("山西省", "绛新县供电公司投诉", None, "绛新县供电公司", "错别字更重"),
    ("山东省", "菏泽和西明县投诉", None, "西明县", "需要路径上的另一个提及支持"),
    ("山东省", "前曹济河县", None, "济河县", "仍有单位不在同一条路径上"),
    ("山东省", "菏泽除了曹县外投诉", None, "除", "作为日期、指标和句式解释的字更少"),
    ("山东省", "牟平的文化广场停电投诉", None, "文化", "紧靠前面没有它的上级"),
]


@pytest.mark.parametrize(("table", "query", "scope", "mention", "reason"), REASONS)
def test_the_reason_of_a_dropped_mention_is_true(
    engine_of: Callable[[str], Engine], table: str, query: str, scope: str | None, mention: str, reason: str
) -> None:
    dropped = explain(engine_of(table), query, today=TODAY, scope=scope).dropped
    assert reason in str(note(dropped, mention).reason)


@pytest.mark.parametrize(
    ("query", "scope", "why"),
    [
        ("城关供电所投诉", "菏泽", "取在提问者所在单位之内的"),
        ("菏泽市中区投诉", None, "留下字最少的读法里，没有一种能让所有单位在同一条路径上"),
        ("济南千福山供电所投诉", None, "留下的字更少"),
        ("历下供电中心和东阿投诉", None, "不能靠猜测选择"),
        ("巨野市投诉", None, "“巨野”是组织表中没有的“巨野市”的一部分"),
        ("漕费供电所投诉", None, "需要确认"),
        ("鹤山东投诉", "泰安", "更接近提问者所在单位"),
        ("菏泽除济宁外投诉", None, "不在所查询的单位之内"),
    ],
)
def test_the_reason_of_the_first_reading_is_true(engine: Engine, query: str, scope: str | None, why: str) -> None:
    assert why in explain(engine, query, scope=scope).readings[0].why


def test_nothing_is_listed_twice(engine_of: Callable[[str], Engine]) -> None:
    """A mention that two stems make, and a reading that two cuts give, are one."""
    for query in ("新城区供电所投诉", "滨海新区"):
        dropped = explain(engine_of("内蒙古自治区"), query, today=TODAY).dropped
        assert len({(n.text, n.start, n.namings) for n in dropped}) == len(dropped)


def test_exclusions_are_ruled_out_by_what_is_asked() -> None:
    engine = table("甲省/乙市/丙丁县供电公司/太平供电所", "甲省/乙市/戊己县供电公司/太平供电所")
    other = next(n for n in explain(engine, "丙丁县供电公司除太平供电所外投诉").kept[2].namings if not n.chosen)
    assert (other.path.company, other.why) == ("戊己县供电公司", "不在所查询的单位之内")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("麒麟", ["麒麟供电所"]),
        ("麒麟所", ["麒麟供电所"]),
        ("菏泽/麒麟", ["麒麟供电所"]),
        ("菏泽 → 巨野 → 麒麟供电所", ["麒麟供电所"]),
        ("济宁/麒麟", []),
        ("莱芜市", ["莱芜区供电公司"]),
        ("火星", []),
        ("", []),
    ],
)
def test_find_names(engine: Engine, name: str, found: list[str]) -> None:
    tables = Tables.build(engine.hierarchy)
    assert [engine.hierarchy.names[form.node] for form in find_names(tables, name)] == found
