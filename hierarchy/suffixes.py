"""The words that names end in, one a row: 供电公司 and 供电所 of organisations, 县 and 镇 of the places they serve.

All lists of such words derive from this table: those that read names, suggest names for an unknown one, find
misspellings in a table and make training data. A new word is a new row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from .levels import Level

PROVINCE, CITY, COMPANY, SUBSTATION = Level


class Suffix(NamedTuple):
    """A word behind the stem of a name."""

    word: str
    kind: Literal["organisation", "division"]
    """What the word names: an organisation (供电公司), or the administrative division it serves (县)."""
    levels: tuple[Level, ...]
    """Whose names people end in the word."""
    registered: tuple[Level, ...] = ()
    """The levels whose canonical names end in the word; () for a word that people say, but tables do not print."""
    rare: bool = False
    """Understood, but seldom written."""


SUFFIXES: Final = (
    Suffix("电力公司", "organisation", (PROVINCE,)),
    Suffix("电力有限公司", "organisation", (PROVINCE,)),
    Suffix("供电公司", "organisation", (PROVINCE,)),
    Suffix("公司", "organisation", (PROVINCE,)),
    Suffix("电力", "organisation", (PROVINCE,)),
    Suffix("供电公司", "organisation", (CITY, COMPANY), registered=(COMPANY,)),
    Suffix("公司", "organisation", (CITY, COMPANY), registered=(COMPANY,)),
    Suffix("供电局", "organisation", (CITY, COMPANY), registered=(COMPANY,)),
    Suffix("供电中心", "organisation", (CITY, COMPANY), registered=(COMPANY,)),
    Suffix("供电部", "organisation", (CITY, COMPANY), registered=(COMPANY, SUBSTATION)),
    Suffix("营业部", "organisation", (CITY, COMPANY), registered=(COMPANY, SUBSTATION)),
    Suffix("供电分公司", "organisation", (CITY, COMPANY), rare=True),
    Suffix("供电有限公司", "organisation", (CITY, COMPANY), rare=True),
    Suffix("供电有限责任公司", "organisation", (CITY, COMPANY), rare=True),
    Suffix("电力公司", "organisation", (CITY, COMPANY)),
    Suffix("电力局", "organisation", (CITY, COMPANY), rare=True),
    Suffix("电业局", "organisation", (CITY, COMPANY), rare=True),
    Suffix("供电所", "organisation", (SUBSTATION,), registered=(SUBSTATION,)),
    Suffix("所", "organisation", (SUBSTATION,), registered=(SUBSTATION,)),
    Suffix("供电站", "organisation", (SUBSTATION,), registered=(SUBSTATION,)),
    Suffix("供电服务站", "organisation", (SUBSTATION,), registered=(SUBSTATION,)),
    Suffix("供电营业所", "organisation", (SUBSTATION,)),
    Suffix("供电营业站", "organisation", (SUBSTATION,), rare=True),
    Suffix("供电分所", "organisation", (SUBSTATION,), rare=True),
    Suffix("省", "division", (PROVINCE,)),
    Suffix("自治区", "division", (PROVINCE,)),
    Suffix("市", "division", (PROVINCE, CITY)),
    Suffix("地区", "division", (CITY,)),
    Suffix("盟", "division", (CITY,)),
    Suffix("自治州", "division", (CITY,)),
    Suffix("州", "division", (CITY,)),
    Suffix("自治县", "division", (COMPANY,)),
    Suffix("自治旗", "division", (COMPANY,)),
    Suffix("族自治县", "division", (COMPANY,)),
    Suffix("族自治旗", "division", (COMPANY,)),
    Suffix("县", "division", (COMPANY,)),
    Suffix("市", "division", (COMPANY,)),
    Suffix("区", "division", (COMPANY,)),
    Suffix("旗", "division", (COMPANY,)),
    Suffix("镇", "division", (SUBSTATION,)),
    Suffix("乡", "division", (SUBSTATION,)),
    Suffix("街道", "division", (SUBSTATION,)),
    Suffix("街道办", "division", (SUBSTATION,), rare=True),
    Suffix("街道办事处", "division", (SUBSTATION,), rare=True),
)


def organisation_words(*levels: Level) -> tuple[str, ...]:
    """What people call an organisation of any of the levels, in the order of the table."""
    return tuple(row.word for row in SUFFIXES if row.kind == "organisation" and {*levels} & {*row.levels})


def division_words(*levels: Level) -> tuple[str, ...]:
    """As `organisation_words`, for the division that an organisation serves: 县 for a company."""
    return tuple(row.word for row in SUFFIXES if row.kind == "division" and {*levels} & {*row.levels})


def registered_words(*levels: Level) -> tuple[str, ...]:
    """The endings of canonical names of any of the levels."""
    return tuple(row.word for row in SUFFIXES if {*levels} & {*row.registered})


def single_characters(words: Iterable[str]) -> str:
    """Those of the words that are one character, put together."""
    return "".join(word for word in words if len(word) == 1)


def one_of(words: Iterable[str]) -> str:
    """A pattern of the words, in which a longer one is tried before its beginning: 街道办 before 街道."""
    return f"(?:{'|'.join(longest_first(words))})"


def longest_first(words: Iterable[str]) -> tuple[str, ...]:
    """Each of the words once."""
    return tuple(sorted(dict.fromkeys(words), key=len, reverse=True))


RARE: Final = tuple(row.word for row in SUFFIXES if row.rare)
# 麒麟所, 麒麟供电服务站: whatever ends so is a substation.
SUBSTATION_ENDS: Final = tuple(dict.fromkeys(word[-1] for word in organisation_words(SUBSTATION)))


# Which endings give away that a name stands at the wrong level. The other words are not sure enough to refuse a row.
_GIVING_AWAY: Final = {
    PROVINCE: (("供电所", SUBSTATION), ("[县区市]供电公司", COMPANY)),
    CITY: (("省|自治区", PROVINCE), ("[县旗]供电公司", COMPANY), ("供电所", SUBSTATION)),
    COMPANY: (("供电所", SUBSTATION),),
    SUBSTATION: (("供电公司", COMPANY),),
}
_ENDINGS: Final = {
    level: tuple((re.compile(f"(?:{ending})$"), meant) for ending, meant in endings)
    for level, endings in _GIVING_AWAY.items()
}


def named_like(name: str, level: Level) -> Level | None:
    """The other level that a name's ending gives away; None for a name that may well be of `level`."""
    return next((meant for pattern, meant in _ENDINGS[level] if pattern.search(name)), None)
