"""The entities, indicators, dates and breakdown that a reading holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from qilin.answer.values import LEVEL_NAMES, DateRange, Entity, Source, Unknown, complete, trusted
from qilin.dates import DateMention
from qilin.names.compiled import Tables
from qilin.names.mention import EDITED, HOMOPHONE, MERGED_SOUND, SWAPPED, IndicatorMention, OrgMention, OrgName, Part
from qilin.names.rules import FULL
from qilin.operators.phrase import Phrase
from qilin.readings.asked import Asked
from qilin.readings.reading import Group, Reading
from qilin.verdict.draft import Draft

_TYPO_SCORE = {HOMOPHONE: 0.9, MERGED_SOUND: 0.85, SWAPPED: 0.8, EDITED: 0.7}
_FORM_SCORE = (1.0, 0.98, 0.95, 0.9, 0.9)  # full, shortened, bare, cut, tail


def gather(tables: Tables, asked: Asked, reading: Reading, draft: Draft, doubtful: Sequence[Group] = ()) -> None:
    """Entities, indicators, dates and breakdown of a reading, in text order."""
    groups = iter(reading.groups)
    numbers: dict[tuple[int, bool], int] = {}  # a target named twice keeps its number
    number = -1
    entities = draft.entities
    left = 0  # mentions of the group still to come
    for part in reading.segmentation.parts:
        if not isinstance(part, OrgMention):
            gather_other(asked, part, draft)
            continue
        if left == 0:
            group = next(groups)
            named = group.via.nodes
            size = left = len(group.mentions)
            doubt = group in doubtful
            following = len(numbers)
            number = following if doubt else numbers.setdefault((group.options[0], group.excluded), following)
            if doubt:
                numbers[-1 - following, False] = following
            if number == following:
                path = _shared_path(tables, group) if doubt else tables.hierarchy.paths[group.options[0]]
                for node in path:
                    if node not in named:
                        entities.append(tables.inferred(node, number, group.source))
        i = size - left
        left -= 1
        if doubt:
            options = set(group.options)
            nodes = sorted({s.nodes[i] for s in group.states if s.deepest in options}) or [named[i]]
            entities.append(mention_entity(tables, asked, part, nodes, number))
        else:
            entities.append(_entity(tables, asked, part, named[i], number))


def _shared_path(tables: Tables, group: Group) -> Sequence[int]:
    """The ancestors that all organisations have which a doubtful group could be."""
    paths = tables.hierarchy.paths
    path = paths[group.options[0]]
    size = min(len(paths[o]) - 1 for o in group.options)
    while size and any(paths[o][:size] != path[:size] for o in group.options):
        size -= 1
    return path[:size]


def mention_entity(tables: Tables, asked: Asked, mention: OrgMention, nodes: Sequence[int], number: int) -> Entity:
    """The entity of a mention that could be any of the nodes: as written where their names differ."""
    entity = _entity(tables, asked, mention, nodes[0], number)
    if len(nodes) > 1 and len({tables.hierarchy.names[i] for i in nodes}) > 1:
        return complete(Entity, {**entity.__dict__, "name": entity.text})
    return entity


def _entity(tables: Tables, asked: Asked, mention: OrgMention, node: int, number: int) -> Entity:
    start, end, name = mention
    if asked.folded.offsets is not None:
        start, end = asked.folded.span(start, end)
    template = name.templates.get(node)
    if template is None:
        template = name.templates[node] = _template(tables, name, node)
    values = template.copy()
    values["text"] = text = asked.query[start:end]
    values["start"] = start
    values["end"] = end
    values["group"] = number
    if text != values["name"] and values["source"] == "exact":
        values["source"] = "alias"
    return complete(Entity, values)


def _template(tables: Tables, name: OrgName, node: int) -> dict[str, object]:
    """The fields of a mention's entity that do not depend on where it stands."""
    candidate = name.candidate(node)
    canonical = tables.hierarchy.names[node]
    note = None
    source: str = "exact" if candidate.form == FULL and candidate.alias is None else "alias"
    score = _FORM_SCORE[candidate.form]
    if name.source:
        source, score = name.source, 0.9
    elif candidate.typo:
        source, score = "fuzzy", _TYPO_SCORE[candidate.typo]
    elif candidate.alias is not None and candidate.alias.valid_to is not None:
        note = f"“{candidate.alias.name}”是{candidate.alias.valid_to}年以前的名称，现为“{canonical}”"
    entity = trusted(
        Entity, type=LEVEL_NAMES[tables.hierarchy.levels[node]], name=canonical, source=source, score=score, note=note
    )
    return entity.__dict__


def gather_other(asked: Asked, part: Part, draft: Draft) -> None:
    """Put an indicator, a date or an operator into the draft."""
    if isinstance(part, Phrase):
        if part.kind == "breakdown" and part.level is not None:
            draft.group_by = draft.group_by or LEVEL_NAMES[part.level]
        elif part.kind == "relative":
            draft.relatives.append(part)
        return
    start, end = part[0], part[1]
    if asked.folded.offsets is not None:
        start, end = asked.folded.span(start, end)
    text = asked.query[start:end]
    if isinstance(part, IndicatorMention):
        if part.indicator not in draft.indicators:
            draft.indicators.append(part.indicator)
        draft.entities.append(_indicator(part.indicator, text, start))
        return
    assert isinstance(part, DateMention)
    if part.first is None or part.last is None:
        draft.unknown.append(unknown_stretch(asked, part[0], part[1], "date"))
        return
    draft.dates.append(complete(DateRange, {"text": text, "start": part.first, "end": part.last}))
    draft.entities.append(trusted(Entity, type="Date", name=text, text=text, start=start, end=end, source="pattern"))


@lru_cache(maxsize=4096)  # of few indicators, at few places
def _indicator(name: str, text: str, start: int) -> Entity:
    source: Source = "exact" if text == name else "alias"
    return trusted(Entity, type="Indicator", name=name, text=text, start=start, end=start + len(text), source=source)


def unknown_stretch(asked: Asked, start: int, end: int, kind: str, suggestions: tuple[str, ...] = ()) -> Unknown:
    """A stretch of the folded text that is not understood, as the query has it."""
    a, b = asked.folded.span(start, end)
    return trusted(Unknown, text=asked.query[a:b], start=a, end=b, kind=kind, suggestions=suggestions)
