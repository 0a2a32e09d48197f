"""Filler words, and the gaps between the parts of a question."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from qilin.text.separators import HARD_SEPARATORS, SOFT_SEPARATORS


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
