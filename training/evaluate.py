"""Rules, model and both on the same questions: what each says, and how often it is right.

Three sets of questions: the task's own twelve; a hold-out about organisations that were never trained on;
and gap questions, which the rules alone leave something open of. The two last come from the part `test`
of the generated data. Nothing is chosen by hand: the threshold is chosen on the part `valid`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple, Protocol

from qilin import Engine, Resolution
from qilin.answer.markup import escape
from qilin.dates import find_dates
from qilin.hierarchy import Hierarchy
from qilin.llm.protocol import GapAnswer, GapFiller, GapRequest
from qilin.names.compiled import Tables
from qilin.training import words
from qilin.training.examples import Row, generate
from qilin.training.measure import (
    Interval,
    Names,
    TagCount,
    breaks_hierarchy,
    count_tags,
    deepest_level,
    is_in_table,
    organisation_tags,
    paired_gain,
    paths_in,
    percentile,
    tags_of,
    wilson,
)
from qilin.training.question_grammar import whole_question_grammar
from qilin.training.split import Part

TODAY: Final = date(2024, 5, 13)
HOLD_OUT: Final = ("template", "plain", "reordered", "several", "no organisation", "ordinary")
GAPS: Final = ("unlisted indicator", "odd date", "garbled", "unknown name", "ambiguous")
LEFT_OPEN: Final = ("unknown name", "ambiguous")  # no organisation is settled by these
DEFAULT_THRESHOLD: Final = 0.95
THRESHOLDS: Final = (*(i / 20 for i in range(20)), 0.97, 0.98, 0.99, 0.995, 0.999, 1.0)
_MORE_ERRORS: Final = 0.005  # silent errors that a lower threshold may bring
_QILIN: Final = (
    "<Province>山东省</Province><City>菏泽</City><Company>巨野县供电公司</Company><Substation>麒麟供电所</Substation>"
)
_JUYE: Final = _QILIN.partition("<Substation>")[0]
_HEZE: Final = _QILIN.partition("<Company>")[0]
SEED: Final = tuple(
    Row(question, tagged, "seed")
    for question, tagged in (
        ("菏泽巨野县供电公司麒麟供电所投诉个数", f"{_QILIN}<Indicator>投诉</Indicator>个数"),
        ("菏泽市意见百万户量总数", f"{_HEZE}<Indicator>意见百万户量</Indicator>总数"),
        ("巨野县供电公司投诉总数", f"{_JUYE}<Indicator>投诉</Indicator>总数"),
        ("菏泽巨野县供电公司意见百万户量总数", f"{_JUYE}<Indicator>意见百万户量</Indicator>总数"),
        ("菏泽麒麟供电所意见个数", f"{_QILIN}<Indicator>意见</Indicator>个数"),
        ("麒麟供电所投诉百万户量个数", f"{_QILIN}<Indicator>投诉百万户量</Indicator>个数"),
        ("本月菏泽市巨野县供电公司麒麟供电所投诉个数", f"<Date>本月</Date>{_QILIN}<Indicator>投诉</Indicator>个数"),
        ("4月菏泽市意见百万户量总数", f"<Date>4月</Date>{_HEZE}<Indicator>意见百万户量</Indicator>总数"),
        ("三季度巨野县供电公司意见数量", f"<Date>三季度</Date>{_JUYE}<Indicator>意见</Indicator>数量"),
        ("12月菏泽市巨野县供电公司意见总数", f"<Date>12月</Date>{_JUYE}<Indicator>意见</Indicator>总数"),
        (
            "2020年04月28号菏泽麒麟意见个数",
            f"<Date>2020年04月28号</Date>{_QILIN}<Indicator>意见</Indicator>个数",
        ),
        ("9月麒麟供电所意见百万户量总数", f"<Date>9月</Date>{_QILIN}<Indicator>意见百万户量</Indicator>总数"),
    )
)


class Model(GapFiller, Protocol):
    """A gap filler that can also be asked without the rules."""

    def generate(
        self, queries: Sequence[str], *, grammar: Callable[[str], str] | None = None, timeout_s: float | None = None
    ) -> list[GapAnswer]: ...


class Answer(NamedTuple):
    """What one system says to one question.

    `paths` are the organisations it is certain of. `status` is that of the resolution, and `doubts` whether it says
    that it could not explain something; a model alone has no way to say either: None, False.
    """

    tagged: str
    paths: tuple[Names, ...]
    status: str | None
    calls: int
    forward_passes: int
    latency_ms: float
    doubts: bool = False


class Score(NamedTuple):
    """One system on one set of questions."""

    questions: int
    exact: Interval  # the tagged form, character by character
    tags_right: Interval  # the same tags with the same text
    silently_wrong: Interval  # wrong organisations, and no word of doubt
    breaks_hierarchy: Interval
    resolved: Interval
    f1: dict[str, float]
    tags: dict[str, TagCount]
    calls: float  # a question
    forward_passes: float
    reached: Interval  # questions that the model was asked about
    latency_ms: dict[str, float]
    levels: dict[str, dict[str, int]]  # level that is right: level that was said, "other" for the same level
    by_kind: dict[str, Interval]  # exact


class Point(NamedTuple):
    """What a threshold lets pass."""

    threshold: float
    coverage: float  # questions that are resolved
    accuracy: float  # of these, with the right tags
    right: float  # questions with the right tags
    silently_wrong: float


class Report(NamedTuple):
    """All figures of one evaluation. `scores`: set, then system."""

    model: str | None
    table: str
    organisations: int
    seed: int
    threshold: float
    scores: dict[str, dict[str, Score]]
    gain: dict[str, Interval]  # rules to both on gap questions, exact: all, and by kind
    more_errors: Interval  # rules to both on gap questions, silently wrong
    curve: tuple[Point, ...]
    ordinary: Interval | None  # ordinary questions that reach the model
    examples: tuple[dict[str, str], ...]  # gap questions that both got right and the rules did not, and the reverse
    threshold_chosen: bool = True  # on the part `valid`, not given

    @property
    def earns_its_place(self) -> bool:
        """Whether the model certainly brings more right answers to gap questions, and not certainly more silent errors."""
        return bool(self.gain) and self.gain["all"].low > 0 and self.more_errors.low <= 0


class Remembering:
    """A gap filler that asks another one only once for the same thing, and counts."""

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
    """A request with the kinds of its segments: two of different kinds are equal if their text is."""
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
) -> Report:
    """Ask everyone everything.

    Args:
        model: None for the rules alone.
        size: How many questions the hold-out has, and how many the gap questions.
        alone: How many of each set the model alone is asked, which takes longest.
        threshold: What `Engine(gap_threshold=…)` is to be; None: chosen on the part `valid`.
        progress: Told what is being done, how far it is, and of how many.
    """
    tables = Tables.build(hierarchy)
    sets = {
        "seed": list(SEED),
        "hold-out": _questions(hierarchy, HOLD_OUT, "test", size, seed),
        "gaps": _questions(hierarchy, GAPS, "test", size, seed),
    }
    remembering = Remembering(model) if model else None
    chosen = threshold is None and remembering is not None
    if threshold is None:
        threshold = DEFAULT_THRESHOLD
    if chosen and remembering:
        tried = _questions(hierarchy, GAPS, "valid", max(size // 2, 1), seed)
        threshold = choose_threshold(sweep(tables, remembering, tried, progress))
    scores: dict[str, dict[str, Score]] = {}
    answers: dict[str, dict[str, list[Answer]]] = {}
    for name, rows in sets.items():
        answers[name] = {"rules": _resolved(Engine(tables, gap_filler=None), rows, None, name, progress)}
        if model and remembering:
            part = rows[:alone]
            answers[name]["model, free"] = _alone(model, part, None, f"{name}: model, free", progress)
            answers[name]["model, constrained"] = _alone(
                model, part, hierarchy, f"{name}: model, constrained", progress
            )
            engine = Engine(tables, gap_filler=remembering, gap_threshold=threshold, gap_timeout_s=60.0)
            answers[name]["both"] = _resolved(engine, rows, remembering, name, progress)
        scores[name] = {system: score(said, rows, hierarchy) for system, said in answers[name].items()}
    gain: dict[str, Interval] = {}
    more_errors = Interval(0.0, 0.0, 0.0)
    curve: tuple[Point, ...] = ()
    if remembering:
        gain = _gains(sets["gaps"], answers["gaps"])
        wrong = {
            system: [is_silently_wrong(*pair) for pair in zip(answers["gaps"][system], sets["gaps"], strict=True)]
            for system in ("rules", "both")
        }
        more_errors = paired_gain(wrong["rules"], wrong["both"])
        curve = sweep(tables, remembering, sets["gaps"], progress)
    return Report(
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


def _questions(hierarchy: Hierarchy, kinds: Sequence[str], part: Part, size: int, seed: int) -> list[Row]:
    return list(generate(hierarchy, seed, part, size, kinds))


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def _resolved(
    engine: Engine, rows: Sequence[Row], remembering: Remembering | None, name: str, progress: Progress
) -> list[Answer]:
    answers = []
    for i, row in enumerate(rows):
        calls, passes = (remembering.calls, remembering.forward_passes) if remembering else (0, 0)
        began = time.perf_counter()
        resolution = engine.resolve(row.query, today=TODAY)
        took = (time.perf_counter() - began) * 1000
        after = (remembering.calls, remembering.forward_passes) if remembering else (0, 0)
        answers.append(_answer(resolution, after[0] - calls, after[1] - passes, took))
        progress(f"{name}: {'both' if remembering else 'rules'}", i + 1, len(rows))
    return answers


def _answer(resolution: Resolution, calls: int, passes: int, took: float) -> Answer:
    paths = tuple((t.province, t.city, t.company, t.substation) for t in resolution.targets)
    return Answer(with_odd_dates(resolution), paths, resolution.status, calls, passes, took, bool(resolution.unknown))


def with_odd_dates(resolution: Resolution) -> str:
    """The tagged form, with dates tagged too that were recognised as such and not understood."""
    tagged = resolution.to_xml()
    for unknown in resolution.unknown:
        text = escape(unknown.text)
        if unknown.kind == "date" and tagged.count(text) == 1:
            tagged = tagged.replace(text, f"<Date>{text}</Date>")
    return tagged


def _alone(
    model: Model, rows: Sequence[Row], hierarchy: Hierarchy | None, name: str, progress: Progress
) -> list[Answer]:
    """The model by itself, one question at a time, as someone would ask it."""
    grammar = None if hierarchy is None else lambda query: whole_question_grammar(query, hierarchy)
    answers = []
    for i, row in enumerate(rows):
        began = time.perf_counter()
        said = model.generate([row.query], grammar=grammar)[0]
        took = (time.perf_counter() - began) * 1000
        answers.append(Answer(said.text, tuple(paths_in(said.text)), None, 1, said.forward_passes, took))
        progress(name, i + 1, len(rows))
    return answers


# ── scoring ──────────────────────────────────────────────────────────────────────────────────────


def expected_paths(row: Row) -> tuple[Names, ...]:
    """The organisations that a right answer is certain of."""
    return () if row.kind in LEFT_OPEN else tuple(paths_in(row.tagged))


def is_silently_wrong(answer: Answer, row: Row) -> bool:
    """Whether it names wrong organisations, or leaves some out, without saying that it is not sure."""
    if answer.status is None:
        return organisation_tags(answer.tagged) != organisation_tags(row.tagged)
    wanted = set(expected_paths(row))
    said = set(answer.paths)
    return bool(said - wanted) or (answer.status == "resolved" and said != wanted and not answer.doubts)


def has_right_tags(answer: Answer, row: Row) -> bool:
    """Whether the same is tagged in the same way."""
    return tags_of(answer.tagged) == tags_of(row.tagged)


def violates(answer: Answer, hierarchy: Hierarchy) -> bool:
    """Whether anything it says of organisations contradicts the table; of a resolution, what it is certain of."""
    if answer.status is None:
        return breaks_hierarchy(answer.tagged, hierarchy)
    return not all(is_in_table(path, hierarchy) for path in answer.paths)


def score(answers: Sequence[Answer], rows: Sequence[Row], hierarchy: Hierarchy) -> Score:
    """The figures of one system; `rows` may go on after the last answer."""
    pairs = list(zip(answers, rows, strict=False))
    total = len(pairs)
    tags = count_tags((answer.tagged, row.tagged) for answer, row in pairs)
    levels: dict[str, dict[str, int]] = {}
    exact_by_kind: dict[str, list[bool]] = {}
    for answer, row in pairs:
        exact_by_kind.setdefault(row.kind, []).append(answer.tagged == row.tagged)
        wanted, said = expected_paths(row), answer.paths
        level, said_level = deepest_level(wanted), deepest_level(said)
        if level == said_level and set(wanted) != set(said):
            said_level = "other"
        levels.setdefault(level, {}).setdefault(said_level, 0)
        levels[level][said_level] += 1
    times = [answer.latency_ms for answer, _ in pairs]

    def share(test: Callable[[Answer, Row], bool]) -> Interval:
        return wilson(sum(test(answer, row) for answer, row in pairs), total)

    return Score(
        total,
        share(lambda answer, row: answer.tagged == row.tagged),
        share(has_right_tags),
        share(is_silently_wrong),
        share(lambda answer, row: violates(answer, hierarchy)),
        share(lambda answer, row: answer.status in (None, "resolved")),
        {tag: count.f1 for tag, count in tags.items()},
        tags,
        sum(answer.calls for answer in answers) / max(total, 1),
        sum(answer.forward_passes for answer in answers) / max(total, 1),
        share(lambda answer, row: answer.calls > 0),
        {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95), "p99": percentile(times, 0.99)},
        levels,
        {kind: wilson(sum(found), len(found)) for kind, found in exact_by_kind.items()},
    )


def _gains(rows: Sequence[Row], answers: dict[str, list[Answer]]) -> dict[str, Interval]:
    def right(system: str, kind: str | None) -> list[bool]:
        pairs = zip(answers[system], rows, strict=True)
        return [answer.tagged == row.tagged for answer, row in pairs if kind in (None, row.kind)]

    kinds = dict.fromkeys(row.kind for row in rows)
    return {kind or "all": paired_gain(right("rules", kind), right("both", kind)) for kind in (None, *kinds)}


def sweep(tables: Tables, filler: Remembering, rows: Sequence[Row], progress: Progress) -> tuple[Point, ...]:
    """Coverage and accuracy of both as the threshold moves; the model is asked once."""
    points = []
    for i, threshold in enumerate(THRESHOLDS):
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
        progress("thresholds", i + 1, len(THRESHOLDS))
    return tuple(points)


def choose_threshold(points: Sequence[Point]) -> float:
    """The least threshold with almost as few silent errors as the strictest has."""
    least = min(point.silently_wrong for point in points)
    return min(point.threshold for point in points if point.silently_wrong <= least + _MORE_ERRORS)


def _ordinary(rows: Sequence[Row], answers: Sequence[Answer] | None) -> Interval | None:
    """Questions about listed indicators and dates that can be read: how many reach the model."""
    if answers is None:
        return None
    reached = [answer.calls > 0 for answer, row in zip(answers, rows, strict=True) if is_ordinary(row)]
    return wilson(sum(reached), len(reached))


def is_ordinary(row: Row) -> bool:
    """Whether the rules know every word of a question."""
    if row.kind not in HOLD_OUT or row.kind == "ordinary":
        return False
    listed = set(words.listed_indicators())
    for tag, text in tags_of(row.tagged):
        if tag == "Indicator" and text not in listed:
            return False
        if tag == "Date" and not any((m.start, m.end) == (0, len(text)) and m.first for m in find_dates(text, TODAY)):
            return False
    return True


def _examples(rows: Sequence[Row], answers: dict[str, list[Answer]]) -> tuple[dict[str, str], ...]:
    return tuple(_differences(rows, answers, better=True)) + tuple(_differences(rows, answers, better=False))


def _differences(rows: Sequence[Row], answers: dict[str, list[Answer]], *, better: bool) -> Iterator[dict[str, str]]:
    """The first questions of each kind where the model changed a right answer or a wrong one."""
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


def as_json(report: Report) -> dict[str, Any]:
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
