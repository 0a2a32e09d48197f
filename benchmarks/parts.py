"""The place part and the date part of an answer: what libraries that know no power company can be held against.

**Place.** 巨野县供电公司 is in 巨野县, so 麒麟供电所 is in 山东省, 菏泽, 巨野县, and that is all that can be asked of a library of
addresses; with a company that is no county (开发区) it is province and city. Names are compared without 省, 市, 县, 区;
of a municipality the city is the province. Every system, our own included, is scored by the same rule:

- *right*: exactly the places of the organisations asked about; nothing where the question names none.
- *partly*: only less than that: the city alone, one of two places.
- *flagged*: nothing is said though the question names a place, or no place is certain (ambiguous, in conflict, unknown).
- *silently wrong*: another place, or more than is certain.

**Date.** Right is the same first and last days. A date that only a rule of the house settles (三季度 asked in May, 近7天 with or
without today) is counted apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from benchmarks.oracle import CITY, COMPANY, OrgNames, Table, body_of, level_of, stem_of, without
from benchmarks.questions import DATES, NO_DATES, DateLike, Dates, PathLike, Question, Score, names_of

Place = tuple[str, ...]
"""Province, city and county, as far down as is said; without 省, 市, 县, 区; without the city of a municipality."""

MUNICIPALITIES: Final = ("北京", "天津", "上海", "重庆")
_NO_COUNTY: Final = ("开发区", "示范区", "园区", "管理区", "管委会", "产业", "高新", "保税")
_NO_CITY: Final = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")  # what cpca says where there is none
_HOUSE_RULE: Final = frozenset(
    ("3月", "12月", "一季度", "三季度", "下半年", "前三季度", "近7天", "最近三个月", "24年", "98年")
)
"""Expressions that need a rule to say which year, or whether today counts."""


class Places:
    """Places of a table, and those that a library says in its own words."""

    def __init__(self, table: Table) -> None:
        """Take the cities of `table`: 恩施土家族苗族自治州 is 恩施 where that is a city of it."""
        self._cities: Final = sorted({str(path[CITY]) for path in table.by_level[CITY]}, key=len, reverse=True)

    def of(self, path: OrgNames) -> Place:
        """The place of an organisation."""
        parts = [stem_of((path[0], None, None, None))]
        if level_of(path) >= CITY and parts[0] not in MUNICIPALITIES:
            parts.append(str(path[CITY]))
        if level_of(path) >= COMPANY:
            body = body_of((path[0], path[1], path[2], None))
            if not any(word in body for word in _NO_COUNTY):
                parts.append(without(body, "县", "市", "区", "旗"))
        return tuple(parts)

    def said(self, province: str | None, city: str | None, county: str | None) -> Place:
        """What a library says, in the same form; () for nothing."""
        if not province:
            return ()
        parts = [stem_of((province, None, None, None))]
        if parts[0] not in MUNICIPALITIES:
            if city and city not in _NO_CITY:
                parts.append(next((each for each in self._cities if city.startswith(each)), without(city, "市")))
            elif city and not county:
                parts.append(city)  # 重庆市, 县 is how a misspelt county ends up: something was said
        if county:
            parts.append(without(county, "县", "市", "区", "旗"))
        return tuple(parts)


class WantedPlace(NamedTuple):
    """What the place part of a question's answer must be.

    Attributes:
        group: In which row of the report it counts.
        places: The places asked about, () for a question that names none; None where no place is certain.
        shared: Where none is certain: what may be said all the same.
    """

    group: str
    places: frozenset[Place] | None
    shared: Place = ()


NO_PLACE: Final = "names no place"
UNCERTAIN: Final = "no place is certain"


def wanted_place(question: Question, places: Places) -> WantedPlace | None:
    """What to hold a place against; None for a question whose place the generator does not know, or that needs a scope."""
    if question.scope is not None:
        return None
    if "resolved" in question.want_status:
        if question.want_targets is None:
            return None
        found = frozenset(map(places.of, question.want_targets))
        return WantedPlace(question.kind if found else NO_PLACE, found)
    owners = [places.of(path) for path in question.contains]
    if question.kind == "unknown name":
        return WantedPlace(f"{UNCERTAIN}: unknown name", None, places.of(question.named[0]) if question.named else ())
    if "conflict" in question.want_status and question.named:
        return WantedPlace(f"{UNCERTAIN}: conflict", None, _shared([*owners, *map(places.of, question.named)]))
    if "ambiguous" in question.want_status and owners:
        if len(set(owners)) == 1:  # two substations of one county: the place is certain
            return WantedPlace(question.kind, frozenset(owners))
        return WantedPlace(f"{UNCERTAIN}: ambiguous", None, _shared(owners))
    return None


def _shared(places: Sequence[Place]) -> Place:
    """What all begin with."""
    first = min(places, key=len)
    size = next((i for i in range(len(first)) if any(place[i] != first[i] for place in places)), len(first))
    return first[:size]


def place_score(want: WantedPlace, said: Collection[Place]) -> Score:
    """How good places are; see the rules above."""
    found = frozenset(place for place in said if place)
    if want.places is None:
        if not found:
            return "flagged"
        return "partly" if all(place == want.shared[: len(place)] for place in found) else "silently_wrong"
    if found == want.places:
        return "right"
    if not found:
        return "flagged"
    less = all(any(place == right[: len(place)] for right in want.places) for place in found)
    return "partly" if less else "silently_wrong"


def own_places(places: Places, targets: Sequence[PathLike]) -> frozenset[Place]:
    """The places of our own answer."""
    return frozenset(map(places.of, names_of(targets)))


# ── dates ────────────────────────────────────────────────────────────────────────────────────────

NO_DATE: Final = "names no date"
NO_SUCH_DATE: Final = "no such date"
BY_CALENDAR: Final = "any calendar tells"
BY_RULE: Final = "by a rule of the house"


class WantedDate(NamedTuple):
    """What the date part of a question's answer must be: None where the date does not exist."""

    group: str
    dates: Dates | None


def wanted_date(question: Question) -> WantedDate | None:
    """What to hold dates against; None for a question whose dates the generator does not know."""
    if question.want_dates is None:
        if question.kind == "dates" and any(text in question.query for text in NO_DATES):
            return WantedDate(NO_SUCH_DATE, None)
        return None
    if not question.want_dates:
        return WantedDate(NO_DATE, ())
    named = [entry for entry in DATES if entry[0] in question.query and (entry[1], entry[2]) in question.want_dates]
    text = max((entry[0] for entry in named), key=len, default="")
    return WantedDate(BY_RULE if text in _HOUSE_RULE else BY_CALENDAR, question.want_dates)


def date_score(want: WantedDate, said: Iterable[tuple[date, date]]) -> Score:
    """How good dates are: exactly the wanted ones, some of them, none, or others."""
    found = tuple(said)
    if want.dates is None:
        return "silently_wrong" if found else "flagged"
    if set(found) == set(want.dates):
        return "right"
    if not found:
        return "flagged"
    return "partly" if set(found) < set(want.dates) else "silently_wrong"


def own_dates(dates: Sequence[DateLike]) -> tuple[tuple[date, date], ...]:
    """The dates of our own answer."""
    return tuple((found.start, found.end) for found in dates)


def dates_of(said: Iterable[Sequence[str]]) -> tuple[tuple[date, date], ...] | None:
    """Days as a peer writes them; None for something that is no date."""
    try:
        return tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in said)
    except ValueError:
        return None
