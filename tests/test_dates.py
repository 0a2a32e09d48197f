"""Date mentions: a golden table for meaning, properties for everything else."""

from __future__ import annotations

import importlib
import json
import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qilin.dates import TRIGGERS, DateMention, find_dates, lexer, may_begin
from qilin.dates.beginnings import beginnings
from qilin.dates.festivals import NAMES, festival_periods, season_period
from qilin.dates.words import KINDS, WORDS, DateWord

GOLDEN = Path(__file__).parent / "golden" / "dates.jsonl"
TODAY = date(2024, 5, 13)  # a Monday
DAY = timedelta(days=1)


def golden_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def meaning(text: str, today: date = TODAY) -> list[tuple[str, date | None, date | None]]:
    return [(text[m.start : m.end], m.first, m.last) for m in find_dates(text, today)]


def only(text: str, today: date = TODAY) -> tuple[date | None, date | None]:
    """The range of a text that is one date expression from end to end."""
    mentions = find_dates(text, today)
    assert [(m.start, m.end) for m in mentions] == [(0, len(text))], text
    return mentions[0].first, mentions[0].last


def triggered(text: str) -> bool:
    return any(trigger in text for trigger in TRIGGERS)


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: f"{row['today']}:{row['text']}")
def test_golden(row: dict[str, Any]) -> None:
    mentions = find_dates(row["text"], date.fromisoformat(row["today"]))
    found = [
        [row["text"][m.start : m.end], m.first and m.first.isoformat(), m.last and m.last.isoformat()] for m in mentions
    ]
    assert found == row["want"]


def test_golden_table_has_positives_and_negatives() -> None:
    rows = golden_rows()
    assert len(rows) >= 150
    assert sum(not row["want"] for row in rows) >= 50


def test_every_mention_has_a_trigger_and_a_beginning() -> None:
    for row in golden_rows():
        for surface, _, _ in row["want"]:
            assert triggered(surface), row["text"]
            assert may_begin(surface, 0), row["text"]


def test_neutral_neighbours_change_nothing() -> None:
    """菏泽 before and 投诉数量 after leave the meaning alone."""
    for row in golden_rows():
        text, today = row["text"], date.fromisoformat(row["today"])
        if [text] != [surface for surface, _, _ in row["want"]]:
            continue  # has neighbours of its own
        want = meaning(text, today)
        assert meaning(f"菏泽{text}", today) == want
        assert meaning(f"{text},菏泽投诉数量", today) == want
        assert meaning(f"菏泽{text}投诉数量", today) == want


# --- Absolute expressions come back as themselves, whatever today is ---------------------------------------

YEARS = st.integers(1900, 2100)
TODAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
CN_DIGITS = "〇一二三四五六七八九"


def cn(number: int) -> str:
    """11 → 十一, 25 → 二十五."""
    tens, ones = divmod(number, 10)
    written_tens = "" if tens == 0 else "十" if tens == 1 else CN_DIGITS[tens] + "十"
    return written_tens + (CN_DIGITS[ones] if ones else "")


def cn_year(year: int) -> str:
    return "".join(CN_DIGITS[int(digit)] for digit in str(year))


def month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def test_every_month_comes_back_as_itself() -> None:
    for year in range(1900, 2101):
        for month in range(1, 13):
            want = date(year, month, 1), month_end(year, month)
            for text in (
                f"{year}年{month}月",
                f"{year}年{month:02d}月份",
                f"{year} 年 {month} 月",
                f"{year}-{month:02d}",
                f"{year}/{month}",
                f"{year}.{month:02d}",
                f"{cn_year(year)}年{cn(month)}月",
                f"{year}年{month}月1日至{want[1].day}日",
            ):
                assert only(text) == want, text
            if year < 2100:
                assert only(f"{year}{month:02d}") == want


def test_every_day_comes_back_as_itself() -> None:
    day = date(1900, 1, 1)
    while day.year <= 2100:
        year, month, number = day.year, day.month, day.day
        texts = [f"{year}年{month}月{number}日", f"{year}-{month:02d}-{number:02d}"]
        if number % 7 == month % 7:  # every form on some days, two forms on all
            texts += [
                f"{year}年{month:02d}月{number:02d}号",
                f"{year}/{month}/{number}",
                f"{year}.{month}.{number}",
                f"{cn_year(year)}年{cn(month)}月{cn(number)}日",
                f"{day:%Y-%m-%d}~{day:%Y-%m-%d}",
                f"{year}年{month}月{number}日星期{'一二三四五六日'[day.weekday()]}",
            ]
            if year < 2100:
                texts.append(f"{year}{month:02d}{number:02d}")
        for text in texts:
            assert only(text) == (day, day), text
        day += DAY


@given(year=YEARS, today=TODAYS)
def test_parts_of_a_year(year: int, today: date) -> None:
    assert only(f"{year}年", today) == (date(year, 1, 1), date(year, 12, 31))
    assert only(f"{cn_year(year)}年度", today) == (date(year, 1, 1), date(year, 12, 31))
    for half, word in ((1, "上"), (2, "下")):
        want = date(year, half * 6 - 5, 1), month_end(year, half * 6)
        assert only(f"{year}年{word}半年", today) == want
    for quarter in range(1, 5):
        want = date(year, quarter * 3 - 2, 1), month_end(year, quarter * 3)
        for number in (str(quarter), cn(quarter)):
            for form in (f"第{number}季度", f"{number}季度", f"第{number}季"):
                assert only(f"{year}年{form}", today) == want, form
        assert only(f"{year}年Q{quarter}", today) == want
    assert only(f"{year}年前三季度", today) == (date(year, 1, 1), date(year, 9, 30))


@given(first=st.dates(date(1900, 1, 1), date(2100, 12, 31)), length=st.integers(0, 900), today=TODAYS)
def test_ranges_are_whole_and_independent_of_today(first: date, length: int, today: date) -> None:
    last = min(first + length * DAY, date(2100, 12, 31))

    def full(day: date) -> str:
        return f"{day.year}年{day.month}月{day.day}日"

    for to in ("至", "到", "-", "~", "—"):
        assert only(full(first) + to + full(last), today) == (first, last)
        assert only(f"{first}{to}{last}", today) == (first, last)
        assert only(f"{first.year}年{first.month}月{to}{last.year}年{last.month}月", today) == (
            first.replace(day=1),
            month_end(last.year, last.month),
        )
    if first.year == last.year and first != last:
        assert only(f"{full(first)}至{last.month}月{last.day}日", today) == (first, last)
    if first < last:
        assert only(f"{last}至{first}", today) == (None, None)


@given(year=YEARS, week=st.integers(1, 54), today=TODAYS)
def test_weeks_are_iso(year: int, week: int, today: date) -> None:
    first, last = only(f"{year}年第{week}周", today)
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        assert first is None
        return
    in_range = monday.year >= 1900 and (monday + 6 * DAY).year <= 2100
    assert (first, last) == ((monday, monday + 6 * DAY) if in_range else (None, None))


@given(year=st.integers(1900, 2100), month=st.integers(0, 99), day=st.integers(0, 99))
def test_impossible_dates_are_mentions_without_a_range(year: int, month: int, day: int) -> None:
    try:
        want: tuple[date | None, date | None] = (date(year, month, day), date(year, month, day))
    except ValueError:
        want = None, None
    assert only(f"{year}年{month}月{day}日") == want
    assert only(f"{year}年{month:02d}月{day:02d}号") == want


# --- Relative expressions ----------------------------------------------------------------------------------


@given(today=TODAYS, month=st.integers(1, 12))
def test_a_bare_month_is_the_latest_begun(today: date, month: int) -> None:
    first, last = only(f"{month}月", today)
    assert first is not None and last is not None
    assert (first.month, first.day) == (month, 1) and last == month_end(first.year, month)
    assert first <= today < date(first.year + 1, month, 1)


BARE = ["一季度", "Q4", "上半年", "下半年", "前三季度", "第10周", "春节", "周三", "中旬"]


@given(today=TODAYS, text=st.sampled_from(BARE))
def test_a_bare_period_has_begun_within_two_years(today: date, text: str) -> None:
    first, last = only(text, today)
    assert first is not None and last is not None
    assert first <= today < first + 400 * DAY


@given(today=TODAYS, count=st.integers(1, 400))
def test_rolling_days_end_today_and_include_it(today: date, count: int) -> None:
    for text in (f"近{count}天", f"最近{count}天", f"过去{count}日", f"近 {count} 天"):
        assert only(text, today) == (today - (count - 1) * DAY, today)
    if count < 50:
        assert only(f"近{count}周", today) == (today - (7 * count - 1) * DAY, today)


@given(today=TODAYS, count=st.integers(1, 60))
def test_rolling_months_meet_without_gap_where_days_allow(today: date, count: int) -> None:
    first, last = only(f"最近{count}个月", today)
    assert first is not None and last == today
    before = first - DAY  # the same day of the month `count` months ago, or the end of that month
    assert (before.year * 12 + before.month) == today.year * 12 + today.month - count
    assert before.day == min(today.day, monthrange(before.year, before.month)[1])
    assert only(f"近{count}年", today)[1] == today


@given(today=TODAYS)
def test_relative_words(today: date) -> None:
    monday = today - today.weekday() * DAY
    assert only("今天", today) == (today, today)
    assert only("昨天", today) == (today - DAY, today - DAY)
    assert only("大前天", today) == (today - 3 * DAY,) * 2
    assert only("后天", today) == (today + 2 * DAY,) * 2
    assert only("本周", today) == (monday, monday + 6 * DAY)
    assert only("上上周", today) == (monday - 14 * DAY, monday - 8 * DAY)
    assert only("下周三", today) == (monday + 9 * DAY,) * 2
    assert only("本月", today) == (today.replace(day=1), month_end(today.year, today.month))
    assert only("上个月", today)[1] == today.replace(day=1) - DAY
    assert only("去年", today) == (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))
    assert only("月初至今", today) == (today.replace(day=1), today)
    assert only("今年以来", today) == only("年初至今", today) == (date(today.year, 1, 1), today)
    assert only("上季度", today)[1] == (only("本季度", today)[0] or today) - DAY


@given(today=TODAYS, digits=st.integers(0, 99))
def test_a_two_digit_year_is_at_most_ten_years_ahead(today: date, digits: int) -> None:
    first, _ = only(f"{digits:02d}年3月", today)
    assert first is not None and first.year % 100 == digits
    assert today.year - 90 <= first.year <= today.year + 10


def test_a_datetime_is_a_date() -> None:
    assert meaning("今天", datetime(2024, 5, 13, 23, 59)) == [("今天", TODAY, TODAY)]


@pytest.mark.parametrize("today", [date.min, date.max, date(1900, 1, 1), date(2100, 12, 31)])
def test_the_ends_of_the_calendar_raise_nothing(today: date) -> None:
    for row in golden_rows():
        for mention in find_dates(row["text"], today):
            assert mention.first is None or 1900 <= mention.first.year <= 2100


# --- Festivals ---------------------------------------------------------------------------------------------

# Published dates (State Council holiday notices, almanacs).
KNOWN = {
    ("春节", 2020): "2020-01-25",
    ("春节", 2023): "2023-01-22",
    ("春节", 2024): "2024-02-10",
    ("春节", 2025): "2025-01-29",
    ("春节", 2026): "2026-02-17",
    ("除夕", 2024): "2024-02-09",
    ("元宵", 2024): "2024-02-24",
    ("清明", 2023): "2023-04-05",
    ("清明", 2024): "2024-04-04",
    ("端午", 2023): "2023-06-22",
    ("端午", 2024): "2024-06-10",
    ("七夕", 2024): "2024-08-10",
    ("中秋", 2023): "2023-09-29",
    ("中秋", 2024): "2024-09-17",
    ("中秋", 2025): "2025-10-06",
    ("重阳", 2024): "2024-10-11",
    ("腊八", 2024): "2024-01-18",
    ("小年", 2024): "2024-02-02",
    ("国庆", 2024): "2024-10-01",
    ("劳动节", 2024): "2024-05-01",
    ("元旦", 2024): "2024-01-01",
}


@pytest.mark.parametrize(("name", "year"), KNOWN)
def test_known_festivals(name: str, year: int) -> None:
    day = date.fromisoformat(KNOWN[name, year])
    assert festival_periods(name, year, holiday=False) == [(day, day)]
    assert only(f"{year}年{name}当天") == (day, day)


def test_festivals_cover_the_supported_years() -> None:
    for year in range(1900, 2101):
        for name in NAMES:
            periods = festival_periods(name, year)
            assert len(periods) == 1 or name in ("腊八", "小年"), (name, year)
            assert all(first.year == year for first, _ in periods)
        assert season_period("度冬", year)[1].year == year + 1
    assert festival_periods("春节", 1899) == festival_periods("国庆", 2101) == []


def test_holidays_without_a_settled_length_have_no_range() -> None:
    assert festival_periods("中秋", 2024, holiday=True) == []
    assert only("2024年中秋假期") == (None, None)
    assert only("2024年国庆假期") == (date(2024, 10, 1), date(2024, 10, 7))


# --- Any text ----------------------------------------------------------------------------------------------

PIECES = """
0 1 2 3 5 9 12 28 31 2024 2023 24 20240513 202405 2024-05 - 至 到 ~ 年 月 日 号 天 周 星期 礼拜 季
季度 旬 上 下 本 这个 个 今 去 昨 明 前 后 大前 一 二 三 四 五 六 十 百 半 初 底 末 中 内 以来 至今
起 开始 自 从 每 第 近 最近 过去 的 春节 国庆 五一 中秋 节 期间 当天 迎峰 度夏 Q1 H1 度 份 和 、 及
路 村 台区 线 主变 同期 左右 以后 上午 均 照 平阴 菏泽 投诉 ( ) (周一) 累计 工作日 次 全 元旦 腊八
正月 农历 年底 月初 次年 除 截至 ² . / : ,
"""
ALPHABET = [*PIECES.split(), "\n", " ", "\ud800"]


@settings(max_examples=1000)
@given(
    text=st.one_of(st.lists(st.sampled_from(ALPHABET), max_size=12).map("".join), st.text(max_size=40)),
    today=TODAYS,
)
def test_any_text_gives_spans_in_order_and_whole_ranges(text: str, today: date) -> None:
    end = 0
    mentions = find_dates(text, today)
    for mention in mentions:
        assert isinstance(mention, DateMention)
        assert end <= mention.start < mention.end <= len(text)
        end = mention.end
        assert (mention.first is None) == (mention.last is None)
        if mention.first is not None and mention.last is not None:
            assert mention.first <= mention.last
            assert mention.first.year >= 1900
            assert mention.last.year <= 2100
        assert triggered(text[mention.start : mention.end])
        assert may_begin(text, mention.start)
    assert find_dates(text, today) == mentions
    until = max((text.rfind(trigger) + len(trigger) for trigger in TRIGGERS if trigger in text), default=0)
    assert find_dates(text, today, until) == mentions


# --- The table of words ------------------------------------------------------------------------------------

ANYWHERE = [row for row in WORDS if row.place == "anywhere"]
parse = importlib.import_module("re._parser").parse


def rows_used(expression: str) -> set[DateWord]:
    """The rows whose words an expression is made of, up to where it is not understood."""
    used = set()
    position = 0
    while (token := lexer._token()(expression, position)) and token.lastindex and token.end() > position:
        used.add(WORDS[token.lastindex - 1])
        position = token.end()
    return used


def test_every_row_is_reached_by_a_golden() -> None:
    used = {row for line in golden_rows() for surface, _, _ in line["want"] for row in rows_used(surface)}
    assert [row.kind for row in WORDS if row not in used] == []


def test_rows_of_one_kind_mean_the_same() -> None:
    for row in WORDS:
        first = KINDS[row.kind]
        assert (row.names, row.narrows, row.needs) == (first.names, first.narrows, first.needs), row
        assert not row.kind.startswith("no:") or not (row.names or row.narrows or row.needs), row


def test_words_that_may_stand_anywhere_have_triggers_and_no_others() -> None:
    for row in WORDS:
        assert bool(row.triggers) == (row.place == "anywhere"), row
        assert all(1 <= len(trigger) <= 2 for trigger in row.triggers.split()), row


def ends_without(triggers: set[str], pattern: Any, ends: set[str]) -> set[str]:
    """The characters that a match of a parsed pattern may end in without holding a trigger.

    Args:
        triggers: Of one or two characters.
        pattern: Negative look-arounds in it are taken to hold.
        ends: The characters that may stand before the match.
    """
    for code, argument in pattern:
        operation = str(code)
        if operation in ("LITERAL", "IN"):
            choices = characters([(code, argument)] if operation == "LITERAL" else argument)
            ends = {c for c in choices - triggers for end in ends if end + c not in triggers}
        elif operation == "BRANCH":
            ends = set().union(*(ends_without(triggers, branch, ends) for branch in argument[1]))
        elif operation in ("SUBPATTERN", "ATOMIC_GROUP"):
            ends = ends_without(triggers, argument[-1] if operation == "SUBPATTERN" else argument, ends)
        elif operation == "ASSERT" and argument[0] > 0:
            ends = ends if ends_without(triggers, argument[1], ends) else set()
        elif not operation.startswith(("ASSERT", "AT")):
            assert operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
            least, most, repeated = argument
            for _ in range(least):
                ends = ends_without(triggers, repeated, ends)
            for _ in range(min(most - least, 2)):  # what one more could end in, two can
                ends = ends | ends_without(triggers, repeated, ends)
    return ends


def characters(choices: Any) -> set[str]:
    found: set[str] = set()
    for code, argument in choices:
        assert str(code) in ("LITERAL", "RANGE")
        low, high = argument if str(code) == "RANGE" else (argument, argument)
        found |= {chr(each) for each in range(low, high + 1)}
    return found


@pytest.mark.parametrize("row", ANYWHERE, ids=lambda row: f"{row.kind}:{row.triggers}")
def test_no_text_with_a_word_lacks_its_triggers(row: DateWord) -> None:
    triggers = set(row.triggers.split())
    assert not ends_without(triggers, parse(row.pattern), {""})


def test_a_word_without_its_triggers_would_be_noticed() -> None:
    assert ends_without({"日"}, parse("[0-9]{1,2}(?:日|号)"), {""}) == {"号"}
    assert ends_without({"去年"}, parse("去年?"), {""}) == {"去"}
    assert ends_without({"Q1"}, parse("[0-9]{2}(?=Q[12])"), {""})
    assert not ends_without({"Q1", "Q2"}, parse("[0-9]{2}(?=Q[12])"), {""})


@pytest.mark.parametrize("row", ANYWHERE, ids=lambda row: f"{row.kind}:{row.triggers}")
def test_an_expression_may_begin_with_any_text_of_a_word(row: DateWord) -> None:
    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(row.pattern))
    def holds(text: str) -> None:
        word = re.search(row.pattern, text)
        assert word is not None
        assert may_begin(text, word.start())

    holds()


def test_a_word_that_may_begin_an_expression_has_two_characters_to_look_at() -> None:
    assert {len(start) for start in lexer._starts()} == {2}


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("今天", {"今天"}),
        ("[今明]天|后", {"今天", "明天", "后"}),
        ("大?前天", {"大前", "前天"}),
        ("(?:上++)个?月", {"上上", "上个", "上月"}),
        ("[1-3]{1,2}月", {a + b for a in "123" for b in "123月"}),
        ("1(?=月|年)", {"1月", "1年"}),
        ("(?<![0-9])1(?!日)月", {"1月"}),
        (r"\Aa*?", {"", "a", "aa"}),
    ],
)
def test_beginnings(pattern: str, want: set[str]) -> None:
    assert beginnings(pattern) == want


@pytest.mark.parametrize("pattern", ["[^日]月", r"\d月", ".月"])
def test_patterns_whose_beginnings_are_too_many_to_list_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="in a pattern of a date word"):
        beginnings(pattern)
