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

# What a `level` column may say beside the names of the columns. No numbers: registers count from 0, 1 or 2.
_WORDS: dict[Level, tuple[str, ...]] = {
    Level.PROVINCE: ("省", "省份", "省公司", "省级"),
    Level.CITY: ("地市", "市", "城市", "市公司", "地市公司", "地市级", "市级"),
    Level.COMPANY: ("县公司", "县", "公司", "供电公司", "区县公司", "县级"),
    Level.SUBSTATION: ("供电所", "所", "站所", "所级"),
}
_LEVELS = {word: level for level, words in _WORDS.items() for word in (level.column, *words)}


def parse_level(word: str) -> Level | None:
    """The level that a word of a table stands for; None for an unknown word or a number."""
    return _LEVELS.get(word.strip().lower())
