"""Date mentions of a query, and the calendar ranges they mean. A newcomer starts here.

Two steps. The lexer cuts out the longest run of words that can belong to one date expression, modifiers and both ends
of a range included (自2023年5月1日起, 去年11月至今年2月, 3月前). The run is then read as a whole, relative to today. A run
that is not understood in full, or names a date that does not exist, is a mention without a range: never the shorter
date inside it.

The words stand in `qilin.dates.words`, one row each: `lexer` finds them, `periods` says what each of them means by
itself, `ranges` what they mean together.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, final

from qilin.dates.lexer import find_runs
from qilin.dates.periods import Point
from qilin.dates.ranges import are_linked, read_after, without_doubtful
from qilin.text.tuples import quickly


@final
class DateMention(NamedTuple):
    """A date expression and what it means.

    `start` and `end` are a half-open span of code points. `first` and `last` are both inclusive, and both
    `None` when the expression names no existing date or is not understood.
    """

    start: int
    end: int
    first: date | None
    last: date | None


def find_dates(text: str, today: date, until: int | None = None) -> list[DateMention]:
    """Find every date expression of `text` and the days it covers.

    Args:
        text: Folded text (NFKC, simplified characters, half-width digits); anything else only finds less.
        today: What 今天, 本月, 3月 and 近7天 are relative to.
        until: Where the last of the `TRIGGERS` ends, if that is known: nothing begins behind it.

    Returns: Mentions in text order, not overlapping; never raises, linear in the length of `text`.
    """
    runs = find_runs(text, len(text) if until is None else until)
    if not runs:
        return []
    points: list[Point | None] = []  # what each mention means, None where it has no range
    before = 0
    for start, end in runs:
        previous = points[-1] if points and are_linked(text, before, start) else None
        points.append(read_after(previous, text[start:end], today))
        before = end
    if len(points) > 1:
        points = without_doubtful(points)
    found: list[DateMention] = []
    for (start, end), point in zip(runs, points, strict=True):
        first, last = (None, None) if point is None else point.scope[:2]
        found.append(quickly(DateMention, (start, end, first, last)))
    return found
