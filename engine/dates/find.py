"""Date mentions of a query, and the calendar ranges they mean.

Two steps. A lexer cuts out the longest run of words that can belong to one date expression, modifiers and
both ends of a range included (自2023年5月1日起, 去年11月至今年2月, 3月前). The run is then read as a whole,
relative to `today`. A run that is not understood in full, or names a date that does not exist, is a mention
without a range: never the shorter date inside it.

How a run is read: its words go from coarse to fine, each narrowing the period before it (去年 → 3月 → 5日).
A first word that needs a larger period (3月 needs a year, 5日 a month, 周三 a week) takes the period around
`today`, or the one before if it has not begun there.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from qilin.dates.festivals import FIRST_YEAR, LAST_YEAR, NAMES, festival_periods, season_period


class DateMention(NamedTuple):
    """A date expression and what it means.

    `start` and `end` are a half-open span of code points. `first` and `last` are both inclusive, and both
    `None` when the expression names no existing date or is not understood.
    """

    start: int
    end: int
    first: date | None
    last: date | None


# Every date expression contains at least one of these: where a text has none, find_dates finds nothing.
TRIGGERS: Final[frozenset[str]] = frozenset(
    [*"年月日号天周季旬今昨近节汛/", "星期", "礼拜", "19", "20", "21", "小时", "段时", "阵子", "不久"]
    + [letter + digit for letter in "Qq" for digit in "0123456789"]
    + ["H1", "H2", "h1", "h2", "度夏", "度冬", "十一", "过去"]
    + [when + part for when in "入去明" for part in "春夏秋冬"]
    + [when + part for when in "明当" for part in "晚早晨夜"]
    + [digit + "." for digit in "0123456789"]
    + [name[:2] for name in NAMES if "节" not in name]
)


def find_dates(text: str, today: date, until: int | None = None) -> list[DateMention]:
    """Find every date expression of `text` and the days it covers.

    Args:
        text: Folded text (NFKC, simplified characters, half-width digits); anything else only finds less.
        today: What 今天, 本月, 3月 and 近7天 are relative to.
        until: Where the last of the `TRIGGERS` ends, if that is known: nothing begins behind it.

    Returns: Mentions in text order, not overlapping; never raises, linear in the length of `text`.
    """
    found: list[DateMention] = []
    points: list[_Point | None] = []  # what each mention means, None where it has no range
    position = 0
    if until is None:
        until = len(text)
    while position < until and (hit := _START(text, position)) is not None:
        start = hit.start()
        run = _RUN(text, start)
        if run is None:
            position = hit.end()
            continue
        position = end = run.end()
        surface = text[start:end]
        if len(surface) > _LONGEST_RUN:
            point = None
        elif found and points[-1] is not None and _LINK(text, found[-1].end, start):
            point = _read_after(points[-1], surface, today)
        else:
            point = _read(surface, today)
        points.append(point)
        if point is None:
            found.append(DateMention(start, end, None, None))
        else:
            found.append(DateMention(start, end, point.scope.first, point.scope.last))
    return found if len(found) < 2 else _without_doubtful(found, points)


# --- The words of date expressions ---------------------------------------------------------------------
# Digits are spelt out: \d would take other digits too. `++` is possessive: no backtracking into a number.

_CN = "一二两三四五六七八九十百〇零廿卅"
_NUM = f"(?:[0-9]++|[{_CN}]++)"
_DASHES = r"\-–—―−‐"
_TO = f" ?(?:起|开始)?(?:一?直)?(?:至|到|~{{1,2}}+|[{_DASHES}]{{1,2}}+) ?"
_AFTER_TO = f"(?:(?<=[至到~{_DASHES}])|(?<=[至到~{_DASHES}] ))"
_AND = "[、,和与及/]"

# What follows a count or a code rather than a date: 202405户, 2010千瓦, 5月28件.
_COUNTED = (
    "(?:[0-9A-Za-z%℃#_千万百亿件个条元秒米吨伏安瓦兆支根]|[.:/][0-9]|公里|户(?!均)|次(?!月)|人(?!均)|台(?!区|账)"
    "|度(?![夏冬])|分(?![公县市所区局部])|组(?!织))"
)

# 2号主变, 3号台区, 1号线, 32号楼: 号 that numbers equipment or a place, not a day.
_NUMBERED = (
    "(?:[、和与及][0-9]{1,4}号){0,4}"
    "(?:公寓|公馆|公告|公变|专变|主变|配变|箱变|变|台|线(?!损|上|下)|楼|机|杆|塔|院|门|单元|井|路|街|巷|弄|桥|店|厂|矿"
    "|库|站|所(?![有辖属在])|馆|柜|箱|表|环|开关|断路|刀闸|母|间隔|电缆|电杆|地块|地|区(?!县)|工单|文|令|客户|用户"
    "|户|员|坐席|座席|工号|信号|码|牌|坑|仓|泵|炉|窑|灯|岗|窗|营业厅|厅|房|室|层|宿舍|小区|广场|船|车|屯|村(?!民)"
    "|组|队|营|团|场|岛|渠|闸|支|干|分支|馈|出线|进线|柴|汽|桩|充电|隧|洞|码头|港|别墅|墅|庄|供电[所站公]|变电)"
)

_DEGREE = "度(?![夏冬假过])"  # 年度 and 月度, but 2024年|度夏, 5月|度假
_IN_NAME_INNER = "蒙乡黄江丘部容网外环存因控勤需销地"  # 内蒙古, 内乡县, 内部 …
_WEEK = "(?:周(?![年岁围边转])|星期|礼拜)"
_NOT_COUNTING = (
    "(?![个家件名次条户例类项位成倍分台轮批座处年月天号级相线组万千百十点时])(?!期(?!间)|周(?![一二三四五六日天末]))"
)
# The weekday's numeral, unless it counts or belongs to the next word: 本周|一共, 本周|三家, 本周|五莲县.
_WEEKDAY = (
    f"(?:一{_NOT_COUNTING}(?![共直般些样定并])"
    f"|二{_NOT_COUNTING}(?![连道七])"
    f"|三{_NOT_COUNTING}(?![门亚明河原都江水沙峡穗元])"
    f"|四{_NOT_COUNTING}(?![平川会方子])"
    f"|五{_NOT_COUNTING}(?!莲|河|常|华|峰|寨|指|大连|家渠)"
    f"|六{_NOT_COUNTING}(?![合安盘枝])"
    "|日(?!均|报表|志|程|用|照(?![常旧例明样顾片]))"
    "|天(?![津桥长水门台祝平气然数内河山宁心]))"
)
# Which one is meant: 本月, 这个月, 上上个月, 下周.
_WHICH = "(?:本|这(?:一?个|一)?|当|(?:上++|下++)(?:一?个|一)?)"
# A length of time or an ordinal, not a date: 运行10年, 超3个月, 第三年.
_NO_LENGTH = "(?<![超满达第每隔])(?<!超过)(?<!运行)(?<!使用)"
_NO_FIRST = "(?![审步级中始次装核验衷])"  # 初审, 初步, 初级 …
_NO_LAST = "(?![部层线座盘图数册库下端级梢])"  # 底部, 末端 …
_MIDDLE = (
    "中(?![秋旬牟山卫宁阳方江国心央断压低高午间标学小铁建石海移电联信通广村关站期继等式西东南北原坝和楼庄店堡沙宫街路])"
)

_FESTIVAL = "(?:" + "|".join(NAMES) + ")"
_HOLIDAY = "(?:期间|假期|小长假|长假|黄金周|假日)"
# 五一路, 国庆村, 八一供电所, 清明上河园: a festival inside a name.
_NOT_IN_NAME = (
    f"(?![{_CN}0-9号日月年轻粥]|供电[所公站部局中营服]|大道|大街|路(?!灯)|街|村(?![民镇里])|镇(?![区上])|乡(?![镇村宁])"
    "|桥|站(?![内点前])|变(?![压化更])|线(?![损上下])|厂(?!家)|矿|店|门(?![头诊户])|沟|屯|庄|渠|巷|上河|社区|广场"
    "|小区|公园|水库|农场|林场|中学|小学|学校|医院|大厦|酒店|商场|新[村城]|家园|公司|营业|分局|支线|所(?![有辖属在]))"
)

_BEFORE = "|".join(
    [
        "截[至止](?:到|至)?|直到|[至到]",
        "每(?:年|个?月|个?季度|个?周|个?星期|逢)?的?",
        "除(?:了|去|开)?|不(?:含|包括|包含|算|计)|剔除|扣除|排除|非",
        "不?[早晚先]于|大?约|大概",
        "农历|阴历|旧历",
        "往年|历年|历次|[同某各]年|[次翌][年月]|第二年",
        "近",
    ]
)

_TIME_OF_DAY = (
    "凌晨|清晨|早晨|早上|早间|上午|中午|下午|傍晚|晚上|晚间|夜间|夜里|夜晚|深夜|白天|半夜"
    f"|(?:[0-9]{{1,2}}|[{_CN}]{{1,3}}) ?(?:点|时(?![段间长刻效]))|T?[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?"
)

_VAGUE = "|".join(
    [
        "最近(?!的?(?:一个)?(?:供电|营业|网点|服务|邻))",
        "近(?:年来?|些年来?|期|日|来|几年来?|段时间|阵子)",
        "(?:前|这|那|过去)一?(?:段时间|阵子|些天|几天|几日|几周|几个?月|几年|些年|两天|两日)",
        "往年|不久前?|日前",
        "节[前后](?![台端勤])|年[前后](?![台端勤])",
        "[今去昨明][春夏秋冬]|[今昨明当][晚早晨夜](?![报餐饭])",
        "[春夏秋冬]季(?!节)|[春夏秋冬]天|入[春夏秋冬]|汛期",
        f"大年(?:初?[{_CN}]{{1,3}}|夜)",
    ]
)

_STAMP = f"(?:19|20)[0-9]{{2}}[01][0-9](?:[0-3][0-9])?(?!{_COUNTED}|[号年月]|-[0-9]{{1,4}}(?![0-9]))"
_BARE_DAY = f"(?:[0-9]{{1,2}}|(?![百零〇两])[{_CN}]{{1,3}}) ?(?:日(?!月|游|三餐|均)|号(?!{_NUMBERED}))"
_LIST_UNIT = f"(?:年(?!级)|月份?|季度(?!假)|日(?!月|游|均)|号(?!{_NUMBERED}))"

# (kind, pattern), tried in this order. "no:" kinds are recognised in order not to be understood.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("stamp", f"(?<![0-9A-Za-z号码编_#])(?<![0-9][-_/]){_STAMP}"),
    # 3、4月 and 1-4月: numbers whose unit comes later.
    ("several", f"第?{_NUM}(?:{_AND}第?{_NUM}){{1,11}}+ ?{_LIST_UNIT}"),
    ("several", f"第{_NUM}(?:{_AND}第?{_NUM}){{1,11}}+ ?周"),
    (
        "number",
        f"(?![0-9]{{4}} ?- ?[0-9]++ ?月)第?{_NUM}"
        f"(?={_TO}(?:{_BARE_DAY}|第?{_NUM} ?(?:年(?!级|一度|到头)|月|季度(?!假))))",
    ),
    ("number", f"第{_NUM}(?={_TO}第?{_NUM} ?周)"),
    (
        "dashed",
        "(?:19|20|21)[0-9]{2}"
        "(?:-[0-9]{1,2}(?:-[0-9]{1,2})?(?!-[0-9]{4}[0-9])(?![0-9A-SU-Za-z%])"
        "|/[0-9]{1,2}(?:/[0-9]{1,2})?(?![0-9A-SU-Za-z%/])"
        rf"|\.[0-9]{{1,2}}(?:\.[0-9]{{1,2}})?(?!{_COUNTED}))[月日号]?",
    ),
    (
        "no:month.day",
        f"(?<![A-Za-z])[0-9]{{1,2}}[./][0-9]{{1,2}}{_TO}[0-9]{{1,2}}[./][0-9]{{1,2}}(?!{_COUNTED})",
    ),
    ("no:month.day", rf"(?<![A-Za-z])[0-9]{{1,2}}\.[0-9]{{1,2}} ?(?:[日月]|号(?!{_NUMBERED}))"),
    (
        "rolling",
        rf"(?:最近|近|过去) ?的? ?[这整]?[0-9.{_CN}半几数多余]{{1,10}}+ ?个?[多余半]? ?"
        f"(?:工作日|自然日|小时|天|日|{_WEEK}|月(?!份|[0-9{_CN}]++[日号])|季度|季|年(?!级))",
    ),
    ("no:vague", _VAGUE),
    # Years
    ("relyear", f"(?:今年|去年|大?前年|明年|后年|[本当]年|这一?年|(?:上++|下++)一?年)(?:{_DEGREE}|份)?"),
    ("start:year", f"年初{_NO_FIRST}"),
    ("end:year", f"年[底末]{_NO_LAST}"),
    ("no:edge", f"年{_MIDDLE}|月{_MIDDLE}|季[初中末]"),
    ("thisyear", f"年内(?![{_IN_NAME_INNER}])"),
    ("year", f"{_NO_LENGTH}{_NUM} ?年(?:{_DEGREE}|份)?(?!级|一度|到头)"),
    (
        "year",
        "(?<![0-9A-Za-z])(?:19|20)[0-9]{2}"
        "(?= ?(?:第|[一二三四1-4] ?季度|[上下]半年|[QqHh][1-9](?![0-9A-Za-z])"
        f"|{_FESTIVAL}|迎峰|度夏|度冬|前[三两二23]个?季|全年))",
    ),
    ("year", "(?<![0-9A-Za-z])[0-9]{2}(?=[QqHh][1-4](?![0-9A-Za-z]))"),
    (
        "no:naked",
        f"(?<![0-9A-Za-z._-])20[1-3][0-9](?:{_TO}20[1-3][0-9])?(?!{_COUNTED}|[号家所例起座名]|[-/.][0-9]| ?年)",
    ),
    ("whole", "全年|整年|全月|整月|单月|全周|整周|全天|整天"),
    # Parts of a year
    ("half", f"[上下]半年(?:{_DEGREE})?|(?<![A-Za-z])[Hh][12](?![A-Za-z0-9])"),
    ("quarter", f"第{_NUM} ?(?:季度|季(?![度节]))|(?!两){_NUM} ?季度(?!假)|首季度?(?!假)"),
    ("quarter", "(?<![A-Za-z])[Qq][0-9](?![0-9A-Za-z])(?:季度)?"),
    ("relquarter", f"{_WHICH}季(?:度(?!假)|(?![度节]))"),
    ("firstparts", f"[前头] ?{_NUM} ?个?(?:季度(?!假)|季(?![度节])|月份?(?![0-9]))"),
    ("firstdays", f"[前头] ?{_NUM} ?(?:天|日(?!均))"),
    ("no:part", f"[前头] ?{_NUM} ?个?(?:{_WEEK}|年|工作日)|[前后]半[年月]|大半年|上上++半年"),
    ("no:part", f"(?:最后|后|末) ?(?:{_NUM}|半) ?个?(?:天|日|{_WEEK}|月|季度?|年)"),
    ("season", "(?:迎峰)?度[夏冬](?![日天季])(?:期间|时期|期)?"),
    ("festival", f"(?<![{_CN}]){_FESTIVAL}(?:节?(?:{_HOLIDAY}|当[天日])|节|{_NOT_IN_NAME})"),
    ("festival", f"(?<![{_CN}])十一{_HOLIDAY}"),
    ("week", f"第 ?{_NUM} ?个?{_WEEK}"),
    # Months
    ("no:lunar", f"(?:正|腊|冬|闰[{_CN}]{{1,2}})月(?:初?[{_CN}]{{1,3}})?"),
    ("month", f"{_NO_LENGTH}(?:{_NUM}|元) ?月(?:份|{_DEGREE})?"),
    ("relmonth", f"{_WHICH}月(?:份|{_DEGREE})?"),
    ("start:month", f"月初{_NO_FIRST}"),
    ("end:month", f"月[底末]{_NO_LAST}"),
    ("third", "[上中下]旬"),
    ("halfmonth", "[上下]半个?月"),
    # Weeks
    ("relweek", f"{_WHICH}{_WEEK}"),
    ("weekday", f"(?:周|星期|礼拜){_WEEKDAY}(?:{_TO}{_WEEKDAY})?"),
    ("weekend", "周末|星期末"),
    # Days
    ("relday", "(?:[今昨明]|大?前|大?后)[天日](?!均)|[当本][天日](?!均)"),
    ("no:average", f"{_NO_LENGTH}{_NUM} ?日均"),
    ("day", f"(?<![第#]){_BARE_DAY}"),
    # Lengths of time that do not say when
    ("no:ordinal", f"第{_NUM} ?个?(?:天|日|年|月|工作日)"),
    (
        "no:length",
        f"{_NO_LENGTH}(?![0-9]{{5}})(?:{_NUM} ?(?:个(?:{_WEEK}|月|季度|工作日)|天|周(?![年岁围边转次期])"
        f"|星期|礼拜|季度(?!假))|半年(?!报)度?|半个?月)(?!两[头夜]|到晚|以上|以下|级|[0-9{_CN}]++次)",
    ),
)

# Words that mean something else, or nothing, without what is right before them; tried before the others.
_INNER_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("quarter", "(?<=[年度的])[一二三四1-4]季(?![度节])"),
    ("week", f"(?<=年){_NUM} ?周(?![年岁])|(?<=[0-9{_CN}周][至到~-]){_NUM} ?周"),
    ("day", f"(?<=[月份]){_NUM} ?(?:日|号(?!{_NUMBERED}))"),
    ("no:numbered", f"(?<=[月份]){_NUM} ?号{_NUMBERED}"),
)

# Words that only go on with an expression; tried after the others.
_MORE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("weekday", f"(?<=[周期拜]){_WEEKDAY}(?:{_TO}{_WEEKDAY})?"),
    ("weekend", "(?<=[周期拜])末"),
    ("stamp", f"{_AFTER_TO}{_STAMP}"),
    ("monthday", f"{_AFTER_TO}[0-9]{{1,2}}[-/.][0-9]{{1,2}}(?!{_COUNTED})[日号]?"),
    ("next", f"{_AFTER_TO}(?:[次翌同][年月日]|第二[年天])"),
    ("no:unit", f"(?<=月)[0-9]{{1,2}}(?!{_COUNTED}|[大强名家所起例座项类位处辆年月日天周点时、,]|号|供电)"),
    ("no:bare", f"{_AFTER_TO}[0-9]++(?!{_COUNTED})[号年月]?"),
    ("since", "(?:起|开始)?(?:至今|迄今|[至到](?:现在|目前|当前))(?![天日年晚])|以来"),
    ("since", f"(?:开始|起(?![诉火因点重步草伏动码飞始]))(?!{_TO})"),
    ("coming", "(?<=[天日周月年期拜初])来(?![自电访源函信宾安凤])"),
    ("within", f"期间|之间|间(?!隔)|以内|之内|内(?![{_IN_NAME_INNER}])|为?止"),
    ("cumulative", "累计"),
    ("isweekday", r"\( ?(?:周|星期|礼拜)[一二三四五六日天] ?\)"),
    ("no:modifier", "前后|左右|之[前后外]|以[前后外上下]|除外|同[月日季]"),
    ("no:modifier", "的?同期(?!线损|售电|供电|电量|系统|月)"),
    ("no:decade", "(?<=年)代(?![理表码办购维])"),
    ("no:festival", "(?<=三月)三|(?<=五月)五|(?<=七月)七|(?<=九月)九|(?<=[夕年])夜"),
    ("no:modifier", f"前(?![0-9{_CN}台往端述列置郭进期提沿景瞻])|后(?![0-9{_CN}台勤续备期方端旗缀者果])"),
    ("no:days", "的?(?:工作日|节假日|双休日|休息日)"),
    ("no:time", _TIME_OF_DAY),
    ("no:half", "半(?![径夜年月个])"),
    ("no:middle", _MIDDLE),
    ("edge", f"初{_NO_FIRST}|[底末]{_NO_LAST}"),
)

_ERA = "公历|阳历|新历|公元|西元"
_FROM = "(?<![来各独亲私])自从?|(?<!服)从|打从"
_ALL_WORDS: Final = (
    *_INNER_WORDS,
    *_WORDS,
    # What may stand before a date (自, 截至) is also a word between two (3月到5月).
    *((kind, rf"\A(?:{pattern})") for kind, pattern in (("from", _FROM), ("era", _ERA), ("no:before", _BEFORE))),
    *_MORE_WORDS,
    ("to", _TO),
    ("of", " ?的? ?"),
)


def _any(words: tuple[tuple[str, str], ...]) -> str:
    return "(?:" + "|".join(pattern for _, pattern in words) + ")"


# Every word that goes on with an expression, and what may stand before it, begins with one of these. Nearly always
# something else comes behind an expression: looking first spares it a hundred patterns.
_GOES_ON = (
    f"0-9{_CN} 的至到~{_DASHES}起开直以迄为之内间期止来累同除左前后初末底中代夜半傍凌清深白早晚休双工节次翌T(HhQq"
    "上下不今入冬全单去大头夏天季年度当往整日明星春昨最月本植正汛礼秋端第腊过迎近这那重闰青首周元儿劳国圣妇小建教"
)


class _Matcher:
    """A pattern compiled when the first text comes to it: this one takes a tenth of a second."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._match: Callable[[str, int], re.Match[str] | None] | None = None

    def __call__(self, text: str, position: int) -> re.Match[str] | None:
        if self._match is None:
            self._match = re.compile(self.pattern).match
        return self._match(text, position)


_RUN: Final = _Matcher(
    f"(?:(?:{_FROM}|{_BEFORE}|{_ERA}) ?)??{_any(_WORDS)}"
    f"(?:(?=[{_GOES_ON}])(?:(?:{_TO}| ?的? ?){_any((*_INNER_WORDS, *_WORDS))}|(?:{_TO}| ?){_any(_MORE_WORDS)}))*+"
)
_TOKEN = re.compile("|".join(f"({pattern})" for _, pattern in _ALL_WORDS)).match

# Where an expression can begin: (one of these characters, what may follow, what may not precede). Most are
# ordinary characters, so looking at both neighbours first is what keeps a query without dates cheap.
_NEXT = f"0-9{_CN}今去昨明前后大上下本这当周星礼年月季最近过春夏秋冬元清端中国劳重除正腊闰迎度第首全半 "
_STARTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("0-9", "", "0-9"),  # nor a digit and a point: see below
    (_CN, "", _CN),
    ("今", "年天日春夏秋冬晚早晨夜", ""),
    ("昨", "天日春夏秋冬晚早晨夜", ""),
    ("去", "年春夏秋冬", "过"),
    ("明", "年天日春夏秋冬晚早晨夜", "昆说证声表文光"),
    ("前", f"年天日半一几些段阵两0-9{_CN} ", "以之目当年日"),
    ("后", f"年天日半0-9{_CN} ", "以之"),
    ("大", "前后半年约概", ""),
    ("上", "上一个年半季旬周星礼月", "上以马晚早线网加"),
    ("下", "下一个年半季旬周星礼月", "下以线名乡地如"),
    ("本", "年月日天周星礼季", "基成资"),
    ("当", "年月日天周季晚早晨夜", "应相"),
    ("这那", "一个年月周星礼季段阵些几两", ""),
    ("周", "一二三四五六日天末", ""),
    ("星礼", "期拜", ""),
    ("年月季", "初底末中前后内", ""),
    ("最", "近后", ""),
    ("近", f"0-9{_CN}半几数多年些期日来段阵 的", "附靠邻最"),
    ("过", "去", ""),
    ("春夏秋冬", "季天节月", ""),
    ("元", "旦宵月", ""),
    ("中", "旬秋", ""),
    ("清端国重腊小圣劳妇植青儿建教迎度", "明午庆阳八年月诞动女树童党军师峰夏冬际", ""),
    ("正闰", f"月{_CN}", ""),
    ("全整单", "年月周天", ""),
    ("第", f"0-9{_CN} ", ""),
    ("首", "季", ""),
    ("QqHh", "0-9", "0-9A-Za-z"),
    ("头末", f"0-9{_CN}半 ", ""),
    ("往节日不汛入历农阴旧公阳新西", "年前后久期春夏秋冬含包算计历次元早晚先", ""),
    ("截", "至止", ""),
    ("半", "年个月", "上下"),
    ("直", "到", ""),
    ("每", f"逢的个{_NEXT}", ""),
    ("自从打", f"从{_NEXT}", "来各独亲私服"),
    ("至到约", f"{_NEXT}", "收接达得看找遇感受报直提涉签预合履甚以乃"),
    ("除非", f"了去开夕{_NEXT}", ""),
    ("剔扣排", "除", ""),
    ("早晚先", "于", "不"),
    ("某各同", "年", ""),
    ("次翌", "年月", f"0-9{_CN}"),
)


def _start_pattern() -> str:
    choices = []
    for characters, after, not_before in _STARTS:
        context = f"(?<![{not_before}].)" if not_before else ""
        if characters == "0-9":
            context += "(?<![0-9][./].)"  # 3.5号, 1/2
        choices.append(f"(?<=[{characters}]){context}" + (f"(?=[{after}])" if after else ""))
    choices.append("(?<=[加以线网马]上上)(?=[一个年半季周星礼月])")  # 加上|上月
    # One leading set lets the engine skip to the next candidate without trying the choices.
    return f"[{''.join(characters for characters, _, _ in _STARTS)}](?:{'|'.join(choices)})"


_START = re.compile(_start_pattern()).search
_LINK = re.compile(r" ?(?:以?及|[和与跟同或比较、,;/]|相比|对比|环比|同比|vs)? ?").fullmatch

# --- What they mean --------------------------------------------------------------------------------------

_LONGEST_RUN = 64  # code points; no date expression needs more, and this bounds what is read and remembered


class _Grain(IntEnum):
    """How large a period is; only one with a name of its own can be narrowed by the words after it."""

    SPAN = 0
    DAY = 1
    WEEK = 2
    THIRD = 3
    MONTH = 4
    QUARTER = 5
    HALF = 6
    YEAR = 7


class _Scope(NamedTuple):
    """A period, both ends inclusive. `edge` says that only its first (年初) or last day (年底) is meant,
    and that only as the end of a range: alone, 月底 is too vague to be a range of days."""

    first: date
    last: date
    grain: _Grain
    edge: Literal["", "first", "last"] = ""


_Needs = Literal["", "year", "month", "week"]


class _Point(NamedTuple):
    """One end of a range, or all of it.

    `needs` is the larger period that the expression left open and that was taken from `today`; `year`,
    `month` and `week` are the first days of the larger periods that it did settle, for what comes after it
    (去年11月 settles the year for 至12月, 4月1日 the month for 至15日).
    """

    scope: _Scope
    needs: _Needs = ""
    year: date | None = None
    month: date | None = None
    week: date | None = None


class _Word(NamedTuple):
    kind: str
    text: str


def _year(year: int) -> _Scope:
    return _Scope(date(year, 1, 1), date(year, 12, 31), _Grain.YEAR)


def _month(year: int, month: int) -> _Scope:
    return _Scope(date(year, month, 1), date(year, month, monthrange(year, month)[1]), _Grain.MONTH)


def _months(first: date, last: date, grain: _Grain) -> _Scope:
    """From the month of `first` to the month of `last`."""
    return _Scope(_month(first.year, first.month).first, _month(last.year, last.month).last, grain)


def _week(day: date) -> _Scope:
    monday = day - timedelta(days=day.weekday())
    return _Scope(monday, monday + timedelta(days=6), _Grain.WEEK)


def _day(day: date) -> _Scope:
    return _Scope(day, day, _Grain.DAY)


def _add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# --- Numbers ---

_NUMERAL = re.compile(f"[0-9]+|[{_CN}]+")
_CN_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0}
_CN_TENS = re.compile("(?:([一二两三四五六七八九])百零?)?(?:([一二三四五六七八九])?(十))?([一二两三四五六七八九])?")


def _number(text: str) -> int | None:
    """The value of the first numeral of `text`, at most four digits or 九百九十九."""
    found = _NUMERAL.search(text)
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


def _year_number(text: str, today: date) -> int | None:
    """2024, 24, 二〇二四, 二四: a year of two digits is the latest not more than ten years after `today`."""
    found = _NUMERAL.search(text)
    if found is None:
        return None
    digits = [_CN_DIGITS.get(c, -1) if c in _CN else int(c) for c in found[0][:5]]
    if min(digits) < 0 or len(digits) not in (2, 4):
        return None
    value = int("".join(map(str, digits)))
    if len(digits) == 4:
        return value
    if found[0][0] in _CN and digits[1] == digits[0] + 1:
        return None  # 二三年 may be two or three years
    latest = today.year + 10
    value += latest // 100 * 100
    return value if value <= latest else value - 100


def _consecutive(numerals: list[str]) -> bool:
    """Whether these numerals count up by one: only then is a list of months one range."""
    values = [_number(numeral) for numeral in numerals]
    return all(a is not None and b == a + 1 for a, b in pairwise(values))


# --- From text to words ---

_WEEK_UNITS = "周期拜"
_DAY_UNITS = "日号"


def _unit_kind(text: str) -> str:
    if "季" in text:
        return "quarter"
    last = text.rstrip("份度")[-1]
    return "year" if last == "年" else "month" if last == "月" else "week" if last in _WEEK_UNITS else "day"


def _words(expression: str) -> list[_Word] | None:
    """The words of an expression, without those that only join; None where one is not understood."""
    words: list[_Word] = []
    position = 0
    while position < len(expression):
        token = _TOKEN(expression, position)
        if token is None or token.end() == position or token.lastindex is None:
            return None
        kind = _ALL_WORDS[token.lastindex - 1][0]
        text = token[0].strip()
        position = token.end()
        if kind.startswith("no:"):
            return None
        if kind in ("of", "era"):
            continue
        words.extend(_listed(kind, text) or [_Word(kind, text)])
    return words


def _listed(kind: str, text: str) -> list[_Word]:
    """3、4月 and 三四月 as the range they are; empty for anything but a list of numbers.

    A list with gaps (1、3月) is not one range; a word of the kind "gap", which means nothing, stands for it.
    """
    numerals: list[str] = _NUMERAL.findall(text)
    if kind == "several":
        kind = _unit_kind(text)
    elif kind in ("month", "quarter") and re.match(f"第?(?!.?十)[{_CN}]{{2}}", text):
        numerals = list(numerals[0])
    else:
        return []
    if not _consecutive(numerals):
        return [_Word("gap", text)]
    return [_Word(kind, numerals[0]), _Word("to", ""), _Word(kind, numerals[-1])]


# --- Words that need no larger period ---


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


def _relative_year(text: str, today: date) -> _Scope | None:
    steps = _near(text)
    return _year(today.year + (_steps(text) if steps is None else steps))


def _relative_day(text: str, today: date) -> _Scope | None:
    steps = _near(text)
    return None if steps is None else _day(today + timedelta(days=steps))


def _relative_month(text: str, today: date) -> _Scope | None:
    day = _add_months(today.replace(day=1), _steps(text))
    return _month(day.year, day.month)


def _relative_quarter(text: str, today: date) -> _Scope | None:
    first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    first = _add_months(first, 3 * _steps(text))
    return _months(first, _add_months(first, 2), _Grain.QUARTER)


def _relative_week(text: str, today: date) -> _Scope | None:
    return _week(today + timedelta(weeks=_steps(text)))


def _named_year(text: str, today: date) -> _Scope | None:
    year = _year_number(text, today)
    return None if year is None else _year(year)


def _dashed(text: str, today: date) -> _Scope | None:
    """2024-05, 2024.05.13, 2024/5/13, with or without a unit behind it that fits."""
    unit = text[-1] if text[-1] in "月日号" else ""
    parts = [int(part) for part in re.split("[-./]", text.rstrip("月日号"))]
    if len(parts) == 2:
        return None if unit in ("日", "号") else _month(parts[0], parts[1])
    return None if unit == "月" else _day(date(parts[0], parts[1], parts[2]))


def _stamp(text: str, today: date) -> _Scope | None:
    """202405 or 20240513."""
    year, month = int(text[:4]), int(text[4:6])
    return _day(date(year, month, int(text[6:]))) if len(text) == 8 else _month(year, month)


_ROLLING = re.compile(f"(?:最近|近|过去) ?的? ?[这整]?([0-9.{_CN}半几数多余]+) ?(个?)([多余半]?) ?(.+)")


def _rolling(text: str, today: date) -> _Scope | None:
    """近7天: the last seven days, today one of them; 近一个月: since the day after this day a month ago."""
    parts = _ROLLING.fullmatch(text)
    if parts is None:
        return None
    numeral, _, more, unit = parts.groups()
    if numeral == "半" and unit == "年":
        return _Scope(_add_months(today, -6) + timedelta(days=1), today, _Grain.SPAN)
    if more or _NUMERAL.fullmatch(numeral) is None:
        return None
    count = _number(numeral)
    if not count:
        return None
    if unit in ("天", "日", "自然日"):
        return _Scope(today - timedelta(days=count - 1), today, _Grain.SPAN)
    if unit[-1] in _WEEK_UNITS:
        return _Scope(today - timedelta(days=7 * count - 1), today, _Grain.SPAN)
    if unit in ("月", "年"):
        months = count * 12 if unit == "年" else count
        return _Scope(_add_months(today, -months) + timedelta(days=1), today, _Grain.SPAN)
    return None


def _this_year(text: str, today: date) -> _Scope | None:
    return _year(today.year) if text[-1] in "年内" else None


def _edge(scope: _Scope, text: str) -> _Scope:
    return scope._replace(edge="first" if text[-1] == "初" else "last")


_ABSOLUTE: Final[dict[str, Callable[[str, date], _Scope | None]]] = {
    "stamp": _stamp,
    "dashed": _dashed,
    "rolling": _rolling,
    "relyear": _relative_year,
    "relquarter": _relative_quarter,
    "relmonth": _relative_month,
    "relweek": _relative_week,
    "relday": _relative_day,
    "year": _named_year,
    "thisyear": _this_year,
    "whole": _this_year,
    "start:year": lambda text, today: _edge(_year(today.year), text),
    "end:year": lambda text, today: _edge(_year(today.year), text),
    "start:month": lambda text, today: _edge(_month(today.year, today.month), text),
    "end:month": lambda text, today: _edge(_month(today.year, today.month), text),
}

# --- Words that narrow the period before them ---

_WEEKDAYS = "一二三四五六日"


def _inside(scope: _Scope, part: _Scope) -> _Scope | None:
    return part if scope.first <= part.first and part.last <= scope.last else None


def _narrow_month(scope: _Scope, text: str) -> _Scope | None:
    month = 1 if text.startswith("元") else _number(text)
    if scope.grain < _Grain.QUARTER or month is None or not 1 <= month <= 12 or "两" in text:
        return None
    return _inside(scope, _month(scope.first.year, month))


def _narrow_quarter(scope: _Scope, text: str) -> _Scope | None:
    quarter = 1 if text.startswith("首") else _number(text)
    if scope.grain < _Grain.HALF or quarter is None or not 1 <= quarter <= 4:
        return None
    year = scope.first.year
    return _inside(scope, _months(date(year, quarter * 3 - 2, 1), date(year, quarter * 3, 1), _Grain.QUARTER))


def _narrow_half(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.YEAR:
        return None
    year = scope.first.year
    first = 1 if text[0] == "上" or text.endswith("1") else 7
    return _months(date(year, first, 1), date(year, first + 5, 1), _Grain.HALF)


def _narrow_first_parts(scope: _Scope, text: str) -> _Scope | None:
    """前三季度, 前5个月 of the year. 前一个月 and 前12个月 may look back from today: not understood."""
    count = _number(text)
    if scope.grain != _Grain.YEAR or count is None or count < 2:
        return None
    months = count * 3 if "季" in text else count
    if months > 12 or ("月" in text and months == 12):
        return None
    return _months(scope.first, date(scope.first.year, months, 1), _Grain.SPAN)


def _narrow_first_days(scope: _Scope, text: str) -> _Scope | None:
    count = _number(text)
    if scope.grain < _Grain.WEEK or not count:
        return None
    return _inside(scope, _Scope(scope.first, scope.first + timedelta(days=count - 1), _Grain.SPAN))


def _narrow_week(scope: _Scope, text: str) -> _Scope | None:
    number = _number(text)
    if scope.grain != _Grain.YEAR or number is None:
        return None
    return _week(date.fromisocalendar(scope.first.year, number, 1))


def _narrow_third(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.MONTH:
        return None
    first, last = {"上": (1, 10), "中": (11, 20), "下": (21, scope.last.day)}[text[0]]
    return _Scope(scope.first.replace(day=first), scope.first.replace(day=last), _Grain.THIRD)


def _narrow_half_month(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.MONTH:
        return None
    first, last = (1, 15) if text[0] == "上" else (16, scope.last.day)
    return _Scope(scope.first.replace(day=first), scope.first.replace(day=last), _Grain.SPAN)


def _narrow_day(scope: _Scope, text: str) -> _Scope | None:
    day = _number(text)
    if scope.grain != _Grain.MONTH or day is None or "两" in text:
        return None
    return _day(scope.first.replace(day=day))


def _narrow_weekday(scope: _Scope, text: str) -> _Scope | None:
    """周三, or 周一至五 and 周一至周五 where the lexer took both as one word."""
    if scope.grain == _Grain.DAY:
        return _narrow_is_weekday(scope, text)  # 5月13日星期一
    if scope.grain != _Grain.WEEK:
        return None
    named = re.findall(f"[{_WEEKDAYS}天]", text.replace("星期", "").replace("礼拜", ""))
    first, last = (_WEEKDAYS.index("日" if c == "天" else c) for c in (named[0], named[-1]))
    if last < first:
        return None
    days = [scope.first + timedelta(days=offset) for offset in (first, last)]
    return _Scope(days[0], days[1], _Grain.DAY if first == last else _Grain.SPAN)


def _narrow_weekend(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.WEEK:
        return None
    return _Scope(scope.last - timedelta(days=1), scope.last, _Grain.SPAN)


_FESTIVAL_NAME = re.compile(_FESTIVAL)


def _festival(text: str, year: int) -> list[_Scope]:
    named = _FESTIVAL_NAME.match(text)
    name = named[0] if named else "国庆"  # 十一假期
    rest = text[len(name) if named else 2 :]
    holiday = False if rest.endswith(("当天", "当日")) else True if re.search(_HOLIDAY, rest) else None
    periods = festival_periods(name, year, holiday=holiday)
    return [_Scope(first, last, _Grain.SPAN if first < last else _Grain.DAY) for first, last in periods]


def _narrow_festival(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.YEAR:
        return None
    scopes = _festival(text, scope.first.year)
    return scopes[0] if len(scopes) == 1 else None  # 腊八 of 2022 was two days, that of 2023 none


def _narrow_season(scope: _Scope, text: str) -> _Scope | None:
    if scope.grain != _Grain.YEAR:
        return None
    first, last = season_period("度夏" if "度夏" in text else "度冬", scope.first.year)
    return _Scope(first, last, _Grain.SPAN)


def _same(grain: _Grain, *beginnings: str) -> Callable[[_Scope, str], _Scope | None]:
    """A word that repeats what the period already is: 3月|全月, 5月13日|当天, 今年|年内."""

    def narrow(scope: _Scope, text: str) -> _Scope | None:
        return scope if scope.grain == grain and text.startswith(beginnings) else None

    return narrow


def _narrow_whole(scope: _Scope, text: str) -> _Scope | None:
    grain = {"年": _Grain.YEAR, "月": _Grain.MONTH, "周": _Grain.WEEK, "天": _Grain.DAY}[text[-1]]
    return scope if scope.grain == grain else None


def _narrow_edge(scope: _Scope, text: str) -> _Scope | None:
    """年初, 3月底: the first or last day, if it turns out to be the end of a range."""
    grain = {"年": _Grain.YEAR, "月": _Grain.MONTH}.get(text[0], scope.grain)
    return _edge(scope, text) if scope.grain == grain and grain >= _Grain.WEEK else None


def _narrow_is_weekday(scope: _Scope, text: str) -> _Scope | None:
    """5月13日(周一): kept if it is one."""
    weekday = _WEEKDAYS.find("日" if "天" in text else re.sub("星期|礼拜|[周() ]", "", text))
    return scope if scope.grain == _Grain.DAY and scope.first.weekday() == weekday else None


_NARROW: Final[dict[str, Callable[[_Scope, str], _Scope | None]]] = {
    "half": _narrow_half,
    "quarter": _narrow_quarter,
    "firstparts": _narrow_first_parts,
    "firstdays": _narrow_first_days,
    "month": _narrow_month,
    "week": _narrow_week,
    "third": _narrow_third,
    "halfmonth": _narrow_half_month,
    "day": _narrow_day,
    "weekday": _narrow_weekday,
    "weekend": _narrow_weekend,
    "festival": _narrow_festival,
    "season": _narrow_season,
    "whole": _narrow_whole,
    "thisyear": _same(_Grain.YEAR, "年"),
    "relyear": _same(_Grain.YEAR, "当"),
    "relmonth": _same(_Grain.MONTH, "当"),
    "relday": _same(_Grain.DAY, "当"),
    "edge": _narrow_edge,
    "start:year": _narrow_edge,
    "end:year": _narrow_edge,
    "start:month": _narrow_edge,
    "end:month": _narrow_edge,
    "isweekday": _narrow_is_weekday,
}

_LONGEST_ROLLOVER_DAYS: Final = {"year": 184, "month": 16, "week": 7}
_NEEDED_GRAIN: Final = {"year": _Grain.YEAR, "month": _Grain.MONTH, "week": _Grain.WEEK}
_NEEDS: Final[dict[str, _Needs]] = {
    **dict.fromkeys(("month", "quarter", "half", "firstparts", "week", "festival", "season"), "year"),
    **dict.fromkeys(("day", "third", "halfmonth"), "month"),
    **dict.fromkeys(("weekday", "weekend"), "week"),
}


# --- From words to a point ---


def _enclosing(needs: _Needs, day: date, kind: str, steps: int = 0) -> _Scope:
    """The year, month or week around `day`, or that many after it."""
    if needs == "year":
        # Around New Year a week belongs to the year that has most of it.
        year = day.isocalendar().year if kind == "week" else day.year
        return _year(year + steps)
    if needs == "month":
        day = _add_months(day.replace(day=1), steps)
        return _month(day.year, day.month)
    return _week(day + timedelta(weeks=steps))


def _narrowed(point: _Point, words: list[_Word]) -> _Point | None:
    """`point` narrowed by one word after another; None where one of them cannot narrow what is before it."""
    for word in words:
        narrow = _NARROW.get(word.kind)
        scope = None if narrow is None else narrow(point.scope, word.text)
        if scope is None:
            return None
        point = _settled(point._replace(scope=scope))
    return point


def _settled(point: _Point) -> _Point:
    """`point`, remembering its scope as the larger period for what comes after."""
    first, grain = point.scope.first, point.scope.grain
    if grain == _Grain.MONTH:
        return point._replace(month=first)
    if grain == _Grain.WEEK:
        return point._replace(week=first)
    if grain == _Grain.YEAR and not point.needs:
        return point._replace(year=first)
    return point


def _settled_by(point: _Point, needs: _Needs) -> date | None:
    """The first day of the larger period of that kind which `point` settles."""
    return {"": None, "year": point.year, "month": point.month, "week": point.week}[needs]


def _within(outer: _Scope, words: list[_Word], needs: _Needs = "") -> _Point | None:
    try:
        return _narrowed(_settled(_Point(outer, needs)), words)
    except (ValueError, OverflowError):  # 2月30日, 第54周
        return None


def _point(words: list[_Word], today: date) -> _Point | None:
    """What words without a range mean, seen from `today`."""
    head = words[0]
    needs = _NEEDS.get(head.kind, "")
    if not needs:
        read = _ABSOLUTE.get(head.kind)
        scope = None if read is None else read(head.text, today)
        if scope is None:
            return None
        point = _settled(_Point(scope))
        if head.kind in ("stamp", "dashed"):
            point = point._replace(year=scope.first.replace(month=1, day=1), month=scope.first.replace(day=1))
        return _narrowed(point, words[1:])
    if head.kind == "day" and re.fullmatch(f"[{_CN}]日", head.text):
        return None  # 三日 may be three days
    if head.kind == "festival":
        return _latest_festival(head.text, today) if len(words) == 1 else None
    this = _enclosing(needs, today, head.kind)
    opened = _within(this, words[:1], needs)
    latest = _within(this, words, needs)
    if opened is None or opened.scope.first > today or (latest is not None and latest.scope.first > today):
        return _within(_enclosing(needs, today, head.kind, -1), words, needs)
    return latest


def _latest_festival(text: str, today: date) -> _Point | None:
    years = range(today.year - 2, today.year + 1)  # no 腊八 fell in 2023
    begun = [s for year in years for s in _festival(text, year) if s.first <= today]
    return _Point(begun[-1], "year") if begun else None


def _range_end(words: list[_Word], left: _Point, today: date) -> _Point | None:
    """The second end of a range: what it leaves open comes from the first (去年3月至5月, 4月1日至15日).

    Where the first end left it open too, the second is the next one after it (11月到2月, 周五到周一).
    """
    head = words[0]
    first = left.scope.first
    if head.kind == "next":
        return _following(words, left)
    if head.kind == "monthday":
        month, day = (int(part) for part in re.split("[-/.]", head.text.rstrip(_DAY_UNITS)))
        if left.year is None or left.scope.grain != _Grain.DAY or len(words) > 1:
            return None
        return _Point(_day(date(left.year.year, month, day)))
    if head.kind in ("end:year", "end:month"):
        point = _point(words, today)
        # 去年3月到年底, 1月1日到月底: the end of that year and month, or of this?
        return point if point is not None and point.scope.first <= first <= point.scope.last else None
    needs = _NEEDS.get(head.kind, "")
    if not needs:
        # 2023年3月到当年5月: whose year that is, is not for us to say.
        return None if head.text.startswith("当") else _point(words, today)
    settled = None if needs == left.needs else _settled_by(left, needs)
    if settled is not None:
        if left.scope.grain >= _NEEDED_GRAIN[needs] and not left.scope.edge:
            return None  # 2023年到5月, 3月到5日
        return _within(_enclosing(needs, settled, ""), words)
    if left.year is not None or (needs == "week" and left.needs != "week"):
        return None
    for steps in (0, 1):
        point = _within(_enclosing(needs, first, head.kind, steps), words)
        if point is not None and point.scope.first >= first:
            # 11月到2月 runs over the end of the year, 5月到3月 is more likely a slip.
            long = point.scope.last - first > timedelta(days=_LONGEST_ROLLOVER_DAYS[needs])
            return None if steps and long else point
    return None


def _following(words: list[_Word], left: _Point) -> _Point | None:
    """次年2月, 次月5日, 次日, 同年12月, counted from the first end of the range."""
    text = words[0].text
    steps = 0 if text[0] == "同" else 1
    first = left.scope.first
    if text[-1] == "年":
        return _within(_year(first.year + steps), words[1:])
    if text[-1] == "月":
        return _within(_enclosing("month", first, "", steps), words[1:])
    return _within(_day(left.scope.last + timedelta(days=steps)), words[1:])


# --- From words to a reading ---

_ENDINGS: Final = ("since", "coming", "within", "cumulative")


def _read_words(words: list[_Word], today: date, given: _Point | None) -> _Point | None:
    """What the words of one whole expression mean; `given` settles what they leave open at the beginning."""
    from_ = words[0].kind == "from"
    words = words[from_:]
    ends: list[_Word] = []
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
        left_words = [*left_words[:-1], _Word(right_words[0].kind, left_words[-1].text)]
    left = _point(left_words, today) if given is None else _given_point(left_words, given)
    if left is None:
        return None
    if not joins:
        return _ended(left, left_words, ends, from_, today)
    if any(end.kind in ("since", "coming") for end in ends):
        return None
    return _range(left, _range_end(right_words, left, today))


def _range(left: _Point, right: _Point | None) -> _Point | None:
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
    return _Point(_Scope(first, last, _Grain.SPAN), needs, right.year or left.year, month)


def _ended(left: _Point, words: list[_Word], ends: list[_Word], from_: bool, today: date) -> _Point | None:
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
        return left._replace(scope=_Scope(left.scope.first, today, _Grain.SPAN))
    return None if from_ or left.scope.edge else left


def _given_point(words: list[_Word], given: _Point) -> _Point | None:
    """A point of a list, its larger period taken from the point before it (去年3月和4月)."""
    needs = _NEEDS[words[0].kind]
    outer = _settled_by(given, needs)
    return None if outer is None else _within(_enclosing(needs, outer, ""), words)


@lru_cache(maxsize=4096)
def _read(expression: str, today: date, given: _Point | None = None) -> _Point | None:
    """What one whole expression means, or None where it is not understood or does not exist."""
    if type(today) is not date:  # a datetime does not compare with dates
        today = date(today.year, today.month, today.day)
    words = _words(expression)
    if not words:
        return None
    try:
        point = _read_words(words, today, given)
    except (ValueError, OverflowError):  # 13月, 2月30日, or past the calendar
        return None
    if point is None or point.scope.first.year < FIRST_YEAR or point.scope.last.year > LAST_YEAR:
        return None
    return point


def _read_after(previous: _Point | None, expression: str, today: date) -> _Point | None:
    """An expression joined to the one before it by 和, 、 or nothing: it shares what it leaves open."""
    point = _read(expression, today)
    if previous is None or point is None:
        return point
    year_before = previous.scope.grain == _Grain.YEAR
    if year_before and point.scope.grain != _Grain.YEAR and (point.needs == "year" or point.year is not None):
        return None  # 2023年和2024年3月: of both years, or not
    return point if _settled_by(previous, point.needs) is None else _read(expression, today, previous)


def _without_doubtful(found: list[DateMention], points: list[_Point | None]) -> list[DateMention]:
    """Take the range from mentions whose open part another mention of the query may have been meant to fill.

    2023年…5月投诉 is hardly May of this year; saying so is better than choosing.
    """
    settled = [point for point in points if point is not None]
    whole_year = any(point.scope.grain == _Grain.YEAR for point in settled)
    whole_month = any(point.scope.grain >= _Grain.MONTH for point in settled)
    whole_week = any(point.scope.grain >= _Grain.WEEK for point in settled)
    # A year said with a month fills only what comes after it: 3月与去年3月 is clear.
    years: set[date] = set()
    months: set[date] = set()
    weeks: set[date] = set()
    for index, point in enumerate(points):
        if point is None:
            continue
        first = point.scope.first
        if point.needs == "year":
            doubtful = whole_year or bool(years - {first.replace(month=1, day=1)})
        elif point.needs == "month":
            doubtful = whole_month or bool(months - {first.replace(day=1)})
        elif point.needs == "week":
            doubtful = whole_week or bool(weeks - {_week(first).first})
        else:
            doubtful = False
        if doubtful:
            found[index] = found[index]._replace(first=None, last=None)
        for seen, period in ((years, point.year), (months, point.month), (weeks, point.week)):
            if period is not None:
                seen.add(period)
    return found
