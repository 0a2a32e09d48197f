"""The bundled word lists (filler, ordinary words, endings of ordinary words, places) and what they tell of a text."""

from __future__ import annotations

from functools import lru_cache

from qilin.hierarchy import Level, bundled_path
from qilin.hierarchy.suffixes import SUBSTATION_ENDS, division_words


def _lines(relative: str) -> list[str]:
    text = bundled_path(relative).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("#")]


@lru_cache(maxsize=1)
def function_words() -> frozenset[str]:
    """Words that hold a question together and name nothing."""
    return frozenset(word for line in _lines("lexicon/function_words.txt") for word in line.split())


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Words of everyday language; a stem among them needs support to be a mention."""
    return frozenset(_lines("lexicon/ordinary_words.txt"))


@lru_cache(maxsize=1)
def suffix_words() -> tuple[str, ...]:
    """Ordinary words that end like a place: 台区, 小区, 城市, 场所."""
    return tuple(_lines("lexicon/suffix_words.txt"))


@lru_cache(maxsize=1)
def _counties() -> frozenset[str]:
    return frozenset(_lines("lexicon/counties.txt"))


@lru_cache(maxsize=1)
def _townships() -> frozenset[str]:
    return frozenset(_lines("lexicon/townships.txt"))


def places() -> frozenset[str]:
    """Stems of places all over China, counties and above as well as townships."""
    return _counties() | _townships()


@lru_cache(maxsize=1)
def place_characters() -> frozenset[str]:
    """Every character that some place in China is written with."""
    return frozenset("".join(places()))


def is_place(stem: str, suffix: str = "") -> bool:
    """Whether there is a place of this name anywhere in China, of the kind the suffix says.

    Such a name, when the user's table lacks it, is a real name of somewhere else: not a typo of a
    name that the table has, and not filler either.
    """
    if not suffix:
        return stem in _counties() or stem in _townships()
    return stem in (_townships() if suffix.endswith(_TOWNSHIP_ENDINGS) else _counties())


_TOWNSHIP_ENDINGS = (*SUBSTATION_ENDS, *division_words(Level.SUBSTATION))

# Ordinary words that are the ending of a name when they do not stand alone.
_PLACE_LIKE = frozenset(
    ["城市", "市区", "县区", "城区", "郊区", "地区", "矿区", "林区", "牧区", "农区", "山区", "库区", "区县", "市县"]
)
_WORD_SIZES = (2, 3, 4)
# A word that begins with one of these is as likely two: 和|平阴.
_JOINERS = frozenset("的和与及跟同是在有对把被从向为问查看")


def is_ordinary(text: str) -> bool:
    """Whether the text is a word of everyday language."""
    return text in ordinary_words()


def ends_like_a_word(text: str) -> bool:
    """Whether the text ends in an ordinary word that looks like the ending of a place: 台区, 小区.

    Some of them end names too, and count only by themselves: 廖城市 is no 城市, 火星市区 no 市区.
    """
    words, longest = _suffix_words()
    for size in range(min(longest, len(text)), 1, -1):
        word = text[-size:]
        if word in words:
            return size == len(text) or word not in _PLACE_LIKE or is_ordinary(text)
    return False


@lru_cache(maxsize=1)
def _suffix_words() -> tuple[frozenset[str], int]:
    words = frozenset(suffix_words())
    return words, max(map(len, words))


def word_across(text: str, edge: int) -> tuple[int, int] | None:
    """The span of an ordinary word that lies across a place of the text: 更新|城网 across the start of 新城."""
    words = ordinary_words()
    for size in _WORD_SIZES:
        for start in range(max(edge - size + 1, 0), min(edge, len(text) - size + 1)):
            if text[start] not in _JOINERS and text[start : start + size] in words:
                return start, start + size
    return None
