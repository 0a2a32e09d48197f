"""A stretch of a question that does something to it."""

from __future__ import annotations

from typing import Literal, NamedTuple, final

from qilin.hierarchy import Level

PhraseKind = Literal["breakdown", "exclusion", "relative", "echo"]


@final
class Phrase(NamedTuple):
    """An operator as it stands in the text: half-open span, kind, and the level it speaks of.

    `echo`: a relative name that only repeats the name before it (菏泽|全市).
    """

    start: int
    end: int
    kind: PhraseKind
    level: Level | None
