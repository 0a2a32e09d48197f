"""Real places that the table lacks, and stretches that would hide one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from qilin.names.mention import SWAPPED
from qilin.names.rules import SUFFIX
from qilin.names.typo_index import TypoIndex
from qilin.text.filler import Gap
from qilin.text.words import is_ordinary, is_place, places

_LONGEST_PLACE = 8


class Elsewhere:
    """What the place names of China say about a table that has only some of them.

    Args:
        is_stem: whether some organisation of the table goes by a stem.
        index: of the table's stems.
        gap: splits a stretch into filler and content.
    """

    def __init__(self, is_stem: Callable[[str], bool], index: TypoIndex, gap: Callable[[str], Gap]) -> None:
        self._is_stem = is_stem
        self._index = index
        self._gap = gap
        self._begin: dict[str, tuple[str, ...]] | None = None
        self.is_veiled = lru_cache(maxsize=4096)(self._is_veiled)

    def has(self, stem: str, suffix: str = "") -> bool:
        """Whether there is such a place, of the kind the suffix says, and the table lacks it."""
        return is_place(stem, suffix) and not self._is_stem(stem)

    def holds(self, written: str, longer_than: int = 1) -> bool:
        """Whether the text, with or without a suffix, is a place that the table lacks.

        `longer_than`: least characters of its stem, less one.
        """
        for size in range(min(len(written), _LONGEST_PLACE), max(longer_than, 1), -1):
            stem, rest = written[:size], written[size:]
            if (not rest or SUFFIX.fullmatch(rest)) and is_place(stem, rest):
                return not self._is_stem(stem)
        return False

    def sounds_like_a_name(self, text: str) -> bool:
        """Whether the text, no word itself, is a homophone of a name of the table, or has two characters swapped."""
        return not is_ordinary(text) and any(meant.weight <= SWAPPED for meant in self._index.lookup(text))

    def _is_veiled(self, written: str) -> bool:
        """Whether two syllables are filler one by one, but together the name of a place or like one: 中和."""
        gap = self._gap(written)
        if len(gap.words) < 2 and gap.content != 1:
            return False
        if is_ordinary(written) or self._is_stem(written):
            return False
        return is_place(written) or self.sounds_like_a_name(written)

    def beginnings(self, stem: str) -> tuple[str, ...]:
        """The syllables before a stem of the table in places that the table lacks: 下 for 伙房."""
        if self._begin is None:
            found: dict[str, list[str]] = {}
            for place in places():
                for size in (1, 2):
                    rest = place[size:]
                    if len(rest) > 1 and self._is_stem(rest) and not self._is_stem(place):
                        found.setdefault(rest, []).append(place[:size])
            self._begin = {stem: tuple(beginnings) for stem, beginnings in found.items()}
        return self._begin.get(stem, ())
