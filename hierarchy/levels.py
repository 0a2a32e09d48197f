"""The four levels of the tree, top first, and the words that name them."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Depth in the tree: 0 is a province, 3 a substation."""

    PROVINCE = 0
    CITY = 1
    COMPANY = 2
    SUBSTATION = 3

    @property
    def tag(self) -> str:
        """The XML tag, `Province` … `Substation`."""
        return self.name.capitalize()

    @property
    def column(self) -> str:
        """The column of a path-shaped table, `province` … `substation`."""
        return self.name.lower()

    @property
    def chinese(self) -> str:
        """The Chinese word for the level, which is accepted as a column name too."""
        return ("省", "地市", "县公司", "供电所")[self]


COLUMNS: tuple[str, ...] = tuple(level.column for level in Level)

# What a `level` column may say, lower case. Numbers are left out on purpose: registers count from 0, 1 or 2.
_WORDS: dict[str, Level] = {
    **{level.column: level for level in Level},
    **{level.chinese: level for level in Level},
    "省份": Level.PROVINCE,
    "省公司": Level.PROVINCE,
    "省级": Level.PROVINCE,
    "市": Level.CITY,
    "城市": Level.CITY,
    "市公司": Level.CITY,
    "地市公司": Level.CITY,
    "地市级": Level.CITY,
    "市级": Level.CITY,
    "县": Level.COMPANY,
    "公司": Level.COMPANY,
    "供电公司": Level.COMPANY,
    "区县公司": Level.COMPANY,
    "县级": Level.COMPANY,
    "所": Level.SUBSTATION,
    "站所": Level.SUBSTATION,
    "所级": Level.SUBSTATION,
}


def parse_level(word: str) -> Level | None:
    """The level a table's word stands for; None for a word (or number) that is not known to be one."""
    return _WORDS.get(word.strip().lower())
