"""The bundled word lists: filler, ordinary words, endings of ordinary words, places elsewhere."""

from __future__ import annotations

from functools import lru_cache

from qilin.hierarchy import bundled_path


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


_TOWNSHIP_ENDINGS = ("所", "站", "镇", "乡", "街道", "办事处", "街道办")
