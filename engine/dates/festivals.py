"""Festivals, public holidays and load seasons: which days each name covers in a given year.

Fixed days need no library. Lunar festivals and the solar term 清明 come from tyme4py (MIT, computed
astronomically), imported only when a query names one of them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

Period = tuple[date, date]  # first and last day, both inclusive

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100


class _Fixed(NamedTuple):
    """A festival of the Gregorian calendar; `holiday_days` is 0 where the day off has no fixed length."""

    month: int
    day: int
    holiday_days: int = 0


class _Lunar(NamedTuple):
    """A festival of the lunar calendar: month, day, and how many days later (or earlier) it falls."""

    month: int
    day: int
    shift_days: int = 0
    holiday_days: int = 0


class _Season(NamedTuple):
    """A season of the power grid, from one (month, day) to another, `years` calendar years later."""

    first: tuple[int, int]
    last: tuple[int, int]
    years: int = 0


# The lengths are the traditional ones (正月初一 to 初七, 国庆 1–7 October, 五一 1–5 May). What the State
# Council makes of a given year differs by a day or so; holidays without a settled length have none here.
_FIXED: Final = {
    "元旦": _Fixed(1, 1),
    "妇女节": _Fixed(3, 8),
    "植树节": _Fixed(3, 12),
    "五一": _Fixed(5, 1, 5),
    "青年节": _Fixed(5, 4),
    "儿童节": _Fixed(6, 1),
    "建党节": _Fixed(7, 1),
    "建军节": _Fixed(8, 1),
    "教师节": _Fixed(9, 10),
    "国庆": _Fixed(10, 1, 7),
    "圣诞": _Fixed(12, 25),
}
_LUNAR: Final = {
    "春节": _Lunar(1, 1, holiday_days=7),
    "元宵": _Lunar(1, 15),
    "端午": _Lunar(5, 5),
    "七夕": _Lunar(7, 7),
    "中秋": _Lunar(8, 15),
    "重阳": _Lunar(9, 9),
    "腊八": _Lunar(12, 8),
    "小年": _Lunar(12, 23),  # the northern 小年: Shandong, Henan, Hebei; the south keeps the 24th
    "除夕": _Lunar(1, 1, shift_days=-1),
}
# 迎峰度夏 and 迎峰度冬 as the grid companies plan them; the winter one ends in the following year.
_SEASONS: Final = {
    "度夏": _Season((6, 1), (9, 30)),
    "度冬": _Season((11, 1), (3, 31), years=1),
}

ALIASES: Final = {
    "五一劳动节": "五一",
    "五一国际劳动节": "五一",
    "国际劳动节": "五一",
    "劳动节": "五一",
    "十一国庆": "国庆",
    "三八妇女节": "妇女节",
    "五四青年节": "青年节",
    "六一儿童节": "儿童节",
    "七一建党节": "建党节",
    "八一建军节": "建军节",
}

NAMES: Final = tuple(sorted({*_FIXED, *_LUNAR, "清明", *ALIASES}, key=len, reverse=True))


@lru_cache(maxsize=1024)
def _lunar_day(lunar_year: int, month: int, day: int) -> date:
    """The Gregorian date of a day of the lunar calendar. Source: tyme4py."""
    from tyme4py.lunar import LunarDay  # type: ignore[import-untyped,import-not-found,unused-ignore]

    solar = LunarDay.from_ymd(lunar_year, month, day).get_solar_day()
    return date(solar.get_year(), solar.get_month(), solar.get_day())


@lru_cache(maxsize=256)
def _clear_and_bright(year: int) -> date:
    """清明, the day the sun reaches 15° of ecliptic longitude (China time). Source: tyme4py."""
    from tyme4py.solar import SolarTerm  # type: ignore[import-untyped,import-not-found,unused-ignore]

    solar = SolarTerm.from_name(year, "清明").get_julian_day().get_solar_day()
    return date(solar.get_year(), solar.get_month(), solar.get_day())


def festival_periods(name: str, year: int, *, holiday: bool | None = None) -> list[Period]:
    """The times a festival falls in a Gregorian year: one, but none or two for a late lunar day.

    Args:
        name: One of `NAMES`.
        year: Gregorian; 腊八 of 2022 fell on both 2022-01-10 and 2022-12-30, that of 2023 not at all.
        holiday: True for the days off, False for the one day, None for what the bare name usually means.

    Returns: Periods in order of time; empty outside 1900–2100 and where the days off have no fixed length.
    """
    name = ALIASES.get(name, name)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return []
    days = 0
    if name == "清明":
        firsts = [_clear_and_bright(year)]
    elif name in _FIXED:
        month, day, days = _FIXED[name]
        firsts = [date(year, month, day)]
    else:
        month, day, shift_days, days = _LUNAR[name]
        # A day of the twelfth lunar month may fall on either side of New Year's Day.
        lunar_years = (year - 1, year) if month == 12 else (year,)
        candidates = [_lunar_day(y, month, day) + timedelta(days=shift_days) for y in lunar_years]
        firsts = [day_ for day_ in candidates if day_.year == year]
    if holiday and not days:
        return []
    length_days = 1 if holiday is False else max(days, 1)
    return [(first, first + timedelta(days=length_days - 1)) for first in firsts]


def season_period(name: str, year: int) -> Period:
    """The first and last day of 度夏 or 度冬 that begins in `year`."""
    season = _SEASONS[name]
    return date(year, *season.first), date(year + season.years, *season.last)
