"""What a query takes out: whether it was understood, and whether it lies in what is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qilin.answer.values import Conflict, OrgPath
from qilin.names.gazetteer import INDICATOR, PHRASE, Token
from qilin.operators.phrases import (
    EXCLUSION_CLOSE,
    MAY_EXCLUDE,
    NEGATED_BEFORE,
    NEGATED_BEHIND,
    NEGATION_BEGINS,
    NEGATION_ENDS,
    Phrase,
)
from qilin.readings.lattice import Reading
from qilin.verdict import sentences as questions

if TYPE_CHECKING:
    from qilin.names.compiled import Tables


def excluded_outside(tables: Tables, reading: Reading) -> Conflict | None:
    """An exclusion that takes nothing out of what is asked about."""
    last = tables.hierarchy.last
    wanted = [g for g in reading.groups if not g.excluded]
    if not wanted:
        return None
    tops = list(dict.fromkeys(o for g in wanted for o in g.options))
    for group in reading.groups:
        if group.excluded and not any(top < o <= last[top] for o in group.options for top in tops):
            paths = [tables.org_path(i) for i in tops]
            name = tables.hierarchy.names[group.options[0]]
            return Conflict(kind="exclusion", message=questions.outside(name, paths), repairs=tuple(paths))
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
    opened: Token | None = None
    for token in reading.segmentation.tokens:
        if opened is not None and token[2] == INDICATOR:
            return opened.start, token.end  # 除投诉外: which of the indicators is asked about?
        opened = None
        if token[2] == PHRASE and isinstance(token.ref, Phrase) and token.ref.kind == "exclusion":
            opened = token
            close = EXCLUSION_CLOSE.search(text, token.end)
            if close is not None and any(token.end <= a < close.start() for a, _ in reading.segmentation.runs):
                return token.start, close.end()  # 除孔所外
            if close is not None and not any(g.excluded for g in reading.groups):
                return token.start, close.end()
    if all(group.excluded for group in reading.groups):
        for group in reading.groups:  # none, or only what is taken out
            if group.via is not None and group.via.upward:
                return group.mentions[0].start, group.mentions[-1].end  # 扣除曹县菏泽: which is taken out of which?
    return None
