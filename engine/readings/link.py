"""One organisation for each mention, the mentions of each target on one path.

Where no path joins them, that is reported, never bent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from qilin.hierarchy import Hierarchy
from qilin.names.mention import Candidate, OrgMention, OrgName, State
from qilin.operators.exclusion import CLOSING
from qilin.operators.phrase import Phrase
from qilin.readings.cost import cheapest, distance
from qilin.readings.reading import Clash, Group, Reading, Segmentation
from qilin.text.filler import Filler
from qilin.text.separators import SOFT_SEPARATORS
from qilin.text.tuples import quickly

_MANY = 12  # organisations of one name that are tried one by one
_MAX_STATES = 4096  # partial paths of one target that are followed up


class _Target:
    """A target while its mentions are gathered."""

    __slots__ = ("excluded", "mentions", "states")

    def __init__(self, mention: OrgMention, excluded: bool) -> None:
        self.mentions: list[OrgMention] = [mention]
        self.states = mention.name.states
        self.excluded = excluded


def link(
    text: str, segmentation: Segmentation, hierarchy: Hierarchy, filler: Filler, apart: OrgMention | None = None
) -> Reading:
    """Put the mentions together into targets, each on one path. `apart`: a mention that begins a target."""
    targets: list[_Target] = []
    clashes: list[Clash] = []
    current: _Target | None = None
    excluding = False
    listed: OrgMention | None = None  # the mention of the current target that stands behind a comma or a blank
    maybe: OrgMention | None = None
    last_org = -1  # where the mention before ends
    anchor = 0  # where the part before ends, whatever it is
    levels = hierarchy.levels
    for part in segmentation.parts:
        if not isinstance(part, OrgMention):
            if isinstance(part, Phrase):
                if part.kind == "exclusion":
                    excluding, current = True, None
            elif excluding:
                excluding, current = False, None
            anchor = part[1]
            continue
        name = part.name
        if excluding and not _continues(text, anchor if current is None else last_org, part, current is None):
            excluding, current = False, None
        begin = current is None
        soft = False
        if current is not None and last_org != part[0]:
            gap = filler.gap(text[anchor : part[0]])
            begin = gap.hard >= 0 or part is apart
            soft = gap.soft or (anchor != last_org and filler.gap(text[last_org:anchor]).soft)
        if current is not None and not begin:
            states = _extend(current.states, name, hierarchy)
            if states and not (soft and _worse(min(states), min(current.states), name)):
                current.states = states
                current.mentions.append(part)
                listed = part if soft else listed
                if listed is not None and maybe is None and _higher_alone(min(states), name, levels):
                    maybe = listed
            else:
                begin = True
                if not states and not soft and not _same_level(current, name, levels):
                    clashes.append(_clash(current, part, hierarchy))
        if begin:
            current = _Target(part, excluding)
            targets.append(current)
            listed = None
        last_org = anchor = part[1]
    return quickly(Reading, (segmentation, _chosen(targets, hierarchy), clashes, maybe, None))


def _continues(text: str, end: int, mention: OrgMention, opening: bool) -> bool:
    """Whether an exclusion reaches the next mention, from its own word (`opening`) or the mention before."""
    between = text[end : mention.start]
    if CLOSING.search(between):
        return False  # 除曹县外, 除此之外
    if not between.strip(" 的：:（(“" if opening else "、和与及跟"):
        return True
    # 除曹县，单县外 takes both out, 除去年的曹县外 too; 不要再停电了，曹县 and 除了曹县，菏泽 take out no more.
    closes = CLOSING.match(text, mention.end) is not None
    return closes and (not opening or SOFT_SEPARATORS.isdisjoint(between))


def _extend(states: list[State], name: OrgName, hierarchy: Hierarchy) -> list[State]:
    """Every way to put one more mention on the path of a state."""
    levels, last = hierarchy.levels, hierarchy.last
    many = len(name.nodes) > _MANY
    candidates: Sequence[Candidate] = () if many else name.candidates
    extended: list[State] = []
    for repeats, typos, form, depth, upward, deepest, nodes in states:
        end = last[deepest]
        for node, its_form, its_depth, typo, _ in _near(name, deepest, hierarchy) if many else candidates:
            if deepest < node <= end:
                bottom = node
            elif node <= deepest <= last[node]:
                bottom = deepest
            else:
                continue
            if not typo:
                typo, its_form, its_depth = typos, form + its_form, depth + its_depth
            else:
                typo, its_form, its_depth = typos + typo, form, depth
            again = repeats + 1 if node in nodes else repeats
            up = upward + 1 if levels[node] < levels[nodes[-1]] else upward
            extended.append(quickly(State, (again, typo, its_form, its_depth, up, bottom, (*nodes, node))))
    if len(extended) > _MAX_STATES:
        extended = sorted(extended)[:_MAX_STATES]
    return extended


def _near(name: OrgName, deepest: int, hierarchy: Hierarchy) -> Sequence[Candidate]:
    """The candidates on the path of a node or below it, in logarithmic time."""
    ids = name.nodes
    low = bisect_left(ids, deepest)
    below = name.slice(low, bisect_right(ids, hierarchy.last[deepest]))
    return [*[name.candidate(ids[at]) for at in _above(ids, deepest, hierarchy)], *below]


def _above(ids: Sequence[int], node: int, hierarchy: Hierarchy) -> list[int]:
    """Where among sorted ids the ancestors of a node stand."""
    found = []
    for ancestor in hierarchy.paths[node][:-1]:
        at = bisect_left(ids, ancestor)
        if at < len(ids) and ids[at] == ancestor:
            found.append(at)
    return found


def _worse(joined: State, before: State, name: OrgName) -> bool:
    """Whether one path leaves more of the names unsaid than two targets do: 锡林郭勒、巴彦淖尔 are two cities."""
    return joined.repeats > before.repeats or joined.form > before.form + name.form


def _higher_alone(joined: State, name: OrgName, levels: tuple[int, ...]) -> bool:
    """Whether a mention would be of a higher level if it were not put below the one before: 广州越秀、白云."""
    node = joined.nodes[-1]
    return not joined.typos and node not in name.best and name.level < levels[node]


def _same_level(target: _Target, name: OrgName, levels: tuple[int, ...]) -> bool:
    best = min(target.states)
    return any(levels[node] == name.level for node in best.nodes)


def _clash(target: _Target, mention: OrgMention, hierarchy: Hierarchy) -> Clash:
    """The mention of the target that the new one does not go with; the upper of the two first."""
    other = target.mentions[-1]
    for known in target.mentions[::-1]:
        if not _extend(known.name.states, mention.name, hierarchy):
            other = known
            break
    return Clash(other, mention) if other.name.level <= mention.name.level else Clash(mention, other)


def _chosen(targets: list[_Target], hierarchy: Hierarchy) -> list[Group]:
    """The best organisations of each target; a later target inherits the parents of an earlier one."""
    if len(targets) == 1 and len(targets[0].states) == 1:  # the usual case, said shortly
        target = targets[0]
        via = target.states[0]
        return [
            quickly(Group, (tuple(target.mentions), target.states, target.excluded, (via.deepest,), via, "graph", None))
        ]
    chosen: dict[int, Group] = {}
    before: int | None = None  # the target before that is certain, exclusions left out
    wanted = [t for t in targets if not t.excluded]
    tops: list[int] = []  # organisations that are asked about
    for target in [*wanted, *(t for t in targets if t.excluded)]:
        states, after = target.states, None
        if len(states) > 1:
            if target.excluded and wanted:
                inside = [s for s in states if any(s.deepest != o and _within(s.deepest, o, hierarchy) for o in tops)]
                states = inside or states
            best = cheapest(states)
            if not target.excluded and before is not None:
                after = before
                if len(best) > 1:  # 济南市中和历下 stays in 济南
                    steps = [distance(hierarchy, s.deepest, before) for s in best]
                    best = [s for s, step in zip(best, steps, strict=True) if step == min(steps)]
                else:
                    best = _doubt(states, best, before, hierarchy)
        else:
            best = states
        options = tuple(sorted({s.deepest for s in best}))
        chosen[id(target)] = Group(
            tuple(target.mentions), target.states, target.excluded, options, best[0], "graph", after
        )
        if not target.excluded:
            tops += options
        if len(options) == 1:
            before = options[0]
    return [chosen[id(target)] for target in targets]


def _within(node: int, top: int, hierarchy: Hierarchy) -> bool:
    return top <= node <= hierarchy.last[top]


def _doubt(states: list[State], best: list[State], target: int, hierarchy: Hierarchy) -> list[State]:
    """One best, but elsewhere or above, while a lesser form would stay beside the target before: ask."""
    path = hierarchy.paths[target]
    if len(path) < 3 or any(_within(s.deepest, path[1], hierarchy) and s.deepest not in path for s in best):
        return best
    near = [s for s in states if _within(s.deepest, path[-2], hierarchy) and s.deepest not in path]
    return best + cheapest(near) if near else best
