"""What a language model was asked about one query, what it answered, and what became of that."""

from __future__ import annotations

from typing import Literal

from qilin.answer.values import Frozen

Verdict = Literal["accepted", "left open", "unsure", "rejected", "no answer"]


class GapPart(Frozen):
    """One segment of the request: `text` as it stands or is left open, `alternatives` to that.

    `said` and `score` are the model's; `why` tells in Chinese what stood against it.
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

    No `parts`: the query was not put to the model, for the reason in `degraded`.
    """

    filler: str
    parts: tuple[GapPart, ...] = ()
    answer: str | None = None
    degraded: str | None = None
    forward_passes: int = 0
    latency_ms: float = 0.0
