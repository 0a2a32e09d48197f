"""What decides between readings: one cost, compared component by component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qilin.hierarchy import Hierarchy
from qilin.names.mention import OrgMention, Part, State


class Cost(NamedTuple):
    """The cost of a reading, or of one way to read a target; the lowest wins, the first difference decides.

    The components up to `named` belong to a reading as a whole, `repeats`, `depth` and `upward` to the path of one
    target; `typos`, `form` and `distance` are compared for both. A component that does not apply is 0.
    """

    torn: int = 0
    """1 where names are cut out of longer ones: 呼伦贝尔 as 呼伦 and 贝尔; 济南市|南部 as 济南 and 市南, which no path joins."""
    leftover: int = 0
    """Content characters that nothing explains."""
    clashes: int = 0
    """1 where two mentions of different levels lie on no common path."""
    abrupt: int = 0
    """Of a correction with as little leftover: how many targets more begin right behind another one where one of the two
    is misspelt (唐闸|姿镇供电所)."""
    steering: int = 0
    """Characters explained as dates, indicators and operators, negative: they come before names."""
    named: int = 0
    """Characters explained as names of organisations, negative."""
    repeats: int = 0
    """Organisations that are named twice: in 安阳安阳 the second one is the company."""
    typos: int = 0
    """Weights of the typos, added up."""
    form: int = 0
    """How little of the names is said (names.rules): of a path all of them added up, of a reading the least full
    of those mentions that the others do not share."""
    depth: int = 0
    """Levels of shortened names, added up: the higher level wins."""
    upward: int = 0
    """Steps to a higher level in text order."""
    distance: int = 0
    """Levels between the target before and the lowest organisation that holds both; of a reading, 1 outside scope and context."""


def explained(part: Part) -> tuple[int, int]:
    """`steering` and `named` of one part."""
    size = part[1] - part[0]
    return (0, -size) if isinstance(part, OrgMention) else (-size, 0)


def cost_of_path(state: State, steps: int = 0) -> Cost:
    """The cost of one way to put the mentions of a target on a path; `steps`: its `distance`."""
    repeats, typos, form, depth, upward = state[:5]
    return Cost(repeats=repeats, typos=typos, form=form, depth=depth, upward=upward, distance=steps)


def cheapest(states: Sequence[State]) -> list[State]:
    """The states of a target that cost least, in their order."""
    lowest = min(states)[:5]
    return [state for state in states if state[:5] == lowest]


def distance(hierarchy: Hierarchy, node: int, target: int | None) -> int:
    """`Cost.distance` of an organisation from the target before; 0 where there is none."""
    if target is None:
        return 0
    above = hierarchy.paths[target][:-1]
    for steps, ancestor in enumerate(reversed(above)):
        if ancestor <= node <= hierarchy.last[ancestor]:
            return steps
    return len(above)


def deciding(winner: Cost, loser: Cost) -> str | None:
    """The name of the first component in which the loser is worse; None where none is."""
    for name, ours, theirs in zip(Cost._fields, winner, loser, strict=True):
        if ours != theirs:
            return name if ours < theirs else None
    return None
