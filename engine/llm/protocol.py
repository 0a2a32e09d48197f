"""What a gap filler is asked and what it answers; every backend keeps to this and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

FREE_TAGS = ("Indicator", "Date")  # the tags allowed in free text
TAG = re.compile(r"</?[A-Za-z]+>")
_UNIT = re.compile(r"&(?:lt|gt|amp);|.", re.S)


class Settled(NamedTuple):
    """A segment of the answer that the rules have decided: tags and text, escaped, copied as it stands."""

    text: str


class Choice(NamedTuple):
    """One organisation to be chosen.

    `alternatives` are tagged forms; the first leaves the question open, as the rules did.
    """

    alternatives: tuple[str, ...]


class Free(NamedTuple):
    """Text of the query, escaped, in which spans may be tagged with one of `FREE_TAGS`."""

    text: str


Segment = Settled | Choice | Free


def units(text: str) -> list[str]:
    """Escaped text cut where a tag may stand: characters, an escaped one (`&lt;`) in one piece."""
    return _UNIT.findall(text)


class GapRequest(NamedTuple):
    """A query, and its tagged form as segments, some of them open; in order they are the whole answer."""

    query: str
    segments: tuple[Segment, ...]


class GapAnswer(NamedTuple):
    """The answer to one request.

    `text` is the whole tagged form, settled segments included. `scores` holds, for each open segment
    (Choice or Free) in order, the probability in (0, 1] of its answer; None where the backend cannot
    tell. `error` says in one sentence why there is no answer; the text is then "".
    """

    text: str
    scores: tuple[float, ...] | None = None
    forward_passes: int = 0
    latency_ms: float = 0.0
    error: str | None = None


class GapFiller(Protocol):
    """A language model, wherever it runs."""

    name: str

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """One answer a request, in order, within `timeout_s` seconds for all of them. Never raises."""
        ...


def left_open(request: GapRequest) -> str:
    """The answer that settles nothing."""
    return "".join(s.alternatives[0] if isinstance(s, Choice) else s.text for s in request.segments)
