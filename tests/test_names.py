"""The names an organisation goes by, from its canonical name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qilin.hierarchy import Level
from qilin.names.rules import (
    BARE,
    CITY_ADMIN,
    COMPANY_ADMIN,
    CUT,
    FULL,
    SHORT,
    TAIL,
    names_of,
    split_place,
    strip_grid,
    whole,
)


def forms(level: Level, canonical: str, parents: tuple[str, ...] = ()) -> dict[str, int]:
    """Every string that the names make, with how full it is."""
    found: dict[str, int] = {}
    for name in names_of(level, canonical, parents):
        for suffix, form in name.suffixes.forms.items():
            found[name.stem + suffix] = min(form, found.get(name.stem + suffix, form))
    return found


@pytest.mark.parametrize(
    ("level", "canonical", "written", "form"),
    [
        (Level.PROVINCE, "山东省", "山东省", FULL),
        (Level.PROVINCE, "山东省", "山东", BARE),
        (Level.PROVINCE, "山东省", "山东省电力公司", SHORT),
        (Level.PROVINCE, "内蒙古自治区", "内蒙古", BARE),
        (Level.PROVINCE, "内蒙古自治区", "内蒙", SHORT),
        (Level.PROVINCE, "广西壮族自治区", "广西", BARE),
        (Level.CITY, "菏泽", "菏泽", FULL),
        (Level.CITY, "菏泽", "菏泽市", SHORT),
        (Level.CITY, "菏泽", "菏泽市供电公司", SHORT),
        (Level.CITY, "兴安盟", "兴安盟", FULL),
        (Level.CITY, "延边朝鲜族自治州", "延边州", SHORT),
        (Level.COMPANY, "巨野县供电公司", "巨野县供电公司", FULL),
        (Level.COMPANY, "巨野县供电公司", "巨野县", SHORT),
        (Level.COMPANY, "巨野县供电公司", "巨野营业部", SHORT),
        (Level.COMPANY, "巨野县供电公司", "巨野", BARE),
        (Level.COMPANY, "天桥供电中心", "天桥区", SHORT),
        (Level.COMPANY, "天桥供电中心", "天桥供电公司", SHORT),
        (Level.COMPANY, "曹县供电公司", "曹县", SHORT),
        (Level.COMPANY, "长阳土家族自治县供电公司", "长阳县", SHORT),
        (Level.COMPANY, "长阳土家族自治县供电公司", "长阳", BARE),
        (Level.COMPANY, "东乡族自治县供电公司", "东乡县供电公司", SHORT),
        (Level.SUBSTATION, "麒麟供电所", "麒麟供电所", FULL),
        (Level.SUBSTATION, "麒麟供电所", "麒麟所", SHORT),
        (Level.SUBSTATION, "麒麟供电所", "麒麟镇供电所", SHORT),
        (Level.SUBSTATION, "麒麟供电所", "麒麟", BARE),
        (Level.SUBSTATION, "嘉祥镇供电所", "嘉祥镇", BARE),
        (Level.SUBSTATION, "嘉祥镇供电所", "嘉祥", CUT),
        (Level.SUBSTATION, "孔供电所", "孔供电所", FULL),
        (Level.SUBSTATION, "孔镇供电所", "孔镇", BARE),
    ],
)
def test_form(level: Level, canonical: str, written: str, form: int) -> None:
    assert forms(level, canonical)[written] == form


@pytest.mark.parametrize(
    ("level", "canonical", "never"),
    [
        (Level.COMPANY, "巨野县供电公司", ["巨野市", "巨野区", "巨野市供电公司"]),
        (Level.COMPANY, "曹县供电公司", ["曹", "曹公司", "曹市"]),
        (Level.SUBSTATION, "嘉祥镇供电所", ["嘉祥乡", "嘉祥镇镇供电所"]),
        (Level.SUBSTATION, "孔供电所", ["孔", "孔所"]),
        (Level.CITY, "菏泽", ["菏", "菏泽县", "菏泽供电所"]),
        (Level.PROVINCE, "山东省", ["山东市", "山东县"]),
    ],
)
def test_forms_that_nothing_goes_by(level: Level, canonical: str, never: list[str]) -> None:
    """县, 市 and 区 are never exchanged; one character is no name; suffixes belong to their level."""
    assert set(never) & set(forms(level, canonical)) == set()


def test_tail_without_the_parents_name() -> None:
    """郓城县经济开发区 is 经济开发区 beside 郓城, and only there."""
    found = forms(Level.SUBSTATION, "郓城县经济开发区供电所", ("菏泽", "郓城县供电公司"))
    assert found["经济开发区"] == TAIL
    assert found["经济开发区供电所"] > FULL
    assert "经济开发区" not in forms(Level.SUBSTATION, "郓城县经济开发区供电所")


def test_grid_prefixes_say_whose_it_is_not_which() -> None:
    assert strip_grid("国网山东省电力公司菏泽供电公司") == "菏泽供电公司"
    assert strip_grid("国家电网有限公司菏泽供电公司") == "菏泽供电公司"
    assert strip_grid("巨野县供电公司") == "巨野县供电公司"
    assert forms(Level.COMPANY, "国网巨野县供电公司")["巨野县"] == SHORT
    assert forms(Level.COMPANY, "国网巨野县供电公司")["国网巨野县供电公司"] == FULL


@pytest.mark.parametrize(
    ("name", "words", "parts"),
    [
        ("长阳土家族自治县", COMPANY_ADMIN, ("长阳", "土家族", "自治县")),
        ("东乡族自治县", COMPANY_ADMIN, ("东乡", "", "族自治县")),
        ("巨野县", COMPANY_ADMIN, ("巨野", "", "县")),
        ("天桥", COMPANY_ADMIN, ("天桥", "", "")),
        ("德州", CITY_ADMIN, ("德州", "", "")),
        ("兴安盟", CITY_ADMIN, ("兴安", "", "盟")),
    ],
)
def test_split_place(name: str, words: tuple[str, ...], parts: tuple[str, str, str]) -> None:
    """Stem, peoples and administrative word; a people that is all of the name stays in the stem, as 州 of 德州 does."""
    assert split_place(name, words) == parts


def test_whole_names_take_no_suffix() -> None:
    assert whole(Level.CITY, "泉城").suffixes.forms == {"": FULL}


# Declared aliases ----------------------------------------------------------------------------------------

ROWS = (
    "山东省,济南,章丘区供电公司,龙山供电所",
    "山东省,济南,历下供电中心,东关供电所",
    "山东省,菏泽,巨野县供电公司,龙山供电所",
)
ALIASES = (
    "章丘市供电公司,company,章丘区供电公司,济南,former,,2016",
    "泉城,city,济南,济南,nickname,,",
    "历下区局,company,历下供电中心,济南,variant,,",
    "龙山所,substation,龙山供电所,菏泽,forbidden,,",
)


@pytest.fixture(scope="module")
def small(engine_with: Callable[..., Any]) -> Any:
    return engine_with(*ROWS, aliases=ALIASES)


@pytest.mark.parametrize("query", ["章丘市供电公司投诉", "章丘市投诉", "济南章丘市投诉"])
def test_a_former_name_says_so(small: Any, query: str) -> None:
    """The organisation is the one of today, and the entity notes until when the old name was in use."""
    found = small.resolve(query)
    assert [path.name for path in found.targets] == ["章丘区供电公司"]
    (named,) = [entity for entity in found.entities if entity.type == "Company"]
    assert (
        named.source == "alias" and named.note is not None and "2016" in named.note and "章丘区供电公司" in named.note
    )


def test_a_current_name_has_no_note(small: Any) -> None:
    found = small.resolve("章丘区投诉")
    assert [entity.note for entity in found.entities] == [None] * len(found.entities)


def test_a_nickname_is_used_as_it_stands(small: Any) -> None:
    """泉城 is 济南; 泉城市 and 泉城供电公司 are nothing that anyone declared."""
    assert [path.name for path in small.resolve("泉城投诉").targets] == ["济南"]
    assert small.resolve("泉城供电公司投诉").targets == ()


def test_a_variant_is_a_full_form(small: Any) -> None:
    (named,) = [e for e in small.resolve("历下区局投诉").entities if e.type == "Company"]
    assert (named.name, named.source, named.note, named.score) == ("历下供电中心", "alias", None, 1.0)


def test_a_forbidden_alias_is_never_its_organisation(small: Any) -> None:
    """龙山所 may not mean 菏泽's; so only 济南's is left, while the full name stays open."""
    assert [path.city for path in small.resolve("龙山所投诉").targets] == ["济南"]
    assert {path.city for path in small.resolve("龙山供电所投诉").candidates} == {"济南", "菏泽"}
