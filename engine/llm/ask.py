"""Asks a gap filler about what the rules leave open, and takes whatever comes back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from qilin.answer.resolution import Resolution
from qilin.llm.gaps import Gaps, NotAsked, find_gaps
from qilin.llm.protocol import GapAnswer, GapFiller, GapRequest
from qilin.llm.record import GapRecord
from qilin.llm.settle import Answered, settle
from qilin.readings.asked import Asked

if TYPE_CHECKING:
    from qilin.names.compiled import Tables
    from qilin.readings.search import Considered

_BATCH = 32  # requests of one call to a gap filler


class MissingExtra(ImportError):
    """A part of the package whose dependencies are not installed."""


class OpenCase(NamedTuple):
    """A query that the rules did not settle in full."""

    tables: Tables
    asked: Asked
    considered: Considered
    resolution: Resolution


def fill_gaps(
    filler: GapFiller, cases: Sequence[OpenCase], *, timeout_s: float, threshold: float, settles: bool
) -> list[tuple[Resolution, GapRecord | None]]:
    """The resolution of each case, and what was asked about it: None where nothing had to be."""
    found = [find_gaps(*case) for case in cases]
    wanted = [(case, gaps) for case, gaps in zip(cases, found, strict=True) if isinstance(gaps, Gaps)]
    answers: list[GapAnswer] = []
    for at in range(0, len(wanted), _BATCH):
        answers += _answers(filler, [gaps.request for _, gaps in wanted[at : at + _BATCH]], timeout_s)
    name = str(getattr(filler, "name", type(filler).__name__))
    settled = iter(
        settle(*case, gaps, answer, filler=name, threshold=threshold, settles=settles)
        for (case, gaps), answer in zip(wanted, answers, strict=True)
    )
    return [_outcome(case, gaps, settled, name) for case, gaps in zip(cases, found, strict=True)]


def _outcome(
    case: OpenCase, gaps: Gaps | NotAsked | None, settled: Any, name: str
) -> tuple[Resolution, GapRecord | None]:
    if gaps is None:
        return case.resolution, None
    if isinstance(gaps, NotAsked):
        reason = f"the model was not asked: {gaps.reason}"
        return case.resolution.model_copy(update={"degraded": reason}), GapRecord(filler=name, degraded=reason)
    answered: Answered = next(settled)
    return answered.resolution, answered.record


def _answers(filler: GapFiller, requests: list[GapRequest], timeout_s: float) -> list[GapAnswer]:
    """One answer a request, whatever the gap filler does."""
    try:
        answers = list(filler.fill(requests, timeout_s=timeout_s))
        problem = "" if len(answers) == len(requests) else f"{len(answers)} answers to {len(requests)} requests"
    except Exception as error:
        answers, problem = [], f"{type(error).__name__}: {error}"
    if problem:
        return [GapAnswer("", error=f"the gap filler failed: {problem}")] * len(requests)
    return [a if isinstance(a, GapAnswer) else GapAnswer("", error="the gap filler gave no answer") for a in answers]


class LazyFiller:
    """A gap filler that is made when it is first asked: loading a model takes seconds and gigabytes.

    Args:
        kind: "local", or "server:URL".
        model: local: a base model, by path or name; server: the model's name there.
        adapter: local: a LoRA adapter for it.

    Raises: ValueError, for another kind; MissingExtra, where its dependencies are not installed.
    """

    def __init__(self, kind: str, *, model: str | None = None, adapter: str | None = None) -> None:
        backend, _, address = kind.partition(":")
        if backend == "server" and address:
            _require("server", "httpx")
            if adapter is not None:
                raise ValueError("an adapter is for a local model; a server serves it under a model's name.")
            import_module("qilin.llm.on_a_server.server").api_address(address)
        elif kind == "local":
            _require("llm", "torch", "transformers", "peft", "llguidance")
        else:
            raise ValueError(f"gap_filler {kind!r} is not known; give 'local', 'server:URL' or an object with fill().")
        self.name = kind
        self._address, self._model, self._adapter = address, model, adapter
        self._lock = threading.Lock()
        self._filler: GapFiller | None = None
        self._problem = ""

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """As `GapFiller.fill`; the first call loads the model, and takes the longer for it."""
        filler = self._filler or self._opened()
        if filler is None:
            return [GapAnswer("", error=self._problem)] * len(requests)
        return filler.fill(requests, timeout_s=timeout_s)

    def prepare(self) -> None:
        """Load the model now; one that cannot be loaded says so when it is asked."""
        self._opened()

    def _opened(self) -> GapFiller | None:
        """The gap filler itself; None for one that cannot be loaded, which is tried only once."""
        with self._lock:
            if self._filler is None and not self._problem:
                try:
                    self._filler = self._open()
                    self.name = self._filler.name
                except Exception as error:
                    self._problem = f"the model cannot be loaded: {error}"
        return self._filler

    def _open(self) -> GapFiller:
        filler: GapFiller
        if self._address:
            filler = import_module("qilin.llm.on_a_server.server").ServerGapFiller(self._address, model=self._model)
        else:
            filler = import_module("qilin.llm.on_this_machine.local").LocalGapFiller.load(self._model, self._adapter)
        return filler


def _require(extra: str, *modules: str) -> None:
    missing = [m for m in modules if find_spec(m) is None]
    if missing:
        raise MissingExtra(
            f"this gap filler needs {', '.join(missing)}. Install the extra: pip install 'qilin-grid[{extra}]'"
        )
