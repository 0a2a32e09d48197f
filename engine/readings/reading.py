"""A reading of a query: parts that do not overlap, and the organisations that its mentions name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qilin.names.mention import OrgMention, Part, State
from qilin.readings.cost import Cost


class Segmentation(NamedTuple):
    """Non-overlapping parts in text order, and the rest of the text.

    `runs` are the stretches that neither a part nor a filler word explains, half-open; `leftover` counts
    their characters.
    """

    parts: tuple[Part, ...]
    leftover: int
    runs: tuple[tuple[int, int], ...]


class Group(NamedTuple):
    """The mentions of one target (or of one exclusion) and the paths that they may lie on.

    `states`: every way to put them on one path; `options`: the organisations still possible, by node;
    `via`: the best state of the first of these; `source`: what told the missing ancestors (graph, scope,
    context); `after`: the target before, which decides among equals.
    """

    mentions: tuple[OrgMention, ...]
    states: Sequence[State]
    excluded: bool
    options: tuple[int, ...]
    via: State
    source: str = "graph"
    after: int | None = None


class Clash(NamedTuple):
    """Two mentions of different levels that no path joins."""

    upper: OrgMention
    lower: OrgMention


class Reading(NamedTuple):
    """A segmentation with an organisation for each mention; `clashes` says where that failed.

    `apart`: a mention that may as well begin a target of its own; `cost`: where it was compared with others.
    """

    segmentation: Segmentation
    groups: Sequence[Group]
    clashes: Sequence[Clash]
    apart: OrgMention | None = None
    cost: Cost | None = None

    @property
    def answer(self) -> tuple[tuple[bool, tuple[int, ...]], ...]:
        """Of each group whether it is taken out, and the organisations still possible."""
        return tuple([(group.excluded, group.options) for group in self.groups])
