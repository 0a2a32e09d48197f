"""Asks a gap filler about the open parts of queries, and survives any answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from qilin.answer.resolution import Resolution
from qilin.llm.gaps import Gaps, NotAsked, find_gaps
from qilin.llm.protocol import GapAnswer, GapFiller, GapRequest
from qilin.llm.record import GapRecord
from qilin.llm.settle import settle
from qilin.readings.asked import Asked

if TYPE_CHECKING:
    from qilin.names.compiled import Tables
    from qilin.readings.search import Considered

_BATCH = 32  # requests in one call of a gap filler


class OpenCase(NamedTuple):
    """A query that the rules did not settle in full."""

    tables: Tables
    asked: Asked
    considered: Considered
    resolution: Resolution


def fill_gaps(
    filler: GapFiller, cases: Sequence[OpenCase], *, timeout_s: float, threshold: float, settles: bool
) -> list[tuple[Resolution, GapRecord | None]]:
    """The resolution of each case and the record of its request; no record where nothing had to be asked.

    Args:
        timeout_s: for one call of the gap filler, which takes up to 32 requests.
        threshold, settles: as for `settle`.
    """
    found = [find_gaps(*case) for case in cases]
    requests = [gaps.request for gaps in found if isinstance(gaps, Gaps)]
    answers = iter(list(_answers(filler, requests, timeout_s)))
    name = str(getattr(filler, "name", type(filler).__name__))  # after the answers: loading a model sets it
    outcomes: list[tuple[Resolution, GapRecord | None]] = []
    for case, gaps in zip(cases, found, strict=True):
        if isinstance(gaps, Gaps):
            outcomes.append(settle(*case, gaps, next(answers), filler=name, threshold=threshold, settles=settles))
        elif isinstance(gaps, NotAsked):
            reason = f"the model was not asked: {gaps.reason}"
            resolution = case.resolution.model_copy(update={"degraded": reason})
            outcomes.append((resolution, GapRecord(filler=name, degraded=reason)))
        else:
            outcomes.append((case.resolution, None))
    return outcomes


def _answers(filler: GapFiller, requests: list[GapRequest], timeout_s: float) -> Iterator[GapAnswer]:
    """One answer a request, whatever the gap filler does."""
    for at in range(0, len(requests), _BATCH):
        batch = requests[at : at + _BATCH]
        try:
            answers = list(filler.fill(batch, timeout_s=timeout_s))
            problem = "" if len(answers) == len(batch) else f"{len(answers)} answers to {len(batch)} requests"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            yield from [GapAnswer("", error=f"the gap filler failed: {problem}")] * len(batch)
        else:
            for answer in answers:
                fits = isinstance(answer, GapAnswer)
                yield answer if fits else GapAnswer("", error="the gap filler gave no answer")
