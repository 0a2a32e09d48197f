"""Periods of the calendar, and what single date words mean by them.

A date word has up to two meanings: the period it names when it stands first, seen from today (去年, 近7天), and the
part it takes of the period named before it (2023年|3月, 3月|5日). Both are functions here; `qilin.dates.words` says
which word has which. A function returns None where the word does not apply, and raises ValueError or OverflowError
where the day does not exist.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, Literal, NamedTuple

from qilin.dates.festivals import NAMES, festival_periods, season_period
from qilin.dates.numerals import CN, NUMERAL, number, year_number

FESTIVAL: Final = "(?:" + "|".join(NAMES) + ")"
HOLIDAY: Final = "(?:期间|假期|小长假|长假|黄金周|假日)"
WEEK_UNITS: Final = "周期拜"  # how 周, 星期 and 礼拜 end


class Grain(IntEnum):
    """How large a period is; only one with a name of its own can be narrowed by the words after it."""

    SPAN = 0
    DAY = 1
    WEEK = 2
    THIRD = 3
    MONTH = 4
    QUARTER = 5
    HALF = 6
    YEAR = 7


class Scope(NamedTuple):
    """A period, both ends inclusive.

    `edge`: only its first (年初) or last day (年底) is meant, and only as the end of a range. Alone, 月底 is too
    vague to be a range of days.
    """

    first: date
    last: date
    grain: Grain
    edge: Literal["", "first", "last"] = ""


Needs = Literal["", "year", "month", "week"]  # the larger period that a word leaves open: 3月 a year, 周三 a week


class Point(NamedTuple):
    """One end of a range, or all of it.

    `needs` is the larger period that the expression left open and that was taken from today. `year`, `month` and
    `week` are the first days of the larger periods that it did settle, for the words after it (去年11月 settles the
    year of 至12月, 4月1日 the month of 至15日).
    """

    scope: Scope
    needs: Needs = ""
    year: date | None = None
    month: date | None = None
    week: date | None = None


# --- Periods by their names and numbers ---


def whole_year(year: int) -> Scope:
    """From 1 January to 31 December."""
    return Scope(date(year, 1, 1), date(year, 12, 31), Grain.YEAR)


def whole_month(year: int, month: int) -> Scope:
    """From the first of a month to its last day."""
    return Scope(date(year, month, 1), date(year, month, monthrange(year, month)[1]), Grain.MONTH)


def week_of(day: date) -> Scope:
    """The week around `day`, Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return Scope(monday, monday + timedelta(days=6), Grain.WEEK)


def one_day(day: date) -> Scope:
    """A period of one day."""
    return Scope(day, day, Grain.DAY)


def enclosing(needs: Needs, day: date, kind: str = "", steps: int = 0) -> Scope:
    """The year, month or week around `day` that a word of this kind is counted in, or the one `steps` later."""
    if needs == "year":
        # Around New Year a week belongs to the year that has most of it.
        year = day.isocalendar().year if kind == "week" else day.year
        return whole_year(year + steps)
    if needs == "month":
        day = _add_months(day.replace(day=1), steps)
        return whole_month(day.year, day.month)
    return week_of(day + timedelta(weeks=steps))


def _months(first: date, last: date, grain: Grain) -> Scope:
    """From the month of `first` to the month of `last`."""
    return Scope(first.replace(day=1), whole_month(last.year, last.month).last, grain)


def _add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# --- Words that stand first: the period they name, seen from today ---


def _steps(text: str) -> int:
    """上 is one back, 上上 two; 下 is one ahead; 本, 这 and 当 are none."""
    return text.count("下") - text.count("上")


def _near(text: str) -> int | None:
    """今 0, 昨 or 去 -1, 前 -2, 大前 -3, 明 1, 后 2, 大后 3."""
    far = 1 if text[0] == "大" else 0
    first = text[far]
    if first in "今当本这":
        return 0
    return {"昨": -1, "去": -1, "前": -2 - far, "明": 1, "后": 2 + far}.get(first)


def relative_year(text: str, today: date) -> Scope | None:
    """去年, 上年, 本年度."""
    steps = _near(text)
    return whole_year(today.year + (_steps(text) if steps is None else steps))


def relative_quarter(text: str, today: date) -> Scope | None:
    """上季度, 本季."""
    first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    first = _add_months(first, 3 * _steps(text))
    return _months(first, _add_months(first, 2), Grain.QUARTER)


def relative_month(text: str, today: date) -> Scope | None:
    """上个月, 本月."""
    day = _add_months(today.replace(day=1), _steps(text))
    return whole_month(day.year, day.month)


def relative_week(text: str, today: date) -> Scope | None:
    """上周, 下星期."""
    return week_of(today + timedelta(weeks=_steps(text)))


def relative_day(text: str, today: date) -> Scope | None:
    """昨天, 大前天."""
    steps = _near(text)
    return None if steps is None else one_day(today + timedelta(days=steps))


def named_year(text: str, today: date) -> Scope | None:
    """2024年, 24年, 二〇二四年."""
    year = year_number(text, today)
    return None if year is None else whole_year(year)


def dashed(text: str, today: date) -> Scope | None:
    """2024-05, 2024.05.13, 2024/5/13, with or without a unit behind it that fits."""
    unit = text[-1] if text[-1] in "月日号" else ""
    parts = [int(part) for part in re.split("[-./]", text.rstrip("月日号"))]
    if len(parts) == 2:
        return None if unit in ("日", "号") else whole_month(parts[0], parts[1])
    return None if unit == "月" else one_day(date(parts[0], parts[1], parts[2]))


def stamp(text: str, today: date) -> Scope | None:
    """202405 or 20240513."""
    year, month = int(text[:4]), int(text[4:6])
    return one_day(date(year, month, int(text[6:]))) if len(text) == 8 else whole_month(year, month)


_ROLLING = re.compile(f"(?:最近|近|过去) ?的? ?[这整]?([0-9.{CN}半几数多余]+) ?(个?)([多余半]?) ?(.+)")


def rolling(text: str, today: date) -> Scope | None:
    """近7天: the last seven days, today one of them; 近一个月: since the day after this day a month ago."""
    parts = _ROLLING.fullmatch(text)
    if parts is None:
        return None
    numeral, _, more, unit = parts.groups()
    if numeral == "半" and unit == "年":
        return Scope(_add_months(today, -6) + timedelta(days=1), today, Grain.SPAN)
    if more or NUMERAL.fullmatch(numeral) is None:
        return None
    count = number(numeral)
    if not count:
        return None
    if unit in ("天", "日", "自然日"):
        return Scope(today - timedelta(days=count - 1), today, Grain.SPAN)
    if unit[-1] in WEEK_UNITS:
        return Scope(today - timedelta(days=7 * count - 1), today, Grain.SPAN)
    if unit in ("月", "年"):
        months = count * 12 if unit == "年" else count
        return Scope(_add_months(today, -months) + timedelta(days=1), today, Grain.SPAN)
    return None


def this_year(text: str, today: date) -> Scope | None:
    """年内, 全年."""
    return whole_year(today.year) if text[-1] in "年内" else None


def year_edge(text: str, today: date) -> Scope | None:
    """年初, 年底 of this year."""
    return _edge(whole_year(today.year), text)


def month_edge(text: str, today: date) -> Scope | None:
    """月初, 月底 of this month."""
    return _edge(whole_month(today.year, today.month), text)


def _edge(scope: Scope, text: str) -> Scope:
    return scope._replace(edge="first" if text[-1] == "初" else "last")


# --- Words behind another: the part they take of the period before them ---

_WEEKDAYS = "一二三四五六日"


def _inside(scope: Scope, part: Scope) -> Scope | None:
    return part if scope.first <= part.first and part.last <= scope.last else None


def narrow_half(scope: Scope, text: str) -> Scope | None:
    """上半年, H2."""
    if scope.grain != Grain.YEAR:
        return None
    year = scope.first.year
    first = 1 if text[0] == "上" or text.endswith("1") else 7
    return _months(date(year, first, 1), date(year, first + 5, 1), Grain.HALF)


def narrow_quarter(scope: Scope, text: str) -> Scope | None:
    """第三季度, Q4, 首季."""
    quarter = 1 if text.startswith("首") else number(text)
    if scope.grain < Grain.HALF or quarter is None or not 1 <= quarter <= 4:
        return None
    year = scope.first.year
    return _inside(scope, _months(date(year, quarter * 3 - 2, 1), date(year, quarter * 3, 1), Grain.QUARTER))


def narrow_first_parts(scope: Scope, text: str) -> Scope | None:
    """前三季度, 前5个月 of the year. 前一个月 and 前12个月 may look back from today: not understood."""
    count = number(text)
    if scope.grain != Grain.YEAR or count is None or count < 2:
        return None
    months = count * 3 if "季" in text else count
    if months > 12 or ("月" in text and months == 12):
        return None
    return _months(scope.first, date(scope.first.year, months, 1), Grain.SPAN)


def narrow_first_days(scope: Scope, text: str) -> Scope | None:
    """前5天 of a month or week."""
    count = number(text)
    if scope.grain < Grain.WEEK or not count:
        return None
    return _inside(scope, Scope(scope.first, scope.first + timedelta(days=count - 1), Grain.SPAN))


def narrow_month(scope: Scope, text: str) -> Scope | None:
    """3月, 元月."""
    month = 1 if text.startswith("元") else number(text)
    if scope.grain < Grain.QUARTER or month is None or not 1 <= month <= 12 or "两" in text:
        return None
    return _inside(scope, whole_month(scope.first.year, month))


def narrow_third(scope: Scope, text: str) -> Scope | None:
    """上旬, 中旬, 下旬."""
    if scope.grain != Grain.MONTH:
        return None
    first, last = {"上": (1, 10), "中": (11, 20), "下": (21, scope.last.day)}[text[0]]
    return Scope(scope.first.replace(day=first), scope.first.replace(day=last), Grain.THIRD)


def narrow_half_month(scope: Scope, text: str) -> Scope | None:
    """上半月, 下半月."""
    if scope.grain != Grain.MONTH:
        return None
    first, last = (1, 15) if text[0] == "上" else (16, scope.last.day)
    return Scope(scope.first.replace(day=first), scope.first.replace(day=last), Grain.SPAN)


def narrow_week(scope: Scope, text: str) -> Scope | None:
    """第10周, counted as ISO 8601 does."""
    week = number(text)
    if scope.grain != Grain.YEAR or week is None:
        return None
    return week_of(date.fromisocalendar(scope.first.year, week, 1))


def narrow_weekday(scope: Scope, text: str) -> Scope | None:
    """周三, or 周一至五 and 周一至周五 where the lexer took both as one word."""
    if scope.grain == Grain.DAY:
        return narrow_is_weekday(scope, text)  # 5月13日星期一
    if scope.grain != Grain.WEEK:
        return None
    named = re.findall(f"[{_WEEKDAYS}天]", text.replace("星期", "").replace("礼拜", ""))
    first, last = (_WEEKDAYS.index("日" if c == "天" else c) for c in (named[0], named[-1]))
    if last < first:
        return None
    days = [scope.first + timedelta(days=offset) for offset in (first, last)]
    return Scope(days[0], days[1], Grain.DAY if first == last else Grain.SPAN)


def narrow_is_weekday(scope: Scope, text: str) -> Scope | None:
    """5月13日(周一): kept if it is one."""
    weekday = _WEEKDAYS.find("日" if "天" in text else re.sub("星期|礼拜|[周() ]", "", text))
    return scope if scope.grain == Grain.DAY and scope.first.weekday() == weekday else None


def narrow_weekend(scope: Scope, text: str) -> Scope | None:
    """周末: Saturday and Sunday."""
    if scope.grain != Grain.WEEK:
        return None
    return Scope(scope.last - timedelta(days=1), scope.last, Grain.SPAN)


def narrow_day(scope: Scope, text: str) -> Scope | None:
    """5日, 5号."""
    day = number(text)
    if scope.grain != Grain.MONTH or day is None or "两" in text:
        return None
    return one_day(scope.first.replace(day=day))


def narrow_season(scope: Scope, text: str) -> Scope | None:
    """迎峰度夏, 度冬."""
    if scope.grain != Grain.YEAR:
        return None
    first, last = season_period("度夏" if "度夏" in text else "度冬", scope.first.year)
    return Scope(first, last, Grain.SPAN)


def narrow_festival(scope: Scope, text: str) -> Scope | None:
    """春节, 国庆假期, 端午当天."""
    if scope.grain != Grain.YEAR:
        return None
    scopes = _festival(text, scope.first.year)
    return scopes[0] if len(scopes) == 1 else None  # 腊八 of 2022 was two days, that of 2023 none


def latest_festival(text: str, today: date) -> Scope | None:
    """The last time a festival began, today included."""
    years = range(today.year - 2, today.year + 1)  # no 腊八 fell in 2023
    begun = [s for year in years for s in _festival(text, year) if s.first <= today]
    return begun[-1] if begun else None


_FESTIVAL_NAME = re.compile(FESTIVAL)


def _festival(text: str, year: int) -> list[Scope]:
    named = _FESTIVAL_NAME.match(text)
    name = named[0] if named else "国庆"  # 十一假期
    rest = text[len(name) if named else 2 :]
    holiday = False if rest.endswith(("当天", "当日")) else True if re.search(HOLIDAY, rest) else None
    periods = festival_periods(name, year, holiday=holiday)
    return [Scope(first, last, Grain.SPAN if first < last else Grain.DAY) for first, last in periods]


def narrow_whole(scope: Scope, text: str) -> Scope | None:
    """3月|全月, 2023年|全年: the period itself."""
    grain = {"年": Grain.YEAR, "月": Grain.MONTH, "周": Grain.WEEK, "天": Grain.DAY}[text[-1]]
    return scope if scope.grain == grain else None


def narrow_edge(scope: Scope, text: str) -> Scope | None:
    """年初, 3月底: the first or last day, if it turns out to be the end of a range."""
    grain = {"年": Grain.YEAR, "月": Grain.MONTH}.get(text[0], scope.grain)
    return _edge(scope, text) if scope.grain == grain and grain >= Grain.WEEK else None


def narrow_same(scope: Scope, text: str) -> Scope | None:
    """5月13日|当天, 3月|当月, 今年|年内: the period itself."""
    unit = text[1] if text[0] == "当" else text[0]
    grain = {"年": Grain.YEAR, "月": Grain.MONTH, "天": Grain.DAY, "日": Grain.DAY}.get(unit)
    return scope if text[0] in "当年" and scope.grain == grain else None
