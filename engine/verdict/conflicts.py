"""Mentions that no path joins, and the repairs on offer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from qilin.answer.resolution import Resolution
from qilin.answer.values import Conflict
from qilin.names.compiled import Tables
from qilin.names.mention import EDITED, OrgMention
from qilin.readings.asked import Asked
from qilin.readings.reading import Clash, Reading
from qilin.verdict import sentences
from qilin.verdict.draft import Draft, finish
from qilin.verdict.entities import gather_other, mention_entity
from qilin.verdict.repairs import order_repairs


def conflict(tables: Tables, asked: Asked, reading: Reading, draft: Draft) -> Resolution:
    """The resolution of a reading with clashes: no target, what is wrong, and the repairs."""
    hierarchy = tables.hierarchy
    number = 0
    for part in reading.segmentation.parts:
        if isinstance(part, OrgMention):
            draft.entities.append(mention_entity(tables, asked, part, part.name.best, number))
            number += 1
        else:
            gather_other(asked, part, draft)
    conflicts: list[Conflict] = []
    for clash in reading.clashes:
        uppers, lowers = clash.upper.name.best, clash.lower.name.best
        repairs = order_repairs(hierarchy, uppers, lowers, _neighbours(tables, clash, uppers, lowers))
        paths = tuple(map(tables.org_path, repairs))
        owners = [tables.org_path(i) for i in repairs if i in lowers]
        upper, lower = (asked.written(t.start, t.end) for t in clash)
        message = sentences.clash(upper, [tables.org_path(i) for i in uppers], lower, owners)
        spans = {asked.folded.span(t.start, t.end) for t in clash}
        involved = tuple(e for e in draft.entities if (e.start, e.end) in spans)
        conflicts.append(Conflict(kind="path", message=message, entities=involved, repairs=paths))
    candidates = tuple(dict.fromkeys(path for c in conflicts for path in c.repairs))
    question = conflicts[0].message + sentences.repair(conflicts[0].repairs)
    return finish(asked, draft, "conflict", conflicts=tuple(conflicts), candidates=candidates, question=question)


def _neighbours(tables: Tables, clash: Clash, uppers: Sequence[int], lowers: Sequence[int]) -> list[int]:
    """Organisations one typo from a clashing mention that would fit beside the other one."""
    paths, last = tables.hierarchy.paths, tables.hierarchy.last
    found: set[tuple[int, int]] = set()
    for mention, others, below in ((clash.lower, uppers, True), (clash.upper, lowers, False)):
        name = mention.name
        if not name.stem:
            continue
        known = frozenset(others)
        ordered = sorted(known)
        for meant in tables.typo_index.lookup(name.stem):
            if meant.kept < 2 and meant.weight >= EDITED:
                continue
            for node, suffixes, _ in tables.gazetteer.entries(meant.stem):
                if suffixes.level != name.level:
                    continue
                if below:
                    if not known.isdisjoint(paths[node][:-1]):
                        found.add((meant.weight, node))
                else:
                    inside = ordered[bisect_right(ordered, node) : bisect_right(ordered, last[node])]
                    found.update((meant.weight, other) for other in inside)
    return [node for _, node in sorted(found)]
