"""Words that steer a question: separators, exclusion, breakdown, relative names, filler.

They name no organisation by themselves, but say how the named ones belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from qilin.hierarchy import Level

# 和 and its like always begin another target; 、 and blanks do so unless the names are one path.
HARD_SEPARATORS = (
    "和", "与", "及", "跟", "以及", "同", "或", "或者", "或是", "还是", "还有", "对比", "相比", "比较",
    "比", "较", "VS", "并", "并且", "而", "另外", "此外", "加上",
)  # fmt: skip
SOFT_SEPARATORS = frozenset("、，,；;。|&+\n ")

EXCLUSION_OPEN = ("除了", "除去", "除开", "除", "不含", "不包括", "不包含", "不算", "不计", "剔除",
                  "排除", "扣除", "去掉", "去除", "刨除", "撇开", "不要")  # fmt: skip
EXCLUSION_CLOSE = re.compile(r"\s*(?:以外|之外|外)")
# Ways to take something out that are noticed but not read: the answer must not pretend otherwise.
NEGATED_BEFORE = re.compile("(?:不是|并非|而非|非|未含|未包括|减去|刨去|减掉|不看|不查|不统计)$")
NEGATED_BEHIND = re.compile(r"[）)]?(?:除外|以外|之外|不算|不计|不含在内)|外(?=[、，,]|$)")
# What those begin or end with: a look at one character spares most mentions the patterns.
NEGATION_ENDS = frozenset("是非含括去掉看查计")
NEGATION_BEGINS = frozenset("）)除以之不外")
# No word that takes something out, read or only noticed, is without one of these.
MAY_EXCLUDE = re.compile(
    f"[{''.join(sorted(NEGATION_ENDS | NEGATION_BEGINS | {w[0] for w in EXCLUSION_OPEN}))}]"
).search
# 除 as a syllable of another word: 解除曹县的停电 excludes nothing.
_NOT_EXCEPT = frozenset("解拆清删消开免根铲切破废撤去扣排剔刨")

_NOUNS: tuple[tuple[Level, str], ...] = (
    (Level.SUBSTATION, r"(?:乡镇|基层)?(?:供电所|供电站|供电服务站|营业站)|所站|站所"),
    (Level.COMPANY, r"(?:县级|区县|县区|县市区|区市县|县市|县|区|旗县)(?:级)?(?:供电)?(?:公司|局|单位|分公司|中心)|"
                    r"区县|县区|县市区|旗县|县域|县供电公司|县"),
    (Level.CITY, r"(?:地级市|地市|市州|市)(?:级)?(?:供电)?(?:公司|局|单位)|地级市|地市|市州|盟市|市"),
    (Level.PROVINCE, r"省(?:级)?(?:电力)?(?:公司|单位)|省份|省"),
)  # fmt: skip
_QUANTIFIER = (
    r"(?:下属|下辖|所辖|所属|辖内|辖区内?|管辖|旗下|下面)?的?"
    r"(?:各个|各|每一个|每个|每家|哪一个|哪几个|哪个|哪些|哪家|按照|按|分|逐)"
    r"|(?:下属|下辖|所辖|所属|辖内|辖区内?|管辖|旗下)的?(?:所有|全部|全体)?的?"
    r"|(?:所有|全部|全体)的?"
)
_RANKED = (
    r"(?:(?:最[多少高低大小好差快慢长短]|[前后]几名?|(?:倒数)?第[0-9一二三四五六七八九十]+[名位]?)的"
    r"|(?:(?:倒数)?[前后][0-9一二三四五六七八九十]+[名位]?|TOP[0-9]+)的?)"
    r"(?:[0-9一二三四五六七八九十几]+[个家])?"
)
_COUNTED = r"(?:这|全部|所有|全省|全市)?(?:[0-9]+|[一二三四五六七八九十]+)个(?!月|季|年|周|星期|半年)"
_TAIL_WORDS = r"(?=(?:排名|排行|分布|明细|对比|分组|之间))"
_BREAKDOWN = re.compile(
    f"(?:{_QUANTIFIER}|{_RANKED}|{_COUNTED})(?:"
    + "|".join(f"(?P<{level.tag}>{noun})" for level, noun in _NOUNS)
    + f"|(?P<{Level.COMPANY.tag}__>区(?![域间别块分位]))"
    + ")(?:的)?|(?:"
    + "|".join(f"(?P<{level.tag}_>{noun}){_TAIL_WORDS}" for level, noun in _NOUNS)
    + ")"
)
# 各所 is a breakdown, 各所有 is not.
_BREAKDOWN_SUO = re.compile(r"(?:各|每个|哪个|哪些|各个)所(?![有辖属在])")

_OWN = ("我们", "咱们", "本", "我", "咱")
RELATIVES: dict[str, Level] = {
    **dict.fromkeys(("全省", "本省", "我省", "咱省", "我们省", "省电力公司", "省公司", "省里"), Level.PROVINCE),
    **dict.fromkeys(
        ("全市", "本市", "我市", "咱市", "我们市", "地市公司", "市供电公司", "市公司", "市局", "市里"), Level.CITY
    ),
    **dict.fromkeys(("全县", "本县", "我县", "咱县", "我们县", "县供电公司", "县公司", "县局", "县里"), Level.COMPANY),
    **dict.fromkeys(("全区", "本区", "我区", "我们区", "区公司"), Level.COMPANY),
    **{own + noun: Level.COMPANY for own in _OWN for noun in ("公司", "供电公司", "单位")},
    **dict.fromkeys(("本所", "我所", "我们所", "咱们所", "咱所", "全所"), Level.SUBSTATION),
    **{own + "供电所": Level.SUBSTATION for own in _OWN},
}

TRIGGERS = {
    "exclusion": EXCLUSION_OPEN,
    "breakdown": ("各", "每", "哪", "所有", "全部", "全体", "下属", "下辖", "所辖", "所属", "辖", "旗下", "按", "分",
                  "逐", "排名", "排行", "分布", "明细", "对比", "之间", "分组", "最", "前三", "前五", "前十", "前几",
                  "倒数", "第一", "TOP", "个地市", "个市", "个县", "个区", "个供电", "家供电", "个所", "个旗县"),
}  # fmt: skip


class Phrase(NamedTuple):
    """A steering phrase: half-open span, what it does, and for which level."""

    start: int
    end: int
    kind: str  # "breakdown", "relative", "exclusion"
    level: Level | None


def find_breakdowns(text: str) -> Iterator[Phrase]:
    """各县公司, 各供电所, 下属所有供电所: the level to break the answer down by."""
    for match in _BREAKDOWN.finditer(text):
        tag = (match.lastgroup or "").rstrip("_")
        yield Phrase(*match.span(), "breakdown", _LEVEL_OF[tag])
    for match in _BREAKDOWN_SUO.finditer(text):
        yield Phrase(*match.span(), "breakdown", Level.SUBSTATION)


def relative_phrases(text: str, found: list[tuple[int, int, Level]]) -> Iterator[Phrase]:
    """全市, 本县, 我们公司: an organisation on the path of who asks. The longest word at each place."""
    end = -1
    for start, stop, level in sorted(found, key=lambda f: (f[0], -f[1])):
        if start >= end and not (text[stop - 1] == "所" and text[stop : stop + 1] in tuple("有辖属在")):
            yield Phrase(start, stop, "relative", level)
            end = stop


def find_exclusions(text: str) -> Iterator[Phrase]:
    """除, 不含: what follows is taken out. Every word at each place, since 除|开江县 is not 除开|江县."""
    for word in EXCLUSION_OPEN:
        start = text.find(word)
        while start >= 0:
            if not (word[0] == "除" and start and text[start - 1] in _NOT_EXCEPT):
                yield Phrase(start, start + len(word), "exclusion", None)
            start = text.find(word, start + 1)


_LEVEL_OF = {level.tag: level for level in Level}


class Gap(NamedTuple):
    """What stands between two mentions.

    `runs` are the unexplained stretches and `words` the filler words, offsets into the gap; `hard`:
    where in the gap the last hard separator ends (-1: none); `soft`: it holds a comma or a blank.
    """

    content: int
    runs: tuple[tuple[int, int], ...]
    words: tuple[tuple[int, int], ...]
    hard: int
    soft: bool


class Filler:
    """Tells the words that carry content from those that only hold a question together."""

    def __init__(self, function_words: frozenset[str]) -> None:
        self.words = function_words | frozenset(HARD_SEPARATORS)
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_LENGTH)
        for word in self.words:
            self._automaton.add_word(word)
        self._automaton.make_automaton()
        self.gap = lru_cache(maxsize=8192)(self._gap)

    def _gap(self, gap: str) -> Gap:
        """Split a stretch into filler and unexplained runs. Linear in its length."""
        soft = not SOFT_SEPARATORS.isdisjoint(gap)
        size = len(gap)
        endings: dict[int, list[int]] = {}
        for last, length in self._automaton.iter(gap):
            endings.setdefault(last + 1, []).append(length)
        # Fewest unexplained characters, then fewest words, for each prefix of the gap.
        cost = [(0, 0)] * (size + 1)
        step = [0] * (size + 1)
        for end in range(1, size + 1):
            content = gap[end - 1].isalnum()
            best = (cost[end - 1][0] + content, cost[end - 1][1])
            taken = 0
            for length in endings.get(end, ()):
                if length > 1 or not self._inside_word(gap, end - 1):
                    before = cost[end - length]
                    if (before[0], before[1] + 1) < best:
                        best, taken = (before[0], before[1] + 1), length
            cost[end], step[end] = best, taken
        runs: list[tuple[int, int]] = []
        words: list[tuple[int, int]] = []
        hard = -1
        end = size
        while end:
            length = step[end]
            if length:
                if hard < 0 and gap[end - length : end] in _HARD:
                    hard = end
                words.append((end - length, end))
                end -= length
            else:
                if gap[end - 1].isalnum():
                    if runs and runs[-1][0] == end:
                        runs[-1] = (end - 1, runs[-1][1])
                    else:
                        runs.append((end - 1, end))
                end -= 1
        return Gap(cost[size][0], tuple(reversed(runs)), tuple(reversed(words)), hard, soft)

    def _inside_word(self, gap: str, i: int) -> bool:
        """Whether content stands on both sides: 有 in 没有效率 is no word of its own."""
        return 0 < i < len(gap) - 1 and gap[i - 1].isalnum() and gap[i + 1].isalnum() and gap[i] not in "的和与及跟了"


_HARD = frozenset(HARD_SEPARATORS)
