"""Counts of scores, and the shares that they are."""

from __future__ import annotations

from collections import Counter
from typing import Final

from benchmarks.internals import wilson
from benchmarks.questions import Score
from benchmarks.report import share

SCORES: Final[tuple[Score, ...]] = ("right", "flagged", "partly", "silently_wrong")
Counts = Counter[Score]


def share_of(counts: Counts, score: Score) -> str:
    """A share with its 95 % interval (Wilson), and the count."""
    total, hits = counts.total(), counts[score]
    interval = wilson(hits, total)
    return f"{hits}: {share(hits, total, interval.low, interval.high)}"


def cells(counts: Counts) -> list[str]:
    """Total, right, partly, flagged, silently wrong."""
    shown: tuple[Score, ...] = ("right", "partly", "flagged", "silently_wrong")
    return [str(counts.total()), *(share_of(counts, score) for score in shown)]
