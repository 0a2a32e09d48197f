"""How characters sound: every reading, tones left out. Source: pypinyin's dictionary (MIT)."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

# Readings in names that a dictionary of common use may lack.
_NAMES = {"单": "shan", "鄄": "juan", "茌": "chi", "莒": "ju", "郯": "tan", "崮": "gu", "长": "chang"}
_MERGED_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_MERGED_FINALS = (("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


@lru_cache(maxsize=1)
def _dictionary() -> dict[int, str]:
    from pypinyin.constants import PINYIN_DICT

    return dict(PINYIN_DICT)


def plain(syllable: str) -> str:
    """A syllable without its tone: shàn → shan, lǜ → lv."""
    decomposed = unicodedata.normalize("NFD", syllable.replace("ü", "v").replace("ǖ", "v"))
    return "".join("v" if c == "\u0308" else c for c in decomposed if c.isalpha() or c == "\u0308").replace("uv", "v")


@cache
def readings(character: str) -> frozenset[str]:
    """Toneless readings of one character; empty where it has none."""
    found = {plain(s) for s in _dictionary().get(ord(character), "").split(",") if s}
    extra = _NAMES.get(character)
    return frozenset(found | {extra} if extra else found)


def merged(syllable: str) -> str:
    """The syllable with the sounds merged that many speakers do not tell apart: zh/z, n/l, in/ing."""
    for long, short in _MERGED_INITIALS:
        if syllable.startswith(long):
            syllable = short + syllable[len(long) :]
            break
    for long, short in _MERGED_FINALS:
        if syllable.endswith(long):
            return syllable[: -len(long)] + short
    return syllable


@cache
def merged_readings(character: str) -> frozenset[str]:
    """Readings of one character with sounds merged."""
    return frozenset(map(merged, readings(character)))
