"""What a gap filler is asked and what it answers; every backend keeps to this and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Settled(NamedTuple):
    """A stretch of the answer that the rules have decided: tags and text, escaped, said as it stands."""

    text: str


class Choice(NamedTuple):
    """One organisation to be chosen.

    `alternatives` are tagged forms; the first one leaves the question open, as the rules did.
    """

    alternatives: tuple[str, ...]


class Free(NamedTuple):
    """Text of the query, escaped, in which stretches may be tagged Indicator or Date."""

    text: str


Segment = Settled | Choice | Free


class GapRequest(NamedTuple):
    """A query, and the tagged form with what the rules left open; the segments in order are the whole answer."""

    query: str
    segments: tuple[Segment, ...]


class GapAnswer(NamedTuple):
    """What came back for one request.

    `text` is the whole tagged form, settled segments included. `scores` holds the probability in
    (0, 1] of what was said for each open segment (Choice or Free), in order; None where the backend
    cannot tell. `error` says in one sentence why there is no answer; the text is then "".
    """

    text: str
    scores: tuple[float, ...] | None = None
    forward_passes: int = 0
    latency_ms: float = 0.0
    error: str | None = None


class GapFiller(Protocol):
    """A language model behind any kind of door."""

    name: str

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """One answer a request, in order, within `timeout_s` seconds for all of them. Never raises."""
        ...
