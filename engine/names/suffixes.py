"""Suffixes: the longest one at a place of a text, and how much of it may count."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from qilin.names.rules import ADMIN_WORDS, ORG_WORDS, PEOPLE_STARTS, SUFFIX, suffix_prefixes

_HAVE = ("有多少", "有几", "有没有", "有无", "有哪", "有什么")


class _Trie:
    """The suffixes that go on after some characters; `suffix` is those characters where they are one, else ""."""

    def __init__(self) -> None:
        self.suffix = ""
        self.more: dict[str, _Trie] = {}


def _trie(suffixes: Iterable[str]) -> _Trie:
    root = _Trie()
    for suffix in suffixes:
        at = root
        for character in suffix:
            at = at.more.setdefault(character, _Trie())
        at.suffix = suffix
    return root


# `SUFFIX` without the peoples: an administrative word, the organisation's word, or one behind the other.
_SUFFIXES: Final = _trie([*ORG_WORDS, *(admin + org for admin in ADMIN_WORDS for org in ("", *ORG_WORDS))])


def suffix_at(text: str, position: int) -> str:
    """The longest suffix that stands at a position of a folded text; "" for none."""
    if text[position : position + 1] in PEOPLE_STARTS:
        match = SUFFIX.match(text, position)
        suffix = "" if match is None else match[0]
    else:
        suffix = ""
        at = _SUFFIXES
        for end in range(position, len(text)):
            more = at.more.get(text[end])
            if more is None:
                break
            at = more
            suffix = at.suffix or suffix
    if suffix and suffix[-1] == "所" and not suffix.endswith("供电所") and _takes_suo(text, position + len(suffix)):
        # 麒麟所有投诉 is 麒麟 + 所有; 麒麟所有多少投诉 is 麒麟所.
        suffix = suffix[:-1]
    return suffix


def _takes_suo(text: str, position: int) -> bool:
    following = text[position : position + 1]
    if following in ("辖", "属", "在"):
        return True
    return following == "有" and not text.startswith(_HAVE, position)


@lru_cache(maxsize=4096)
def endings(suffix: str) -> tuple[tuple[int, str], ...]:
    """How much of a suffix may count, shortest first: how many characters, and the ending they are without peoples."""
    short = without_peoples(suffix)
    if suffix == short:
        return ((0, ""), *((len(ending), ending) for ending in suffix_prefixes(suffix)))
    less = len(suffix) - len(short)
    found = (ending for ending in suffix_prefixes(short) if ending.startswith("自治"))
    return ((0, ""), *((less + len(ending), ending) for ending in found))


def without_peoples(suffix: str) -> str:
    """土家族自治县 as 自治县."""
    if "自治" not in suffix:
        return suffix
    match = SUFFIX.fullmatch(suffix)
    return match["suffix"] if match else suffix
