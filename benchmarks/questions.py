"""Questions with the answers the contract demands, made from any organisation table.

Nothing here imports the resolver or the hierarchy: tables are read as CSV and every expected answer comes
from `benchmarks.oracle`. The same table, seed and size always give the same questions.

    table = Table.read(Path("data/hierarchy/china.csv"), "山东省")
    for question in questions(table, per_kind=100, seed=1): ...
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

from benchmarks.oracle import (
    CITY,
    COMPANY,
    LEVEL_NAMES,
    PROVINCE,
    SUBSTATION,
    SUBSTATION_ENDING,
    OrgNames,
    Slip,
    Table,
    Verdict,
    ancestor,
    body_of,
    common_characters,
    forms_of,
    homophones,
    level_of,
    lies_on,
    lightest,
    near_homophones,
    shared_depth,
    slip_between,
    stem_of,
)

TODAY: Final = date(2024, 5, 13)
"""The day every question is asked on, a Monday; pass it to the resolver."""

ORDINARY_WORDS: Final = Path(__file__).resolve().parent.parent / "data" / "lexicon" / "ordinary_words.txt"
EVERYDAY: Final = Path(__file__).resolve().parent.parent / "tests" / "golden" / "everyday.txt"

Status = Literal["resolved", "ambiguous", "conflict", "unresolved"]
Score = Literal["right", "flagged", "partly", "silently_wrong"]
Dates = tuple[tuple[date, date], ...]

RESOLVED: Final[frozenset[str]] = frozenset({"resolved"})
AMBIGUOUS: Final[frozenset[str]] = frozenset({"ambiguous"})
CONFLICT: Final[frozenset[str]] = frozenset({"conflict"})
UNRESOLVED: Final[frozenset[str]] = frozenset({"unresolved"})


@dataclass(frozen=True)
class Question:
    """A query with everything the contract says of its answer; None where it says nothing.

    Attributes:
        kind: What is tried; scores are added up by it.
        query: The query, to be asked on `TODAY`.
        want_status: Statuses that are right.
        want_targets: The targets, in any order, when the status is "resolved".
        acceptable: Further statuses that are as right, because the contract leaves it open.
        contains: Organisations the candidates must hold when the answer is ambiguous or in conflict.
        want_excluded: What the query takes out.
        want_group_by: The level to break down by; "" means that there must be none.
        want_indicators: Canonical names in text order.
        want_first_repair: The first candidate of a conflict.
        want_dates: First and last day of each date in the query.
        scope: Name of the caller's own organisation.
        variety: What is special within the kind, where a kind has several: "swap", "missing".
        named: Organisations that the question names for sure, though the whole has no answer.
    """

    kind: str
    query: str
    want_status: frozenset[str]
    want_targets: tuple[OrgNames, ...] | None = None
    acceptable: frozenset[str] = frozenset()
    contains: tuple[OrgNames, ...] = ()
    want_excluded: tuple[OrgNames, ...] | None = None
    want_group_by: str | None = None
    want_indicators: tuple[str, ...] | None = None
    want_first_repair: OrgNames | None = None
    want_dates: Dates | None = None
    scope: str | None = None
    variety: str = ""
    named: tuple[OrgNames, ...] = ()


class PathLike(Protocol):
    """An organisation in an answer."""

    @property
    def province(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def company(self) -> str | None: ...
    @property
    def substation(self) -> str | None: ...


class DateLike(Protocol):
    """A date in an answer."""

    @property
    def start(self) -> date: ...
    @property
    def end(self) -> date: ...


class ResolutionLike(Protocol):
    """The part of an answer that is scored."""

    @property
    def status(self) -> str: ...
    @property
    def targets(self) -> Sequence[PathLike]: ...
    @property
    def excluded(self) -> Sequence[PathLike]: ...
    @property
    def candidates(self) -> Sequence[PathLike]: ...
    @property
    def group_by(self) -> str | None: ...
    @property
    def indicators(self) -> Sequence[str]: ...
    @property
    def dates(self) -> Sequence[DateLike]: ...


def names_of(paths: Sequence[PathLike]) -> tuple[OrgNames, ...]:
    """The paths of an answer as plain tuples."""
    return tuple((path.province, path.city, path.company, path.substation) for path in paths)


def score(question: Question, resolution: ResolutionLike) -> Score:
    """How good an answer is.

    Returns: "silently_wrong" for a resolved answer whose targets or exclusions are not the wanted ones, or that
        should have been flagged; "flagged" for an answer that says it is not sure though it could be; "partly"
        where the status is right and a date, an indicator, the breakdown or a candidate is not.
    """
    targets = names_of(resolution.targets)
    if resolution.status == "resolved":
        if question.want_targets is not None and set(targets) != set(question.want_targets):
            return "silently_wrong"
        if "resolved" not in question.want_status | question.acceptable:
            return "silently_wrong"
        if question.want_excluded is not None and set(names_of(resolution.excluded)) != set(question.want_excluded):
            return "silently_wrong"
    elif resolution.status not in question.want_status | question.acceptable:
        return "flagged"
    candidates = names_of(resolution.candidates)
    if resolution.status in ("ambiguous", "conflict"):
        if not set(question.contains) <= set(candidates):
            return "partly"
        if resolution.status == "conflict" and question.want_first_repair not in (None, *candidates[:1]):
            return "partly"
    if resolution.status in ("unresolved", "conflict") and targets:
        return "partly"
    dates = tuple((found.start, found.end) for found in resolution.dates)
    if question.want_dates is not None and dates != question.want_dates:
        return "partly"
    if question.want_indicators is not None and tuple(resolution.indicators) != question.want_indicators:
        return "partly"
    if question.want_group_by is not None and (resolution.group_by or "") != question.want_group_by:
        return "partly"
    return "right"


# Everything around the names -----------------------------------------------------------------------------

INDICATORS: Final = (
    ("投诉", "投诉"),
    ("意见", "意见"),
    ("报修", "报修"),
    ("投诉百万户量", "投诉百万户量"),
    ("咨询", "咨询"),
    ("意见百万户量", "意见百万户量"),
    ("举报", "举报"),
    ("停电时户数", "停电时户数"),
    ("故障报修", "报修"),
)
TOTALS: Final = ("数量", "个数", "总数")


def day(text: str) -> date:
    """The date of an ISO string."""
    return date.fromisoformat(text)


DATES: Final = tuple(
    (text, day(first), day(last))
    for text, first, last in (
        ("今天", "2024-05-13", "2024-05-13"),
        ("昨天", "2024-05-12", "2024-05-12"),
        ("今年", "2024-01-01", "2024-12-31"),
        ("去年", "2023-01-01", "2023-12-31"),
        ("本周", "2024-05-13", "2024-05-19"),
        ("上周", "2024-05-06", "2024-05-12"),
        ("本月", "2024-05-01", "2024-05-31"),
        ("上月", "2024-04-01", "2024-04-30"),
        ("3月", "2024-03-01", "2024-03-31"),
        ("12月", "2023-12-01", "2023-12-31"),
        ("本季度", "2024-04-01", "2024-06-30"),
        ("上季度", "2024-01-01", "2024-03-31"),
        ("一季度", "2024-01-01", "2024-03-31"),
        ("三季度", "2023-07-01", "2023-09-30"),
        ("今年第一季度", "2024-01-01", "2024-03-31"),
        ("2022年", "2022-01-01", "2022-12-31"),
        ("2024年5月", "2024-05-01", "2024-05-31"),
        ("24年", "2024-01-01", "2024-12-31"),
        ("2020年04月28号", "2020-04-28", "2020-04-28"),
        ("下半年", "2023-07-01", "2023-12-31"),
        ("前三季度", "2024-01-01", "2024-09-30"),
        ("近7天", "2024-05-07", "2024-05-13"),
        ("最近三个月", "2024-02-14", "2024-05-13"),
        ("今年以来", "2024-01-01", "2024-05-13"),
        ("98年", "1998-01-01", "1998-12-31"),
        ("月初至今", "2024-05-01", "2024-05-13"),
    )
)
NO_DATES: Final = ("13月", "2月30日", "2023年2月29日", "4月31号")
TRAP_DATES: Final = tuple(
    entry for entry in DATES if entry[0] in ("今天", "本周", "本月", "今年", "3月", "近7天", "2022年")
)


class Ask(NamedTuple):
    """The words after the names, and what they mean."""

    text: str
    indicators: tuple[str, ...]


def some_ask(rng: random.Random) -> Ask:
    """An indicator with a word for how many."""
    surface, canonical = rng.choice(INDICATORS)
    return Ask(surface + rng.choice(TOTALS), (canonical,))


def from_verdict(kind: str, query: str, verdict: Verdict, ask: Ask, dates: Dates = ()) -> Question:
    """The question whose names the oracle has judged; `verdict` must not be "none"."""
    several = verdict.kind == "several"
    return Question(
        kind,
        query,
        want_status=AMBIGUOUS if several else RESOLVED,
        want_targets=None if several else verdict.best,
        acceptable=frozenset() if verdict.sure else AMBIGUOUS,
        contains=verdict.best if several or not verdict.sure else (),
        want_indicators=ask.indicators,
        want_dates=dates,
    )


def plain_bare(path: OrgNames) -> bool:
    """Whether the bare stem can stand next to dates and indicators without sharing a character with them."""
    stem = stem_of(path)
    return len(stem) >= 2 and not set(stem) & set("年月日天周户万百供电停投意报咨举故初今")


# The kinds -----------------------------------------------------------------------------------------------


@cache
def ordinary_words() -> frozenset[str]:
    """Words that a bare stem needs support to be told from."""
    lines = ORDINARY_WORDS.read_text(encoding="utf-8").splitlines() if ORDINARY_WORDS.exists() else []
    return frozenset(line for line in lines if line[:1] != "#")


Maker = Callable[[Table, random.Random], Iterator[Question]]


def endless(paths: Sequence[OrgNames], rng: random.Random, rounds: int = 40) -> Iterator[OrgNames]:
    """Random organisations, up to `rounds` times each."""
    for _ in range(rounds * len(paths)):
        yield rng.choice(paths)


def endless_by_level(table: Table, levels: Sequence[int], rng: random.Random) -> Iterator[OrgNames]:
    """Random organisations, each of `levels` as often as any other, though there are far more substations."""
    for _ in range(40 * len(table.nodes)):
        yield rng.choice(table.by_level[rng.choice(levels)])


def text_of(path: OrgNames, levels: str, rng: random.Random | None = None) -> str:
    """Names of `path` joined from the top: of "PCOS" the province, city, company, substation in full; a small letter
    gives the bare stem. With `rng` any form stands for a full one.
    """
    parts = []
    for letter in levels:
        own = ancestor(path, "PCOS".index(letter.upper()))
        canonical = own[level_of(own)]
        assert canonical is not None
        if letter.islower():
            parts.append(stem_of(own))
        else:
            parts.append(rng.choice(list(forms_of(own))) if rng else canonical)
    return "".join(parts)


def full_path(table: Table, rng: random.Random) -> Iterator[Question]:
    """Everything named in full, with or without the province."""
    for path in endless(table.by_level[SUBSTATION], rng):
        names = text_of(path, rng.choice(("PCOS", "COS")))
        verdict, ask = table.verdict(names), some_ask(rng)
        if verdict.kind != "none":
            yield from_verdict("full path", names + ask.text, verdict, ask)


VARIANTS: Final = ("PCOS", "COS", "Co", "Cs", "OS", "os", "o", "S", "s")
"""The nine ways the task itself gives of naming 麒麟供电所 or its company."""


def partial(table: Table, rng: random.Random) -> Iterator[Question]:
    """The nine variants of the task, for any substation."""
    for path in endless(table.by_level[SUBSTATION], rng):
        levels = rng.choice(VARIANTS)
        if not all(plain_bare(ancestor(path, level)) for level in (COMPANY, SUBSTATION)):
            continue
        first, ask = rng.choice(DATES), some_ask(rng)
        with_date = rng.random() < 0.3
        names = text_of(path, levels)
        verdict = table.verdict(names)
        if verdict.kind != "none":
            dates: Dates = ((first[1], first[2]),) if with_date else ()
            yield from_verdict("partial path", (first[0] if with_date else "") + names + ask.text, verdict, ask, dates)


def every_form(table: Table, rng: random.Random) -> Iterator[Question]:
    """Any form of any organisation below any forms of its ancestors."""
    for path in endless(table.nodes, rng):
        above = [level for level in range(level_of(path)) if rng.random() < 0.45]
        own = [ancestor(path, level) for level in (*above, level_of(path))]
        if not all(plain_bare(node) for node in own):
            continue
        names = "".join(rng.choice(list(forms_of(node))) for node in own)
        verdict, ask = table.verdict(names), some_ask(rng)
        if verdict.kind != "none":
            yield from_verdict("every form", names + ask.text, verdict, ask)


def reordered(table: Table, rng: random.Random) -> Iterator[Question]:
    """The lower name before the upper, or the indicator before both."""
    for path in endless(table.by_level[SUBSTATION], rng):
        ask = some_ask(rng)
        parts = rng.choice((("S", "O", "C"), ("S", "C"), ("S", "O"), ("O", "C"), ("S", "CO")))
        names = "".join(text_of(path, part) for part in parts)
        verdict = table.verdict(names)
        if verdict.kind != "none":
            query = names + ask.text if rng.random() < 0.7 else ask.text + names
            yield from_verdict("reordered", query, verdict, ask)


def bracketed(table: Table, rng: random.Random) -> Iterator[Question]:
    """The ancestors in brackets or after a comma."""
    for path in endless(table.by_level[SUBSTATION], rng):
        ask = some_ask(rng)
        lower, upper = rng.choice((("S", "Co"), ("S", "CO"), ("S", "O"), ("S", "C"), ("O", "C")))
        if not plain_bare(ancestor(path, COMPANY)):
            continue
        one, other = text_of(path, lower), text_of(path, upper)
        if table.verdict(other).best != (ancestor(path, COMPANY if "o" in upper.lower() else CITY),):
            continue
        verdict = table.verdict(one + other)
        if verdict.kind == "none":
            continue
        shape = rng.choice(("{0}（{1}）", "{0}({1})", "{1}（{0}）", "{1}，{0}", "{1}、{0}"))
        if "，" in shape or "、" in shape:
            verdict = Verdict(verdict.kind, verdict.best, verdict.sure and table.unique(one) is not None)
        yield from_verdict("bracketed", shape.format(one, other) + ask.text, verdict, ask)


def dated(table: Table, rng: random.Random) -> Iterator[Question]:
    """Every date the contract explains, before the names or behind them; and dates that do not exist."""
    for path in endless_by_level(table, (CITY, COMPANY), rng):
        text, first, last = rng.choice(DATES)
        names = text_of(path, "CO"[: level_of(path)])
        verdict, ask = table.verdict(names), some_ask(rng)
        if verdict.kind != "one":
            continue
        if rng.random() < 0.1:
            yield Question("dates", rng.choice(NO_DATES) + names + ask.text, UNRESOLVED)
            continue
        query = text + names + ask.text if rng.random() < 0.7 else names + text + ask.text
        yield from_verdict("dates", query, verdict, ask, ((first, last),))


RELATIVE: Final = (
    ("全市", CITY),
    ("本市", CITY),
    ("市公司", CITY),
    ("县公司", COMPANY),
    ("本县", COMPANY),
    ("本所", SUBSTATION),
)


def relative(table: Table, rng: random.Random) -> Iterator[Question]:
    """全市, 县公司 and the like, with a scope at or below that level, above it, or none."""
    for path in endless(table.nodes, rng):
        name = path[level_of(path)]
        assert name is not None
        word, level = rng.choice(RELATIVE)
        if table.unique(name) is None or level_of(path) == PROVINCE:
            continue
        company = path[COMPANY] or ""
        if level == COMPANY and (level_of(path) >= COMPANY and "县供电公司" not in company):
            continue
        ask = some_ask(rng)
        if rng.random() < 0.15:
            yield Question("relative", word + ask.text, UNRESOLVED, want_indicators=ask.indicators)
        elif level_of(path) >= level:
            yield Question(
                "relative",
                word + ask.text,
                RESOLVED,
                (ancestor(path, level),),
                scope=name,
                want_indicators=ask.indicators,
            )
        else:
            yield Question("relative", word + ask.text, UNRESOLVED, scope=name, want_indicators=ask.indicators)


def scoped(table: Table, rng: random.Random) -> Iterator[Question]:
    """A name that several own, asked within a scope that holds one of them, or outside every scope."""
    for path in endless(table.by_level[SUBSTATION], rng):
        name, ask = text_of(path, "S"), some_ask(rng)
        owners = table.verdict(name)
        own = ancestor(path, rng.choice((CITY, COMPANY)))
        scope = own[level_of(own)]
        assert scope is not None
        if owners.kind != "several" or not owners.sure or table.unique(scope) != own:
            continue
        inside = tuple(owner for owner in owners.best if ancestor(owner, level_of(own)) == own)
        if len(inside) == 1:
            yield Question("scope", name + ask.text, RESOLVED, inside, scope=scope, want_indicators=ask.indicators)
        else:
            yield Question(
                "scope", name + ask.text, AMBIGUOUS, contains=inside, scope=scope, want_indicators=ask.indicators
            )


JOINTS: Final = ("和", "、", "与", "及", "以及", "跟")


def under(table: Table, parent: OrgNames, text: str) -> OrgNames | None:
    """The organisation below `parent` that `text` surely means after the parent, None where that is not sure."""
    name = parent[level_of(parent)]
    assert name is not None
    verdict = table.verdict(name + text)
    return verdict.best[0] if verdict.kind == "one" and verdict.sure else None


def several(table: Table, rng: random.Random) -> Iterator[Question]:
    """Two or three targets; the later ones inherit the parents of the first."""
    for parent in endless_by_level(table, (PROVINCE, CITY, COMPANY), rng):
        level = level_of(parent)
        inside = [path for path in table.below[parent] if level_of(path) == level + 1]
        size = rng.choice((2, 2, 2, 3))
        ask = some_ask(rng)
        if len(inside) < size or table.verdict(str(parent[level])) != Verdict("one", (parent,), True):
            continue
        picked = rng.sample(inside, size)
        if not all(plain_bare(path) for path in picked):
            continue
        short = rng.random() < 0.5
        texts = [stem_of(path) if short else str(path[level + 1]) for path in picked]
        if [under(table, parent, text) for text in texts] != picked:
            continue
        if any(table.unique(text) != path for text, path in zip(texts, picked, strict=True)) and short:
            continue
        joint = rng.choice(JOINTS)
        listed = texts[0] + "".join(("、" if i < size - 1 else joint) + text for i, text in enumerate(texts) if i)
        named = str(parent[level]) if level > PROVINCE or rng.random() < 0.5 else ""
        yield Question(
            "several targets", named + listed + ask.text, RESOLVED, tuple(picked), want_indicators=ask.indicators
        )


EXCLUSIONS: Final = (
    "{0}除{1}外{2}",
    "{0}除{1}以外{2}",
    "{0}除了{1}{2}",
    "{0}不含{1}{2}",
    "{0}不包括{1}的{2}",
    "{0}（不含{1}）{2}",
    "{0}（除{1}外）{2}",
    "除{1}外{0}{2}",
)


def exclusion(table: Table, rng: random.Random) -> Iterator[Question]:
    """Something taken out of a city or a company."""
    for parent in endless_by_level(table, (CITY, COMPANY), rng):
        level = level_of(parent)
        inside = [path for path in table.below[parent] if level_of(path) == level + 1]
        ask, shape = some_ask(rng), rng.choice(EXCLUSIONS)
        if not inside or table.verdict(str(parent[level])) != Verdict("one", (parent,), True):
            continue
        out = rng.choice(inside)
        text = body_of(out) if rng.random() < 0.5 and level == CITY else str(out[level + 1])
        if under(table, parent, text) != out:
            continue
        by = rng.choice(("", "", "各县公司")) if level == CITY else rng.choice(("", "", "各供电所"))
        group = {"": "", "各县公司": "Company", "各供电所": "Substation"}[by]
        yield Question(
            "exclusion",
            shape.format(parent[level], text, by + ask.text),
            RESOLVED,
            (parent,),
            want_excluded=(out,),
            want_group_by=group,
            want_indicators=ask.indicators,
        )


BREAKDOWNS: Final = {
    PROVINCE: (("各市", CITY), ("各地市", CITY), ("各县公司", COMPANY), ("各供电所", SUBSTATION)),
    CITY: (("各县公司", COMPANY), ("各供电所", SUBSTATION), ("下属所有供电所", SUBSTATION), ("所有县公司", COMPANY)),
    COMPANY: (("各供电所", SUBSTATION), ("下属所有供电所", SUBSTATION), ("所辖各供电所", SUBSTATION)),
}


def breakdown(table: Table, rng: random.Random) -> Iterator[Question]:
    """A level to break down by, under an organisation or under none."""
    for parent in endless_by_level(table, (PROVINCE, CITY, COMPANY), rng):
        words, level = rng.choice(BREAKDOWNS[level_of(parent)])
        ask, name = some_ask(rng), str(parent[level_of(parent)])
        if table.verdict(name) != Verdict("one", (parent,), True):
            continue
        named = rng.random() < 0.85 or not words.startswith("各")
        yield Question(
            "breakdown",
            (name if named else "") + words + ask.text,
            RESOLVED,
            (parent,) if named else (),
            want_group_by=LEVEL_NAMES[level],
            want_indicators=ask.indicators,
        )


def conflict(table: Table, rng: random.Random) -> Iterator[Question]:
    """An upper name and a lower one that no path joins."""
    for path in endless_by_level(table, (COMPANY, SUBSTATION), rng):
        level = level_of(path)
        upper = rng.choice(table.by_level[rng.choice(range(CITY, level))])
        upper_text, lower_text = str(upper[level_of(upper)]), str(path[level])
        if level == COMPANY and rng.random() < 0.6:
            lower_text = rng.choice((body_of(path), stem_of(path)))
        if lower_text in ordinary_words():
            continue
        if rng.random() < 0.3 and level_of(upper) == CITY:
            upper_text += "市"
        if table.unique(upper_text) != upper or table.verdict(upper_text + lower_text).kind != "none":
            continue
        owners = [form.path for form in table.forms[lower_text]]
        if any(level_of(owner) != level for owner in owners) or _other_cut(table, upper_text, lower_text):
            continue
        nearest = max(shared_depth(owner, upper) for owner in owners)
        first = [owner for owner in owners if shared_depth(owner, upper) == nearest]
        ask = some_ask(rng)
        yield Question(
            "conflict",
            upper_text + lower_text + ask.text,
            CONFLICT,
            contains=tuple(owners),
            want_first_repair=first[0] if len(first) == 1 else None,
            want_indicators=ask.indicators,
            named=(upper,),
        )


def _other_cut(table: Table, left: str, right: str) -> bool:
    """Whether a form crosses the line between two names."""
    return any(start < len(left) < end for start, end in table.mentions_inside(left + right))


def ambiguous(table: Table, rng: random.Random) -> Iterator[Question]:
    """A name that several own, alone or under a city that holds several of them."""
    for path in endless(table.by_level[SUBSTATION], rng):
        ask = some_ask(rng)
        names = text_of(path, rng.choice(("S", "S", "CS", "s", "Cs")))
        verdict = table.verdict(names)
        if verdict.kind == "several" and plain_bare(path):
            yield from_verdict("ambiguous", names + ask.text, verdict, ask)


class DeclaredAlias(NamedTuple):
    """A name that a file gives to one organisation of a table."""

    text: str
    path: OrgNames


def read_aliases(file: Path, table: Table) -> list[DeclaredAlias]:
    """The declared aliases that mean one organisation of `table`, and nothing that a name rule could mean as well."""
    found: dict[str, list[OrgNames]] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["kind"] == "forbidden":
                continue
            level = ("province", "city", "company", "substation").index(row["level"])
            for path in table.by_level[level]:
                if path[level] == row["canonical"] and row["city"] in ("", path[CITY]):
                    found.setdefault(row["alias"], []).append(path)
    return [
        DeclaredAlias(text, paths[0]) for text, paths in found.items() if len(paths) == 1 and text not in table.forms
    ]


def declared_alias(aliases: Sequence[DeclaredAlias]) -> Maker:
    """The kind of question with a declared alias: alone, behind its city, or before a substation of its own."""

    def make(table: Table, rng: random.Random) -> Iterator[Question]:
        for _ in range(40 * len(aliases)):
            alias, ask = rng.choice(aliases), some_ask(rng)
            level, target, names = level_of(alias.path), alias.path, alias.text
            shape = rng.choice(("alone", "alone", "above", "below"))
            if shape == "above" and level > CITY:
                names = text_of(alias.path, "C") + names
            elif shape == "below" and level in (CITY, COMPANY):
                target = rng.choice([path for path in table.below[alias.path] if level_of(path) == level + 1])
                name = str(target[level + 1])
                owners = [form.path for form in table.forms[name]]
                if sum(lies_on(alias.path, owner) for owner in owners) != 1:
                    continue
                names += name
            if any(True for _ in table.mentions_inside(alias.text)) and shape != "alone":
                continue  # which of two overlapping names is meant is another question
            first, before = rng.choice(DATES), rng.random() < 0.3
            yield Question(
                "declared alias",
                (first[0] if before else "") + names + ask.text,
                RESOLVED,
                (target,),
                want_indicators=ask.indicators,
                want_dates=((first[1], first[2]),) if before else (),
            )

    return make


# Misspelt names ------------------------------------------------------------------------------------------


def misspell(stem: str, slip: str, rng: random.Random) -> str | None:
    """`stem` with one slip of a kind: homophone, near, swap, wrong, missing or extra."""
    place = rng.randrange(len(stem))
    match slip:
        case "homophone" | "near":
            others = homophones(stem[place]) if slip == "homophone" else near_homophones(stem[place])
            return stem[:place] + rng.choice(others) + stem[place + 1 :] if others else None
        case "swap":
            place = rng.randrange(len(stem) - 1)
            return stem[:place] + stem[place + 1] + stem[place] + stem[place + 2 :]
        case "wrong":
            return stem[:place] + rng.choice(common_characters()) + stem[place + 1 :]
        case "missing":
            return stem[:place] + stem[place + 1 :] if len(stem) > 2 else None
    return stem[:place] + rng.choice(common_characters()) + stem[place:]


WEIGHT: Final = {"homophone": Slip.HOMOPHONE, "near": Slip.MERGED_SOUND, "swap": Slip.SWAP}


def misspelt(kind: str, slips: Sequence[str]) -> Maker:
    """The kind of question with a name that one slip of `slips` has changed."""

    def make(table: Table, rng: random.Random) -> Iterator[Question]:
        wanted = (*table.by_level[COMPANY], *table.by_level[SUBSTATION], *table.by_level[SUBSTATION])
        for path in endless(wanted, rng):
            level, ask, slip = level_of(path), some_ask(rng), rng.choice(slips)
            stem, tail = stem_of(path), str(path[level]).removeprefix(stem_of(path))
            if not plain_bare(path):
                continue
            typed = misspell(stem, slip, rng)
            if typed is None or typed == stem or slip_between(typed, stem) != WEIGHT.get(slip, Slip.OTHER):
                continue
            parent = ancestor(path, rng.choice(range(CITY, level)))
            above = rng.choice(("", str(parent[level_of(parent)])))
            if above and table.unique(above) != parent:
                continue
            if not above or rng.random() < 0.5:
                ending = tail
                names = [
                    (str(node[node_level]).removesuffix(ending), node)
                    for node in (table.below[parent] if above else table.nodes)
                    if (node_level := level_of(node)) == level and str(node[node_level]).endswith(ending)
                ]
            else:
                ending = ""
                names = [(stem_of(node), node) for node in table.below[parent]]
            text = typed + ending
            if (
                any(
                    end - start < len(above + text) and (start, end) != (0, len(above))
                    for start, end in table.mentions_inside(above + text)
                )
                or above + text in table.forms
            ):
                continue
            weight, found = lightest(typed, names)
            if weight is None:
                continue
            if ending == SUBSTATION_ENDING and typed[-1] in "镇乡":  # 曹既镇 may be 曹集 with its 镇 as well
                other, _ = lightest(typed[:-1], names)
                if other is not None and other <= weight:
                    continue
            verdict = Verdict("one" if len(found) == 1 else "several", found, True)
            question = from_verdict(kind, above + text + ask.text, verdict, ask)
            yield replace(question, variety=slip) if len(slips) > 1 else question

    return make


# Names the table lacks -----------------------------------------------------------------------------------

INVENTED: Final = (
    "火星",
    "月亮湾西",
    "瓦坎达",
    "花果山顶",
    "桃花岛外",
    "水帘洞",
    "比奇堡",
    "凌霄殿",
    "黑森林谷",
    "铁甲湾",
)


def is_known(table: Table, text: str) -> bool:
    """Whether `text` holds a form of the table, or is one slip away from a name of it."""
    if any(True for _ in table.mentions_inside(text)):
        return True
    stem = text.removesuffix(SUBSTATION_ENDING).removesuffix("供电公司")
    for path in table.nodes:
        for name in {stem_of(path), body_of(path), *(form for form in forms_of(path) if len(form) <= len(text) + 1)}:
            if name in (stem, text) or slip_between(stem, name) is not None or slip_between(text, name) is not None:
                return True
    return False


def unknown(foreign: Sequence[str]) -> Maker:
    """The kind of question with a name from elsewhere, alone or under a known parent.

    Args:
        foreign: Names of other tables: 石家庄市, 涉县供电公司, 更乐供电所.
    """

    def make(table: Table, rng: random.Random) -> Iterator[Question]:
        names = [*foreign, *(name + SUBSTATION_ENDING for name in INVENTED)]
        rng.shuffle(names)
        lacking = (name for name in names if not is_known(table, name))
        for name in lacking:
            ask = some_ask(rng)
            parents = [
                path
                for path in (*table.by_level[CITY], *table.by_level[COMPANY])
                if table.unique(str(path[level_of(path)])) == path and level_of(path) < _foreign_level(name)
            ]
            above = ""
            named: tuple[OrgNames, ...] = ()
            if rng.random() < 0.4 and parents:
                parent = rng.choice(parents)
                above, named = str(parent[level_of(parent)]), (parent,)
            if _other_cut(table, above, name):
                continue
            yield Question(
                "unknown name", above + name + ask.text, UNRESOLVED, want_indicators=ask.indicators, named=named
            )

    return make


def _foreign_level(name: str) -> int:
    """The level a name of another table has, by its ending."""
    if name.endswith(SUBSTATION_ENDING):
        return SUBSTATION
    return COMPANY if name.endswith("供电公司") else PROVINCE


# Traps and the task's own examples -----------------------------------------------------------------------


def traps(table: Table, rng: random.Random) -> Iterator[Question]:
    """Names that appear where a date meets a name, 所有 after a name, and questions that name nothing."""
    for text, indicators in (
        ("意见百万户量总数", ("意见百万户量",)),
        ("本周村民投诉数量", ("投诉",)),
        ("公司有多少投诉", ("投诉",)),
        ("本月投诉数量", ("投诉",)),
        ("今天的投诉数量", ("投诉",)),
    ):
        yield Question("traps", text, RESOLVED, (), want_indicators=indicators)
    yield Question("traps", "本月", UNRESOLVED)
    for path in endless((*table.by_level[COMPANY], *table.by_level[SUBSTATION]), rng):
        level, stem, name = level_of(path), stem_of(path), str(path[level_of(path)])
        ask = some_ask(rng)
        crossing = [entry for entry in TRAP_DATES if entry[0][-1] + name[0] in table.forms]
        if crossing and table.unique(name) == path:
            text, first, last = rng.choice(crossing)
            yield Question(
                "traps",
                text + name + ask.text,
                RESOLVED,
                (path,),
                want_dates=((first, last),),
                want_indicators=ask.indicators,
            )
        elif rng.random() < 0.02 and level == SUBSTATION and plain_bare(path):
            if table.unique(stem) != path or table.unique(stem + "所") != path:
                continue
            if rng.random() < 0.5:
                yield Question(
                    "traps",
                    stem + "所有多少投诉",
                    RESOLVED,
                    (path,),
                    want_indicators=("投诉",),
                    acceptable=AMBIGUOUS,
                    contains=(path,),
                )
            else:
                yield Question(
                    "traps",
                    stem + "所有" + ask.text,
                    RESOLVED,
                    (path,),
                    want_indicators=ask.indicators,
                    acceptable=AMBIGUOUS,
                    contains=(path,),
                )


def everyday(_table: Table, rng: random.Random) -> Iterator[Question]:
    """Sentences that name no organisation: whatever the status, no target."""
    if not EVERYDAY.exists():
        return
    lines = [line for line in EVERYDAY.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    rng.shuffle(lines)
    for line in lines:
        yield Question("everyday", line, RESOLVED, (), acceptable=UNRESOLVED)


SHANDONG, HEZE = "山东省", "菏泽"
JUYE: Final[OrgNames] = (SHANDONG, HEZE, "巨野县供电公司", None)
QILIN: Final[OrgNames] = (SHANDONG, HEZE, "巨野县供电公司", "麒麟供电所")
HEZE_PATH: Final[OrgNames] = (SHANDONG, HEZE, None, None)


def _range(first: str, last: str) -> Dates:
    return ((day(first), day(last)),)


SEED_QUESTIONS: Final[tuple[tuple[str, OrgNames, str, Dates], ...]] = (
    ("菏泽巨野县供电公司麒麟供电所投诉个数", QILIN, "投诉", ()),
    ("菏泽市意见百万户量总数", HEZE_PATH, "意见百万户量", ()),
    ("巨野县供电公司投诉总数", JUYE, "投诉", ()),
    ("菏泽巨野县供电公司意见百万户量总数", JUYE, "意见百万户量", ()),
    ("菏泽麒麟供电所意见个数", QILIN, "意见", ()),
    ("麒麟供电所投诉百万户量个数", QILIN, "投诉百万户量", ()),
    ("本月菏泽市巨野县供电公司麒麟供电所投诉个数", QILIN, "投诉", _range("2024-05-01", "2024-05-31")),
    ("4月菏泽市意见百万户量总数", HEZE_PATH, "意见百万户量", _range("2024-04-01", "2024-04-30")),
    ("三季度巨野县供电公司意见数量", JUYE, "意见", _range("2023-07-01", "2023-09-30")),
    ("12月菏泽市巨野县供电公司意见总数", JUYE, "意见", _range("2023-12-01", "2023-12-31")),
    ("2020年04月28号菏泽麒麟意见个数", QILIN, "意见", _range("2020-04-28", "2020-04-28")),
    ("9月麒麟供电所意见百万户量总数", QILIN, "意见百万户量", _range("2023-09-01", "2023-09-30")),
)
"""The twelve questions of the task's own test."""

SEED_VARIANTS: Final[tuple[tuple[str, OrgNames], ...]] = (
    ("山东省菏泽巨野县供电公司麒麟供电所投诉数量", QILIN),
    ("菏泽巨野县供电公司麒麟供电所投诉数量", QILIN),
    ("菏泽巨野投诉数量", JUYE),
    ("菏泽麒麟投诉数量", QILIN),
    ("巨野县供电公司麒麟供电所投诉数量", QILIN),
    ("巨野麒麟投诉数量", QILIN),
    ("巨野投诉数量", JUYE),
    ("麒麟供电所投诉数量", QILIN),
    ("麒麟投诉数量", QILIN),
)
"""The nine ways the task gives of asking one question."""


def seed_questions(table: Table, _rng: random.Random) -> Iterator[Question]:
    """The task's own questions and variants, on a table that has their organisations."""
    if QILIN in table.nodes:
        for query, target, indicator, dates in SEED_QUESTIONS:
            yield Question("seed", query, RESOLVED, (target,), want_indicators=(indicator,), want_dates=dates)
        for query, target in SEED_VARIANTS:
            yield Question("seed", query, RESOLVED, (target,), want_indicators=("投诉",), want_dates=())


def contract_examples(table: Table, _rng: random.Random) -> Iterator[Question]:
    """The contract's own examples, on the table that each is about."""

    def company(city: str, name: str) -> OrgNames:
        return (SHANDONG, city, name, None)

    if QILIN in table.nodes:
        cao, lixia = company(HEZE, "曹县供电公司"), company("济南", "历下供电中心")
        shizhong, jinan = company("济南", "市中供电中心"), company("济南", "历下供电中心")[:2]
        examples = [
            Question("contract", "菏泽，巨野县供电公司，麒麟供电所投诉数量", RESOLVED, (QILIN,)),
            Question("contract", "麒麟供电所（菏泽巨野）投诉数量", RESOLVED, (QILIN,)),
            Question("contract", "麒麟所投诉", RESOLVED, (QILIN,)),
            Question("contract", "麒麟所有投诉", RESOLVED, (QILIN,)),
            Question("contract", "麒麟所有多少投诉", RESOLVED, (QILIN,)),
            Question("contract", "菏泽巨野和曹县投诉数量", RESOLVED, (JUYE, cao)),
            Question("contract", "济南市中和历下投诉数量", RESOLVED, (shizhong, lixia)),
            Question("contract", "曹县供电公司麒麟供电所投诉数量", CONFLICT, want_first_repair=QILIN),
            Question("contract", "济宁巨野投诉数量", CONFLICT, want_first_repair=JUYE),
            Question("contract", "济南市南部投诉数量", RESOLVED, ((jinan[0], jinan[1], None, None),)),
            Question("contract", "火星供电所投诉数量", UNRESOLVED),
            Question("contract", "河北省投诉数量", UNRESOLVED),
            Question("contract", "城关供电所投诉数量", AMBIGUOUS),
            Question("contract", "菏泽除曹县外投诉数量", RESOLVED, (HEZE_PATH,), want_excluded=(cao,)),
            Question("contract", "全省投诉数量", RESOLVED, ((SHANDONG, None, None, None),)),
            Question("contract", "利津投诉数量", RESOLVED, (company("东营", "利津县供电公司"),)),
            Question(
                "contract",
                "最近7天平阴投诉数量",
                RESOLVED,
                (company("济南", "平阴县供电公司"),),
                want_dates=_range("2024-05-07", "2024-05-13"),
            ),
            Question("contract", "天桥区投诉数量", RESOLVED, (company("济南", "天桥供电中心"),)),
            Question("contract", "枣庄市中区供电公司投诉数量", RESOLVED, (company("枣庄", "市中区供电公司"),)),
        ]
        yield from examples
    anyang: OrgNames = ("河南省", "安阳", "安阳县供电公司", None)
    if anyang in table.nodes:
        hua: OrgNames = ("河南省", "安阳", "滑县供电公司", None)
        yield Question("contract", "安阳安阳投诉数量", RESOLVED, (anyang,))
        yield Question("contract", "安阳供电公司投诉数量", RESOLVED, (("河南省", "安阳", None, None),))
        yield Question("contract", "新乡滑县供电公司投诉数量", CONFLICT, want_first_repair=hua, contains=(hua,))


def makers(foreign: Sequence[str] = (), aliases: Sequence[DeclaredAlias] = ()) -> dict[str, Maker]:
    """Every kind with what makes it.

    Args:
        foreign: names for the questions about unknown names.
        aliases: what was declared for the table; without, there is no kind "declared alias".
    """
    return ({"declared alias": declared_alias(aliases)} if aliases else {}) | {
        "seed": seed_questions,
        "contract": contract_examples,
        "full path": full_path,
        "partial path": partial,
        "every form": every_form,
        "reordered": reordered,
        "bracketed": bracketed,
        "dates": dated,
        "relative": relative,
        "scope": scoped,
        "several targets": several,
        "exclusion": exclusion,
        "breakdown": breakdown,
        "conflict": conflict,
        "ambiguous": ambiguous,
        "homophone": misspelt("homophone", ("homophone",)),
        "near homophone": misspelt("near homophone", ("near",)),
        "other typo": misspelt("other typo", ("swap", "wrong", "missing", "extra")),
        "unknown name": unknown(foreign),
        "traps": traps,
        "everyday": everyday,
    }


def foreign_names(tables: Collection[Table]) -> list[str]:
    """Names of cities, companies and substations of other tables, for questions about unknown names."""
    found: dict[str, None] = {}
    for table in tables:
        for path in table.nodes:
            match level_of(path):
                case 0 if str(path[0]).endswith("省"):
                    found[str(path[0])] = None
                case 1:
                    found[str(path[1]) + "市"] = None
                case 2 | 3:
                    found[str(path[level_of(path)])] = None
    return list(found)


def questions(
    table: Table,
    per_kind: int,
    seed: int,
    foreign: Sequence[str] = (),
    kinds: Collection[str] | None = None,
    aliases: Sequence[DeclaredAlias] = (),
) -> list[Question]:
    """Up to `per_kind` different questions of each kind; seed, contract and everyday questions are all given.

    A query appears once, in the kind that made it first.
    """
    seen: set[tuple[str, str | None]] = set()
    made: list[Question] = []
    for kind, maker in makers(foreign, aliases).items():
        if kinds is not None and kind not in kinds:
            continue
        limit = 10_000 if kind in ("seed", "contract", "everyday") else per_kind
        own = 0
        for question in maker(table, random.Random(f"{seed}:{kind}")):
            if (question.query, question.scope) not in seen:
                seen.add((question.query, question.scope))
                made.append(question)
                own += 1
            if own >= limit:
                break
    return made
