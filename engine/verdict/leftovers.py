"""What a reading leaves unexplained, and the nearest names for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qilin.hierarchy import Level
from qilin.names.gazetteer import ORGANISATION, OrgName, Token
from qilin.names.nearest import nearest_nodes, stem_of
from qilin.readings.lattice import Group, Reading
from qilin.verdict.draft import Asked, Draft
from qilin.verdict.entities import unknown_stretch

if TYPE_CHECKING:
    from qilin.names.compiled import Tables
    from qilin.resolver import Considered

_MAX_SUGGESTIONS = 3
_MOST_SUGGESTED = 4  # unknown names of one query that get suggestions
_MOST_COMPARED = 1000  # names below a parent that are compared one by one for a suggestion


def note_unknown(
    tables: Tables, asked: Asked, considered: Considered, reading: Reading, draft: Draft
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
        draft.unknown.append(unknown_stretch(asked, found.start, found.end, "organisation", suggestions))
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
            draft.unknown.append(
                unknown_stretch(asked, start, end, "other" if certain else "organisation", suggestions)
            )
    return frozenset(swallowed)


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
            for node, suffixes, _ in tables.gazetteer.entries(meant.stem)
            if level is None or suffixes.level == level
        ]
    nodes += [p for p in parents if p not in nodes]
    return tuple(dict.fromkeys(str(tables.org_path(i)) for i in nodes))[:_MAX_SUGGESTIONS]


def without(reading: Reading, swallowed: frozenset[Token]) -> Reading:
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
            best = set(name.best)
            parent = Group(left[0], [s for s in name.states if s.deepest in best], group.excluded)
            parent.options = name.best
            parent.via = parent.states[0]
            groups.append(parent)
    kept = tuple(t for t in reading.segmentation.tokens if t not in gone)
    clashes = [c for c in reading.clashes if gone.isdisjoint(c)]
    return Reading(reading.segmentation._replace(tokens=kept), groups, clashes)
