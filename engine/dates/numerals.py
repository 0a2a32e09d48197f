"""Numbers as dates write them: 12, 十二, 二〇二四."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Final

CN: Final = "一二两三四五六七八九十百〇零廿卅"
NUMERAL: Final = re.compile(f"[0-9]+|[{CN}]+")
_CN_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0}
_CN_TENS = re.compile("(?:([一二两三四五六七八九])百零?)?(?:([一二三四五六七八九])?(十))?([一二两三四五六七八九])?")


def number(text: str) -> int | None:
    """The value of the first numeral of `text`, at most four digits or 九百九十九."""
    found = NUMERAL.search(text)
    if found is None:
        return None
    numeral = found[0]
    if numeral[0] in "0123456789":
        return int(numeral) if len(numeral) <= 4 else None
    parts = _CN_TENS.fullmatch(numeral)
    if parts is None:
        return None
    hundreds, tens, ten, ones = parts.groups()
    digits = {**_CN_DIGITS, "两": 2}
    return (
        (digits[hundreds] * 100 if hundreds else 0)
        + ((digits[tens] if tens else 1) * 10 if ten else 0)
        + (digits[ones] if ones else 0)
    )


def year_number(text: str, today: date) -> int | None:
    """2024, 24, 二〇二四, 二四: a year of two digits is the latest not more than ten years after `today`."""
    found = NUMERAL.search(text)
    if found is None:
        return None
    digits = [_CN_DIGITS.get(c, -1) if c in CN else int(c) for c in found[0][:5]]
    if min(digits) < 0 or len(digits) not in (2, 4):
        return None
    value = int("".join(map(str, digits)))
    if len(digits) == 4:
        return value
    if found[0][0] in CN and digits[1] == digits[0] + 1:
        return None  # 二三年 may be two or three years
    latest = today.year + 10
    value += latest // 100 * 100
    return value if value <= latest else value - 100


def are_consecutive(numerals: list[str]) -> bool:
    """Whether the numerals count up by one: only then is a list of months one range."""
    values = [number(numeral) for numeral in numerals]
    return all(a is not None and b == a + 1 for a, b in pairwise(values))
