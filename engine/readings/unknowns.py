"""Names that the table lacks (NIL), in what a reading leaves unexplained.

Such a name must never be dropped: 火星供电所 is not "no organisation named".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import division_words, one_of, organisation_words, single_characters
from qilin.names.compiled import Tables
from qilin.names.mention import OrgMention
from qilin.names.rules import BARE, SUFFIX
from qilin.operators.phrase import Phrase
from qilin.readings.reading import Reading
from qilin.text.words import ends_like_a_word, is_ordinary, is_place

# Shorter words (公司, 所) end everyday words too. 省 and 自治县 may stand before more; 县 must be the end.
_BELOW_PROVINCES = (Level.CITY, Level.COMPANY, Level.SUBSTATION)  # every province is known
_UNMISTAKABLE = [word for word in organisation_words(*_BELOW_PROVINCES) if len(word) > 2]
_LONG_DIVISIONS = ["省", *(word for word in division_words(*Level) if word.startswith("自治"))]
_SUFFIX = re.compile(one_of(_UNMISTAKABLE))
_ENDING = re.compile(f"^(.*?)({one_of([*_UNMISTAKABLE, *_LONG_DIVISIONS])})", re.S)
_AT_END = re.compile(f"[{single_characters(division_words(Level.CITY, Level.COMPANY))}]$")
_MAX_PLACE = 8
# How the name of a small place ends; few other words do.
_VILLAGES = frozenset("庄村屯乡镇堡寨营坊集店铺沟岭湾坝塘坪")


class Missing(NamedTuple):
    """A stretch that names an organisation the table lacks. `swallowed`: mentions that are part of it."""

    start: int
    end: int
    swallowed: tuple[OrgMention, ...]


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


def find_missing(tables: Tables, text: str, reading: Reading) -> list[Missing]:
    """Names the table lacks, in text order."""
    parts = reading.segmentation.parts
    mentions = [p for p in parts if isinstance(p, OrgMention)]
    before = {m.end: m for m in mentions}
    after = {m.start: m for m in mentions}
    ends = [p.end for p in parts]
    each = {p.start for p in parts if isinstance(p, Phrase) and p.kind == "breakdown"}
    found: list[Missing] = []
    for start, end in _with_whole_suffixes(text, reading.segmentation.runs, ends):
        at = bisect_right(ends, start)
        covered = ends[at - 1] if at else 0
        missing = (
            _named(tables, text, start, end, before, covered)
            or _longer_place(tables, text, start, end, before.get(start), after.get(end))
            or _misspelt(tables, text, start, end)
            or _divided(text, start, end, each)
        )
        if missing is not None:
            found.append(missing)
    found += [m for m in _veiled(tables, text, reading) if not any(m.start < f.end and f.start < m.end for f in found)]
    taken = {t for missing in found for t in missing.swallowed}
    found += [m for m in _hidden(tables, text, mentions) if not taken.intersection(m.swallowed)]
    return sorted(found)


def may_hide(tables: Tables, text: str, reading: Reading) -> bool:
    """Whether a mention is the end of a longer name whose beginning looks like filler: 下|伙房."""
    covered = 0
    for part in reading.segmentation.parts:
        start = part[0]
        if start > covered:
            if start == covered + 2 and tables.elsewhere.is_veiled(text[covered:start]):
                return True
            if (
                isinstance(part, OrgMention)
                and text[start - 1].isalnum()
                and text.endswith(tables.elsewhere.beginnings(part.name.stem), covered, start)
            ):
                return True
        covered = part[1]
    return len(text) == covered + 2 and tables.elsewhere.is_veiled(text[covered:])


def _veiled(tables: Tables, text: str, reading: Reading) -> Iterator[Missing]:
    """Two syllables that are filler one by one, but together the name of a place or like one: 中和投诉."""
    covered = 0
    for start, end in [*(p[:2] for p in reading.segmentation.parts), (len(text), len(text))]:
        if start == covered + 2 and tables.elsewhere.is_veiled(text[covered:start]):
            yield Missing(covered, start, ())
        covered = end


def _hidden(tables: Tables, text: str, mentions: Sequence[OrgMention]) -> Iterator[Missing]:
    """Mentions that are only the end of a real place elsewhere: 下伙房 where the table has 伙房."""
    covered = 0
    for mention in mentions:
        for beginning in tables.elsewhere.beginnings(mention.name.stem):
            start = mention.start - len(beginning)
            words = tables.filler.gap(text[covered : mention.start]).words
            if words and covered + words[-1][1] == mention.start and covered + words[-1][0] < start:
                continue  # 查一下|白石 is not 下白石
            if text.endswith(beginning, covered, mention.start) and tables.elsewhere.holds(
                text[start : mention.end], len(beginning) + 1
            ):
                yield Missing(start, mention.end, (mention,))
                break
        covered = mention.end


def _named(
    tables: Tables, text: str, start: int, end: int, before: dict[int, OrgMention], covered: int
) -> Missing | None:
    """A run with the ending of an organisation: 火星供电所, 河北省, 安新县."""
    run = text[start:end]
    left = before.get(start)
    match = _ENDING.match(run)
    if match is not None and not (match[2] == "省" and ends_like_a_word(run[: match.end()])):
        stop = start + match.end()
        stem = match[1]
    elif _AT_END.search(run) and not ends_like_a_word(run):
        stop = end
        stem = run[:-1]
    else:
        return None
    if left is not None and _is_part(left, run, stem):
        return Missing(left.start, stop, (left,))
    if not stem:
        begin = _place_before(text, start, stop, covered)
        if begin is None:
            begin = _syllables_before(tables, text, start, covered)
        if begin is None and covered in before and 0 < start - covered <= 2 and text[start - 1] != "的":
            begin = covered  # 曹县供电公司某供电所 is no longer the company
        return None if begin is None else Missing(begin, stop, ())
    for begin in range(max(start - 2, covered), start):  # 分|宜县
        if tables.elsewhere.holds(text[begin:stop]):
            return Missing(begin, stop, ())
    return Missing(start, stop, ())


def _place_before(text: str, start: int, stop: int, covered: int) -> int | None:
    """Where a place elsewhere begins whose stem is a filler word: 结构供电所."""
    for begin in range(start - 2, max(start - _MAX_PLACE, covered) - 1, -1):
        if begin >= covered and is_place(text[begin:start], text[start:stop]):
            return begin
    return None


def _syllables_before(tables: Tables, text: str, start: int, covered: int) -> int | None:
    """Where a name begins whose stem looks like filler: 中和供电所. None: 供电所 by itself.

    `covered`: where the part before ends; no name reaches into it.
    """
    begin = start
    offset = max(start - _MAX_PLACE, covered)
    gap = tables.filler.gap(text[offset:start])
    singles = {offset + b: offset + a for a, b in gap.words if b - a == 1}
    runs = {offset + b: offset + a for a, b in gap.runs}
    content = 0
    while begin in singles or begin in runs:
        content += 2 if begin in runs else 1
        begin = singles.get(begin, runs.get(begin, begin))
    return begin if content > 1 else None


def _is_part(left: OrgMention, run: str, stem: str) -> bool:
    """Whether the mention before belongs to the unknown name rather than being its parent."""
    suffix = SUFFIX.match(run)
    if not stem or (suffix is not None and suffix.end() == len(run)):
        return True  # 巨野|市, 菏泽|供电所
    return left.name.form >= BARE and left.name.level == Level.SUBSTATION


def _longer_place(
    tables: Tables, text: str, start: int, end: int, left: OrgMention | None, right: OrgMention | None
) -> Missing | None:
    """A real place elsewhere that the run is, or that it makes with the mention beside it."""
    run = text[start:end]
    if not is_ordinary(run) and tables.elsewhere.holds(run):
        return Missing(start, end, ())
    if right is not None:
        for a in range(max(start, end - 3), end):
            if tables.elsewhere.holds(text[a : right.end], longer_than=end - a):
                return Missing(a, right.end, (right,))
    if left is not None and left.name.form >= BARE:
        for b in range(start + 1, min(end, start + 3) + 1):
            if tables.elsewhere.has(text[left.start : b]):
                return Missing(left.start, b, (left,))
    return None


def _misspelt(tables: Tables, text: str, start: int, end: int) -> Missing | None:
    """A run that sounds just like a name of the table, but has nothing to support it: 荷泽投诉."""
    return Missing(start, end, ()) if tables.elsewhere.sounds_like_a_name(text[start:end]) else None


def _divided(text: str, start: int, end: int, each: set[int]) -> Missing | None:
    """A place right before a breakdown says whose parts are meant: 西田庄|各供电所, but not 跳闸率|各供电所 or 农村|各供电所.

    `each`: where breakdowns begin.
    """
    if end not in each or end - start < 2 or text[end - 1] not in _VILLAGES:
        return None
    words = (text[begin:end] for begin in range(max(end - 4, start), end - 1))
    return None if any(map(is_ordinary, words)) else Missing(start, end, ())
