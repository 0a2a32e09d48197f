"""The place and date parts of the same questions, for this engine and for its peers, in one run.

What is right is said in `benchmarks.parts`. Peers know every place of China, the engine one table: so it is asked twice,
with the table of the question's province and with that of all China, where a name may well be one of many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from benchmarks.parts import (
    BY_CALENDAR,
    BY_RULE,
    NO_DATE,
    NO_PLACE,
    NO_SUCH_DATE,
    UNCERTAIN,
    Place,
    Places,
    date_score,
    dates_of,
    own_dates,
    own_places,
    place_score,
    wanted_date,
    wanted_place,
)
from benchmarks.peer_env import Reply
from benchmarks.peers import PARTS
from benchmarks.questions import TODAY, Question, ResolutionLike, Score
from benchmarks.report import Block, Parts, Ratio, Rows, Section, Text
from benchmarks.shares import SCORES, Counts, cells

OURS: Final = "qilin"
OURS_CHINA: Final = "qilin, all China"
CERTAIN: Final = "one place is certain"

AskPeer = Callable[[str, str, str], Reply]
"""Peer, part, query."""


class Asked(NamedTuple):
    """One question with our answers to it: with its province's table, and with that of China."""

    question: Question
    answer: ResolutionLike
    answer_china: ResolutionLike


Scores = dict[str, dict[str, Counts]]
"""System, then group of questions."""


class PartScores(NamedTuple):
    """Everyone's scores in both parts, and how often each peer raised."""

    places: Scores
    dates: Scores
    raised: Counter[str]


def score_parts(asked: Iterable[Asked], places: Places, peers: Iterable[str], ask: AskPeer) -> PartScores:
    """Score every question's place and date part; a question asked of several tables counts once for each.

    A peer that raises has said nothing, and not silently.
    """
    place_scores: Scores = defaultdict(lambda: defaultdict(Counter))
    date_scores: Scores = defaultdict(lambda: defaultdict(Counter))
    raised: Counter[str] = Counter()
    names = list(peers)
    replies: dict[tuple[str, str, str], Any] = {}

    def said(peer: str, part: str, query: str) -> Any:
        key = (peer, part, query)
        if key not in replies:
            reply = ask(peer, part, query)
            raised[f"{peer} {part}"] += reply.error is not None
            replies[key] = None if reply.error is not None else reply.answer
        return replies[key]

    for question, answer, answer_china in asked:
        if (place := wanted_place(question, places)) is not None:
            found: dict[str, Iterable[Place]] = {
                OURS: own_places(places, answer.targets),
                OURS_CHINA: own_places(places, answer_china.targets),
            }
            for peer in names:
                if "place" in PARTS[peer]:
                    found[peer] = (places.said(*(said(peer, "place", question.query) or (None, None, None))),)
            for system, each in found.items():
                place_scores[system][place.group][place_score(place, frozenset(each))] += 1
        if (when := wanted_date(question)) is not None:
            days: dict[str, Iterable[tuple[date, date]] | None] = {OURS: own_dates(answer.dates)}
            for peer in names:
                if "date" in PARTS[peer]:
                    days[peer] = dates_of(said(peer, "date", question.query) or ())
            for system, ranges in days.items():
                score: Score = "silently_wrong" if ranges is None else date_score(when, ranges)
                date_scores[system][when.group][score] += 1
    return PartScores(place_scores, date_scores, raised)


def over(scores: Mapping[str, Counts], wanted: Callable[[str], bool]) -> Counts:
    """The groups that are wanted, added up."""
    total: Counts = Counter()
    for group, counts in scores.items():
        if wanted(group):
            total += counts
    return total


def _is_certain(group: str) -> bool:
    return group != NO_PLACE and not group.startswith(UNCERTAIN)


PLACE_SUMS: Final[Mapping[str, Callable[[str], bool]]] = {
    CERTAIN: _is_certain,
    NO_PLACE: lambda group: group == NO_PLACE,
    UNCERTAIN: lambda group: group.startswith(UNCERTAIN),
}
DATE_GROUPS: Final = (BY_CALENDAR, BY_RULE, NO_DATE, NO_SUCH_DATE)


def describe(section: Section, found: PartScores, missing: Mapping[str, str]) -> None:
    """Add figures, ratios and tables of both parts to a section."""
    section.figures["place part"] = _plain(found.places)
    section.figures["date part"] = _plain(found.dates)
    section.figures["raised"] = dict(found.raised)
    section.figures["peers missing"] = dict(missing)
    section.blocks += _place_blocks(found.places)
    section.blocks += _date_blocks(found.dates)
    for what, count in found.raised.items():
        if count:
            section.blocks.append(Text(f"{what}: raised {count} times; counted as flagged."))
    section.blocks += [Text(f"{peer}: {why}") for peer, why in missing.items()]
    for part, scores, wanted in (
        ("place", found.places, _is_certain),
        ("date", found.dates, lambda group: group == BY_CALENDAR),
    ):
        for system, groups in scores.items():
            counts = over(groups, wanted)
            right = counts["right"] / max(counts.total(), 1)
            if system in (OURS, OURS_CHINA):
                section.ratios[f"{part} part right, {system}"] = Ratio(right, "higher")


def _plain(scores: Scores) -> dict[str, dict[str, dict[str, int]]]:
    return {
        system: {group: {score: counts[score] for score in SCORES} for group, counts in groups.items()}
        for system, groups in scores.items()
    }


def _place_blocks(scores: Scores) -> list[Block]:
    rows = []
    for name, wanted in PLACE_SUMS.items():
        for system, groups in scores.items():
            counts = over(groups, wanted)
            if counts.total():
                rows.append([f"{name}: {system}", *cells(counts)])
    kinds = sorted({group for groups in scores.values() for group in groups}, key=lambda g: (not _is_certain(g), g))
    by_kind = [
        [kind, str(next(iter(scores.values()))[kind].total()), *(_two(groups[kind]) for groups in scores.values())]
        for kind in kinds
    ]
    bars = {system: [over(groups, _is_certain)[score] for score in SCORES_IN_BARS] for system, groups in scores.items()}
    return [
        Rows("Place part: province, city, county", _HEAD, rows),
        Parts(f"Place part, {CERTAIN}", [s.replace("_", " ") for s in SCORES_IN_BARS], bars),
        Rows("Place part by kind: % right / % silently wrong", ["kind", "questions", *scores], by_kind),
    ]


SCORES_IN_BARS: Final[tuple[Score, ...]] = ("right", "partly", "flagged", "silently_wrong")
_HEAD: Final = ("", "questions", "right", "partly", "flagged", "silently wrong")


def _two(counts: Counts) -> str:
    total = counts.total()
    return f"{100 * counts['right'] / total:.0f} / {100 * counts['silently_wrong'] / total:.0f}" if total else "–"


def _date_blocks(scores: Scores) -> list[Block]:
    rows: list[Sequence[str]] = []
    for group in DATE_GROUPS:
        for system, groups in scores.items():
            if groups[group].total():
                rows.append([f"{group}: {system}", *cells(groups[group])])
    return [Rows(f"Date part, asked on {TODAY}", _HEAD, rows)]
