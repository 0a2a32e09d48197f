"""What is true of every answer, whatever was asked of whatever table."""

from __future__ import annotations

import html
import random
import re
import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qilin import Engine, OrgPath, Resolution
from qilin.answer.markup import TAGS, tagged_fragments
from qilin.hierarchy import Hierarchy, Level

LEVELS = ("Province", "City", "Company", "Substation")
COLUMNS = ("province", "city", "company", "substation")
TODAY = date(2024, 5, 13)

NAMES = [
    "山东省",
    "山东",
    "菏泽",
    "菏泽市",
    "济南",
    "济南市",
    "济宁",
    "枣庄",
    "日照",
    "巨野",
    "巨野县",
    "巨野县供电公司",
    "曹县",
    "曹县供电公司",
    "单县",
    "市中",
    "市中区",
    "市中区供电公司",
    "历下",
    "天桥区",
    "利津",
    "麒麟",
    "麒麟所",
    "麒麟供电所",
    "城关供电所",
    "城关",
    "文化",
    "文化所",
    "周村",
    "天平",
    "平阴",
    "万户",
    "定陶县供电公司",
    "泉城",
    "国网",
    "聚野县",
    "荷泽市",
    "麒林",
    "麟麒供电所",
    "千福山",
    "火星供电所",
    "河北省",
    "保定市",
    "全省",
    "全市",
    "本县",
    "市公司",
    "我们公司",
    "本所",
    "各县公司",
    "各供电所",
    "下属所有供电所",
    "除",
    "除了",
    "不含",
    "外",
    "以外",
    "和",
    "与",
    "以及",
    "、",
    "，",
    "和",
    "的",
    "所有",
    "所辖",
    "投诉",
    "意见",
    "投诉百万户量",
    "百万户",
    "万户",
    "投诉工单",
    "数量",
    "本月",
    "今天",
    "今日照常",
    "本周村民",
    "近7天",
    "2024年5月",
    "13月",
    "2月30日",
    "三季度",
    "一",
    "二",
    "7",
    "（",
    "）",
    "(",
    ")",
    "【",
    "】",
    "<",
    ">",
    "&",
    "/",
    "-",
    "<City>",
    "</City>",
    "&amp;",
    "供电公司",
    "供电所",
    "公司",
    "所",
    "县",
    "市",
    "区",
    "省",
    "镇",
    "菏",
    "泽",
    "麒",
    "麟",
    "曹",
    "野",
]
AWKWARD = [
    "\ud800",
    "\udfff",
    "\x00",
    "\x1f",
    "\u200b",
    "\u202e",
    "\u0301",
    "\ufdfa",
    "ﷺ",
    "⽇",
    "①",
    "Ａ",
    "\U0001f600",
    "\U000e0001",
    "\n",
    "\u2028",
    "ß",
    "İ",
    "菏澤",
]

PIECES = st.one_of(
    st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(AWKWARD),
    st.text(st.characters(), max_size=3), st.text("菏泽巨野曹县麒麟所供电公司日照市中区", max_size=4),
)  # fmt: skip
QUERIES = st.lists(PIECES, max_size=9).map("".join)


def node(table: Hierarchy, path: OrgPath) -> int:
    """The one organisation of the table with exactly this path."""
    names = (path.province, path.city, path.company, path.substation)
    found = [i for i in table.find(str(path)) if table.path_names(i) == names]
    assert len(found) == 1, path
    return found[0]


def check_path(table: Hierarchy, path: OrgPath) -> None:
    """A real organisation, whose fields agree with each other."""
    i = node(table, path)
    assert path.level == LEVELS[table.levels[i]]
    assert path.name == table.names[i] == getattr(path, COLUMNS[table.levels[i]])
    assert str(path) == " → ".join(filter(None, table.path_names(i)))


def check_answer(table: Hierarchy, found: Resolution) -> None:
    """The fields of a resolution are consistent with the table and with each other."""
    for path in (*found.targets, *found.excluded, *found.candidates):
        check_path(table, path)
    for conflict in found.conflicts:
        assert conflict.message
        for path in conflict.repairs:
            check_path(table, path)
    for paths in (found.targets, found.excluded, found.candidates):
        assert len(set(paths)) == len(paths)
    if found.status == "conflict":
        assert found.targets == () and found.conflicts and found.question
    else:
        assert found.conflicts == ()
    if found.status == "ambiguous":
        assert found.question
        assert found.candidates or "太多" in found.question
    if found.status == "unresolved":
        assert found.targets == () and found.question
    if found.status == "resolved":
        assert found.question is None and found.candidates == ()
        assert all(unknown.kind == "other" for unknown in found.unknown)
        assert found.targets or found.excluded or found.indicators or found.group_by or found.entities
    for column in COLUMNS:
        values = {getattr(path, column) for path in found.targets}
        assert getattr(found, column) == (values.pop() if len(values) == 1 else None)
    assert [e.name for e in found.entities if e.type == "Indicator" and e.name not in found.indicators] == []
    assert len(set(found.indicators)) == len(found.indicators)
    assert all(d.start <= d.end for d in found.dates)
    for entity in found.entities:
        assert 0 < entity.score <= 1
        assert (entity.text is None) == (entity.start is None) == (entity.end is None)
        assert (entity.group is not None) == (entity.type in LEVELS)
    for group in {e.group for e in found.entities if e.group is not None}:
        named = [(e.type, e.name) for e in found.entities if e.group == group]
        assert len({level for level, _ in named}) == len(set(named)) or found.status in ("ambiguous", "conflict")


def check_spans(found: Resolution) -> None:
    """Spans are in bounds and in order, cut out the surface form unchanged, and do not overlap unknown content."""
    query = found.query
    if unfolds(query):
        return
    previous_end = 0
    for entity in (e for e in found.entities if e.start is not None):
        assert entity.start is not None and entity.end is not None
        assert previous_end <= entity.start < entity.end <= len(query)
        assert query[entity.start : entity.end] == entity.text
        previous_end = entity.end
    previous_end = 0
    taken = [(e.start, e.end) for e in found.entities if e.start is not None and e.end is not None]
    for unknown in found.unknown:
        assert previous_end <= unknown.start < unknown.end <= len(query)
        assert query[unknown.start : unknown.end] == unknown.text
        assert not any(a < unknown.end and unknown.start < b for a, b in taken)
        previous_end = unknown.end


def unfolds(query: str) -> bool:
    """Whether one character stands for several, and so may be part of two stretches: ㎡ is M and 2."""
    return any(len(unicodedata.normalize("NFKC", character)) > 1 for character in query)


def safe(text: str) -> str:
    """The text with lone surrogates written as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_TAGGED = re.compile(rf"<({'|'.join(TAGS)})>([^<>]*)</\1>")


def check_written(found: Resolution) -> None:
    """Wire format and tagged form encode to UTF-8; the one reads back equal, the other holds the query's other text."""
    text = found.model_dump_json()
    again = Resolution.model_validate_json(text.encode("utf-8"))
    assert again.model_dump_json() == text
    if safe(found.query) == found.query:
        assert again == found
    tagged = found.to_xml()
    tagged.encode("utf-8")
    assert tagged == "".join(
        part.text for part in tagged_fragments(found.query, found.entities)
    )  # the short way says the same
    rest = _TAGGED.sub("", tagged)
    assert "<" not in rest and ">" not in rest  # nothing but well-formed tags, and text that was escaped
    written = [(tag, html.unescape(name)) for tag, name in _TAGGED.findall(tagged)]
    organisations = {(e.type, safe(e.name)) for e in found.entities if e.type in LEVELS}
    assert {pair for pair in written if pair[0] in LEVELS} <= organisations
    others = [(e.type, e.text) for e in found.entities if e.type not in LEVELS and e.text is not None]
    assert [pair[0] for pair in written if pair[0] not in LEVELS] == [kind for kind, _ in others]
    # What stands outside the mentions comes out in order; only separators and brackets may be left behind.
    remaining = iter(html.unescape(rest))
    edges = [0, *(x for e in found.entities if e.start is not None and e.end is not None for x in (e.start, e.end))]
    edges.append(len(found.query))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        for character in safe(found.query[start:end]):
            if character.isalnum() and character not in "和与及跟":
                assert character in remaining, (found.query, tagged)  # consumes up to and with it


@settings(max_examples=1500)
@given(query=QUERIES)
def test_every_answer_is_consistent(engine: Engine, query: str) -> None:
    """Never raises; spans slice the query; paths are the table's; the fields agree; all of it can be written."""
    found = engine.resolve(query, today=TODAY)
    assert found.query == query
    check_answer(engine.hierarchy, found)
    check_spans(found)
    check_written(found)


@settings(max_examples=300)
@given(query=st.text(max_size=60))
def test_arbitrary_text_is_answered(engine: Engine, query: str) -> None:
    """Any string at all: what is no question is unresolved, and nothing raises."""
    found = engine.resolve(query, today=TODAY)
    check_answer(engine.hierarchy, found)
    check_spans(found)
    check_written(found)


@settings(max_examples=400)
@given(
    query=QUERIES, before=QUERIES,
    scope=st.sampled_from([None, "山东省", "菏泽", "菏泽/巨野县供电公司", "麒麟供电所", "济南", "市中供电中心"]),
    in_context=st.booleans(),
)  # fmt: skip
def test_scope_and_context_keep_answers_consistent(
    engine: Engine, query: str, before: str, scope: str | None, in_context: bool
) -> None:
    """Whoever asks and whatever was asked before."""
    context = engine.resolve(before, today=TODAY) if in_context else None
    found = engine.resolve(query, today=TODAY, scope=scope, context=context)
    check_answer(engine.hierarchy, found)
    check_spans(found)
    check_written(found)


@settings(max_examples=300)
@given(query=QUERIES, scope=st.sampled_from(["菏泽", "菏泽/巨野县供电公司", "济南"]))
def test_scope_only_chooses(engine: Engine, query: str, scope: str) -> None:
    """What is resolved without a scope is the same with it, relative names apart."""
    alone = engine.resolve(query, today=TODAY)
    found = engine.resolve(query, today=TODAY, scope=scope)
    if alone.status == "resolved" and not any(e.source == "scope" for e in found.entities):
        assert (found.status, found.targets, found.excluded) == ("resolved", alone.targets, alone.excluded)
    if alone.status == "conflict" and not any(e.source == "scope" for e in found.entities):
        assert found.status == "conflict"


@settings(max_examples=200)
@given(query=QUERIES)
def test_two_runs_give_the_same_bytes(engine: Engine, query: str) -> None:
    """Asked again, of an engine that has answered much else in between."""
    first = engine.resolve(query, today=TODAY)
    engine.resolve("菏泽" + query[::-1], today=TODAY)
    again = engine.resolve(query, today=TODAY)
    assert again.model_dump_json() == first.model_dump_json() and again.to_xml() == first.to_xml()


# Tables --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[dict[str, str]]:
    """The Shandong table, to be shuffled and added to."""
    return engine.hierarchy.to_rows()


@pytest.fixture(scope="module")
def plain(rows: list[dict[str, str]]) -> Engine:
    return Engine(Hierarchy.from_rows(rows))


@pytest.fixture(scope="module")
def shuffled(rows: list[dict[str, str]]) -> Engine:
    again = list(rows)
    random.Random(5).shuffle(again)
    return Engine(Hierarchy.from_rows(again))


@pytest.fixture(scope="module")
def extended(rows: list[dict[str, str]]) -> Engine:
    """With a city whose names share nothing with any other."""
    stranger = {"province": "山东省", "city": "鑫淼", "company": "焱垚县供电公司", "substation": "犇骉供电所"}
    return Engine(Hierarchy.from_rows([*rows, stranger]))


@settings(max_examples=400)
@given(query=QUERIES)
def test_row_order_changes_nothing(plain: Engine, shuffled: Engine, query: str) -> None:
    assert shuffled.hierarchy == plain.hierarchy
    expected = plain.resolve(query, today=TODAY).model_dump_json()
    assert shuffled.resolve(query, today=TODAY).model_dump_json() == expected


@settings(max_examples=400)
@given(query=QUERIES)
def test_an_unrelated_organisation_changes_no_answer(plain: Engine, extended: Engine, query: str) -> None:
    """None that does not name it, that is."""
    if not set(query) & set("鑫淼焱垚犇骉"):
        expected = plain.resolve(query, today=TODAY)
        assert extended.resolve(query, today=TODAY).model_dump_json() == expected.model_dump_json()


@settings(max_examples=100)
@given(data=st.data())
def test_small_tables_of_awkward_names(engine_with: Callable[..., Engine], data: st.DataObject) -> None:
    """Names that are ends and starts of each other, on tables of any shape: consistent all the same."""
    stem = st.text("甲乙丙县市区所", min_size=1, max_size=3)
    made = data.draw(
        st.lists(st.tuples(stem, stem, stem), min_size=1, max_size=5).map(
            lambda found: [
                {"province": "甲省", "city": a + "城", "company": b + "县供电公司", "substation": c + "供电所"}
                for a, b, c in found
            ]
        )
    )
    table = Hierarchy.from_rows(made)
    engine = Engine(table)
    pieces = [name for row in made for name in row.values()] + [
        "甲",
        "乙丙",
        "县",
        "所",
        "供电所",
        "和",
        "、",
        "除",
        "外",
        "投诉",
    ]
    query = "".join(data.draw(st.lists(st.sampled_from(pieces), max_size=6)))
    found = engine.resolve(query, today=TODAY)
    check_answer(table, found)
    check_spans(found)
    check_written(found)
    for i in range(len(table)):
        if table.levels[i] == Level.SUBSTATION:
            names = list(filter(None, table.path_names(i)))
            whole = engine.resolve("".join(names) + "投诉", today=TODAY)
            assert whole.status in ("resolved", "ambiguous", "conflict", "unresolved")
            check_answer(table, whole)
