"""Mentions and readings: the automaton against a plain scan, segmentations against every choice there is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qilin import Engine, Resolution
from qilin.answer.values import OrgPath
from qilin.hierarchy import Hierarchy
from qilin.names.gazetteer import Gazetteer
from qilin.names.mention import IndicatorMention, OrgMention, Part
from qilin.readings.lattice import segment
from qilin.text.filler import Filler

Ask = Callable[..., Resolution]
Short = Callable[[OrgPath], str]

# Names where the end of one is the start of another, and names inside names.
ROWS = [
    {"province": "甲省", "city": city, "company": company, "substation": substation}
    for city, company, substation in (
        ("乙丙", "丙丁县供电公司", "丁戊供电所"),
        ("乙丙", "丙丁县供电公司", "戊乙丙供电所"),
        ("乙丙", "丁乙区供电公司", "丙丁供电所"),
        ("丙丁", "乙丙丁县供电公司", "丁供电所"),
    )
]
LETTERS = "甲乙丙丁戊省县区所供电公司和"


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(Hierarchy.from_rows(ROWS), [("丙丁数", "丙丁数"), ("丁", "丁")], {}, {}, str)


@given(text=st.text(LETTERS, max_size=14))
def test_the_automaton_finds_what_a_plain_scan_finds(gazetteer: Gazetteer, text: str) -> None:
    """Every stem and every indicator wherever it stands, overlapping ones and those inside others too."""
    found = gazetteer.scan(text).mentions
    stems = {(m.start, len(m.name.stem)) for m in found if isinstance(m, OrgMention)}
    for size in range(2, 8):
        for start in range(len(text) - size + 1):
            stem = text[start : start + size]
            if gazetteer.is_stem(stem) and gazetteer.name(stem, "") is not None:
                assert (start, size) in stems, (text, stem)
    assert {text[start : start + size] for start, size in stems} <= set(gazetteer.stems)
    indicators = sorted((m.start, m.end) for m in found if isinstance(m, IndicatorMention))
    plain = [(i, i + len(word)) for word in ("丙丁数", "丁") for i in range(len(text)) if text.startswith(word, i)]
    assert indicators == sorted(plain)


@given(text=st.text(LETTERS, max_size=14))
def test_every_mention_says_the_same_of_its_text_wherever_it_stands(gazetteer: Gazetteer, text: str) -> None:
    """Alone, a mention's own characters name the same organisations."""
    for mention in gazetteer.scan(text).mentions:
        alone = gazetteer.scan(text[mention.start : mention.end]).mentions
        assert (type(mention), 0, mention.end - mention.start) in {(type(m), m.start, m.end) for m in alone}


def choices(parts: list[Part]) -> list[tuple[Part, ...]]:
    """Every set of parts that do not overlap."""
    found = []
    for size in range(len(parts) + 1):
        for chosen in combinations(sorted(parts, key=lambda p: (p.start, p.end)), size):
            if all(a.end <= b.start for a, b in pairwise(chosen)):
                found.append(chosen)
    return found


@given(text=st.text(LETTERS, max_size=12))
def test_no_choice_of_mentions_leaves_less_unexplained(gazetteer: Gazetteer, text: str) -> None:
    """What `segment` leaves over is the least that any choice of non-overlapping mentions would."""
    filler = Filler(frozenset({"的"}))
    parts: list[Part] = [*gazetteer.scan(text).mentions]
    cut = segment(text, parts, filler)

    def left_over(chosen: tuple[Part, ...]) -> int:
        edges = [0, *(edge for p in chosen for edge in (p.start, p.end)), len(text)]
        return sum(filler.gap(text[a:b]).content for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)

    for segmentation in cut.equal:
        chosen = segmentation.parts
        assert all(a.end <= b.start for a, b in pairwise(chosen))
        assert segmentation.leftover == left_over(chosen)
        assert segmentation.leftover == sum(end - start for start, end in segmentation.runs)
    assert cut.equal[0].leftover <= min(map(left_over, choices(parts[:12])))


@given(gap=st.text("的和、菏泽A1 ，。", max_size=12))
def test_filler_and_runs_make_up_a_gap(gap: str) -> None:
    """Unexplained runs and filler words are in order, do not overlap, and hold every letter and digit."""
    found = Filler(frozenset({"的"})).gap(gap)
    pieces = sorted((*found.runs, *found.words))
    assert all(a[1] <= b[0] for a, b in pairwise(pieces))
    covered = {i for a, b in pieces for i in range(a, b)}
    assert {i for i, c in enumerate(gap) if c.isalnum()} <= covered
    assert found.content == sum(b - a for a, b in found.runs)
    assert found.soft == any(c in "、 ，。" for c in gap)


# Which reading wins --------------------------------------------------------------------------------------


def test_mentions_of_one_target_are_of_different_levels_where_possible(engine_with: Callable[..., Engine]) -> None:
    """安阳安阳 is city and company; 安阳安阳安阳 the substation below them."""
    engine = engine_with("甲省,安阳,安阳县供电公司,安阳供电所", "甲省,安阳,滑县供电公司,道口供电所")
    for query, path in [
        ("安阳", "甲省 → 安阳"),
        ("安阳安阳", "甲省 → 安阳 → 安阳县供电公司"),
        ("安阳安阳安阳", "甲省 → 安阳 → 安阳县供电公司 → 安阳供电所"),
        ("安阳安阳所", "甲省 → 安阳 → 安阳县供电公司 → 安阳供电所"),
        ("安阳所安阳", "甲省 → 安阳 → 安阳县供电公司 → 安阳供电所"),
    ]:
        assert [str(target) for target in engine.resolve(query + "投诉").targets] == [path], query


def test_a_fuller_form_beats_a_higher_level(engine_with: Callable[..., Engine]) -> None:
    """新城区 is the company by its shortened form, though a substation's stem is 新城区 as well."""
    engine = engine_with("甲省,乙城,新城区供电公司,东关供电所", "甲省,丙城,丁县供电公司,新城区供电所")
    assert engine.resolve("新城区投诉").company == "新城区供电公司"
    assert engine.resolve("乙城新城区投诉").company == "新城区供电公司"
    assert engine.resolve("丙城新城区投诉").substation == "新城区供电所"
    assert engine.resolve("新城区供电所投诉").substation == "新城区供电所"


def test_two_names_of_one_company_in_full_are_asked_about(engine_with: Callable[..., Engine]) -> None:
    """市中区供电公司 is one's canonical name and another's declared alias: neither is fuller."""
    engine = engine_with(
        "甲省,乙城,市中区供电公司,东关供电所", "甲省,丙城,市中供电中心,西关供电所",
        aliases=("市中区供电公司,company,市中供电中心,丙城,variant,,",),
    )  # fmt: skip
    found = engine.resolve("市中区供电公司投诉")
    assert found.status == "ambiguous" and {path.city for path in found.candidates} == {"乙城", "丙城"}
    assert engine.resolve("乙城市市中区供电公司投诉").city == "乙城"
    assert engine.resolve("市中区供电公司西关所投诉").city == "丙城"


def test_overlapping_names_are_cut_where_all_is_explained(engine_with: Callable[..., Engine]) -> None:
    """济南市中: 济南 + 市中 explains all; 济南市 + 中 does not."""
    engine = engine_with("甲省,济南,市中供电中心,东关供电所", "甲省,济南,历下供电中心,")
    assert engine.resolve("济南市中投诉").company == "市中供电中心"
    assert engine.resolve("济南市投诉").company is None
    assert [path.company for path in engine.resolve("济南市中和历下投诉").targets] == ["市中供电中心", "历下供电中心"]


def test_a_longer_name_is_not_torn_into_two_targets(engine_with: Callable[..., Engine]) -> None:
    """呼伦贝尔 is not 呼伦 and 贝尔."""
    engine = engine_with(
        "甲省,呼伦贝尔,丙县供电公司,东关供电所",
        "甲省,乙城,丁县供电公司,呼伦供电所",
        "甲省,乙城,丁县供电公司,贝尔供电所",
    )
    assert [path.name for path in engine.resolve("呼伦贝尔投诉").targets] == ["呼伦贝尔"]
    assert [path.name for path in engine.resolve("呼伦和贝尔投诉").targets] == ["呼伦供电所", "贝尔供电所"]


def test_a_long_name_holds_the_shorter_one(engine_with: Callable[..., Engine]) -> None:
    """郓城县经济开发区供电所 is one mention, and its tail is enough beside its parent."""
    engine = engine_with("甲省,乙城,郓城县供电公司,郓城县经济开发区供电所", "甲省,乙城,曹县供电公司,东关供电所")
    for query in ("郓城县经济开发区供电所投诉", "郓城经济开发区供电所投诉", "郓城县经济开发区投诉"):
        assert engine.resolve(query).substation == "郓城县经济开发区供电所", query


def test_too_many_ways_to_read_a_text_is_said_so(engine_with: Callable[..., Engine]) -> None:
    """Each 乙丙丁 is 乙丙 or 丙丁; of eight together there are 256 readings: the answer comes, and is no guess."""
    engine = engine_with("甲省,乙丙,戊县供电公司,东关供电所", "甲省,丙丁,己县供电公司,西关供电所")
    for times in (1, 2, 8):
        found = engine.resolve("和".join(["乙丙丁"] * times) + "投诉")
        assert found.status == "ambiguous" and found.question, times
        assert found.targets == ()


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ("菏泽麒麟", ["菏泽/巨野县供电公司/麒麟供电所"]),
        ("麒麟菏泽", ["菏泽/巨野县供电公司/麒麟供电所"]),
        ("菏泽、麒麟", ["菏泽/巨野县供电公司/麒麟供电所"]),
        ("菏泽和麒麟", ["菏泽", "菏泽/巨野县供电公司/麒麟供电所"]),
        ("济南、麒麟", ["济南", "菏泽/巨野县供电公司/麒麟供电所"]),
        ("巨野曹县", ["菏泽/巨野县供电公司", "菏泽/曹县供电公司"]),
        ("菏泽、菏泽", ["菏泽"]),
        ("菏泽和菏泽", ["菏泽"]),
    ],
)
def test_separators(ask: Ask, short: Short, query: str, targets: list[str]) -> None:
    """和 always separates; commas do so unless one path holds both; two of one level are two targets."""
    assert [short(path) for path in ask(query + "投诉").targets] == targets
