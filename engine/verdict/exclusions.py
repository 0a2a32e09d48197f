"""The exclusions of a query: whether they were understood, and lie in what is asked about."""

from __future__ import annotations

from collections.abc import Sequence

from qilin.answer.values import Conflict, OrgPath
from qilin.names.compiled import Tables
from qilin.names.mention import IndicatorMention
from qilin.operators.exclusion import (
    CLOSING,
    MAY_EXCLUDE,
    NEGATED_BEFORE,
    NEGATED_BEHIND,
    NEGATION_BEGINS,
    NEGATION_ENDS,
)
from qilin.operators.phrase import Phrase
from qilin.readings.reading import Reading
from qilin.verdict import sentences


def excluded_outside(tables: Tables, reading: Reading) -> Conflict | None:
    """The conflict of an exclusion outside the targets; None where there is none."""
    last = tables.hierarchy.last
    wanted = [g for g in reading.groups if not g.excluded]
    if not wanted:
        return None
    tops = list(dict.fromkeys(o for g in wanted for o in g.options))
    for group in reading.groups:
        if group.excluded and not any(top < o <= last[top] for o in group.options for top in tops):
            paths = [tables.org_path(i) for i in tops]
            name = tables.hierarchy.names[group.options[0]]
            return Conflict(kind="exclusion", message=sentences.outside(name, paths), repairs=tuple(paths))
    return None


def is_inside(path: OrgPath, targets: Sequence[OrgPath]) -> bool:
    """Whether an organisation lies below one of the targets; with no targets there is nothing to say."""
    return not targets or any(
        path != t
        and all(getattr(t, c) in (None, getattr(path, c)) for c in ("province", "city", "company", "substation"))
        for t in targets
    )


def unread_exclusion(text: str, reading: Reading) -> tuple[int, int] | None:
    """A stretch that takes something out in a way that is not fully understood; None: there is none."""
    if MAY_EXCLUDE(text) is None:
        return None
    for group in reading.groups:
        for mention in () if group.excluded else group.mentions:
            start, end = mention.start, mention.end
            if text[end : end + 1] in NEGATION_BEGINS and NEGATED_BEHIND.match(text, end):
                return start, end
            if text[start - 1 : start] in NEGATION_ENDS and NEGATED_BEFORE.search(text, max(start - 4, 0), start):
                return start, end
    opened: Phrase | None = None
    for part in reading.segmentation.parts:
        if opened is not None and isinstance(part, IndicatorMention):
            return opened.start, part.end  # 除投诉外: which of the indicators is asked about?
        opened = None
        if isinstance(part, Phrase) and part.kind == "exclusion":
            opened = part
            close = CLOSING.search(text, part.end)
            if close is not None and any(part.end <= a < close.start() for a, _ in reading.segmentation.runs):
                return part.start, close.end()  # 除孔所外
            if close is not None and not any(g.excluded for g in reading.groups):
                return part.start, close.end()
    if all(group.excluded for group in reading.groups):
        for group in reading.groups:  # no target, or exclusions alone
            if group.via.upward:
                return group.mentions[0].start, group.mentions[-1].end  # 扣除曹县菏泽: which is taken out of which?
    return None
