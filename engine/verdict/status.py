"""From the best readings to a resolution: what is certain, its status, and the question to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qilin.answer.values import Conflict, OrgPath, Resolution
from qilin.names.gazetteer import OrgName, Token
from qilin.readings.lattice import Group, Reading
from qilin.verdict import sentences as questions
from qilin.verdict.conflicts import conflict
from qilin.verdict.dialogue import fill_default_date, fill_from_context, nearest_readings, prefer, targets_from_context
from qilin.verdict.draft import Asked, Draft, finish, written_as
from qilin.verdict.entities import gather
from qilin.verdict.exclusions import excluded_outside, is_inside, unread_exclusion
from qilin.verdict.leftovers import note_unknown, without

if TYPE_CHECKING:
    from qilin.names.compiled import Tables
    from qilin.resolver import Considered


def conclude(tables: Tables, asked: Asked, considered: Considered) -> Resolution:
    """Decide what is certain, and say what is not. The hierarchy has the last word."""
    readings = considered.readings
    reading = readings[0]
    if (
        len(readings) == 1
        and considered.complete
        and asked.context is None
        and _is_plain(reading)
        and unread_exclusion(considered.text, reading) is None
        and not tables.nil.may_hide(considered.text, reading)
    ):
        draft = Draft()
        gather(tables, asked, reading, draft)
        if not draft.unknown and not draft.relatives and (reading.groups or draft.indicators or draft.group_by):
            if asked.default_date is not None and not draft.dates:
                fill_default_date(asked, draft)
            return finish(asked, draft, "resolved", targets=_plain_targets(tables, reading))
    for each in readings:
        for group in each.groups:
            if len(group.options) > 1:
                prefer(tables, asked, group)
    if len(readings) > 1:
        readings = nearest_readings(tables, asked, readings)
        reading = readings[0]
    swallowed: frozenset[Token] = frozenset()
    draft = Draft()
    if reading.segmentation.content or tables.nil.may_hide(considered.text, reading):
        swallowed = note_unknown(tables, asked, considered, reading, draft)
    if swallowed:
        reading = without(reading, swallowed)
        readings = [reading]
    if reading.clashes:
        return conflict(tables, asked, reading, draft)
    outside = excluded_outside(tables, reading)
    if outside is not None:
        gather(tables, asked, reading, draft)
        return finish(
            asked, draft, "conflict", conflicts=(outside,), candidates=outside.repairs, question=outside.message
        )
    unread = unread_exclusion(considered.text, reading)
    if unread is not None:
        gather(tables, asked, reading, draft)
        return finish(asked, draft, "unresolved", question=questions.exclusion(written_as(asked, *unread)))
    doubtful = _doubtful(readings)
    if not considered.complete:
        gather(tables, asked, reading, draft)
        return finish(asked, draft, "ambiguous", question=questions.TOO_MANY)
    gather(tables, asked, reading, draft, doubtful)
    _resolve_relatives(reading, draft, tables)
    targets = _targets(tables, readings, False, doubtful)
    excluded = _targets(tables, readings, True, doubtful)
    if doubtful:
        if asked.context is not None:
            fill_from_context(asked.context, draft)
        return _ambiguous(tables, asked, readings, draft, doubtful, targets, excluded)
    barred = next((u for u in draft.unknown if u.kind != "other"), None)
    if barred is not None:
        return finish(asked, draft, "unresolved", excluded=excluded, question=questions.no_such(barred))
    if draft.relatives:
        phrase = draft.relatives[0]
        assert phrase.level is not None
        text = written_as(asked, phrase.start, phrase.end)
        return finish(asked, draft, "unresolved", excluded=excluded, question=questions.relative(text, phrase.level))
    recognised = bool(reading.groups or draft.indicators or draft.group_by)
    if asked.context is not None and (recognised or draft.dates):
        fill_from_context(asked.context, draft)
        if not targets and all(g.excluded for g in reading.groups):
            targets, inherited = targets_from_context(tables, asked.context, draft)
            if excluded and any(not is_inside(e, targets) for e in excluded):
                message = questions.outside(excluded[0].name, targets)
                outside = Conflict(kind="exclusion", message=message, repairs=targets)
                return finish(asked, draft, "conflict", conflicts=(outside,), candidates=targets, question=message)
            excluded = excluded or inherited
        recognised = bool(recognised or targets or draft.indicators)
    if not recognised:
        return finish(asked, draft, "unresolved", excluded=excluded, question=questions.NOTHING)
    if asked.default_date is not None and not draft.dates:
        fill_default_date(asked, draft)
    return finish(asked, draft, "resolved", targets=targets, excluded=excluded)


def _plain_targets(tables: Tables, reading: Reading) -> tuple[OrgPath, ...]:
    """`_targets` of a plain reading."""
    groups = reading.groups
    if len(groups) == 1:
        return (tables.org_path(groups[0].options[0]),)
    return tuple([tables.org_path(i) for i in dict.fromkeys([group.options[0] for group in groups])])


def _is_plain(reading: Reading) -> bool:
    """Whether nothing is open: all explained, one organisation a group, nothing excluded."""
    if reading.segmentation.content or reading.clashes:
        return False
    for group in reading.groups:
        if len(group.options) != 1 or group.excluded:
            return False
        for mention in group.mentions:
            if mention[3].guesses:
                return False
    return True


def _doubtful(readings: Sequence[Reading]) -> list[Group]:
    """Groups that could be several organisations, or whose reading is one of several."""
    groups = [g for g in readings[0].groups if is_doubtful(g)]
    if len(readings) > 1:
        answers = [{(g.excluded, g.options) for g in r.groups} for r in readings]
        shared = set.intersection(*answers)
        groups += [g for g in readings[0].groups if g not in groups and (g.excluded, g.options) not in shared]
        if not groups:
            groups = [g for r in readings for g in r.groups if (g.excluded, g.options) not in shared][:1]
    return groups


def is_doubtful(group: Group) -> bool:
    """Whether a target could be several organisations, or is only guessed."""
    return len(group.options) > 1 or _is_guess(group)


def _is_guess(group: Group) -> bool:
    """Whether too little of a misspelt name was kept to take it for the name."""
    via = group.via
    assert via is not None
    return any(
        isinstance(mention.ref, OrgName) and node in mention.ref.guesses
        for mention, node in zip(group.mentions, via.nodes, strict=True)
    )


def _ambiguous(
    tables: Tables,
    asked: Asked,
    readings: Sequence[Reading],
    draft: Draft,
    doubtful: Sequence[Group],
    targets: tuple[OrgPath, ...],
    excluded: tuple[OrgPath, ...],
) -> Resolution:
    nodes = [o for g in doubtful for o in g.options]
    for other in readings[1:]:
        certain = {g.options for g in readings[0].groups if g not in doubtful}
        nodes += [o for g in other.groups if g.options not in certain for o in g.options]
    candidates = tuple(tables.org_path(i) for i in dict.fromkeys(nodes))
    first = doubtful[0]
    start, end = first.mentions[0].start, first.mentions[-1].end
    text = written_as(asked, start, end)
    ask = questions.is_it if any(map(_is_guess, doubtful)) else questions.which
    question = ask(text, candidates)
    return finish(
        asked, draft, "ambiguous", targets=targets, excluded=excluded, candidates=candidates, question=question
    )


def _targets(
    tables: Tables, readings: Sequence[Reading], excluded: bool, doubtful: Sequence[Group]
) -> tuple[OrgPath, ...]:
    """The organisations that are certain, in text order, each once."""
    doubts = set(doubtful)
    nodes = [g.options[0] for g in readings[0].groups if g.excluded == excluded and g not in doubts]
    return tuple(tables.org_path(i) for i in dict.fromkeys(nodes))


def _resolve_relatives(reading: Reading, draft: Draft, tables: Tables) -> None:
    """本市 needs no scope where the query itself says which: 本市巨野县."""
    levels = {tables.hierarchy.levels[o] for g in reading.groups if not g.excluded for o in g.options}
    draft.relatives = [
        p for p in draft.relatives if not (p.level is not None and levels and all(p.level < level for level in levels))
    ]
