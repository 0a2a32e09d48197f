"""Misspelt names: what weighs less wins, equals are asked about, and nothing that is right is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qilin import Engine, OrgPath, Resolution
from qilin.names.mention import EDITED, HOMOPHONE, MERGED_SOUND, SWAPPED
from qilin.names.typo_index import TypoIndex
from qilin.text.sounds import merged, merged_readings, plain, readings

Ask = Callable[..., Resolution]
Short = Callable[[OrgPath], str]


# Sounds --------------------------------------------------------------------------------------------------


def test_readings_are_toneless_and_all_of_them() -> None:
    assert readings("单") >= {"dan", "shan", "chan"}
    assert readings("绿") == {"lv", "lu"}
    assert readings("麟") == {"lin"}
    assert readings("A") == frozenset()


@pytest.mark.parametrize(
    ("syllable", "toneless"), [("shàn", "shan"), ("lǜ", "lv"), ("nǚ", "nv"), ("ǎ", "a"), ("lǖ", "lv"), ("ê̄", "e")]
)
def test_plain(syllable: str, toneless: str) -> None:
    assert plain(syllable) == toneless


@pytest.mark.parametrize(
    ("one", "other"),
    [("zhang", "zan"), ("chi", "ci"), ("sheng", "sen"), ("nan", "lan"), ("ming", "min"), ("xiang", "xian")],
)
def test_merged_sounds_are_one(one: str, other: str) -> None:
    assert merged(one) == merged(other)


@pytest.mark.parametrize(("one", "other"), [("hua", "fa"), ("ban", "pan"), ("gong", "gon"), ("re", "le")])
def test_other_sounds_stay_apart(one: str, other: str) -> None:
    assert merged(one) != merged(other)


def test_merged_readings_of_a_character() -> None:
    assert merged_readings("宁") & merged_readings("林")
    assert not merged_readings("宁") & merged_readings("巨")


# One change away -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stem", "weight"),
    [
        ("麒林", "麒麟", HOMOPHONE),
        ("其麟", "麒麟", HOMOPHONE),
        ("麒宁", "麒麟", MERGED_SOUND),
        ("麟麒", "麒麟", SWAPPED),
        ("麒山", "麒麟", EDITED),
        ("麒麟山", "麒麟", EDITED),
        ("大明山", "大明湖", EDITED),
        ("大湖", "大明湖", EDITED),
        ("大明胡", "大明湖", HOMOPHONE),
        ("大湖明", "大明湖", SWAPPED),
    ],
)
def test_lightest_way_to_a_stem(written: str, stem: str, weight: int) -> None:
    found = [meant.weight for meant in TypoIndex(["麒麟", "大明湖"]).lookup(written) if meant.stem == stem]
    assert min(found) == weight


@pytest.mark.parametrize("written", ["麒麟", "其林", "大明山湖泊", "", "麒", "湖明大", "山东"])
def test_two_changes_are_too_many(written: str) -> None:
    """And none at all is no typo."""
    assert TypoIndex(["麒麟", "大明湖"]).lookup(written) == []


def test_only_sounds_when_asked_for_light_ones() -> None:
    index = TypoIndex(["麒麟", "大明湖"])
    assert [meant.weight for meant in index.lookup("麒林", heavy=False)] == [HOMOPHONE]
    assert index.lookup("麒山", heavy=False) == index.lookup("麟麒", heavy=False) == []


def test_an_empty_index_finds_nothing() -> None:
    assert TypoIndex([]).lookup("麒麟") == []


# In a question -------------------------------------------------------------------------------------------


def small(engine_with: Callable[..., Engine], *stems: str) -> Engine:
    """One company with a substation of each stem."""
    return engine_with(*(f"甲省,乙城,丙丁县供电公司,{stem}供电所" for stem in stems))


def answer(engine: Engine, query: str) -> Any:
    """The stem of the one target, or the set of those to choose from."""
    found = engine.resolve(query + "供电所投诉")
    names = {path.name.removesuffix("供电所") for path in found.targets or found.candidates}
    return names.pop() if found.status == "resolved" and names else names


def test_a_homophone_is_lighter_than_a_merged_sound(engine_with: Callable[..., Engine]) -> None:
    assert answer(small(engine_with, "清林", "清宁"), "清麟") == "清林"


def test_a_merged_sound_is_lighter_than_a_swap(engine_with: Callable[..., Engine]) -> None:
    assert answer(small(engine_with, "山宁桥", "林山桥"), "山林桥") == "山宁桥"


def test_a_swap_is_lighter_than_another_character(engine_with: Callable[..., Engine]) -> None:
    assert answer(small(engine_with, "明月桥", "月明河"), "月明桥") == "明月桥"


def test_equally_light_typos_are_asked_about(engine_with: Callable[..., Engine]) -> None:
    """Two homophones; and two names that each lack one character of what was written."""
    assert answer(small(engine_with, "清林", "青林"), "轻林") == {"清林", "青林"}
    assert answer(small(engine_with, "大明湖", "大明桥"), "大明山") == {"大明湖", "大明桥"}


def test_what_is_written_right_is_never_a_typo(engine_with: Callable[..., Engine]) -> None:
    """A full form is itself even where a homophone would fit the rest better."""
    engine = engine_with("甲省,乙城,丙丁县供电公司,清林供电所", "甲省,戊城,己庚县供电公司,青林供电所")
    assert engine.resolve("清林供电所投诉").targets[0].city == "乙城"
    assert engine.resolve("戊城清林供电所投诉").status == "conflict"


def test_a_known_parent_chooses_among_typos(engine_with: Callable[..., Engine]) -> None:
    """Two homophones, one of them on the path of what is written right."""
    engine = engine_with("甲省,乙城,丙丁县供电公司,清林供电所", "甲省,戊城,己庚县供电公司,青林供电所")
    assert engine.resolve("乙城轻林所投诉").targets[0].name == "清林供电所"
    assert engine.resolve("轻林所（戊城）投诉").targets[0].name == "青林供电所"


@pytest.mark.parametrize(
    ("query", "surface"),
    [
        ("菏泽聚野县投诉", "聚野县"),
        ("菏泽麒林投诉", "麒林"),
        ("麟麒供电所投诉", "麟麒供电所"),
        ("荷泽市投诉", "荷泽市"),
    ],
)
def test_a_typo_is_marked_with_what_was_written(ask: Ask, query: str, surface: str) -> None:
    (named,) = [entity for entity in ask(query).entities if entity.source == "fuzzy"]
    assert named.text == surface and named.score < 0.95


@pytest.mark.parametrize("query", ["荷泽投诉", "聚野投诉数量", "麒林投诉", "本月麟麒投诉", "历夏的投诉"])
def test_a_typo_without_support_is_not_taken(ask: Ask, query: str) -> None:
    """No suffix of its own, nothing exact beside it: never a target."""
    found = ask(query)
    assert found.targets == ()
    assert found.status == "unresolved" or found.unknown


@pytest.mark.parametrize(
    ("query", "dates", "indicators"),
    [
        ("今年聚野县投诉", ["今年"], ("投诉",)),
        ("本月菏泽麒林意见", ["本月"], ("意见",)),
        ("近7天平因县投诉", ["近7天"], ("投诉",)),
        ("菏泽投诉百万户量麒林所", [], ("投诉百万户量",)),
    ],
)
def test_dates_and_indicators_are_never_part_of_a_typo(
    ask: Ask, query: str, dates: list[str], indicators: tuple[str, ...]
) -> None:
    found = ask(query)
    assert [d.text for d in found.dates] == dates and found.indicators == indicators
    assert [e.source for e in found.entities if e.source == "fuzzy"] == ["fuzzy"]


def test_a_name_is_not_swallowed_where_it_goes_with_the_rest(ask: Ask, short: Short) -> None:
    """菏泽巨野麒林: 巨野 stays itself."""
    found = ask("菏泽巨野麒林投诉")
    assert [short(path) for path in found.targets] == ["菏泽/巨野县供电公司/麒麟供电所"]
    assert {entity.text for entity in found.entities} >= {"菏泽", "巨野", "麒林"}


def test_a_typo_may_swallow_an_exact_name_whole(engine_with: Callable[..., Engine], short: Short) -> None:
    """福山 in 千福山供电所 goes with nothing; as part of a homophone of 千佛山 all is explained."""
    engine = engine_with("甲省,乙城,丙丁县供电公司,千佛山供电所", "甲省,戊城,福山区供电公司,东关供电所")
    for query in ("千福山供电所投诉", "乙城千福山供电所投诉", "丙丁县千福山所投诉"):
        assert [short(path) for path in engine.resolve(query).targets] == ["乙城/丙丁县供电公司/千佛山供电所"], query
    assert [short(path) for path in engine.resolve("福山区东关所投诉").targets] == ["戊城/福山区供电公司/东关供电所"]
