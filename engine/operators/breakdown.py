"""Breakdown: 各县公司, 前三的县公司, 县公司排名."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import one_of, organisation_words
from qilin.operators.phrase import Phrase

_SUBSTATIONS = [*(word for word in organisation_words(Level.SUBSTATION) if len(word) > 1), "营业站"]
_NOUNS: tuple[tuple[Level, str], ...] = (
    (Level.SUBSTATION, rf"(?:乡镇|基层)?{one_of(_SUBSTATIONS)}|所站|站所"),
    (Level.COMPANY, r"(?:县级|区县|县区|县市区|区市县|县市|县|区|旗县)(?:级)?(?:供电)?(?:公司|局|单位|分公司|中心)|"
                    r"区县|县区|县市区|旗县|县域|县供电公司|县"),
    (Level.CITY, r"(?:地级市|地市|市州|市)(?:级)?(?:供电)?(?:公司|局|单位)|地级市|地市|市州|盟市|市"),
    (Level.PROVINCE, r"省(?:级)?(?:电力)?(?:公司|单位)|省份|省"),
)  # fmt: skip
_QUANTIFIER = (
    r"(?:下属|下辖|所辖|所属|辖内|辖区内?|管辖|旗下|下面)?的?"
    r"(?:各个|各|每一个|每个|每家|哪一个|哪几个|哪个|哪些|哪家|按照|按|分|逐)"
    r"|(?:下属|下辖|所辖|所属|辖内|辖区内?|管辖|旗下)的?(?:所有|全部|全体)?的?"
    r"|(?:所有|全部|全体)的?"
)
_RANKED = (
    r"(?:(?:最[多少高低大小好差快慢长短]|[前后]几名?|(?:倒数)?第[0-9一二三四五六七八九十]+[名位]?)的"
    r"|(?:(?:倒数)?[前后][0-9一二三四五六七八九十]+[名位]?|TOP[0-9]+)的?)"
    r"(?:[0-9一二三四五六七八九十几]+[个家])?"
)
_COUNTED = r"(?:这|全部|所有|全省|全市)?(?:[0-9]+|[一二三四五六七八九十]+)个(?!月|季|年|周|星期|半年)"
_TAIL_WORDS = r"(?=(?:排名|排行|分布|明细|对比|分组|之间))"
_BREAKDOWN = re.compile(
    f"(?:{_QUANTIFIER}|{_RANKED}|{_COUNTED})(?:"
    + "|".join(f"(?P<{level.tag}>{noun})" for level, noun in _NOUNS)
    + f"|(?P<{Level.COMPANY.tag}__>区(?![域间别块分位]))"
    + ")(?:的)?|(?:"
    + "|".join(f"(?P<{level.tag}_>{noun}){_TAIL_WORDS}" for level, noun in _NOUNS)
    + ")"
)
# 各所 is a breakdown, 各所有 is not.
_BREAKDOWN_SUO = re.compile(r"(?:各|每个|哪个|哪些|各个)所(?![有辖属在])")

_LEVEL_OF = {level.tag: level for level in Level}

# Every breakdown contains at least one of these.
TRIGGERS = (
    "各", "每", "哪", "所有", "全部", "全体", "下属", "下辖", "所辖", "所属", "辖", "旗下", "按", "分",
    "逐", "排名", "排行", "分布", "明细", "对比", "之间", "分组", "最", "前三", "前五", "前十", "前几",
    "倒数", "第一", "TOP", "个地市", "个市", "个县", "个区", "个供电", "家供电", "个所", "个旗县",
)  # fmt: skip


def find_breakdowns(text: str) -> Iterator[Phrase]:
    """各县公司, 各供电所, 下属所有供电所: the level to break the answer down by."""
    for match in _BREAKDOWN.finditer(text):
        tag = (match.lastgroup or "").rstrip("_")
        yield Phrase(*match.span(), "breakdown", _LEVEL_OF[tag])
    for match in _BREAKDOWN_SUO.finditer(text):
        yield Phrase(*match.span(), "breakdown", Level.SUBSTATION)
