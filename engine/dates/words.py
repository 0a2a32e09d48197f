"""The words of date expressions: one row a word. To add a date word, add a row.

Patterns are for folded text (NFKC, simplified characters, half-width digits). Digits are spelt out: `[0-9]`, for `\\d`
would take other digits too. A quantifier `++` is possessive: a number is not split to make a pattern fit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Final, Literal, NamedTuple

from qilin.dates import periods
from qilin.dates.festivals import NAMES
from qilin.dates.numerals import CN
from qilin.dates.periods import FESTIVAL, HOLIDAY, Needs, Scope

Place = Literal["anywhere", "behind", "opening", "going on", "joint"]


class DateWord(NamedTuple):
    """A word of date expressions. All rows of one kind mean the same.

    Attributes:
        kind: What the word is. One that begins with `no:` is recognised in order not to be understood: no range.
        pattern: A regular expression without groups that capture.
        triggers: Strings of one or two characters, separated by spaces: each text with the word has one of them.
            Only words that may stand anywhere need them, for every expression has such a word.
        names: The period that the word names when it stands first, seen from today.
        narrows: The part that the word takes of the period before it.
        needs: The larger period around today that it narrows when it stands first.
        place: Where it may stand. "anywhere"; "behind": right behind another word, without which it means something
            else or nothing; "opening": before the first word; "going on": behind others, never first; "joint":
            between two words.
    """

    kind: str
    pattern: str
    triggers: str = ""
    names: Callable[[str, date], Scope | None] | None = None
    narrows: Callable[[Scope, str], Scope | None] | None = None
    needs: Needs = ""
    place: Place = "anywhere"


# --- Parts of patterns -------------------------------------------------------------------------------------

_NUM = f"(?:[0-9]++|[{CN}]++)"
_DASHES = r"\-–—―−‐"
_TO = f" ?(?:起|开始)?(?:一?直)?(?:至|到|~{{1,2}}+|[{_DASHES}]{{1,2}}+) ?"
_AND = "[、,和与及/]"
_WHICH = "(?:本|这(?:一?个|一)?|当|(?:上++|下++)(?:一?个|一)?)"  # 本月, 这个月, 上上个月, 下周

# Only behind the joint of a range.
_AFTER_TO = f"(?:(?<=[至到~{_DASHES}])|(?<=[至到~{_DASHES}] ))"
# What is behind a number that counts or is a code, not a date: 202405户, 2010千瓦, 5月28件.
_COUNTED = (
    "(?:[0-9A-Za-z%℃#_千万百亿件个条元秒米吨伏安瓦兆支根]|[.:/][0-9]|公里|户(?!均)|次(?!月)|人(?!均)|台(?!区|账)"
    "|度(?![夏冬])|分(?![公县市所区局部])|组(?!织))"
)
# What is behind a 号 that numbers equipment or a place, not a day: 2号主变, 3号台区, 1号线, 32号楼.
_NUMBERED = (
    "(?:[、和与及][0-9]{1,4}号){0,4}"
    "(?:公寓|公馆|公告|公变|专变|主变|配变|箱变|变|台|线(?!损|上|下)|楼|机|杆|塔|院|门|单元|井|路|街|巷|弄|桥|店|厂|矿"
    "|库|站|所(?![有辖属在])|馆|柜|箱|表|环|开关|断路|刀闸|母|间隔|电缆|电杆|地块|地|区(?!县)|工单|文|令|客户|用户"
    "|户|员|坐席|座席|工号|信号|码|牌|坑|仓|泵|炉|窑|灯|岗|窗|营业厅|厅|房|室|层|宿舍|小区|广场|船|车|屯|村(?!民)"
    "|组|队|营|团|场|岛|渠|闸|支|干|分支|馈|出线|进线|柴|汽|桩|充电|隧|洞|码头|港|别墅|墅|庄|供电[所站公]|变电)"
)
# 度 of 年度 and 月度, not of 2024年|度夏 or 5月|度假.
_DEGREE = "度(?![夏冬假过])"
# What is behind 内 in the names of places and in compounds, where it ends no 年内: 内蒙古, 内乡县, 内部.
_IN_NAME_INNER = "蒙乡黄江丘部容网外环存因控勤需销地"
# 周 of weeks, not of 周年 or 周边.
_WEEK = "(?:周(?![年岁围边转])|星期|礼拜)"
# A numeral behind 周 that counts nothing: 本周一, not 本周|一次.
_NOT_COUNTING = (
    "(?![个家件名次条户例类项位成倍分台轮批座处年月天号级相线组万千百十点时])(?!期(?!间)|周(?![一二三四五六日天末]))"
)
# The numeral of a weekday, unless it counts or belongs to the next word: 本周|一共, 本周|三家, 本周|五莲县.
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
# A number that is no length of time and no ordinal: not 运行10年, 超3个月, 第三年.
_NO_LENGTH = "(?<![超满达第每隔])(?<!超过)(?<!运行)(?<!使用)"
# 初 of a beginning, not of 初审, 初步, 初级.
_NO_FIRST = "(?![审步级中始次装核验衷])"
# 底 and 末 of an end, not of 底部, 末端.
_NO_LAST = "(?![部层线座盘图数册库下端级梢])"
# 中 of the middle of a period, not of 中秋, 中旬, 中牟县, 中心, 中压.
_MIDDLE = (
    "中(?![秋旬牟山卫宁阳方江国心央断压低高午间标学小铁建石海移电联信通广村关站期继等式西东南北原坝和楼庄店堡沙宫街路])"
)
# A festival that is part of no name: not 五一路, 国庆村, 八一供电所, 清明上河园.
_NOT_IN_NAME = (
    f"(?![{CN}0-9号日月年轻粥]|供电[所公站部局中营服]|大道|大街|路(?!灯)|街|村(?![民镇里])|镇(?![区上])|乡(?![镇村宁])"
    "|桥|站(?![内点前])|变(?![压化更])|线(?![损上下])|厂(?!家)|矿|店|门(?![头诊户])|沟|屯|庄|渠|巷|上河|社区|广场"
    "|小区|公园|水库|农场|林场|中学|小学|学校|医院|大厦|酒店|商场|新[村城]|家园|公司|营业|分局|支线|所(?![有辖属在]))"
)
# A number of four digits that is a year because of the word behind it: 2024|三季度, 2024|国庆.
_OF_YEAR = (
    "(?= ?(?:第|[一二三四1-4] ?季度|[上下]半年|[QqHh][1-9](?![0-9A-Za-z])"
    f"|{FESTIVAL}|迎峰|度夏|度冬|前[三两二23]个?季|全年))"
)
# No letter or digit before it.
_NEW = "(?<![0-9A-Za-z])"

_STAMP = f"(?:19|20)[0-9]{{2}}[01][0-9](?:[0-3][0-9])?(?!{_COUNTED}|[号年月]|-[0-9]{{1,4}}(?![0-9]))"
_BARE_DAY = f"(?:[0-9]{{1,2}}|(?![百零〇两])[{CN}]{{1,3}}) ?(?:日(?!月|游|三餐|均)|号(?!{_NUMBERED}))"
_LIST_UNIT = f"(?:年(?!级)|月份?|季度(?!假)|日(?!月|游|均)|号(?!{_NUMBERED}))"
_TIME_OF_DAY = (
    "凌晨|清晨|早晨|早上|早间|上午|中午|下午|傍晚|晚上|晚间|夜间|夜里|夜晚|深夜|白天|半夜"
    f"|(?:[0-9]{{1,2}}|[{CN}]{{1,3}}) ?(?:点|时(?![段间长刻效]))|T?[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?"
)


def _pairs(firsts: str, seconds: str) -> str:
    """Triggers of two characters: 去 and 春夏 give 去春 去夏."""
    return " ".join(map("".join, product(firsts, seconds)))


_WEEK_TRIGGERS = "周 星期 礼拜"
_UNIT_TRIGGERS = f"天 日 {_WEEK_TRIGGERS} 月 季 年"
_HALF_TRIGGERS = _pairs("Hh", "12")
_QUARTER_TRIGGERS = _pairs("Qq", "0123456789")
_POINT_TRIGGERS = _pairs("0123456789", ".")
_FESTIVAL_TRIGGERS = " ".join(["节", *(name[:2] for name in NAMES if "节" not in name)])

# --- The table ---------------------------------------------------------------------------------------------

# In this order the words are tried: the first that fits wins.
# fmt: off
WORDS: Final[tuple[DateWord, ...]] = (
    # Words that mean something else, or nothing, without the word right before them
    DateWord("quarter", "(?<=[年度的])[一二三四1-4]季(?![度节])", narrows=periods.narrow_quarter, needs="year",
        place="behind"),
    DateWord("week", f"(?<=年){_NUM} ?周(?![年岁])|(?<=[0-9{CN}周][至到~-]){_NUM} ?周", narrows=periods.narrow_week,
        needs="year", place="behind"),
    DateWord("day", f"(?<=[月份]){_NUM} ?(?:日|号(?!{_NUMBERED}))", narrows=periods.narrow_day, needs="month", place="behind"),
    DateWord("no:numbered", f"(?<=[月份]){_NUM} ?号{_NUMBERED}", place="behind"),
    # Dates in figures
    DateWord("stamp", f"(?<![0-9A-Za-z号码编_#])(?<![0-9][-_/]){_STAMP}", "19 20", names=periods.stamp),
    # Numbers whose unit comes later: 3、4月; the 1 of 1-4月
    DateWord("several", f"第?{_NUM}(?:{_AND}第?{_NUM}){{1,11}}+ ?{_LIST_UNIT}", "年 月 季 日 号"),
    DateWord("several", f"第{_NUM}(?:{_AND}第?{_NUM}){{1,11}}+ ?周", "周"),
    DateWord("number", f"(?![0-9]{{4}} ?- ?[0-9]++ ?月)第?{_NUM}"
        f"(?={_TO}(?:{_BARE_DAY}|第?{_NUM} ?(?:年(?!级|一度|到头)|月|季度(?!假))))", "日 号 年 月 季"),
    DateWord("number", f"第{_NUM}(?={_TO}第?{_NUM} ?周)", "周"),
    DateWord("dashed",
        "(?:19|20|21)[0-9]{2}(?:-[0-9]{1,2}(?:-[0-9]{1,2})?(?!-[0-9]{4}[0-9])(?![0-9A-SU-Za-z%])"
        "|/[0-9]{1,2}(?:/[0-9]{1,2})?(?![0-9A-SU-Za-z%/])"
        rf"|\.[0-9]{{1,2}}(?:\.[0-9]{{1,2}})?(?!{_COUNTED}))[月日号]?", "19 20 21", names=periods.dashed),
    DateWord("no:month.day",
        f"(?<![A-Za-z])[0-9]{{1,2}}[./][0-9]{{1,2}}{_TO}[0-9]{{1,2}}[./][0-9]{{1,2}}(?!{_COUNTED})",
        f"/ {_POINT_TRIGGERS}"),
    DateWord("no:month.day", rf"(?<![A-Za-z])[0-9]{{1,2}}\.[0-9]{{1,2}} ?(?:[日月]|号(?!{_NUMBERED}))", "日 月 号"),
    # Stretches that end today, and vague ones
    DateWord("rolling", rf"(?:最近|近|过去) ?的? ?[这整]?[0-9.{CN}半几数多余]{{1,10}}+ ?个?[多余半]? ?"
        f"(?:工作日|自然日|小时|天|日|{_WEEK}|月(?!份|[0-9{CN}]++[日号])|季度|季|年(?!级))", "近 过去",
        names=periods.rolling),
    DateWord("no:vague",
        "最近(?!的?(?:一个)?(?:供电|营业|网点|服务|邻))|近(?:年来?|些年来?|期|日|来|几年来?|段时间|阵子)", "近"),
    DateWord("no:vague", "(?:前|这|那|过去)一?(?:段时间|阵子|些天|几天|几日|几周|几个?月|几年|些年|两天|两日)",
        "段时 阵子 天 日 周 月 年"),
    DateWord("no:vague", "往年|不久前?|日前", "年 不久 日"),
    DateWord("no:vague", "节[前后](?![台端勤])|年[前后](?![台端勤])", "节 年"),
    DateWord("no:vague", "[今去昨明][春夏秋冬]|[今昨明当][晚早晨夜](?![报餐饭])",
        f"今 昨 {_pairs('去明', '春夏秋冬')} {_pairs('明当', '晚早晨夜')}"),
    DateWord("no:vague", "[春夏秋冬]季(?!节)|[春夏秋冬]天|入[春夏秋冬]|汛期", f"季 天 汛 {_pairs('入', '春夏秋冬')}"),
    DateWord("no:vague", f"大年(?:初?[{CN}]{{1,3}}|夜)", "年"),
    # Years
    DateWord("relyear", f"(?:今年|去年|大?前年|明年|后年|[本当]年|这一?年|(?:上++|下++)一?年)(?:{_DEGREE}|份)?", "年",
        names=periods.relative_year, narrows=periods.narrow_same),
    DateWord("start:year", f"年初{_NO_FIRST}", "年", names=periods.year_edge, narrows=periods.narrow_edge),
    DateWord("end:year", f"年[底末]{_NO_LAST}", "年", names=periods.year_edge, narrows=periods.narrow_edge),
    DateWord("no:edge", f"年{_MIDDLE}|月{_MIDDLE}|季[初中末]", "年 月 季"),
    DateWord("thisyear", f"年内(?![{_IN_NAME_INNER}])", "年", names=periods.this_year,
        narrows=periods.narrow_same),
    DateWord("year", f"{_NO_LENGTH}{_NUM} ?年(?:{_DEGREE}|份)?(?!级|一度|到头)", "年", names=periods.named_year),
    DateWord("year", f"{_NEW}(?:19|20)[0-9]{{2}}{_OF_YEAR}", "19 20", names=periods.named_year),
    DateWord("year", f"{_NEW}[0-9]{{2}}(?=(?:[Qq][1-4]|[Hh][12])(?![0-9A-Za-z]))", f"{_QUARTER_TRIGGERS} {_HALF_TRIGGERS}",
        names=periods.named_year),
    DateWord("no:naked",
        f"(?<![0-9A-Za-z._-])20[1-3][0-9](?:{_TO}20[1-3][0-9])?(?!{_COUNTED}|[号家所例起座名]|[-/.][0-9]| ?年)", "20"),
    DateWord("whole", "全年|整年|全月|整月|单月|全周|整周|全天|整天", "年 月 周 天", names=periods.this_year,
        narrows=periods.narrow_whole),
    # Parts of a year
    DateWord("half", f"[上下]半年(?:{_DEGREE})?|(?<![A-Za-z])[Hh][12](?![A-Za-z0-9])", f"年 {_HALF_TRIGGERS}",
        narrows=periods.narrow_half, needs="year"),
    DateWord("quarter", f"第{_NUM} ?(?:季度|季(?![度节]))|(?!两){_NUM} ?季度(?!假)|首季度?(?!假)", "季",
        narrows=periods.narrow_quarter, needs="year"),
    DateWord("quarter", "(?<![A-Za-z])[Qq][0-9](?![0-9A-Za-z])(?:季度)?", _QUARTER_TRIGGERS,
        narrows=periods.narrow_quarter, needs="year"),
    DateWord("relquarter", f"{_WHICH}季(?:度(?!假)|(?![度节]))", "季", names=periods.relative_quarter),
    DateWord("firstparts", f"[前头] ?{_NUM} ?个?(?:季度(?!假)|季(?![度节])|月份?(?![0-9]))", "季 月",
        narrows=periods.narrow_first_parts, needs="year"),
    DateWord("firstdays", f"[前头] ?{_NUM} ?(?:天|日(?!均))", "天 日", narrows=periods.narrow_first_days),
    DateWord("no:part", f"[前头] ?{_NUM} ?个?(?:{_WEEK}|年|工作日)|[前后]半[年月]|大半年|上上++半年",
        f"{_WEEK_TRIGGERS} 年 日 月"),
    DateWord("no:part", f"(?:最后|后|末) ?(?:{_NUM}|半) ?个?(?:天|日|{_WEEK}|月|季度?|年)", _UNIT_TRIGGERS),
    DateWord("season", "(?:迎峰)?度[夏冬](?![日天季])(?:期间|时期|期)?", "度夏 度冬", narrows=periods.narrow_season,
        needs="year"),
    DateWord("festival", f"(?<![{CN}]){FESTIVAL}(?:节?(?:{HOLIDAY}|当[天日])|节|{_NOT_IN_NAME})", _FESTIVAL_TRIGGERS,
        names=periods.latest_festival, narrows=periods.narrow_festival, needs="year"),
    DateWord("festival", f"(?<![{CN}])十一{HOLIDAY}", "十一", names=periods.latest_festival,
        narrows=periods.narrow_festival, needs="year"),
    DateWord("week", f"第 ?{_NUM} ?个?{_WEEK}", _WEEK_TRIGGERS, narrows=periods.narrow_week, needs="year"),
    # Months
    DateWord("no:lunar", f"(?:正|腊|冬|闰[{CN}]{{1,2}})月(?:初?[{CN}]{{1,3}})?", "月"),
    DateWord("month", f"{_NO_LENGTH}(?:{_NUM}|元) ?月(?:份|{_DEGREE})?", "月", narrows=periods.narrow_month, needs="year"),
    DateWord("relmonth", f"{_WHICH}月(?:份|{_DEGREE})?", "月", names=periods.relative_month,
        narrows=periods.narrow_same),
    DateWord("start:month", f"月初{_NO_FIRST}", "月", names=periods.month_edge, narrows=periods.narrow_edge),
    DateWord("end:month", f"月[底末]{_NO_LAST}", "月", names=periods.month_edge, narrows=periods.narrow_edge),
    DateWord("third", "[上中下]旬", "旬", narrows=periods.narrow_third, needs="month"),
    DateWord("halfmonth", "[上下]半个?月", "月", narrows=periods.narrow_half_month, needs="month"),
    # Weeks
    DateWord("relweek", f"{_WHICH}{_WEEK}", _WEEK_TRIGGERS, names=periods.relative_week),
    DateWord("weekday", f"(?:周|星期|礼拜){_WEEKDAY}(?:{_TO}{_WEEKDAY})?", _WEEK_TRIGGERS,
        narrows=periods.narrow_weekday, needs="week"),
    DateWord("weekend", "周末|星期末", "周 星期", narrows=periods.narrow_weekend, needs="week"),
    # Days
    DateWord("relday", "(?:[今昨明]|大?前|大?后)[天日](?!均)|[当本][天日](?!均)", "天 日", names=periods.relative_day,
        narrows=periods.narrow_same),
    DateWord("no:average", f"{_NO_LENGTH}{_NUM} ?日均", "日"),
    DateWord("day", f"(?<![第#]){_BARE_DAY}", "日 号", narrows=periods.narrow_day, needs="month"),
    # Lengths of time that do not say when
    DateWord("no:ordinal", f"第{_NUM} ?个?(?:天|日|年|月|工作日)", "天 日 年 月"),
    DateWord("no:length",
        f"{_NO_LENGTH}(?![0-9]{{5}})(?:{_NUM} ?(?:个(?:{_WEEK}|月|季度|工作日)|天|周(?![年岁围边转次期])"
        f"|星期|礼拜|季度(?!假))|半年(?!报)度?|半个?月)(?!两[头夜]|到晚|以上|以下|级|[0-9{CN}]++次)", _UNIT_TRIGGERS),
    # Words before the first one
    DateWord("from", "(?<![来各独亲私])自从?|(?<!服)从|打从", place="opening"),
    DateWord("era", "公历|阳历|新历|公元|西元", place="opening"),
    # 截至 and 到 are also joints between two words: 3月到5月
    DateWord("no:before", "截[至止](?:到|至)?|直到|[至到]|不?[早晚先]于|大?约|大概", place="opening"),
    DateWord("no:before", "每(?:年|个?月|个?季度|个?周|个?星期|逢)?的?", place="opening"),
    DateWord("no:before", "除(?:了|去|开)?|不(?:含|包括|包含|算|计)|剔除|扣除|排除|非", place="opening"),
    DateWord("no:before", "农历|阴历|旧历", place="opening"),
    DateWord("no:before", "往年|历年|历次|[同某各]年|[次翌][年月]|第二年", place="opening"),
    DateWord("no:before", f"近(?=[0-9{CN}半年日 ])", place="opening"),  # 近|5月, but 近期|国庆
    # Words that only go on with an expression
    DateWord("weekday", f"(?<=[周期拜]){_WEEKDAY}(?:{_TO}{_WEEKDAY})?", narrows=periods.narrow_weekday, needs="week",
        place="going on"),
    DateWord("weekend", "(?<=[周期拜])末", narrows=periods.narrow_weekend, needs="week", place="going on"),
    DateWord("stamp", f"{_AFTER_TO}{_STAMP}", names=periods.stamp, place="going on"),
    DateWord("monthday", f"{_AFTER_TO}[0-9]{{1,2}}[-/.][0-9]{{1,2}}(?!{_COUNTED})[日号]?", place="going on"),
    DateWord("next", f"{_AFTER_TO}(?:[次翌同][年月日]|第二[年天])", place="going on"),
    DateWord("no:unit", f"(?<=月)[0-9]{{1,2}}(?!{_COUNTED}|[大强名家所起例座项类位处辆年月日天周点时、,]|号|供电)",
        place="going on"),
    DateWord("no:bare", f"{_AFTER_TO}[0-9]++(?!{_COUNTED})[号年月]?", place="going on"),
    DateWord("since", "(?:起|开始)?(?:至今|迄今|[至到](?:现在|目前|当前))(?![天日年晚])|以来", place="going on"),
    DateWord("since", f"(?:开始|起(?![诉火因点重步草伏动码飞始]))(?!{_TO})", place="going on"),
    DateWord("coming", "(?<=[天日周月年期拜初])来(?![自电访源函信宾安凤])", place="going on"),
    DateWord("within", f"期间|之间|间(?!隔)|以内|之内|内(?![{_IN_NAME_INNER}])|为?止", place="going on"),
    DateWord("cumulative", "累计", place="going on"),
    DateWord("isweekday", r"\( ?(?:周|星期|礼拜)[一二三四五六日天] ?\)", narrows=periods.narrow_is_weekday, place="going on"),
    DateWord("no:modifier", "前后|左右|之[前后外]|以[前后外上下]|除外|同[月日季]", place="going on"),
    DateWord("no:modifier", "的?同期(?!线损|售电|供电|电量|系统|月)", place="going on"),
    DateWord("no:decade", "(?<=年)代(?![理表码办购维])", place="going on"),
    DateWord("no:festival", "(?<=三月)三|(?<=五月)五|(?<=七月)七|(?<=九月)九|(?<=[夕年])夜", place="going on"),
    DateWord("no:modifier", f"前(?![0-9{CN}台往端述列置郭进期提沿景瞻])|后(?![0-9{CN}台勤续备期方端旗缀者果])",
        place="going on"),
    DateWord("no:days", "的?(?:工作日|节假日|双休日|休息日)", place="going on"),
    DateWord("no:time", _TIME_OF_DAY, place="going on"),
    DateWord("no:half", "半(?![径夜年月个])", place="going on"),
    DateWord("no:middle", _MIDDLE, place="going on"),
    DateWord("edge", f"初{_NO_FIRST}|[底末]{_NO_LAST}", narrows=periods.narrow_edge, place="going on"),
    # Joints: between the ends of a range, and between a period and its part
    DateWord("to", _TO, place="joint"),
    DateWord("of", " ?的? ?", place="joint"),
)
# fmt: on

# The row of each kind that says what it means.
KINDS: Final[dict[str, DateWord]] = {row.kind: row for row in reversed(WORDS)}

# Every text with a date expression contains at least one of these.
TRIGGERS: Final[frozenset[str]] = frozenset(trigger for row in WORDS for trigger in row.triggers.split())

# A preposition of one character does not begin an expression before these: 到|Q3, 从|教师节.
_NOT_OPENED = "(?![HQhq不儿入单圣头妇小建往教整日末植汛节那青])"
# Where no expression begins though a word of the table could: (characters, what must be around each of them). Most of
# them are the end of another word: 过|去, 昆|明, 以|前, 加|上.
BORDERS: Final[tuple[tuple[str, str], ...]] = (
    ("0123456789", "(?<![0-9].)(?<![0-9][./].)"),  # 3.5号, 1/2
    (CN, f"(?<![{CN}].)"),
    ("去", "(?<!过.)"),
    ("明", "(?<![昆说证声表文光].)"),
    ("前", "(?<![以之目当年日].)"),
    ("后", "(?<![以之].)"),
    ("上", "(?:(?<![上以马晚早线网加].)|(?<=[加以线网马]上上)(?![上旬]))"),  # 加上|上月
    ("下", "(?<![下以线名乡地如].)"),
    ("本", "(?<![基成资].)"),
    ("当", "(?<![应相].)(?![星礼])"),
    ("近", "(?<![附靠邻最].)(?![这整余.])"),
    ("元", "(?! )"),
    ("半", "(?<![上下].)"),
    ("QqHh", "(?<![0-9A-Za-z].)"),
    ("早晚先", "(?<!不.)"),
    ("次翌", f"(?<![0-9{CN}].)"),
    ("打", "(?<![来各独亲私服].)"),
    ("自从", f"(?<![来各独亲私服].){_NOT_OPENED}"),
    ("至到约", f"(?<![收接达得看找遇感受报直提涉签预合履甚以乃].){_NOT_OPENED}"),
    ("每除非", _NOT_OPENED),
)
