"""What a whole date expression means: its words read from coarse to fine, both ends of a range, 起 and 以来, lists.

Each word narrows the period before it (去年 → 3月 → 5日). A first word that needs a larger period (3月 needs a year, 5日
a month, 周三 a week) takes the period around today, or the one before if it has not begun there.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from qilin.dates.festivals import FIRST_YEAR, LAST_YEAR
from qilin.dates.lexer import Word, words_of
from qilin.dates.numerals import CN
from qilin.dates.periods import Grain, Needs, Point, Scope, enclosing, one_day, week_of, whole_year
from qilin.dates.words import KINDS

_LONGEST = 64  # code points; no date expression needs more, and this bounds what is read and remembered
_LONGEST_ROLLOVER_DAYS: Final = {"year": 184, "month": 16, "week": 7}
_NEEDED_GRAIN: Final = {"year": Grain.YEAR, "month": Grain.MONTH, "week": Grain.WEEK}
_ENDINGS: Final = ("since", "coming", "within", "cumulative")
_ONE_DAY_OR_SEVERAL = re.compile(f"[{CN}]日")  # 三日 may be three days
_LINK = re.compile(r" ?(?:以?及|[和与跟同或比较、,;/]|相比|对比|环比|同比|vs)? ?").fullmatch


def are_linked(text: str, end: int, start: int) -> bool:
    """Whether nothing but 和, 、 or the like stands between two expressions: then they share what is left open."""
    return _LINK(text, end, start) is not None


def read_after(previous: Point | None, expression: str, today: date) -> Point | None:
    """What one whole expression means, or None where it is not understood or does not exist.

    Args:
        previous: The meaning of the expression that it is linked to, with which it shares what it leaves open
            (去年3月和|4月); None where there is none.
        expression: The text of one run of date words.
        today: What 今天, 本月, 3月 and 近7天 are relative to.
    """
    if len(expression) > _LONGEST:
        return None
    point = _read(expression, today)
    if previous is None or point is None:
        return point
    year_before = previous.scope.grain == Grain.YEAR
    if year_before and point.scope.grain != Grain.YEAR and (point.needs == "year" or point.year is not None):
        return None  # 2023年和2024年3月: of both years, or not
    return point if _settled_by(previous, point.needs) is None else _read(expression, today, previous)


@lru_cache(maxsize=4096)
def _read(expression: str, today: date, given: Point | None = None) -> Point | None:
    if type(today) is not date:  # a datetime does not compare with dates
        today = date(today.year, today.month, today.day)
    words = words_of(expression)
    if not words:
        return None
    try:
        point = _read_words(words, today, given)
    except (ValueError, OverflowError):  # 13月, 2月30日, or past the calendar
        return None
    if point is None or point.scope.first.year < FIRST_YEAR or point.scope.last.year > LAST_YEAR:
        return None
    return point


def without_doubtful(points: list[Point | None]) -> list[Point | None]:
    """The meanings of a query's expressions, None where another may have been meant to fill the open part of one.

    2023年…5月投诉 is hardly May of this year; saying so is better than choosing.
    """
    settled = [point for point in points if point is not None]
    whole_year = any(point.scope.grain == Grain.YEAR for point in settled)
    whole_month = any(point.scope.grain >= Grain.MONTH for point in settled)
    whole_week = any(point.scope.grain >= Grain.WEEK for point in settled)
    # A year said with a month fills only what comes after it: 3月与去年3月 is clear.
    years: set[date] = set()
    months: set[date] = set()
    weeks: set[date] = set()
    clear: list[Point | None] = []
    for point in points:
        if point is None:
            clear.append(None)
            continue
        first = point.scope.first
        if point.needs == "year":
            doubtful = whole_year or bool(years - {first.replace(month=1, day=1)})
        elif point.needs == "month":
            doubtful = whole_month or bool(months - {first.replace(day=1)})
        elif point.needs == "week":
            doubtful = whole_week or bool(weeks - {week_of(first).first})
        else:
            doubtful = False
        clear.append(None if doubtful else point)
        for seen, period in ((years, point.year), (months, point.month), (weeks, point.week)):
            if period is not None:
                seen.add(period)
    return clear


# --- A whole expression ---


def _read_words(words: list[Word], today: date, given: Point | None) -> Point | None:
    """What the words of one whole expression mean; `given` settles what they leave open at the beginning."""
    from_ = words[0].kind == "from"
    words = words[from_:]
    ends: list[Word] = []
    while words and words[-1].kind in _ENDINGS:
        ends.append(words.pop())
    joins = [index for index, word in enumerate(words) if word.kind == "to"]
    left_words = words[: joins[0]] if joins else words
    right_words = words[joins[0] + 1 :] if joins else []
    if len(joins) > 1 or not left_words or (joins and not right_words):
        return None
    if left_words[-1].kind == "number":  # the 1 of 1-4月 is a month too
        if len(right_words) != 1:
            return None
        left_words = [*left_words[:-1], Word(right_words[0].kind, left_words[-1].text)]
    left = _point(left_words, today) if given is None else _given_point(left_words, given)
    if left is None:
        return None
    if not joins:
        return _ended(left, left_words, ends, from_, today)
    if any(end.kind in ("since", "coming") for end in ends):
        return None
    return _range(left, _range_end(right_words, left, today))


def _range(left: Point, right: Point | None) -> Point | None:
    if right is None or left.scope.edge == "last" or right.scope.edge == "first":
        return None
    first, last = left.scope.first, right.scope.last
    if not right.scope.edge and right.scope.first < first:
        return None
    if last < (first if left.scope.edge else left.scope.last):
        return None
    # What the range settles for the next mention of a list is what its own end was given with.
    needs = "" if right.year is not None else left.needs
    month = None if needs == "month" else right.month
    return Point(Scope(first, last, Grain.SPAN), needs, right.year or left.year, month)


def _ended(left: Point, words: list[Word], ends: list[Word], from_: bool, today: date) -> Point | None:
    """A single point with what follows it: 以来 and 起 reach to today, 期间 changes nothing."""
    kinds = {end.kind for end in ends}
    rolls = words[0].kind == "rolling"
    if "cumulative" in kinds and words[-1].kind == "month":
        return None  # 5月累计 may count from January
    if kinds & {"since", "coming"} and not rolls:
        # 周三起投诉 may be three cases
        doubtful = words[-1].kind == "weekday" and ends[-1].text == "起" and not from_
        if doubtful or left.scope.edge == "last" or left.scope.first > today:
            return None
        return left._replace(scope=Scope(left.scope.first, today, Grain.SPAN))
    return None if from_ or left.scope.edge else left


# --- One end of a range, or an expression without one ---


def _point(words: list[Word], today: date) -> Point | None:
    """What words without a range mean, seen from `today`."""
    head = words[0]
    row = KINDS.get(head.kind)
    if row is None:
        return None
    if not row.needs:
        scope = None if row.names is None else row.names(head.text, today)
        if scope is None:
            return None
        point = _settled(Point(scope))
        if head.kind in ("stamp", "dashed"):
            point = point._replace(year=scope.first.replace(month=1, day=1), month=scope.first.replace(day=1))
        return _narrowed(point, words[1:])
    if head.kind == "day" and _ONE_DAY_OR_SEVERAL.fullmatch(head.text):
        return None
    if row.names is not None:  # a festival, which no word narrows
        scope = row.names(head.text, today) if len(words) == 1 else None
        return None if scope is None else Point(scope, row.needs)
    this = enclosing(row.needs, today, head.kind)
    opened = _within(this, words[:1], row.needs)
    latest = _within(this, words, row.needs)
    if opened is None or opened.scope.first > today or (latest is not None and latest.scope.first > today):
        return _within(enclosing(row.needs, today, head.kind, -1), words, row.needs)
    return latest


def _given_point(words: list[Word], given: Point) -> Point | None:
    """A point of a list, its larger period taken from the point before it (去年3月和4月)."""
    needs = KINDS[words[0].kind].needs
    outer = _settled_by(given, needs)
    return None if outer is None else _within(enclosing(needs, outer), words)


def _range_end(words: list[Word], left: Point, today: date) -> Point | None:
    """The second end of a range: what it leaves open comes from the first (去年3月至5月, 4月1日至15日).

    Where the first end left it open too, the second is the next one after it (11月到2月, 周五到周一).
    """
    head = words[0]
    first = left.scope.first
    if head.kind == "next":
        return _following(words, left)
    if head.kind == "monthday":
        month, day = (int(part) for part in re.split("[-/.]", head.text.rstrip("日号")))
        if left.year is None or left.scope.grain != Grain.DAY or len(words) > 1:
            return None
        return Point(one_day(date(left.year.year, month, day)))
    if head.kind in ("end:year", "end:month"):
        point = _point(words, today)
        # 去年3月到年底, 1月1日到月底: the end of that year and month, or of this?
        return point if point is not None and point.scope.first <= first <= point.scope.last else None
    row = KINDS.get(head.kind)
    needs: Needs = "" if row is None else row.needs
    if not needs:
        # 2023年3月到当年5月: whose year that is, is not for us to say.
        return None if head.text.startswith("当") else _point(words, today)
    settled = None if needs == left.needs else _settled_by(left, needs)
    if settled is not None:
        if left.scope.grain >= _NEEDED_GRAIN[needs] and not left.scope.edge:
            return None  # 2023年到5月, 3月到5日
        return _within(enclosing(needs, settled), words)
    if left.year is not None or (needs == "week" and left.needs != "week"):
        return None
    for steps in (0, 1):
        point = _within(enclosing(needs, first, head.kind, steps), words)
        if point is not None and point.scope.first >= first:
            # 11月到2月 runs over the end of the year, 5月到3月 is more likely a slip.
            long = point.scope.last - first > timedelta(days=_LONGEST_ROLLOVER_DAYS[needs])
            return None if steps and long else point
    return None


def _following(words: list[Word], left: Point) -> Point | None:
    """次年2月, 次月5日, 次日, 同年12月, counted from the first end of the range."""
    text = words[0].text
    steps = 0 if text[0] == "同" else 1
    first = left.scope.first
    if text[-1] == "年":
        return _within(whole_year(first.year + steps), words[1:])
    if text[-1] == "月":
        return _within(enclosing("month", first, steps=steps), words[1:])
    return _within(one_day(left.scope.last + timedelta(days=steps)), words[1:])


def _within(outer: Scope, words: list[Word], needs: Needs = "") -> Point | None:
    """`outer` narrowed by the words; None where the day does not exist: 2月30日, 第54周."""
    try:
        return _narrowed(_settled(Point(outer, needs)), words)
    except (ValueError, OverflowError):
        return None


def _narrowed(point: Point, words: list[Word]) -> Point | None:
    """`point` narrowed by one word after another; None where one of them cannot narrow the period before it."""
    for word in words:
        row = KINDS.get(word.kind)
        scope = None if row is None or row.narrows is None else row.narrows(point.scope, word.text)
        if scope is None:
            return None
        point = _settled(point._replace(scope=scope))
    return point


def _settled(point: Point) -> Point:
    """`point`, remembering its scope as the larger period for the words after it."""
    first, grain = point.scope.first, point.scope.grain
    if grain == Grain.MONTH:
        return point._replace(month=first)
    if grain == Grain.WEEK:
        return point._replace(week=first)
    if grain == Grain.YEAR and not point.needs:
        return point._replace(year=first)
    return point


def _settled_by(point: Point, needs: Needs) -> date | None:
    """The first day of the larger period of that kind which `point` settles."""
    return {"": None, "year": point.year, "month": point.month, "week": point.week}[needs]
