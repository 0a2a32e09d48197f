"""What a reading leaves unexplained: names the table lacks, and other content.

A name the table lacks (NIL) must never be dropped: 火星供电所 is not "no organisation named".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from qilin.hierarchy import Hierarchy, Level
from qilin.names.gazetteer import ORGANISATION, OrgName, Token
from qilin.names.rules import BARE, SUFFIX
from qilin.operators.phrases import Gap, Phrase
from qilin.readings.lattice import Reading

_GRID = "供电(?:分公司|公司|有限公司|有限责任公司|局|中心|部|所|站|服务站|营业所|营业站)|电力公司|电业局|电力局|营业部"
_SUFFIX = re.compile(_GRID)
_ENDING = re.compile(f"^(.*?)({_GRID}|自治[区州县旗]|省)", re.S)
_AT_END = re.compile("[市州盟县区旗]$")
_MAX_PLACE = 8
# How the name of a small place ends; few other words do.
_VILLAGES = frozenset("庄村屯乡镇堡寨营坊集店铺沟岭湾坝塘坪")


class Missing(NamedTuple):
    """A stretch that names an organisation the table lacks. `swallowed`: mentions that were part of it."""

    start: int
    end: int
    swallowed: tuple[Token, ...]


def _with_whole_suffixes(text: str, runs: Sequence[tuple[int, int]], ends: Sequence[int]) -> list[tuple[int, int]]:
    """The runs, put together again where a filler word took part of a suffix: 阿巴|提供|电所 is 阿巴提供电所."""
    merged: list[tuple[int, int]] = []
    for start, end in runs:
        match = next((m for m in _SUFFIX.finditer(text, max(start - 3, 0), end) if m.start() < start < m.end()), None)
        at = bisect_right(ends, start)
        covered = ends[at - 1] if at else 0
        if match is not None and match.start() >= covered:
            start = match.start()
            if merged and merged[-1][0] >= covered and start - merged[-1][1] <= 1:
                start = merged.pop()[0]
        merged.append((start, end))
    return merged


class NilFinder:
    """Tells names that the table lacks from other unexplained content."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        is_stem: Callable[[str], bool],
        is_ordinary: Callable[[str], bool],
        ends_like_a_word: Callable[[str], bool],
        is_place: Callable[..., bool],
        places: Callable[[], Iterable[str]],
        sounds_like_a_name: Callable[[str], bool],
        gap: Callable[[str], Gap],
    ) -> None:
        self._gap = gap
        self._begin: dict[str, tuple[str, ...]] | None = None
        self._hierarchy = hierarchy
        self._is_stem = is_stem
        self._is_ordinary = is_ordinary
        self._ends_like_a_word = ends_like_a_word
        self._is_place = is_place
        self._places = places
        self._sounds_like_a_name = sounds_like_a_name
        self._is_veiled = lru_cache(maxsize=4096)(self._veils)

    def find(self, text: str, reading: Reading) -> list[Missing]:
        """Names the table lacks, in text order."""
        mentions = [t for t in reading.segmentation.tokens if t.kind == ORGANISATION]
        before = {t.end: t for t in mentions}
        after = {t.start: t for t in mentions}
        ends = [t.end for t in reading.segmentation.tokens]
        each = {t.start for t in reading.segmentation.tokens if isinstance(t.ref, Phrase) and t.ref.kind == "breakdown"}
        found: list[Missing] = []
        for start, end in _with_whole_suffixes(text, reading.segmentation.runs, ends):
            at = bisect_right(ends, start)
            covered = ends[at - 1] if at else 0
            missing = (
                self._named(text, start, end, before, covered)
                or self._longer_place(text, start, end, before.get(start), after.get(end))
                or self._misspelt(text, start, end)
                or self._divided(text, start, end, each)
            )
            if missing is not None:
                found.append(missing)
        found += [m for m in self._veiled(text, reading) if not any(m.start < f.end and f.start < m.end for f in found)]
        taken = {t for missing in found for t in missing.swallowed}
        found += [m for m in self._hidden(text, mentions) if not taken.intersection(m.swallowed)]
        return sorted(found)

    def may_hide(self, text: str, reading: Reading) -> bool:
        """Whether a mention is the end of a longer name whose beginning looks like filler: 下|伙房."""
        covered = 0
        for token in reading.segmentation.tokens:
            start = token[0]
            if start > covered:
                if start == covered + 2 and self._is_veiled(text[covered:start]):
                    return True
                if token[2] == ORGANISATION and text[start - 1].isalnum():
                    name = token[3]
                    assert isinstance(name, OrgName)
                    if text.endswith(self._beginnings.get(name.stem, ()), covered, start):
                        return True
            covered = token[1]
        return len(text) == covered + 2 and self._is_veiled(text[covered:])

    def _veiled(self, text: str, reading: Reading) -> Iterator[Missing]:
        """Two syllables that are filler one by one, but together the name of a place or like one: 中和投诉."""
        covered = 0
        for start, end in [*(t[:2] for t in reading.segmentation.tokens), (len(text), len(text))]:
            if start == covered + 2 and self._is_veiled(text[covered:start]):
                yield Missing(covered, start, ())
            covered = end

    def _veils(self, written: str) -> bool:
        gap = self._gap(written)
        if len(gap.words) < 2 and gap.content != 1:
            return False
        if self._is_ordinary(written) or self._is_stem(written):
            return False
        return self._is_place(written) or self._sounds_like_a_name(written)

    def _hidden(self, text: str, mentions: Sequence[Token]) -> Iterator[Missing]:
        """Mentions that are only the end of a real place elsewhere: 下伙房 where the table has 伙房."""
        covered = 0
        for token in mentions:
            name = token.ref
            assert isinstance(name, OrgName)
            for beginning in self._beginnings.get(name.stem, ()):
                start = token.start - len(beginning)
                words = self._gap(text[covered : token.start]).words
                if words and covered + words[-1][1] == token.start and covered + words[-1][0] < start:
                    continue  # 查一下|白石 is not 下白石
                if text.endswith(beginning, covered, token.start) and self._elsewhere(
                    text[start : token.end], len(beginning) + 1
                ):
                    yield Missing(start, token.end, (token,))
                    break
            covered = token.end

    @property
    def _beginnings(self) -> dict[str, tuple[str, ...]]:
        """For a stem of the table, what stands before it in places that the table lacks."""
        if self._begin is None:
            found: dict[str, list[str]] = {}
            for place in self._places():
                for size in (1, 2):
                    stem = place[size:]
                    if len(stem) > 1 and self._is_stem(stem) and not self._is_stem(place):
                        found.setdefault(stem, []).append(place[:size])
            self._begin = {stem: tuple(beginnings) for stem, beginnings in found.items()}
        return self._begin

    def _named(self, text: str, start: int, end: int, before: dict[int, Token], covered: int) -> Missing | None:
        """A run with the ending of an organisation: 火星供电所, 河北省, 安新县."""
        run = text[start:end]
        left = before.get(start)
        match = _ENDING.match(run)
        if match is not None and not (match[2] == "省" and self._ends_like_a_word(run[: match.end()])):
            stop = start + match.end()
            stem = match[1]
        elif _AT_END.search(run) and not self._ends_like_a_word(run):
            stop = end
            stem = run[:-1]
        else:
            return None
        if left is not None and self._is_part(left, run, stem):
            return Missing(left.start, stop, (left,))
        if not stem:
            begin = self._place_before(text, start, stop, covered)
            if begin is None:
                begin = self._syllables_before(text, start, covered)
            if begin is None and covered in before and 0 < start - covered <= 2 and text[start - 1] != "的":
                begin = covered  # 曹县供电公司某供电所 is no longer the company
            return None if begin is None else Missing(begin, stop, ())
        for begin in range(max(start - 2, covered), start):  # 分|宜县
            if self._elsewhere(text[begin:stop]):
                return Missing(begin, stop, ())
        return Missing(start, stop, ())

    def _place_before(self, text: str, start: int, stop: int, covered: int) -> int | None:
        """Where a place elsewhere begins whose stem is a filler word: 结构供电所."""
        for begin in range(start - 2, max(start - _MAX_PLACE, covered) - 1, -1):
            if begin >= covered and self._is_place(text[begin:start], text[start:stop]):
                return begin
        return None

    def _syllables_before(self, text: str, start: int, covered: int) -> int | None:
        """Where a name begins whose stem looks like filler: 中和供电所. None: 供电所 by itself.

        `covered`: where the token before ends; no name reaches into it.
        """
        begin = start
        offset = max(start - _MAX_PLACE, covered)
        gap = self._gap(text[offset:start])
        singles = {offset + b: offset + a for a, b in gap.words if b - a == 1}
        runs = {offset + b: offset + a for a, b in gap.runs}
        content = 0
        while begin in singles or begin in runs:
            content += 2 if begin in runs else 1
            begin = singles.get(begin, runs.get(begin, begin))
        return begin if content > 1 else None

    def _is_part(self, left: Token, run: str, stem: str) -> bool:
        """Whether the mention before belongs to the unknown name rather than being its parent."""
        name = left.ref
        assert isinstance(name, OrgName)
        suffix = SUFFIX.match(run)
        if not stem or (suffix is not None and suffix.end() == len(run)):
            return True  # 巨野|市, 菏泽|供电所
        return name.form >= BARE and name.level == Level.SUBSTATION

    def _longer_place(self, text: str, start: int, end: int, left: Token | None, right: Token | None) -> Missing | None:
        """A real place elsewhere that the run is, or that it makes with the mention beside it."""
        run = text[start:end]
        if not self._is_ordinary(run) and self._elsewhere(run):
            return Missing(start, end, ())
        if right is not None:
            for a in range(max(start, end - 3), end):
                if self._elsewhere(text[a : right.end], longer_than=end - a):
                    return Missing(a, right.end, (right,))
        if left is not None:
            name = left.ref
            assert isinstance(name, OrgName)
            if name.form >= BARE:
                for b in range(start + 1, min(end, start + 3) + 1):
                    written = text[left.start : b]
                    if self._is_place(written) and not self._is_stem(written):
                        return Missing(left.start, b, (left,))
        return None

    def _elsewhere(self, written: str, longer_than: int = 1) -> bool:
        """Whether the text is a known place, with or without a suffix, that the table lacks."""
        for size in range(min(len(written), _MAX_PLACE), max(longer_than, 1), -1):
            stem, rest = written[:size], written[size:]
            if (not rest or SUFFIX.fullmatch(rest)) and self._is_place(stem, rest):
                return not self._is_stem(stem)
        return False

    def _misspelt(self, text: str, start: int, end: int) -> Missing | None:
        """A run that sounds just like a name of the table, but has nothing to support it: 荷泽投诉."""
        return Missing(start, end, ()) if self._sounds_like_a_name(text[start:end]) else None

    def _divided(self, text: str, start: int, end: int, each: set[int]) -> Missing | None:
        """A place right before a breakdown says whose parts are meant: 西田庄|各供电所, but not 跳闸率|各供电所 or 农村|各供电所.

        `each`: where breakdowns begin.
        """
        if end not in each or end - start < 2 or text[end - 1] not in _VILLAGES:
            return None
        words = (text[begin:end] for begin in range(max(end - 4, start), end - 1))
        return None if any(map(self._is_ordinary, words)) else Missing(start, end, ())
