"""Unicode folding that remembers offsets into the query.

The query and every name of the table go through the same fold, so only the *difference* between
the two matters: width, script (traditional or simplified), look-alike code points, and the
invisible characters that come along when text is copied.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from qilin.text.tuples import quickly

# CJK radicals that NFKC leaves alone; the ideograph each looks like.
# Source: Unicode EquivalentUnifiedIdeograph.txt, the blocks 2E80–2EF3.
_RADICALS = {
    0x2E81: "厂", 0x2E84: "乙", 0x2E85: "亻", 0x2E86: "冂", 0x2E88: "刀", 0x2E89: "刂", 0x2E8A: "卜",
    0x2E8B: "㔾", 0x2E8C: "小", 0x2E8D: "小", 0x2E8E: "兀", 0x2E8F: "尣", 0x2E90: "尢", 0x2E92: "巳",
    0x2E93: "幺", 0x2E94: "彑", 0x2E95: "彐", 0x2E96: "忄", 0x2E97: "心", 0x2E98: "扌", 0x2E99: "攵",
    0x2E9B: "旡", 0x2E9C: "日", 0x2E9D: "月", 0x2E9E: "歹", 0x2EA0: "民", 0x2EA1: "氵", 0x2EA2: "水",
    0x2EA3: "灬", 0x2EA4: "爫", 0x2EA5: "爫", 0x2EA6: "丬", 0x2EA7: "牛", 0x2EA8: "犭", 0x2EA9: "王",
    0x2EAA: "疋", 0x2EAB: "目", 0x2EAC: "示", 0x2EAD: "礻", 0x2EAE: "竹", 0x2EAF: "糹", 0x2EB0: "纟",
    0x2EB1: "网", 0x2EB2: "网", 0x2EB3: "网", 0x2EB4: "网", 0x2EB5: "网", 0x2EB6: "羊", 0x2EB7: "羊",
    0x2EB8: "羊", 0x2EB9: "耂", 0x2EBA: "肀", 0x2EBB: "聿", 0x2EBC: "肉", 0x2EBD: "臼", 0x2EBE: "艹",
    0x2EBF: "艹", 0x2EC0: "艹", 0x2EC1: "虎", 0x2EC2: "衤", 0x2EC3: "西", 0x2EC4: "西", 0x2EC5: "见",
    0x2EC6: "角", 0x2EC7: "角", 0x2EC8: "讠", 0x2EC9: "贝", 0x2ECA: "足", 0x2ECB: "车", 0x2ECC: "辶",
    0x2ECD: "辶", 0x2ECE: "辶", 0x2ECF: "阝", 0x2ED0: "钅", 0x2ED1: "长", 0x2ED2: "长", 0x2ED3: "长",
    0x2ED4: "门", 0x2ED5: "阜", 0x2ED6: "阝", 0x2ED7: "雨", 0x2ED8: "青", 0x2ED9: "韦", 0x2EDA: "页",
    0x2EDB: "风", 0x2EDC: "飞", 0x2EDD: "食", 0x2EDE: "食", 0x2EDF: "食", 0x2EE0: "饣", 0x2EE1: "首",
    0x2EE2: "马", 0x2EE3: "骨", 0x2EE4: "鬼", 0x2EE5: "鱼", 0x2EE6: "鸟", 0x2EE7: "卤", 0x2EE8: "麦",
    0x2EE9: "黄", 0x2EEA: "黾", 0x2EEB: "齐", 0x2EEC: "齐", 0x2EED: "齿", 0x2EEE: "齿", 0x2EEF: "龙",
    0x2EF0: "龙", 0x2EF1: "龟", 0x2EF2: "龟",
}  # fmt: skip
# Unified ideographs of the compatibility block with an ordinary twin that NFKC does not know.
_TWINS = {0xFA11: "崎", 0x6236: "户", 0x6238: "户", 0x7522: "产", 0x9203: "钩", 0x5413: "吓"}
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58), "-")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # letters by category, invisible all the same
_KEPT = frozenset("（），。；！？")  # full width is how they are written; nothing looks for the other form
_MAX_EXPANSION = 4  # U+FDFA alone folds to 18 characters; nothing we look for needs that


class Folded(NamedTuple):
    """Folded text. `offsets[i]` is where its character i begins in the query; None: the same place.

    `offsets` has one entry more than `text`, so that an end can be looked up like a start.
    """

    text: str
    offsets: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of `text[start:end]` in the query as given, both ends on whole characters."""
        if self.offsets is None:
            return start, end
        first = self.offsets[start]
        # One character may have become several: end after the last one that is part of it.
        return first, max(self.offsets[end - 1] + 1, first + 1)

    def is_whole(self, start: int, end: int) -> bool:
        """Whether `text[start:end]` begins and ends with whole characters of the query: not 2日 in ㎡日."""
        offsets = self.offsets
        if offsets is None:
            return True
        begins = start == 0 or offsets[start] != offsets[start - 1]
        return begins and (end == len(self.text) or offsets[end] != offsets[end - 1])


@lru_cache(maxsize=1)
def _simplified() -> dict[str, str]:
    """Traditional character to simplified, one to one. Source: OpenCC, configuration t2s."""
    from opencc import OpenCC

    characters = [chr(i) for i in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    folded = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {a: b for a, b in zip(characters, folded, strict=True) if a != b and len(b) == 1}


def _fold_character(character: str) -> str:
    if character in _FILLERS:
        return ""
    if character in _KEPT:
        return character
    if character in "\t\n\r\x0b\x0c\x85\u2028\u2029":
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Mn", "Me"):
        return ""  # invisible, or drawn over its neighbour: it would hide the name it stands in
    code = ord(character)
    twin = _RADICALS.get(code) or _TWINS.get(code) or _DASHES.get(code)
    if twin:
        return twin
    folded = unicodedata.normalize("NFKC", character)
    if len(folded) > _MAX_EXPANSION:
        return character
    simplified = _simplified()
    return "".join(simplified.get(c, c) for c in folded.upper() if unicodedata.category(c) not in ("Mn", "Cf"))


class FoldTable:
    """What each character folds to. Made once; plain data, so a cache can hold it."""

    def __init__(self, changes: dict[str, str] | None = None) -> None:
        if changes is None:
            changes = {}
            for code in range(0x10000):
                if not 0xD800 <= code < 0xE000 and not 0xAC00 <= code < 0xD7B0:
                    character = chr(code)
                    folded = _fold_character(character)
                    if folded != character:
                        changes[character] = folded
        self.changes = changes
        self._needs_fold = re.compile(f"[{_ranges(changes)}\U00010000-\U0010ffff]").search

    def __reduce__(self) -> tuple[type[FoldTable], tuple[dict[str, str]]]:
        return FoldTable, (self.changes,)

    @classmethod
    def standard(cls) -> FoldTable:
        """The one table, made at first use."""
        return _standard()

    def fold(self, query: str) -> Folded:
        """Fold a query. Linear in its length."""
        if self._needs_fold(query) is None:
            return quickly(Folded, (query, None))
        characters: list[str] = []
        offsets: list[int] = []
        changes = self.changes
        for i, character in enumerate(query):
            folded = changes.get(character, character)
            if character > "\uffff":
                folded = _fold_character(character)
            characters.append(folded)
            offsets.extend([i] * len(folded))
        offsets.append(len(query))
        return Folded("".join(characters), tuple(offsets))

    def fold_name(self, name: str) -> str:
        """Fold a name of the table, as a query that holds it would be folded."""
        return self.fold(name).text


@lru_cache(maxsize=1)
def _standard() -> FoldTable:
    return FoldTable()


def _ranges(characters: dict[str, str]) -> str:
    """The characters as the inside of a regular-expression class."""
    codes = sorted(map(ord, characters))
    parts = []
    start = previous = codes[0]
    for code in [*codes[1:], 0x110000]:
        if code != previous + 1:
            parts.append(f"\\u{start:04x}-\\u{previous:04x}")
            start = code
        previous = code
    return "".join(parts)
