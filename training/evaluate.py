"""Asks rules, model and both the same questions, and scores their answers.

Nothing is chosen by hand: the threshold comes from the split `valid` of the generated data, the figures
from the split `test`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from qilin import Engine, Resolution
from qilin.answer.markup import escape
from qilin.hierarchy import Hierarchy
from qilin.llm.protocol import GapAnswer, GapFiller, GapRequest
from qilin.names.compiled import Tables
from qilin.training.examples import generate
from qilin.training.maker import Row
from qilin.training.measure import Interval, paired_gain, paths_in, wilson
from qilin.training.question_grammar import whole_question_grammar
from qilin.training.question_sets import GAPS, HOLD_OUT, SEED, TODAY, is_ordinary
from qilin.training.scoring import (
    Answer,
    Point,
    Score,
    choose_threshold,
    has_right_tags,
    is_silently_wrong,
    score,
)
from qilin.training.split import Split

_DEFAULT_THRESHOLD: Final = 0.95
_THRESHOLDS: Final = (*(i / 20 for i in range(20)), 0.97, 0.98, 0.99, 0.995, 0.999, 1.0)


class Model(GapFiller, Protocol):
    """A gap filler that can also be asked without the rules."""

    def generate(
        self, queries: Sequence[str], *, grammar: Callable[[str], str] | None = None, timeout_s: float | None = None
    ) -> list[GapAnswer]: ...


class Evaluation(NamedTuple):
    """All figures of one evaluation."""

    model: str | None
    table: str
    organisations: int
    seed: int
    threshold: float
    scores: dict[str, dict[str, Score]]  # by set, then by system
    gain: dict[str, Interval]  # in exact answers to gap questions, from rules to both: of all, and by kind
    more_errors: Interval  # in silently wrong answers to the same
    curve: tuple[Point, ...]
    ordinary: Interval | None  # ordinary questions that reach the model
    examples: tuple[dict[str, str], ...]  # gap questions where the model changed a wrong or a right answer
    threshold_chosen: bool = True  # on the split `valid`, not given

    @property
    def earns_its_place(self) -> bool:
        """Whether the model surely adds right answers to gap questions, and does not surely add silent errors."""
        return bool(self.gain) and self.gain["all"].low > 0 and self.more_errors.low <= 0


class CachedFiller:
    """A gap filler that puts each request to another one only once, and counts."""

    def __init__(self, filler: GapFiller) -> None:
        self.name = filler.name
        self._filler = filler
        self._known: dict[object, GapAnswer] = {}
        self.calls = 0
        self.forward_passes = 0

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """As `GapFiller.fill`."""
        new = {_key(request): request for request in requests if _key(request) not in self._known}
        if new:
            self._known.update(zip(new, self._filler.fill(list(new.values()), timeout_s=timeout_s), strict=True))
        answers = [self._known[_key(request)] for request in requests]
        self.calls += len(requests)
        self.forward_passes += sum(answer.forward_passes for answer in answers)
        return answers


def _key(request: GapRequest) -> object:
    """A request with the types of its segments: segments of equal text compare equal whatever their type."""
    return request.query, tuple((type(segment), segment) for segment in request.segments)


Progress = Callable[[str, int, int], None]


def evaluate(
    hierarchy: Hierarchy,
    model: Model | None,
    *,
    size: int = 600,
    seed: int = 0,
    alone: int = 300,
    threshold: float | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Put every set of questions to every system.

    Args:
        model: None for the rules alone.
        size: Questions of the hold-out, and of the gap questions.
        alone: Questions of each set for the model alone, which takes longest.
        threshold: For `Engine(gap_threshold=…)`; None: chosen on the split `valid`.
        progress: Called with the name of the step, the questions done, and their number.
    """
    tables = Tables.build(hierarchy)
    sets = {
        "seed": list(SEED),
        "hold-out": _questions(hierarchy, HOLD_OUT, "test", size, seed),
        "gaps": _questions(hierarchy, GAPS, "test", size, seed),
    }
    cached = CachedFiller(model) if model else None
    chosen = threshold is None and cached is not None
    if threshold is None:
        threshold = _DEFAULT_THRESHOLD
    if chosen and cached:
        tried = _questions(hierarchy, GAPS, "valid", max(size // 2, 1), seed)
        threshold = choose_threshold(sweep(tables, cached, tried, progress))
    scores: dict[str, dict[str, Score]] = {}
    answers: dict[str, dict[str, list[Answer]]] = {}
    for name, rows in sets.items():
        answers[name] = {"rules": _resolved(Engine(tables, gap_filler=None), rows, None, name, progress)}
        if model and cached:
            some = rows[:alone]
            answers[name]["model, free"] = _alone(model, some, None, f"{name}: model, free", progress)
            answers[name]["model, constrained"] = _alone(
                model, some, hierarchy, f"{name}: model, constrained", progress
            )
            engine = Engine(tables, gap_filler=cached, gap_threshold=threshold, gap_timeout_s=60.0)
            answers[name]["both"] = _resolved(engine, rows, cached, name, progress)
        scores[name] = {system: score(said, rows, hierarchy) for system, said in answers[name].items()}
    gain: dict[str, Interval] = {}
    more_errors = Interval(0.0, 0.0, 0.0)
    curve: tuple[Point, ...] = ()
    if cached:
        gain = _gains(sets["gaps"], answers["gaps"])
        wrong = {
            system: [is_silently_wrong(*pair) for pair in zip(answers["gaps"][system], sets["gaps"], strict=True)]
            for system in ("rules", "both")
        }
        more_errors = paired_gain(wrong["rules"], wrong["both"])
        curve = sweep(tables, cached, sets["gaps"], progress)
    return Evaluation(
        model.name if model else None,
        str(hierarchy.source),
        len(hierarchy),
        seed,
        threshold,
        scores,
        gain,
        more_errors,
        curve,
        _ordinary(sets["hold-out"], answers["hold-out"].get("both")),
        _examples(sets["gaps"], answers["gaps"]),
        chosen,
    )


def _questions(hierarchy: Hierarchy, kinds: Sequence[str], split: Split, size: int, seed: int) -> list[Row]:
    return list(generate(hierarchy, seed, split, size, kinds))


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def _resolved(
    engine: Engine, rows: Sequence[Row], cached: CachedFiller | None, name: str, progress: Progress
) -> list[Answer]:
    answers = []
    for i, row in enumerate(rows):
        calls, passes = (cached.calls, cached.forward_passes) if cached else (0, 0)
        began = time.perf_counter()
        resolution = engine.resolve(row.query, today=TODAY)
        took = (time.perf_counter() - began) * 1000
        after = (cached.calls, cached.forward_passes) if cached else (0, 0)
        answers.append(_answer(resolution, after[0] - calls, after[1] - passes, took))
        progress(f"{name}: {'both' if cached else 'rules'}", i + 1, len(rows))
    return answers


def _answer(resolution: Resolution, calls: int, passes: int, took: float) -> Answer:
    paths = tuple((t.province, t.city, t.company, t.substation) for t in resolution.targets)
    return Answer(with_odd_dates(resolution), paths, resolution.status, calls, passes, took, bool(resolution.unknown))


def with_odd_dates(resolution: Resolution) -> str:
    """The tagged form, in which dates are tagged too that were recognised but not understood."""
    tagged = resolution.to_xml()
    for unknown in resolution.unknown:
        text = escape(unknown.text)
        if unknown.kind == "date" and tagged.count(text) == 1:
            tagged = tagged.replace(text, f"<Date>{text}</Date>")
    return tagged


def _alone(
    model: Model, rows: Sequence[Row], hierarchy: Hierarchy | None, name: str, progress: Progress
) -> list[Answer]:
    """The answers of the model by itself, one question at a time as people ask; constrained where there is a table."""
    grammar = None if hierarchy is None else lambda query: whole_question_grammar(query, hierarchy)
    answers = []
    for i, row in enumerate(rows):
        began = time.perf_counter()
        said = model.generate([row.query], grammar=grammar)[0]
        took = (time.perf_counter() - began) * 1000
        answers.append(Answer(said.text, tuple(paths_in(said.text)), None, 1, said.forward_passes, took))
        progress(name, i + 1, len(rows))
    return answers


def _gains(rows: Sequence[Row], answers: dict[str, list[Answer]]) -> dict[str, Interval]:
    def right(system: str, kind: str | None) -> list[bool]:
        pairs = zip(answers[system], rows, strict=True)
        return [answer.tagged == row.tagged for answer, row in pairs if kind in (None, row.kind)]

    kinds = dict.fromkeys(row.kind for row in rows)
    return {kind or "all": paired_gain(right("rules", kind), right("both", kind)) for kind in (None, *kinds)}


def sweep(tables: Tables, filler: CachedFiller, rows: Sequence[Row], progress: Progress) -> tuple[Point, ...]:
    """Coverage and accuracy of both at each threshold; the model is asked once."""
    points = []
    for i, threshold in enumerate(_THRESHOLDS):
        engine = Engine(tables, gap_filler=filler, gap_threshold=threshold, gap_timeout_s=60.0)
        answers = [_answer(engine.resolve(row.query, today=TODAY), 0, 0, 0.0) for row in rows]
        pairs = list(zip(answers, rows, strict=True))
        resolved = [pair for pair in pairs if pair[0].status == "resolved"]
        right = sum(has_right_tags(*pair) for pair in resolved)
        points.append(
            Point(
                threshold,
                len(resolved) / len(pairs),
                right / len(resolved) if resolved else 1.0,
                sum(has_right_tags(*pair) for pair in pairs) / len(pairs),
                sum(is_silently_wrong(*pair) for pair in pairs) / len(pairs),
            )
        )
        progress("thresholds", i + 1, len(_THRESHOLDS))
    return tuple(points)


def _ordinary(rows: Sequence[Row], answers: Sequence[Answer] | None) -> Interval | None:
    """The share of ordinary questions that reach the model."""
    if answers is None:
        return None
    reached = [answer.calls > 0 for answer, row in zip(answers, rows, strict=True) if is_ordinary(row)]
    return wilson(sum(reached), len(reached))


def _examples(rows: Sequence[Row], answers: dict[str, list[Answer]]) -> tuple[dict[str, str], ...]:
    return tuple(_differences(rows, answers, better=True)) + tuple(_differences(rows, answers, better=False))


def _differences(rows: Sequence[Row], answers: dict[str, list[Answer]], *, better: bool) -> Iterator[dict[str, str]]:
    """Of each kind, the first four questions where the model made a wrong answer right (`better`), or the reverse."""
    seen: dict[str, int] = {}
    for row, rules, both in zip(rows, answers["rules"], answers.get("both", ()), strict=False):
        was, is_ = rules.tagged == row.tagged, both.tagged == row.tagged
        if (is_, was) == (better, not better) and seen.get(row.kind, 0) < 4:
            seen[row.kind] = seen.get(row.kind, 0) + 1
            yield {
                "kind": row.kind,
                "outcome": "better" if better else "worse",
                "query": row.query,
                "right": row.tagged,
                "rules": rules.tagged,
                "both": both.tagged,
            }


def as_json(report: Evaluation) -> dict[str, Any]:
    """The report as nested objects."""

    def plain(value: Any) -> Any:
        if hasattr(value, "_asdict"):
            return {key: plain(each) for key, each in value._asdict().items()}
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in value.items()}
        if isinstance(value, tuple | list):
            return [plain(each) for each in value]
        return value

    return {**plain(report), "earns_its_place": report.earns_its_place}
