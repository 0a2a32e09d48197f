"""The rest of the text that a reading leaves unexplained, and the nearest names for it."""

from __future__ import annotations

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import SUBSTATION_ENDS
from qilin.names.compiled import Tables
from qilin.names.mention import OrgMention
from qilin.names.nearest import nearest_nodes, stem_of
from qilin.readings.asked import Asked
from qilin.readings.reading import Group, Reading
from qilin.readings.search import Considered
from qilin.readings.unknowns import find_missing
from qilin.verdict.draft import Draft
from qilin.verdict.entities import unknown_stretch

_MAX_SUGGESTIONS = 3
_MOST_SUGGESTED = 4  # unknown names of one query that get suggestions
_MOST_COMPARED = 1000  # names below a parent that are compared one by one for a suggestion


def note_unknown(
    tables: Tables, asked: Asked, considered: Considered, reading: Reading, draft: Draft
) -> frozenset[OrgMention]:
    """Put the leftover of the reading into `draft.unknown`; return mentions that are part of unknown names."""
    text = considered.text
    missing = find_missing(tables, text, reading)
    chosen = [p for p in reading.segmentation.parts if isinstance(p, OrgMention)]
    # 市南 in 济南市南部 lost its place to a longer mention.
    unused = [d.mention for d in considered.dropped if d.reason != "lonely"]
    unused = [u for u in unused if not any(m.start < u.end and u.start < m.end for m in chosen)]
    swallowed: set[OrgMention] = set()
    covered: list[tuple[int, int]] = []
    for found in missing:
        swallowed.update(found.swallowed)
        covered.append((found.start, found.end))
        written = text[found.start : found.end]
        suggestions: tuple[str, ...] = ()
        if len(covered) <= _MOST_SUGGESTED:
            suggestions = _suggest(tables, reading, found.start, found.end, written, swallowed)
        draft.unknown.append(unknown_stretch(asked, found.start, found.end, "organisation", suggestions))
    for start, end in reading.segmentation.runs:
        for a, b in covered:
            if a < end and start < b:
                start = max(start, b)
        if start < end:
            names = [mention.name for mention in unused if mention.start < end and start < mention.end]
            nodes = dict.fromkeys(node for name in names for node in name.best[:_MAX_SUGGESTIONS])
            suggestions = tuple(str(tables.org_path(node)) for node in nodes)[:_MAX_SUGGESTIONS]
            # An ordinary word is left aside; a name that may have been cut out of one is asked about.
            certain = all(name.weak for name in names)
            draft.unknown.append(
                unknown_stretch(asked, start, end, "other" if certain else "organisation", suggestions)
            )
    return frozenset(swallowed)


def _suggest(
    tables: Tables, reading: Reading, start: int, end: int, written: str, swallowed: set[OrgMention]
) -> tuple[str, ...]:
    """The nearest names for one that the table lacks; the known parent's own first."""
    hierarchy = tables.hierarchy
    parents: list[int] = []
    nodes: list[int] = []
    for group in reading.groups:
        for mention in group.mentions:
            if mention in swallowed:
                nodes += mention.name.best[:_MAX_SUGGESTIONS]
            elif mention.end == start and len(group.options) == 1:
                parents.append(group.options[0])
    level = Level.SUBSTATION if written.endswith(SUBSTATION_ENDS) else None
    for parent in parents:
        if hierarchy.last[parent] - parent <= _MOST_COMPARED:
            nodes += nearest_nodes(hierarchy, written, level, [parent])
    if len(nodes) < _MAX_SUGGESTIONS:
        alike = sorted(tables.typo_index.lookup(stem_of(written)))[:_MAX_SUGGESTIONS]
        nodes += [
            node
            for meant in alike
            for node, suffixes, _ in tables.gazetteer.entries(meant.stem)
            if level is None or suffixes.level == level
        ]
    nodes += [p for p in parents if p not in nodes]
    return tuple(dict.fromkeys(str(tables.org_path(i)) for i in nodes))[:_MAX_SUGGESTIONS]


def without_swallowed(reading: Reading, swallowed: frozenset[OrgMention]) -> Reading:
    """The reading without mentions that turned out to be part of an unknown name.

    What is left of such a target is only the known parent: its first other mention.
    """
    groups: list[Group] = []
    gone = set(swallowed)
    for group in reading.groups:
        left = [m for m in group.mentions if m not in swallowed]
        if len(left) == len(group.mentions):
            groups.append(group)
        elif left:
            gone.update(left[1:])
            name = left[0].name
            best = set(name.best)
            states = [s for s in name.states if s.deepest in best]
            groups.append(Group((left[0],), states, group.excluded, name.best, states[0]))
    kept = tuple(p for p in reading.segmentation.parts if p not in gone)
    clashes = [c for c in reading.clashes if gone.isdisjoint(c)]
    return Reading(reading.segmentation._replace(parts=kept), groups, clashes)
