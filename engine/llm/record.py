"""The record of one request to a language model: its segments, the answer, and the verdict on each."""

from __future__ import annotations

from typing import Literal

from qilin.answer.values import Frozen

Verdict = Literal["accepted", "left open", "unsure", "rejected", "no answer"]


class RecordedSegment(Frozen):
    """One segment of the request: its settled or left-open `text`, and the `alternatives` to that.

    `said` and `score` are the model's; `why` gives in Chinese the reason against its answer.
    """

    kind: Literal["settled", "choice", "free"]
    text: str
    alternatives: tuple[str, ...] = ()
    said: str | None = None
    score: float | None = None
    verdict: Verdict | None = None
    why: str = ""


class GapRecord(Frozen):
    """One request and its answer; `degraded` as in the resolution.

    Without `parts`, the segments, the query was not put to the model, for the reason in `degraded`.
    """

    filler: str
    parts: tuple[RecordedSegment, ...] = ()
    answer: str | None = None
    degraded: str | None = None
    forward_passes: int = 0
    latency_ms: float = 0.0
