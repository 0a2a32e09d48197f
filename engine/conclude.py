"""From the best readings to a resolution: status, targets, entities, conflicts, the question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from engine import questions
from engine.consistency import order_repairs, shared_levels
from engine.dates import DateMention, find_dates
from engine.gazetteer import DATE, INDICATOR, ORGANISATION, PHRASE, Candidate, OrgName, State, Token
from engine.names import FULL
from engine.normalize import Folded
from engine.phrases import EXCLUSION_CLOSE, NEGATED_BEFORE, NEGATED_BEHIND, NEGATION_BEGINS, NEGATION_ENDS, Phrase
from engine.readings import Clash, Group, Reading
from engine.suggest import nearest_nodes, stem_of
from engine.types import (
    LEVEL_NAMES,
    Conflict,
    DateRange,
    Entity,
    LevelName,
    OrgPath,
    Resolution,
    Source,
    Unknown,
    complete,
    trusted,
)
from engine.typos import EDITED, TYPO_SCORE
from hierarchy import Level

if TYPE_CHECKING:
    from engine.resolver import Considered
    from engine.tables import Tables

_FORM_SCORE = (1.0, 0.98, 0.95, 0.9, 0.9)  # full, shortened, bare, cut, tail
_MAX_SUGGESTIONS = 3
_MOST_SUGGESTED = 4  # unknown names of one query that get suggestions
_MOST_COMPARED = 1000  # names below a parent that are compared one by one for a suggestion


class Asked(NamedTuple):
    """A query and all that came with the call."""

    query: str
    folded: Folded
    given_today: date | None
    clock: Callable[[], date]
    scope: int | None
    context: Resolution | None
    default_date: str | None

    def today(self) -> date:
        """The day that relative dates count from."""
        return self.given_today or self.clock()

    def whereabouts(self, tables: Tables) -> Iterator[tuple[int, Source]]:
        """Organisations that say where the caller is: the scope, then what was asked before."""
        if self.scope is not None:
            yield self.scope, "scope"
        if self.context is not None:
            for target in self.context.targets:
                node = tables.node_of(target)
                if node is not None:
                    yield node, "context"


class _Draft:
    """What is being gathered for one resolution."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self.indicators: list[str] = []
        self.dates: list[DateRange] = []
        self.unknown: list[Unknown] = []
        self.group_by: LevelName | None = None
        self.relatives: list[Phrase] = []


def conclude(tables: Tables, asked: Asked, considered: Considered) -> Resolution:
    """Decide what is certain, and say what is not. The hierarchy has the last word."""
    readings = considered.readings
    reading = readings[0]
    plain = len(readings) == 1 and considered.complete and _is_plain(reading)
    plain = plain and _unread_exclusion(considered.text, reading) is None
    if plain and asked.context is None and not tables.nil.may_hide(considered.text, reading):
        draft = _Draft()
        _gather(tables, asked, reading, draft)
        if not draft.unknown and not draft.relatives and (reading.groups or draft.indicators or draft.group_by):
            if asked.default_date is not None and not draft.dates:
                _fill_default_date(asked, draft)
            return _finish(asked, draft, "resolved", targets=_targets(tables, readings, False, ()))
    for each in readings:
        for group in each.groups:
            if len(group.options) > 1:
                _prefer(tables, asked, group)
    if len(readings) > 1:
        readings = _nearest_readings(tables, asked, readings)
        reading = readings[0]
    swallowed: frozenset[Token] = frozenset()
    draft = _Draft()
    if reading.segmentation.content or tables.nil.may_hide(considered.text, reading):
        swallowed = _note_unknown(tables, asked, considered, reading, draft)
    if swallowed:
        reading = _without(reading, swallowed)
        readings = [reading]
    if reading.clashes:
        return _conflict(tables, asked, reading, draft)
    outside = _excluded_outside(tables, reading)
    if outside is not None:
        _gather(tables, asked, reading, draft)
        return _finish(
            asked, draft, "conflict", conflicts=(outside,), candidates=outside.repairs, question=outside.message
        )
    unread = _unread_exclusion(considered.text, reading)
    if unread is not None:
        _gather(tables, asked, reading, draft)
        return _finish(asked, draft, "unresolved", question=questions.exclusion(_slice(asked, *unread)))
    doubtful = _doubtful(readings)
    if not considered.complete:
        _gather(tables, asked, reading, draft)
        return _finish(asked, draft, "ambiguous", question=questions.TOO_MANY)
    _gather(tables, asked, reading, draft, doubtful)
    _resolve_relatives(reading, draft, tables)
    targets = _targets(tables, readings, False, doubtful)
    excluded = _targets(tables, readings, True, doubtful)
    if doubtful:
        if asked.context is not None:
            _fill_from_context(asked.context, draft)
        return _ambiguous(tables, asked, readings, draft, doubtful, targets, excluded)
    barred = next((u for u in draft.unknown if u.kind != "other"), None)
    if barred is not None:
        return _finish(asked, draft, "unresolved", excluded=excluded, question=questions.no_such(barred))
    if draft.relatives:
        phrase = draft.relatives[0]
        assert phrase.level is not None
        text = _slice(asked, phrase.start, phrase.end)
        return _finish(asked, draft, "unresolved", excluded=excluded, question=questions.relative(text, phrase.level))
    recognised = bool(reading.groups or draft.indicators or draft.group_by)
    if asked.context is not None and (recognised or draft.dates):
        _fill_from_context(asked.context, draft)
        if not targets and all(g.excluded for g in reading.groups):
            targets, inherited = _targets_from_context(tables, asked.context, draft)
            if excluded and any(not _inside(e, targets) for e in excluded):
                message = questions.outside(excluded[0].name, targets)
                outside = Conflict(kind="exclusion", message=message, repairs=targets)
                return _finish(asked, draft, "conflict", conflicts=(outside,), candidates=targets, question=message)
            excluded = excluded or inherited
        recognised = bool(recognised or targets or draft.indicators)
    if not recognised:
        return _finish(asked, draft, "unresolved", excluded=excluded, question=questions.NOTHING)
    if asked.default_date is not None and not draft.dates:
        _fill_default_date(asked, draft)
    return _finish(asked, draft, "resolved", targets=targets, excluded=excluded)


def _is_plain(reading: Reading) -> bool:
    """Whether nothing is open: all explained, one organisation a group, nothing excluded."""
    if reading.segmentation.content or reading.clashes:
        return False
    for group in reading.groups:
        if len(group.options) != 1 or group.excluded:
            return False
        for mention in group.mentions:
            if mention[3].guesses:  # type: ignore[attr-defined]
                return False
    return True


# ── choosing among equals ────────────────────────────────────────────────────────────────────────


def _prefer(tables: Tables, asked: Asked, group: Group) -> None:
    """Let the caller's whereabouts choose among organisations that are otherwise equally good."""
    hierarchy = tables.hierarchy
    for node, source in asked.whereabouts(tables):
        path = hierarchy.paths[node]
        tops = [node] if source == "scope" else [top for top in reversed(path) if hierarchy.levels[top] >= Level.CITY]
        for top in tops:
            inside = tuple(o for o in group.options if top <= o <= hierarchy.last[top])
            if inside:
                group.options = inside
                group.source = source
                group.via = _via(group, inside[0])
                return
        near = sorted(group.options, key=lambda o: -shared_levels(hierarchy, node, o))
        group.options = tuple(near)  # sorted is stable: id order among the equally near


def _via(group: Group, node: int) -> State:
    return min(s for s in group.states if s.deepest == node)


def _nearest_readings(tables: Tables, asked: Asked, readings: list[Reading]) -> list[Reading]:
    """Readings with every organisation inside the caller's own, if there are any."""
    hierarchy = tables.hierarchy
    for top, _ in asked.whereabouts(tables):
        inside = [r for r in readings if all(top <= o <= hierarchy.last[top] for g in r.groups for o in g.options)]
        if inside:
            return inside
    return readings


# ── unexplained content ──────────────────────────────────────────────────────────────────────────


def _note_unknown(
    tables: Tables, asked: Asked, considered: Considered, reading: Reading, draft: _Draft
) -> frozenset[Token]:
    """Put what the reading leaves over into `draft.unknown`; return mentions that were part of it."""
    text = considered.text
    missing = tables.nil.find(text, reading)
    chosen = [t for t in reading.segmentation.tokens if t.kind == ORGANISATION]
    # 市南 in 济南市南部 lost its place to a longer mention.
    beaten = {u for u in considered.unused if any(t.start < u.end and u.start < t.end for t in chosen)}
    swallowed: set[Token] = set()
    covered: list[tuple[int, int]] = []
    for found in missing:
        swallowed.update(found.swallowed)
        covered.append((found.start, found.end))
        written = text[found.start : found.end]
        suggestions: tuple[str, ...] = ()
        if len(covered) <= _MOST_SUGGESTED:
            suggestions = _suggest(tables, reading, found.start, found.end, written, swallowed)
        draft.unknown.append(_unknown(asked, found.start, found.end, "organisation", suggestions))
    for start, end in reading.segmentation.runs:
        for a, b in covered:
            if a < end and start < b:
                start = max(start, b)
        if start < end:
            names = [
                token.ref
                for token in considered.unused
                if token.start < end and start < token.end and isinstance(token.ref, OrgName) and token not in beaten
            ]
            nodes = dict.fromkeys(node for name in names for node in name.best[:_MAX_SUGGESTIONS])
            suggestions = tuple(str(tables.org_path(node)) for node in nodes)[:_MAX_SUGGESTIONS]
            # An ordinary word is left aside; a name that may have been cut out of one is asked about.
            certain = all(name.weak for name in names)
            draft.unknown.append(_unknown(asked, start, end, "other" if certain else "organisation", suggestions))
    return frozenset(swallowed)


def _unknown(asked: Asked, start: int, end: int, kind: str, suggestions: tuple[str, ...] = ()) -> Unknown:
    a, b = asked.folded.span(start, end)
    return trusted(Unknown, text=asked.query[a:b], start=a, end=b, kind=kind, suggestions=suggestions)


def _suggest(
    tables: Tables, reading: Reading, start: int, end: int, written: str, swallowed: set[Token]
) -> tuple[str, ...]:
    """The nearest names for one that the table lacks; the known parent's own first."""
    hierarchy = tables.hierarchy
    parents: list[int] = []
    nodes: list[int] = []
    for group in reading.groups:
        for mention in group.mentions:
            name = mention.ref
            assert isinstance(name, OrgName)
            if mention in swallowed:
                nodes += name.best[:_MAX_SUGGESTIONS]
            elif mention.end == start and len(group.options) == 1:
                parents.append(group.options[0])
    level = Level.SUBSTATION if written.endswith(("所", "站")) else None
    for parent in parents:
        if hierarchy.last[parent] - parent <= _MOST_COMPARED:
            nodes += nearest_nodes(hierarchy, written, level, [parent])
    if len(nodes) < _MAX_SUGGESTIONS:
        alike = sorted(tables.typos.index.lookup(stem_of(written)))[:_MAX_SUGGESTIONS]
        nodes += [
            node
            for meant in alike
            for node, suffixes, _ in tables.gazetteer.stems[meant.stem]
            if level is None or suffixes.level == level
        ]
    nodes += [p for p in parents if p not in nodes]
    return tuple(dict.fromkeys(str(tables.org_path(i)) for i in nodes))[:_MAX_SUGGESTIONS]


def _without(reading: Reading, swallowed: frozenset[Token]) -> Reading:
    """The reading without mentions that turned out to be part of an unknown name.

    What is left of such a target is only the known parent: its first other mention.
    """
    groups = []
    gone = set(swallowed)
    for group in reading.groups:
        left = [m for m in group.mentions if m not in swallowed]
        if len(left) == len(group.mentions):
            groups.append(group)
        elif left:
            gone.update(left[1:])
            name = left[0].ref
            assert isinstance(name, OrgName)
            parent = Group(left[0], [s for s in name.states if s.deepest in name.best], group.excluded)
            parent.options = name.best
            parent.via = parent.states[0]
            groups.append(parent)
    kept = tuple(t for t in reading.segmentation.tokens if t not in gone)
    clashes = [c for c in reading.clashes if gone.isdisjoint(c)]
    return Reading(reading.segmentation._replace(tokens=kept), groups, clashes)


# ── conflict ─────────────────────────────────────────────────────────────────────────────────────


def _conflict(tables: Tables, asked: Asked, reading: Reading, draft: _Draft) -> Resolution:
    hierarchy = tables.hierarchy
    number = 0
    for token in reading.segmentation.tokens:
        if token.kind == ORGANISATION:
            draft.entities.append(_mention_entity(tables, asked, token, _nodes(token), number))
            number += 1
        else:
            _gather_other(asked, token, draft)
    conflicts: list[Conflict] = []
    for clash in reading.clashes:
        uppers, lowers = _nodes(clash.upper), _nodes(clash.lower)
        repairs = order_repairs(hierarchy, uppers, lowers, _neighbours(tables, clash, uppers, lowers))
        paths = tuple(map(tables.org_path, repairs))
        owners = [tables.org_path(i) for i in repairs if i in lowers]
        upper, lower = (_slice(asked, t.start, t.end) for t in clash)
        message = questions.clash(upper, [tables.org_path(i) for i in uppers], lower, owners)
        spans = {asked.folded.span(t.start, t.end) for t in clash}
        involved = tuple(e for e in draft.entities if (e.start, e.end) in spans)
        conflicts.append(Conflict(kind="path", message=message, entities=involved, repairs=paths))
    candidates = tuple(dict.fromkeys(path for c in conflicts for path in c.repairs))
    question = conflicts[0].message + questions.repair(conflicts[0].repairs)
    return _finish(asked, draft, "conflict", conflicts=tuple(conflicts), candidates=candidates, question=question)


def _nodes(token: Token) -> tuple[int, ...]:
    name = token.ref
    assert isinstance(name, OrgName)
    return name.best


def _neighbours(tables: Tables, clash: Clash, uppers: Sequence[int], lowers: Sequence[int]) -> list[int]:
    """Organisations one typo from a clashing mention that would fit beside the other one."""
    hierarchy = tables.hierarchy
    found: list[tuple[int, int]] = []
    for token, others, below in ((clash.lower, uppers, True), (clash.upper, lowers, False)):
        name = token.ref
        assert isinstance(name, OrgName)
        if not name.stem:
            continue
        for meant in tables.typos.index.lookup(name.stem):
            if meant.kept < 2 and meant.weight >= EDITED:
                continue
            for node, suffixes, _ in tables.gazetteer.stems.get(meant.stem, ()):
                if suffixes.level != name.level:
                    continue
                for other in others:
                    if below and other < node <= hierarchy.last[other]:
                        found.append((meant.weight, node))
                    elif not below and node < other <= hierarchy.last[node]:
                        found.append((meant.weight, other))
    return [node for _, node in sorted(set(found))]


def _excluded_outside(tables: Tables, reading: Reading) -> Conflict | None:
    """An exclusion that takes nothing out of what is asked about."""
    last = tables.hierarchy.last
    wanted = [g for g in reading.groups if not g.excluded]
    if not wanted:
        return None
    tops = [o for g in wanted for o in g.options]
    for group in reading.groups:
        if group.excluded and not any(top < o <= last[top] for o in group.options for top in tops):
            paths = [tables.org_path(i) for i in tops]
            name = tables.hierarchy.names[group.options[0]]
            return Conflict(kind="exclusion", message=questions.outside(name, paths), repairs=tuple(paths))
    return None


def _inside(path: OrgPath, targets: Sequence[OrgPath]) -> bool:
    """Whether an organisation lies below one of the targets; with no targets there is nothing to say."""
    return not targets or any(
        path != t
        and all(getattr(t, c) in (None, getattr(path, c)) for c in ("province", "city", "company", "substation"))
        for t in targets
    )


def _unread_exclusion(text: str, reading: Reading) -> tuple[int, int] | None:
    """A stretch that takes something out in a way that is not fully understood; None: there is none."""
    for group in reading.groups:
        for mention in () if group.excluded else group.mentions:
            start, end = mention.start, mention.end
            if text[end : end + 1] in NEGATION_BEGINS and NEGATED_BEHIND.match(text, end):
                return start, end
            if text[start - 1 : start] in NEGATION_ENDS and NEGATED_BEFORE.search(text, max(start - 4, 0), start):
                return start, end
    opened: Token | None = None
    for token in reading.segmentation.tokens:
        if opened is not None and token[2] == INDICATOR:
            return opened.start, token.end  # 除投诉外: which of the indicators is asked about?
        opened = None
        if token[2] == PHRASE and isinstance(token.ref, Phrase) and token.ref.kind == "exclusion":
            opened = token
            close = EXCLUSION_CLOSE.search(text, token.end)
            if close is not None and any(token.end <= a < close.start() for a, _ in reading.segmentation.runs):
                return token.start, close.end()  # 除孔所外
            if close is not None and not any(g.excluded for g in reading.groups):
                return token.start, close.end()
    if all(group.excluded for group in reading.groups):
        for group in reading.groups:  # none, or only what is taken out
            if group.via is not None and group.via.upward:
                return group.mentions[0].start, group.mentions[-1].end  # 扣除曹县菏泽: which is taken out of which?
    return None


# ── ambiguity ────────────────────────────────────────────────────────────────────────────────────


def _doubtful(readings: Sequence[Reading]) -> list[Group]:
    """Groups that could be several organisations, or whose reading is one of several."""
    groups = [g for g in readings[0].groups if len(g.options) > 1 or _is_guess(g)]
    if len(readings) > 1:
        answers = [{(g.excluded, g.options) for g in r.groups} for r in readings]
        shared = set.intersection(*answers)
        groups += [g for g in readings[0].groups if g not in groups and (g.excluded, g.options) not in shared]
        if not groups:
            groups = [g for r in readings for g in r.groups if (g.excluded, g.options) not in shared][:1]
    return groups


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
    draft: _Draft,
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
    text = _slice(asked, start, end)
    ask = questions.is_it if any(map(_is_guess, doubtful)) else questions.which
    question = ask(text, candidates)
    return _finish(
        asked, draft, "ambiguous", targets=targets, excluded=excluded, candidates=candidates, question=question
    )


def _targets(
    tables: Tables, readings: Sequence[Reading], excluded: bool, doubtful: Sequence[Group]
) -> tuple[OrgPath, ...]:
    """The organisations that are certain, in text order, each once."""
    doubts = set(doubtful)
    nodes = [g.options[0] for g in readings[0].groups if g.excluded == excluded and g not in doubts]
    return tuple(tables.org_path(i) for i in dict.fromkeys(nodes))


# ── entities ─────────────────────────────────────────────────────────────────────────────────────


def _slice(asked: Asked, start: int, end: int) -> str:
    a, b = asked.folded.span(start, end)
    return asked.query[a:b]


def _gather(tables: Tables, asked: Asked, reading: Reading, draft: _Draft, doubtful: Sequence[Group] = ()) -> None:
    """Entities, indicators, dates and breakdown of a reading, in text order."""
    groups = iter(reading.groups)
    numbers: dict[tuple[int, bool], int] = {}  # a target named twice keeps its number
    number = -1
    doubts = set(doubtful)
    entities = draft.entities
    left = 0  # mentions of the group still to come
    for token in reading.segmentation.tokens:
        if token[2] != ORGANISATION:
            _gather_other(asked, token, draft)
            continue
        if left == 0:
            group = next(groups)
            assert group.via is not None
            via = group.via
            left = len(group.mentions)
            doubt = group in doubts
            following = len(numbers)
            number = following if doubt else numbers.setdefault((group.options[0], group.excluded), following)
            if doubt:
                numbers[-1 - following, False] = following
            if number == following:
                entities += _inferred(tables, group, via, number, doubt)
        i = len(group.mentions) - left
        left -= 1
        nodes: Sequence[int] = (via.nodes[i],)
        if doubt:
            nodes = sorted({s.nodes[i] for s in group.states if s.deepest in group.options}) or nodes
        entities.append(_mention_entity(tables, asked, token, nodes, number))


def _inferred(tables: Tables, group: Group, via: State, number: int, doubt: bool) -> list[Entity]:
    """The ancestors that the query leaves out; for a doubtful group those that all options share."""
    paths = tables.hierarchy.paths
    path = paths[group.options[0]]
    if doubt:
        size = min(len(paths[o]) - 1 for o in group.options)
        while size and any(paths[o][:size] != path[:size] for o in group.options):
            size -= 1
        path = path[:size]
    named = via.nodes
    return [tables.inferred(node, number, group.source) for node in path if node not in named]


def _mention_entity(tables: Tables, asked: Asked, token: Token, nodes: Sequence[int], number: int) -> Entity:
    name = token[3]
    assert isinstance(name, OrgName)
    start, end = token[0], token[1]
    if asked.folded.offsets is not None:
        start, end = asked.folded.span(start, end)
    text = asked.query[start:end]
    node = nodes[0]
    template = name.templates.get(node)
    if template is None:
        template = name.templates[node] = _template(tables, name, node)
    values = template.copy()
    values["text"] = text
    values["start"] = start
    values["end"] = end
    values["group"] = number
    if values["source"] == "exact" and text != values["name"]:
        values["source"] = "alias"
    if len(nodes) > 1 and len({tables.hierarchy.names[i] for i in nodes}) > 1:
        values["name"] = text
    return complete(Entity, values)


def _template(tables: Tables, name: OrgName, node: int) -> dict[str, object]:
    """What an entity says of a mention, wherever it stands."""
    candidate = _candidate(name, node)
    canonical = tables.hierarchy.names[node]
    note = None
    source: str = "exact" if candidate.form == FULL and candidate.alias is None else "alias"
    score = _FORM_SCORE[candidate.form]
    if name.source:
        source, score = name.source, 0.9
    elif candidate.typo:
        source, score = "fuzzy", TYPO_SCORE[candidate.typo]
    elif candidate.alias is not None and candidate.alias.valid_to is not None:
        note = f"“{candidate.alias.name}”是{candidate.alias.valid_to}年以前的名称，现为“{canonical}”"
    return {
        "type": LEVEL_NAMES[tables.hierarchy.levels[node]],
        "name": canonical,
        "text": None,
        "start": None,
        "end": None,
        "source": source,
        "score": score,
        "group": None,
        "note": note,
    }


def _candidate(name: OrgName, node: int) -> Candidate:
    for candidate in name.candidates:
        if candidate.node == node:
            return candidate
    raise AssertionError("a state holds only candidates of its mentions")


def _gather_other(asked: Asked, token: Token, draft: _Draft) -> None:
    """An indicator, a date or a steering phrase."""
    ref = token[3]
    if token[2] == PHRASE:
        assert isinstance(ref, Phrase)
        if ref.kind == "breakdown" and ref.level is not None:
            draft.group_by = draft.group_by or LEVEL_NAMES[ref.level]
        elif ref.kind == "relative":
            draft.relatives.append(ref)
        return
    start, end = token[0], token[1]
    if asked.folded.offsets is not None:
        start, end = asked.folded.span(start, end)
    text = asked.query[start:end]
    if token[2] == INDICATOR:
        assert isinstance(ref, str)
        if ref not in draft.indicators:
            draft.indicators.append(ref)
        draft.entities.append(_plain_entity("Indicator", ref, text, start, end, "exact" if text == ref else "alias"))
        return
    assert token[2] == DATE and isinstance(ref, DateMention)
    if ref.first is None or ref.last is None:
        draft.unknown.append(_unknown(asked, token[0], token[1], "date"))
        return
    draft.dates.append(trusted(DateRange, text=text, start=ref.first, end=ref.last))
    draft.entities.append(_plain_entity("Date", text, text, start, end, "pattern"))


def _plain_entity(kind: str, name: str, text: str, start: int, end: int, source: Source) -> Entity:
    return complete(
        Entity,
        {
            "type": kind,
            "name": name,
            "text": text,
            "start": start,
            "end": end,
            "source": source,
            "score": 1.0,
            "group": None,
            "note": None,
        },
    )


def _resolve_relatives(reading: Reading, draft: _Draft, tables: Tables) -> None:
    """本市 needs no scope where the query itself says which: 本市巨野县."""
    levels = {tables.hierarchy.levels[o] for g in reading.groups if not g.excluded for o in g.options}
    draft.relatives = [
        p for p in draft.relatives if not (p.level is not None and levels and all(p.level < level for level in levels))
    ]


# ── filling in ───────────────────────────────────────────────────────────────────────────────────


def _fill_from_context(context: Resolution, draft: _Draft) -> None:
    """Indicators and dates that the query leaves open and the resolution before it said."""
    if not draft.indicators:
        draft.indicators = list(context.indicators)
        draft.entities += [
            trusted(Entity, type="Indicator", name=name, source="context", score=0.9) for name in context.indicators
        ]
    if not draft.dates:
        draft.dates = list(context.dates)
        draft.entities += [
            trusted(Entity, type="Date", name=d.text, source="context", score=0.9) for d in context.dates
        ]


def _targets_from_context(
    tables: Tables, context: Resolution, draft: _Draft
) -> tuple[tuple[OrgPath, ...], tuple[OrgPath, ...]]:
    """What the resolution before this one asked about and took out, as far as this table has it."""
    found: list[tuple[OrgPath, ...]] = []
    inferred: list[Entity] = []
    group = 1 + max((e.group for e in draft.entities if e.group is not None), default=-1)
    for paths in (context.targets, context.excluded):
        nodes = [node for node in map(tables.node_of, paths) if node is not None]
        for node in nodes:
            inferred += [tables.inferred(each, group, "context") for each in tables.hierarchy.paths[node]]
            group += 1
        found.append(tuple(map(tables.org_path, nodes)))
    draft.entities = inferred + draft.entities
    return found[0], found[1]


def _fill_default_date(asked: Asked, draft: _Draft) -> None:
    text = asked.default_date or ""
    for mention in find_dates(text, asked.today()):
        if mention.first is not None and mention.last is not None:
            draft.dates.append(trusted(DateRange, text=text, start=mention.first, end=mention.last))
            draft.entities.append(trusted(Entity, type="Date", name=text, source="default", score=0.9))


def _apart(unknown: list[Unknown]) -> list[Unknown]:
    """In text order, without what lies in the one before: ¼ folds to two runs, but is one character."""
    kept: list[Unknown] = []
    for each in sorted(unknown, key=lambda u: (u.start, -u.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _finish(
    asked: Asked,
    draft: _Draft,
    status: str,
    *,
    targets: tuple[OrgPath, ...] = (),
    excluded: tuple[OrgPath, ...] = (),
    candidates: tuple[OrgPath, ...] = (),
    conflicts: tuple[Conflict, ...] = (),
    question: str | None = None,
) -> Resolution:
    if len(draft.unknown) > 1:
        draft.unknown = _apart(draft.unknown)
    province = city = company = substation = None
    if targets:
        first = targets[0]
        province, city, company, substation = first.province, first.city, first.company, first.substation
        for other in targets[1:]:
            province = province if province == other.province else None
            city = city if city == other.city else None
            company = company if company == other.company else None
            substation = substation if substation == other.substation else None
    return complete(
        Resolution,
        {
            "query": asked.query,
            "status": status,
            "targets": targets,
            "excluded": excluded,
            "group_by": draft.group_by,
            "province": province,
            "city": city,
            "company": company,
            "substation": substation,
            "entities": tuple(draft.entities),
            "indicators": tuple(draft.indicators),
            "dates": tuple(draft.dates),
            "candidates": candidates,
            "conflicts": conflicts,
            "unknown": tuple(draft.unknown),
            "question": question,
            "degraded": None,
        },
    )
