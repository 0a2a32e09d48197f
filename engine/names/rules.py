"""The names an organisation goes by: rules over the words of `qilin.hierarchy.suffixes`.

A name is a stem and a suffix: 巨野 + 县供电公司, 麒麟 + 供电所, 菏泽 + "". The stem goes into the automaton; the suffixes
it may have, and how full they make the name (full, shortened, bare), are looked up here. So a table of 40,000
organisations needs 30,000 strings, not half a million.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import division_words, longest_first, one_of, organisation_words

FULL, SHORT, BARE, CUT, TAIL = range(5)  # how much of the name is said, fullest first

PROVINCE_ORG = organisation_words(Level.PROVINCE)
COMPANY_ORG = organisation_words(Level.CITY, Level.COMPANY)
SUBSTATION_ORG = organisation_words(Level.SUBSTATION)
PROVINCE_ADMIN = division_words(Level.PROVINCE)
CITY_ADMIN = division_words(Level.CITY)
COMPANY_ADMIN = division_words(Level.COMPANY)
TOWNSHIP = division_words(Level.SUBSTATION)
# 国网 and the like say whose company it is, never which one.
GRID_PREFIXES = ("国家电网有限公司", "国家电网公司", "国家电网", "国网", "南方电网公司", "南方电网", "南网")

# fmt: off
_AUTONOMOUS_PREFECTURES = (
    "延边", "恩施", "湘西", "阿坝", "甘孜", "凉山", "黔西南", "黔东南", "黔南", "楚雄", "红河", "文山", "西双版纳",
    "大理", "德宏", "怒江", "迪庆", "临夏", "甘南", "海北", "黄南", "海南", "果洛", "玉树", "海西", "昌吉",
    "博尔塔拉", "巴音郭楞", "克孜勒苏", "伊犁",
)
_PEOPLES = (
    "蒙古", "回", "藏", "维吾尔", "苗", "彝", "壮", "布依", "朝鲜", "满", "侗", "瑶", "白", "土家", "哈尼", "哈萨克",
    "傣", "黎", "傈僳", "佤", "畲", "高山", "拉祜", "水", "东乡", "纳西", "景颇", "柯尔克孜", "土", "达斡尔", "仫佬",
    "羌", "布朗", "撒拉", "毛南", "仡佬", "锡伯", "阿昌", "普米", "塔吉克", "怒", "乌孜别克", "俄罗斯", "鄂温克",
    "德昂", "保安", "裕固", "京", "塔塔尔", "独龙", "鄂伦春", "赫哲", "门巴", "珞巴", "基诺", "各",
)
# fmt: on
# Prefectures that are no 市; their name alone does not tell what they are.
_PREFECTURES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_AUTONOMOUS_PREFECTURES, ("州", "自治州")),
    **dict.fromkeys(("大兴安岭", "阿克苏", "喀什", "和田", "塔城", "阿勒泰", "阿里"), ("地区",)),
    **dict.fromkeys(("锡林郭勒", "阿拉善", "兴安"), ("盟",)),
}
# 长阳|土家族|自治县, 克孜勒苏|柯尔克孜|自治州: the peoples say nothing that the stem does not.
PEOPLES = (
    "(?:" + "|".join(sorted((f"{p}族" for p in _PEOPLES), key=len, reverse=True)) + "|维吾尔|哈萨克|蒙古|柯尔克孜|壮)"
)
_AUTONOMOUS = re.compile(f"(?P<stem>.*?)(?P<peoples>{PEOPLES}*)(?P<admin>自治[县旗州区])$")
_KIND_OF_DISTRICT = re.compile("..新$|..特$|...林$")


class Suffixes(NamedTuple):
    """What may follow a stem: suffix → FULL, SHORT, BARE, CUT or TAIL; `level` of the organisation.

    CUT is a bare stem that is less than the name's own (嘉祥 of 嘉祥镇供电所); TAIL is what is left
    without the parent's name, suffix or not (经济开发区供电所 of 郓城县经济开发区供电所).
    """

    level: Level
    forms: dict[str, int]


class Name(NamedTuple):
    """One string for the automaton and what may follow it."""

    stem: str
    suffixes: Suffixes


def strip_grid(name: str) -> str:
    """Leave 国网 and the province company off: 国网山东省电力公司菏泽供电公司 → 菏泽供电公司."""
    for prefix in GRID_PREFIXES:
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    else:
        return name
    return re.sub(r"^.{2,8}?(?:省|自治区|市)?电力(?:有限)?公司(?=.)", "", name) or name


_longest_first = cache(longest_first)  # asked for each name of a table


def _cut(name: str, words: tuple[str, ...], keep: int = 1) -> tuple[str, str]:
    for word in _longest_first(words):
        if name.endswith(word) and len(name) - len(word) >= keep:
            return name[: -len(word)], word
    return name, ""


def split_place(name: str, admins: tuple[str, ...]) -> tuple[str, str, str]:
    """A place name as (stem, peoples, administrative word): 长阳, 土家族, 自治县."""
    match = _AUTONOMOUS.match(name)
    if match:
        stem, peoples, admin = match.group("stem", "peoples", "admin")
        if len(stem) < 2 and peoples:  # 东乡族自治县, 鄂温克族自治旗: the people is the name
            # and 族 goes with the rest, since people say 东乡县.
            stem, peoples, admin = stem + peoples.removesuffix("族"), "", "族" * peoples.endswith("族") + admin
        return stem, peoples, admin
    stem, admin = _cut(name, admins, keep=1)
    if admin in ("州", "地区") and len(stem) < 2:
        return name, "", ""
    return stem, "", admin


@cache
def _suffixes(level: Level, canonical: str, admin: str, orgs: tuple[str, ...], bodies: tuple[str, ...]) -> Suffixes:
    forms = {body + org: SHORT for body in (*bodies, admin, "") for org in ("", *orgs)}
    forms[""] = BARE
    forms[canonical] = FULL
    return Suffixes(level, forms)


_SHARED: dict[tuple[object, ...], Suffixes] = {}


def _changed(suffixes: Suffixes, forms: dict[str, int]) -> Suffixes:
    """The suffixes with other forms; equal ones are one object, since a table has thousands."""
    merged = {**suffixes.forms, **forms}
    return _SHARED.setdefault((suffixes.level, *merged.items()), Suffixes(suffixes.level, merged))


_WHOLE: dict[Level, Suffixes] = {level: Suffixes(level, {"": FULL}) for level in Level}
_WHOLE_SHORT: dict[Level, Suffixes] = {level: Suffixes(level, {"": SHORT}) for level in Level}


def whole(level: Level, name: str) -> Name:
    """A name that is used as it stands: a nickname, a declared alias."""
    return Name(name, _WHOLE[level])


def names_of(level: Level, canonical: str, parents: tuple[str, ...] = ()) -> list[Name]:
    """Every name of an organisation, from its canonical name (already folded).

    Args:
        level: its level.
        canonical: the name the table gives, folded.
        parents: folded canonical names of its ancestors, the province first.

    >>> [n.stem for n in names_of(Level.COMPANY, "巨野县供电公司")]
    ['巨野']
    """
    bare = strip_grid(canonical)
    names = [] if bare == canonical else [whole(level, canonical)]
    if level is Level.PROVINCE:
        body, org = _cut(bare, PROVINCE_ORG, keep=2)
        stem, peoples, admin = split_place(body, PROVINCE_ADMIN)
        suffixes = _suffixes(level, peoples + admin + org, admin, PROVINCE_ORG, ())
        # 吉林供电公司 is the city's before the province's.
        suffixes = _changed(suffixes, dict.fromkeys(("公司", "供电公司"), CUT))
        names += _usable(stem, admin, suffixes)
        if stem == "内蒙古":
            names.append(Name("内蒙", _WHOLE_SHORT[level]))
        return names
    if level is Level.CITY:
        body, org = _cut(bare, COMPANY_ORG, keep=2)
        stem, peoples, admin = split_place(body, CITY_ADMIN)
        bodies: tuple[str, ...] = () if admin else ("市", *_PREFECTURES.get(stem, ()))
        if admin == "自治州":
            bodies = ("州",)
        suffixes = _suffixes(level, peoples + admin + org, admin, COMPANY_ORG, bodies)
        if admin not in ("", "市"):  # 兴安 is more than 兴安盟 can do without
            suffixes = _changed(suffixes, {"": CUT})
        return names + _usable(stem, admin, suffixes)
    if level is Level.COMPANY:
        body, org = _cut(bare, COMPANY_ORG, keep=2)
        stem, peoples, admin = split_place(body, COMPANY_ADMIN)
        bodies = () if admin else ("县", "市", "区")
        if admin.endswith(("自治县", "自治旗")):
            bodies = (admin[-1], admin[-3:])
        suffixes = _suffixes(level, peoples + admin + org, admin, COMPANY_ORG, bodies)
        names += _usable(stem, admin, suffixes)
        if admin == "区" and _KIND_OF_DISTRICT.search(stem):  # 浦东 is 浦东新区, 神农架 is 神农架林区
            longer = {stem[-1] + suffix: form for suffix, form in suffixes.forms.items()}
            names.append(Name(stem[:-1], _changed(suffixes, {**dict.fromkeys(COMPANY_ORG, SHORT), **longer, "": CUT})))
        names += _tails(stem, suffixes, parents)
        return names
    body, org = _cut(bare, SUBSTATION_ORG, keep=1)
    stem, township = _cut(body, TOWNSHIP, keep=2)
    if township:  # 嘉祥镇供电所 is 嘉祥镇, and 嘉祥 for short; never 嘉祥乡
        suffixes = _suffixes(level, township + org, township, SUBSTATION_ORG, ())
        names.append(Name(stem, _changed(suffixes, {"": CUT, township: BARE})))
    else:
        stem = body
        suffixes = _suffixes(level, org, "", SUBSTATION_ORG, TOWNSHIP)
        suffixes = _changed(suffixes, dict.fromkeys(TOWNSHIP, BARE))  # 新沟镇 says no more than 新沟
        names += _usable(stem, "镇", suffixes)
    names += _tails(stem, suffixes, parents)
    return names


def _usable(stem: str, admin: str, suffixes: Suffixes) -> list[Name]:
    """The stem, or, since one character is never a mention, only what is longer than it."""
    if len(stem) > 1:
        return [Name(stem, suffixes)]
    level, forms = suffixes
    canonical = next(suffix for suffix, form in forms.items() if form == FULL)
    names = []
    if admin and stem:
        rest = {suffix[len(admin) :]: form for suffix, form in forms.items() if suffix.startswith(admin)}
        names.append(Name(stem + admin, _changed(Suffixes(level, {}), rest)))
    for suffix, form in forms.items():
        whole_name = suffix == canonical or (suffix.startswith("供电") and len(suffix) > 2)
        if stem and whole_name and not (admin and suffix.startswith(admin)):
            names.append(Name(stem + suffix, _WHOLE[level] if form == FULL else _WHOLE_SHORT[level]))
    return names


def _tails(stem: str, suffixes: Suffixes, parents: tuple[str, ...]) -> list[Name]:
    """The stem without the parent's name in front: 郓城县经济开发区 is 经济开发区 beside 郓城."""
    names = []
    for parent in parents[1:]:
        body, _ = _cut(strip_grid(parent), COMPANY_ORG, keep=2)
        place, _, admin = split_place(body, COMPANY_ADMIN)
        for prefix in dict.fromkeys((place + admin, place + "市", place + "县", place + "区", place)):
            tail = stem.removeprefix(prefix)
            if len(place) > 1 and tail != stem and len(tail) > 1 and not SUFFIX.match(tail):
                names.append(Name(tail, _changed(suffixes, dict.fromkeys(suffixes.forms, TAIL))))
                break
    return names


ADMIN_WORDS = longest_first(
    (*PROVINCE_ADMIN, *CITY_ADMIN, *COMPANY_ADMIN, *TOWNSHIP, *(kind + "区" for kind in "新特林"))
)
ORG_WORDS = longest_first((*PROVINCE_ORG, *COMPANY_ORG, *SUBSTATION_ORG))
# 土家族自治县 and other peoples before 自治 are recognised and mean 自治县.
SUFFIX = re.compile(
    f"(?P<peoples>{PEOPLES}+(?=自治))?(?P<suffix>{one_of(ADMIN_WORDS)}{one_of(ORG_WORDS)}?|{one_of(ORG_WORDS)})"
)
PEOPLE_STARTS = frozenset(people[0] for people in _PEOPLES)
SUFFIX_STARTS = PEOPLE_STARTS | {word[0] for word in (*ADMIN_WORDS, *ORG_WORDS)}


@cache
def suffix_prefixes(suffix: str) -> tuple[str, ...]:
    """The suffixes that a suffix begins with, itself included, shortest first: 县, 县供电公司."""
    return tuple(suffix[:end] for end in range(1, len(suffix) + 1) if SUFFIX.fullmatch(suffix[:end]))
