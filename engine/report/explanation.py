"""The values of an explanation."""

from __future__ import annotations

import json
from typing import Literal

from qilin.answer.resolution import Resolution
from qilin.answer.values import Frozen, LevelName, OrgPath, encodable
from qilin.llm.record import GapRecord

MentionKind = Literal["organisation", "indicator", "date", "breakdown", "exclusion", "relative", "echo"]
Verdict = Literal["wins", "tied", "lost", "clashes"]
Mark = Literal["named", "target", "candidate", "excluded", "actual", "missing", "outside"]


class Naming(Frozen):
    """One organisation that a mention could name, and why it does or does not."""

    path: OrgPath
    form: str
    typo: str | None = None
    chosen: bool
    why: str = ""


class MentionNote(Frozen):
    """A mention that was kept, or one that was dropped with its reason.

    Offsets are code points of the query as given. `meaning`: the indicator, dates or level of one
    that is no organisation. `source`: as in `Entity`.
    """

    text: str
    start: int
    end: int
    kind: MentionKind
    meaning: str = ""
    namings: tuple[Naming, ...] = ()
    source: str | None = None
    reason: str | None = None


class ReadingNote(Frozen):
    """One reading and its cost.

    `unexplained`: stretches of the query that it leaves over, `content` their characters; `typos`:
    weight of its typos; `form`: its least full form; `clashes`: pairs that no path joins; `cost`: the
    components of its cost that are not 0 (`readings.cost`); `decided`: the component by which it loses to
    the first reading, None for one that does not lose.
    """

    verdict: Verdict
    mentions: tuple[str, ...]
    organisations: tuple[str, ...]
    clashes: tuple[str, ...]
    unexplained: tuple[str, ...]
    content: int
    typos: int
    form: str
    cost: dict[str, int]
    decided: str | None
    why: str


class Branch(Frozen):
    """A node of the drawn tree; `missing` ones are where the query puts them, but not in the table."""

    name: str
    level: LevelName | None
    mark: Mark | None = None
    note: str = ""
    children: tuple[Branch, ...] = ()


class Explanation(Frozen):
    """Why a query resolved as it did. Readings: the best first; `gap`: what a model was asked, if it was."""

    query: str
    kept: tuple[MentionNote, ...]
    dropped: tuple[MentionNote, ...]
    readings: tuple[ReadingNote, ...]
    tree: tuple[Branch, ...]
    resolution: Resolution
    gap: GapRecord | None = None

    def to_json(self) -> str:
        """One line of JSON; a lone surrogate is written as U+FFFD."""
        return encodable(json.dumps(self.model_dump(), ensure_ascii=False, default=str))
