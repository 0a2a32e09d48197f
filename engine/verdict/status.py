"""The verdict on the best readings: what is certain, its status, and the question to put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qilin.answer.resolution import Resolution
from qilin.answer.values import Conflict, OrgPath
from qilin.names.compiled import Tables
from qilin.readings.asked import Asked
from qilin.readings.reading import Group, Reading
from qilin.readings.search import Considered
from qilin.readings.unknowns import may_hide
from qilin.verdict import sentences
from qilin.verdict.conflicts import conflict
from qilin.verdict.dialogue import fill_default_date, fill_from_context, targets_from_context
from qilin.verdict.draft import Draft, finish
from qilin.verdict.entities import gather
from qilin.verdict.exclusions import excluded_outside, is_inside, unread_exclusion
from qilin.verdict.leftovers import note_unknown, without_swallowed


def conclude(tables: Tables, asked: Asked, considered: Considered) -> Resolution:
    """Decide what is certain, and say what is not. The hierarchy has the last word."""
    plain = _plain(tables, asked, considered)
    if plain is not None:
        return plain
    case = _Case(tables, asked, considered)
    for check in _CHECKS:
        resolution = check(case)
        if resolution is not None:
            return resolution
    raise AssertionError("the last check always answers")


def _plain(tables: Tables, asked: Asked, considered: Considered) -> Resolution | None:
    """The short way of a query in which nothing is open: the same answer as that of the checks."""
    reading = considered.readings[0]
    if (
        len(considered.readings) > 1
        or not considered.complete
        or asked.context is not None
        or not _is_plain(reading)
        or unread_exclusion(considered.text, reading) is not None
        or may_hide(tables, considered.text, reading)
    ):
        return None
    draft = Draft()
    gather(tables, asked, reading, draft)
    if draft.unknown or draft.relatives or not (reading.groups or draft.indicators or draft.group_by):
        return None
    if asked.default_date is not None and not draft.dates:
        fill_default_date(asked, draft)
    groups = reading.groups
    if len(groups) == 1:
        targets: tuple[OrgPath, ...] = (tables.org_path(groups[0].options[0]),)
    else:
        targets = tuple([tables.org_path(i) for i in dict.fromkeys([group.options[0] for group in groups])])
    return finish(asked, draft, "resolved", targets=targets)


def _is_plain(reading: Reading) -> bool:
    """Whether nothing is open: all explained, one organisation a group, nothing excluded."""
    if reading.segmentation.leftover or reading.clashes:
        return False
    for group in reading.groups:
        if len(group.options) != 1 or group.excluded:
            return False
        for mention in group.mentions:
            if mention.name.guesses:
                return False
    return True


class _Case:
    """A query under judgement, with the findings that its checks share."""

    def __init__(self, tables: Tables, asked: Asked, considered: Considered) -> None:
        self.tables = tables
        self.asked = asked
        self.text = considered.text
        self.complete = considered.complete
        self.draft = Draft()
        self.readings: Sequence[Reading] = considered.readings
        reading = self.readings[0]
        if reading.segmentation.leftover or may_hide(tables, considered.text, reading):
            swallowed = note_unknown(tables, asked, considered, reading, self.draft)
            if swallowed:
                self.readings = [without_swallowed(reading, swallowed)]
        self.reading = self.readings[0]
        self.doubtful: Sequence[Group] = ()
        self.targets: tuple[OrgPath, ...] = ()
        self.excluded: tuple[OrgPath, ...] = ()

    def gather(self) -> None:
        """Put everything that is recognised into the draft."""
        gather(self.tables, self.asked, self.reading, self.draft, self.doubtful)

    def certain(self, excluded: bool) -> tuple[OrgPath, ...]:
        """The organisations asked about, or taken out, that are not in doubt: in text order, each once."""
        nodes = [g.options[0] for g in self.reading.groups if g.excluded == excluded and g not in self.doubtful]
        return tuple(self.tables.org_path(i) for i in dict.fromkeys(nodes))

    def unresolved(self, question: str) -> Resolution:
        return finish(self.asked, self.draft, "unresolved", excluded=self.excluded, question=question)

    def outside(self, found: Conflict) -> Resolution:
        """The resolution of an exclusion that lies outside what is asked about."""
        return finish(
            self.asked, self.draft, "conflict", conflicts=(found,), candidates=found.repairs, question=found.message
        )


# ── the checks, in order of precedence ───────────────────────────────────────────────────────────


def _clashing(case: _Case) -> Resolution | None:
    return conflict(case.tables, case.asked, case.reading, case.draft) if case.reading.clashes else None


def _excluding_outside(case: _Case) -> Resolution | None:
    found = excluded_outside(case.tables, case.reading)
    if found is None:
        return None
    case.gather()
    return case.outside(found)


def _excluding_unread(case: _Case) -> Resolution | None:
    unread = unread_exclusion(case.text, case.reading)
    if unread is None:
        return None
    case.gather()
    return case.unresolved(sentences.exclusion(case.asked.written(*unread)))


def _too_many(case: _Case) -> Resolution | None:
    if case.complete:
        return None
    case.gather()
    return finish(case.asked, case.draft, "ambiguous", question=sentences.TOO_MANY)


def _note_certain(case: _Case) -> None:
    """No verdict: put everything recognised into the draft, and note what is certain."""
    case.doubtful = _doubtful(case.readings)
    case.gather()
    levels = {case.tables.hierarchy.levels[o] for g in case.reading.groups if not g.excluded for o in g.options}
    if levels:  # 本市 needs no scope where the query itself says which: 本市巨野县
        highest = min(levels)
        case.draft.relatives = [p for p in case.draft.relatives if p.level is None or p.level >= highest]
    case.targets = case.certain(excluded=False)
    case.excluded = case.certain(excluded=True)


def _ambiguous(case: _Case) -> Resolution | None:
    if not case.doubtful:
        return None
    if case.asked.context is not None:
        fill_from_context(case.asked.context, case.draft)
    nodes = [o for g in case.doubtful for o in g.options]
    for other in case.readings[1:]:
        certain = {g.options for g in case.reading.groups if g not in case.doubtful}
        nodes += [o for g in other.groups if g.options not in certain for o in g.options]
    candidates = tuple(case.tables.org_path(i) for i in dict.fromkeys(nodes))
    mentions = case.doubtful[0].mentions
    text = case.asked.written(mentions[0].start, mentions[-1].end)
    ask = sentences.is_it if any(map(_is_guess, case.doubtful)) else sentences.which
    return finish(
        case.asked,
        case.draft,
        "ambiguous",
        targets=case.targets,
        excluded=case.excluded,
        candidates=candidates,
        question=ask(text, candidates),
    )


def _lacking(case: _Case) -> Resolution | None:
    barred = next((u for u in case.draft.unknown if u.kind != "other"), None)
    return None if barred is None else case.unresolved(sentences.no_such(barred))


def _whose(case: _Case) -> Resolution | None:
    if not case.draft.relatives:
        return None
    phrase = case.draft.relatives[0]
    assert phrase.level is not None
    return case.unresolved(sentences.relative(case.asked.written(phrase.start, phrase.end), phrase.level))


def _continuing(case: _Case) -> Resolution | None:
    """Fill the gaps of a query from its context; exclusions must lie inside the inherited targets."""
    context, draft = case.asked.context, case.draft
    if context is None or not (_recognised(case) or draft.dates):
        return None
    fill_from_context(context, draft)
    if case.targets or not all(g.excluded for g in case.reading.groups):
        return None
    case.targets, inherited = targets_from_context(case.tables, context, draft)
    if case.excluded and any(not is_inside(e, case.targets) for e in case.excluded):
        message = sentences.outside(case.excluded[0].name, case.targets)
        return case.outside(Conflict(kind="exclusion", message=message, repairs=case.targets))
    case.excluded = case.excluded or inherited
    return None


def _nothing(case: _Case) -> Resolution | None:
    return None if _recognised(case) else case.unresolved(sentences.NOTHING)


def _recognised(case: _Case) -> bool:
    return bool(case.reading.groups or case.draft.indicators or case.draft.group_by or case.targets)


def _resolved(case: _Case) -> Resolution:
    if case.asked.default_date is not None and not case.draft.dates:
        fill_default_date(case.asked, case.draft)
    return finish(case.asked, case.draft, "resolved", targets=case.targets, excluded=case.excluded)


_CHECKS: tuple[Callable[[_Case], Resolution | None], ...] = (
    _clashing,
    _excluding_outside,
    _excluding_unread,
    _too_many,
    _note_certain,
    _ambiguous,
    _lacking,
    _whose,
    _continuing,
    _nothing,
    _resolved,
)


# ── doubt ────────────────────────────────────────────────────────────────────────────────────────


def _doubtful(readings: Sequence[Reading]) -> list[Group]:
    """Groups that could be several organisations, or whose reading is one of several."""
    groups = [g for g in readings[0].groups if is_doubtful(g)]
    if len(readings) > 1:
        shared = set.intersection(*(set(r.answer) for r in readings))
        groups += [g for g in readings[0].groups if g not in groups and (g.excluded, g.options) not in shared]
        if not groups:
            groups = [g for r in readings for g in r.groups if (g.excluded, g.options) not in shared][:1]
    return groups


def is_doubtful(group: Group) -> bool:
    """Whether a target could be several organisations, or is only guessed."""
    return len(group.options) > 1 or _is_guess(group)


def _is_guess(group: Group) -> bool:
    """Whether too little of a misspelt name was kept to take it for the name."""
    return any(node in mention.name.guesses for mention, node in zip(group.mentions, group.via.nodes, strict=True))
