"""The scores of one system on one set of questions, and the choice of a threshold by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from qilin.hierarchy import Hierarchy
from qilin.training.maker import Row
from qilin.training.measure import (
    Interval,
    Names,
    TagCount,
    breaks_hierarchy,
    count_tags,
    deepest_level,
    is_in_table,
    organisation_tags,
    paths_in,
    percentile,
    tag_counts,
    wilson,
)
from qilin.training.question_sets import LEFT_OPEN

_MORE_ERRORS: Final = 0.005  # silent errors that a lower threshold may bring


class Answer(NamedTuple):
    """The answer of one system to one question.

    `paths` are the organisations it is certain of. `status` is that of the resolution, `doubts` whether anything in
    it stayed unexplained; a model alone reports neither: None, False.
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
    silently_wrong: Interval  # see `is_silently_wrong`
    breaks_hierarchy: Interval
    resolved: Interval
    f1: dict[str, float]
    tags: dict[str, TagCount]
    calls: float  # of the model, per question
    forward_passes: float  # per question
    reached: Interval  # questions put to the model
    latency_ms: dict[str, float]  # p50, p95, p99
    levels: dict[
        str, dict[str, int]
    ]  # right level → answered level → count; "other" is another organisation of the right level
    by_kind: dict[str, Interval]  # exact answers


class Point(NamedTuple):
    """Shares of questions at one threshold."""

    threshold: float
    coverage: float  # resolved
    accuracy: float  # with the right tags, of the resolved ones
    right: float  # with the right tags, of all
    silently_wrong: float


def expected_paths(row: Row) -> tuple[Names, ...]:
    """The organisations that a right answer is certain of."""
    return () if row.kind in LEFT_OPEN else tuple(paths_in(row.tagged))


def is_silently_wrong(answer: Answer, row: Row) -> bool:
    """Whether an answer names wrong organisations, or leaves some out, without a sign of doubt."""
    if answer.status is None:
        return organisation_tags(answer.tagged) != organisation_tags(row.tagged)
    wanted = set(expected_paths(row))
    said = set(answer.paths)
    return bool(said - wanted) or (answer.status == "resolved" and said != wanted and not answer.doubts)


def has_right_tags(answer: Answer, row: Row) -> bool:
    """Whether exactly the right texts have the right tags."""
    return tag_counts(answer.tagged) == tag_counts(row.tagged)


def violates(answer: Answer, hierarchy: Hierarchy) -> bool:
    """Whether an organisation of the answer contradicts the table; of a resolution, only certain ones count."""
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


def choose_threshold(points: Sequence[Point]) -> float:
    """The least threshold with almost as few silent errors as the strictest has."""
    least = min(point.silently_wrong for point in points)
    return min(point.threshold for point in points if point.silently_wrong <= least + _MORE_ERRORS)
