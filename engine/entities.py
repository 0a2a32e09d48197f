"""The entities, indicators, dates and breakdown that a reading holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.dates import DateMention
from engine.draft import Asked, Draft
from engine.gazetteer import DATE, INDICATOR, ORGANISATION, PHRASE, Candidate, OrgName, State, Token
from engine.names import FULL
from engine.phrases import Phrase
from engine.readings import Group, Reading
from engine.types import LEVEL_NAMES, DateRange, Entity, Source, Unknown, complete, trusted
from engine.typos import TYPO_SCORE

if TYPE_CHECKING:
    from engine.tables import Tables

_FORM_SCORE = (1.0, 0.98, 0.95, 0.9, 0.9)  # full, shortened, bare, cut, tail


def gather(tables: Tables, asked: Asked, reading: Reading, draft: Draft, doubtful: Sequence[Group] = ()) -> None:
    """Entities, indicators, dates and breakdown of a reading, in text order."""
    groups = iter(reading.groups)
    numbers: dict[tuple[int, bool], int] = {}  # a target named twice keeps its number
    number = -1
    doubts = set(doubtful)
    entities = draft.entities
    left = 0  # mentions of the group still to come
    for token in reading.segmentation.tokens:
        if token[2] != ORGANISATION:
            gather_other(asked, token, draft)
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
        entities.append(mention_entity(tables, asked, token, nodes, number))


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


def mention_entity(tables: Tables, asked: Asked, token: Token, nodes: Sequence[int], number: int) -> Entity:
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


def gather_other(asked: Asked, token: Token, draft: Draft) -> None:
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
        draft.unknown.append(unknown_stretch(asked, token[0], token[1], "date"))
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


def unknown_stretch(asked: Asked, start: int, end: int, kind: str, suggestions: tuple[str, ...] = ()) -> Unknown:
    """A stretch of the folded text that is not understood, as the query has it."""
    a, b = asked.folded.span(start, end)
    return trusted(Unknown, text=asked.query[a:b], start=a, end=b, kind=kind, suggestions=suggestions)
