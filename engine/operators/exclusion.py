"""Exclusion: 除曹县外, 不含曹县; and negations that are noticed but not read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qilin.operators.phrase import Phrase

OPENING = ("除了", "除去", "除开", "除", "不含", "不包括", "不包含", "不算", "不计", "剔除",
                  "排除", "扣除", "去掉", "去除", "刨除", "撇开", "不要")  # fmt: skip
CLOSING = re.compile(r"\s*(?:以外|之外|外)")
# Ways to take something out that are noticed but not read: the answer must not pretend otherwise.
NEGATED_BEFORE = re.compile("(?:不是|并非|而非|非|未含|未包括|减去|刨去|减掉|不看|不查|不统计)$")
NEGATED_BEHIND = re.compile(r"[）)]?(?:除外|以外|之外|不算|不计|不含在内)|外(?=[、，,]|$)")
# What those begin or end with: a look at one character spares most mentions the patterns.
NEGATION_ENDS = frozenset("是非含括去掉看查计")
NEGATION_BEGINS = frozenset("）)除以之不外")
# No word that takes something out, read or only noticed, is without one of these.
MAY_EXCLUDE = re.compile(f"[{''.join(sorted(NEGATION_ENDS | NEGATION_BEGINS | {w[0] for w in OPENING}))}]").search
# 除 as a syllable of another word: 解除曹县的停电 excludes nothing.
_NOT_EXCEPT = frozenset("解拆清删消开免根铲切破废撤去扣排剔刨")

TRIGGERS = OPENING


def find_exclusions(text: str) -> Iterator[Phrase]:
    """除, 不含: what follows is taken out. Every word at each place, since 除|开江县 is not 除开|江县."""
    for word in OPENING:
        start = text.find(word)
        while start >= 0:
            if not (word[0] == "除" and start and text[start - 1] in _NOT_EXCEPT):
                yield Phrase(start, start + len(word), "exclusion", None)
            start = text.find(word, start + 1)
