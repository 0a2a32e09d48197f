"""All that is known of one query while it is explained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from qilin.answer.resolution import Resolution
from qilin.answer.values import OrgPath
from qilin.names.compiled import Tables
from qilin.names.mention import OrgMention, Part, State
from qilin.readings.asked import Asked
from qilin.readings.cost import cheapest
from qilin.readings.reading import Group
from qilin.readings.search import Considered


class Case(NamedTuple):
    """A query, all that was weighed for it, and its resolution."""

    tables: Tables
    asked: Asked
    considered: Considered
    resolution: Resolution

    def text(self, part: Part) -> str:
        return self.asked.written(part.start, part.end)

    def path(self, node: int) -> OrgPath:
        return self.tables.org_path(node)

    def nodes(self, paths: Iterable[OrgPath]) -> list[int]:
        """The nodes of those paths that the table has."""
        found = (self.tables.node_of(path) for path in paths)
        return [node for node in found if node is not None]

    def swallowed_by(self, part: Part) -> str:
        """The unknown name that a mention turned out to be part of; "" for none."""
        if not isinstance(part, OrgMention):
            return ""
        start, end = self.asked.folded.span(part.start, part.end)
        entities = {(e.start, e.end) for e in self.resolution.entities}
        for unknown in self.resolution.unknown:
            inside = unknown.start <= start and end <= unknown.end
            if unknown.kind == "organisation" and inside and (start, end) not in entities:
                return unknown.text
        return ""


def best_states(group: Group) -> list[State]:
    """The cheapest states of each organisation that is still possible."""
    return [s for option in group.options for s in cheapest([s for s in group.states if s.deepest == option])]
