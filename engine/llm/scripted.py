"""A stand-in for a model, for tests and demonstrations: its answers are given beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qilin.llm.protocol import GapAnswer, GapRequest, Settled, left_open

Script = Callable[[GapRequest], GapAnswer | str]


class ScriptedGapFiller:
    """Answers from a script, and keeps every request in `asked`.

    Args:
        script: a function of the request, or whole answers by query. A query without an answer, or no
            script: leaves everything open, as the rules did.
        score: of every open segment, where the script gives a text only; None for no scores.
    """

    name = "scripted"

    def __init__(self, script: Script | Mapping[str, str] | None = None, *, score: float | None = 1.0) -> None:
        self._script = script
        self._score = score
        self.asked: list[GapRequest] = []

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """One answer a request, at once."""
        self.asked += requests
        return [self._answer(request) for request in requests]

    def _answer(self, request: GapRequest) -> GapAnswer:
        said: GapAnswer | str
        if callable(self._script):
            said = self._script(request)
        else:
            said = (self._script or {}).get(request.query, left_open(request))
        return said if isinstance(said, GapAnswer) else GapAnswer(said, self._scores(request))

    def _scores(self, request: GapRequest) -> tuple[float, ...] | None:
        return None if self._score is None else (self._score,) * open_count(request)


def open_count(request: GapRequest) -> int:
    """How many segments of a request are open."""
    return sum(not isinstance(s, Settled) for s in request.segments)
