"""All parts that a text may be cut into: organisations, indicators, dates, operators. They may overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date

from qilin.answer.values import Source
from qilin.dates import DateMention, find_dates, may_begin
from qilin.hierarchy import Level
from qilin.names.compiled import BREAKDOWN_BIT, DATE_BIT, EXCLUSION_BIT, GRID_BIT, Tables
from qilin.names.gazetteer import TAIL_BIT
from qilin.names.mention import OrgMention, OrgName, Part, Sense
from qilin.names.rules import FULL
from qilin.operators.breakdown import find_breakdowns
from qilin.operators.exclusion import find_exclusions
from qilin.operators.phrase import Phrase
from qilin.operators.relative import relative_phrases
from qilin.readings.asked import Asked

_FEW = 16  # names that are looked at one by one
_LONGEST_DATE = 40


class Cover:
    """Tells whether some part covers a stretch, in logarithmic time."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []  # the furthest end of any part that begins here or before
        for start, end in sorted((t[0], t[1]) for t in parts):
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1]) if self._ends else end)

    def covers(self, start: int, end: int) -> bool:
        """Whether one part begins at `start` or before and ends at `end` or behind."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._ends[at - 1] >= end


def find_parts(tables: Tables, asked: Asked) -> tuple[list[Part], bool]:
    """Every part of the folded query, each kind of search made only where a trigger of the scan says so.

    Returns: the parts, unsorted; and whether some mention is only the tail of a name.
    """
    text = asked.folded.text
    parts, relatives, triggers, until = tables.gazetteer.scan(text)
    if triggers & ~TAIL_BIT:
        parts = _with_operators_and_dates(tables, asked, text, parts, triggers, until)
    if relatives:
        parts = _with_relatives(tables, asked, text, parts, relatives)
    if asked.folded.offsets is not None:
        parts = [p for p in parts if asked.folded.is_whole(p[0], p[1])]
    return parts, triggers & TAIL_BIT != 0


def _with_operators_and_dates(
    tables: Tables, asked: Asked, text: str, parts: list[Part], triggers: int, until: int
) -> list[Part]:
    added: list[Part] = []
    if triggers & DATE_BIT:
        added += _dates(text, asked.today(), parts, until)
    if triggers & BREAKDOWN_BIT:
        names = Cover(parts)
        added += [
            p
            for p in find_breakdowns(text)
            if (text[p.start] not in "分按逐各每" or _stands_alone(tables, text, p, parts))
            and not names.covers(p.start - 1, p.end)  # 下各供电所 is a name
        ]
    if triggers & EXCLUSION_BIT:
        added += find_exclusions(text)
    if triggers & GRID_BIT:
        parts = [_with_grid(text, p, tables.grid_prefixes) for p in parts]
    if added and parts and added[-1][1] <= parts[0][0] and len(added) == 1:
        return added + parts  # in order as they stand: nothing to sort
    return parts + added


# ── dates ────────────────────────────────────────────────────────────────────────────────────────


def _dates(text: str, today: date, parts: Sequence[Part], until: int) -> list[DateMention]:
    """Dates, and their readings beside a name: 月初至今|天津 as well as 月初至今天|津, 汕头|3月 as well as 汕|头3月."""
    names = [p for p in parts if isinstance(p, OrgMention)]
    found: list[DateMention] = []
    dates = find_dates(text, today, until)
    if dates:
        full = [m for m in names if not m.name.bare]
        named = Cover(full) if len(full) > _FEW else None
        for each in dates:  # 五一所|有多少 is no holiday
            start, end = each[0], each[1]
            if named is not None:
                part_of_name = named.covers(start, end + 1)
            else:
                part_of_name = any(m[0] <= start and end < m[1] for m in full)
            if not part_of_name:
                found.append(each)
    torn: dict[tuple[int, int], None] = {}  # dates that a name begins in
    for each in found:
        begin, end = each[0], each[1]
        for part in parts:
            start = part[0]
            if begin < start < end < part[1] and not text[start - 1].isdigit():  # 5月1|日照常 is torn, not cut short
                torn[begin, start] = None
    ends = {m[1]: None for m in names if may_begin(text, m[1])}
    if torn or ends:
        known = {(d[0], d[1]) for d in found}
        for begin, start in torn:
            found += _date_at(text[begin:start], begin, today, known, whole=True)
        begins = {d[0] for d in found}
        for end in ends:
            if end not in begins:
                found += _date_at(text[end : end + _LONGEST_DATE], end, today, known, whole=False)
    return found


def _date_at(text: str, offset: int, today: date, known: set[tuple[int, int]], whole: bool) -> list[DateMention]:
    """The date that a piece of the text begins with (`whole`: and consists of), if it is not known."""
    for m in find_dates(text, today):
        span = (m.start + offset, m.end + offset)
        understood = m.first is not None or not whole
        if m.start == 0 and understood and span not in known and (not whole or m.end == len(text)):
            known.add(span)
            return [DateMention(*span, m.first, m.last)]
        break
    return []


# ── operators ────────────────────────────────────────────────────────────────────────────────────


def _with_relatives(
    tables: Tables, asked: Asked, text: str, parts: list[Part], found: list[tuple[int, int, Level]]
) -> list[Part]:
    """Add the relative names that stand on their own and are not part of a longer mention."""
    taken = Cover(parts)
    free = [f for f in found if not taken.covers(f[0], f[1])]
    if not free:
        return parts
    return parts + [
        _relative(tables, asked, phrase, parts)
        for phrase in relative_phrases(text, free)
        if _stands_alone(tables, text, phrase, parts)
    ]


def _with_grid(text: str, part: Part, prefixes: tuple[str, ...]) -> Part:
    """国网菏泽供电公司: the prefix is part of the mention."""
    if isinstance(part, OrgMention):
        for prefix in prefixes:
            if text.endswith(prefix, 0, part.start):
                return part._replace(start=part.start - len(prefix))
    return part


def _relative(tables: Tables, asked: Asked, phrase: Phrase, parts: Sequence[Part]) -> OrgMention | Phrase:
    """全市, 本县: an organisation on the path of the scope or the context; or an echo of the name before."""
    level = phrase.level
    assert level is not None
    paths, levels = tables.hierarchy.paths, tables.hierarchy.levels
    for part in parts:
        if (
            isinstance(part, OrgMention)
            and part.end == phrase.start
            and any(levels[node] >= level for node in part.name.nodes)
        ):
            return phrase._replace(kind="echo")
    word = asked.folded.text[phrase.start : phrase.end]
    own = word[0] in "我咱本" and word.endswith(("公司", "单位"))
    meant: dict[Source, set[int]] = {}
    for node, source in asked.whereabouts(tables):
        path = paths[node]
        if level < len(path) or own:  # the city company's 我们公司 is itself
            meant.setdefault(source, set()).add(path[level] if level < len(path) else node)
    for source, nodes in meant.items():
        if len(nodes) == 1:
            return _told(tables, phrase, nodes.pop(), source)
        break
    provinces = tables.hierarchy.provinces
    if level == Level.PROVINCE and len(provinces) == 1:
        return _told(tables, phrase, provinces[0], "pattern")
    return phrase


def _told(tables: Tables, phrase: Phrase, node: int, source: Source) -> OrgMention:
    """A relative name as a mention of the organisation that `source` tells."""
    sense = Sense((node,), FULL, tables.hierarchy.levels[node], None, False)
    return OrgMention(phrase.start, phrase.end, OrgName((sense,), tables.hierarchy.levels, source=source))


def _stands_alone(tables: Tables, text: str, phrase: Phrase, parts: Sequence[Part]) -> bool:
    """Whether 县公司 is said by itself or of the name before it, not as the end of an unknown name."""
    if text[phrase.start] in "全本我咱" or any(p.end == phrase.start for p in parts):
        return True
    before = text[max(phrase.start - 8, 0) : phrase.start]
    gap = tables.filler.gap(before)
    if text[phrase.start] in "各每":
        return not gap.runs or gap.runs[-1] != (len(before) - 1, len(before))  # 朱|各供电所 lacks its 庄
    if text[phrase.start] in "分按逐" and gap.words and gap.words[-1] == (len(before) - 1, len(before)):
        return before[-1] in "请要想看查再并且都需就给我"  # 中|分供电所 is a name
    return not gap.runs or gap.runs[-1][1] < len(before)
