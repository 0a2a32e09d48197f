"""From tokens that overlap to readings that are consistent, and the best of them.

Two steps, each of which can be read alone. `segment` chooses non-overlapping tokens that leave the
fewest content characters unexplained; where several choices do, all are kept. `link` then gives
every mention an organisation so that the mentions of one target lie on one path; what no path
joins is reported, never bent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from qilin.hierarchy import Hierarchy
from qilin.names.gazetteer import ORGANISATION, PHRASE, Candidate, OrgName, State, Token
from qilin.names.rules import BARE
from qilin.operators.phrases import EXCLUSION_CLOSE, SOFT_SEPARATORS, Filler, Phrase

MAX_SEGMENTATIONS = 64  # equally good ways to cut one text that are followed up
_MAX_WORK = 4000  # tokens in all alternatives of one text together
_MANY = 12  # organisations of one name that are tried one by one
MAX_STATES = 4096  # partial paths of one target that are followed up


class Segmentation(NamedTuple):
    """Non-overlapping tokens in text order, and what they leave unexplained.

    `runs` are unexplained stretches of the text, half-open; `content` counts their characters.
    """

    tokens: tuple[Token, ...]
    content: int
    runs: tuple[tuple[int, int], ...]


class Cut(NamedTuple):
    """The best segmentations, equally good; `complete` is False when there were too many."""

    segmentations: list[Segmentation]
    complete: bool


class _Chain(NamedTuple):
    """Chosen tokens from the left end of a text onwards, the first of them at the head."""

    token: Token
    rest: _Chain | None


def _unrolled(chain: _Chain | None) -> Iterator[Token]:
    while chain is not None:
        yield chain.token
        chain = chain.rest


class Cover:
    """Tells whether some token covers a stretch, in logarithmic time."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []  # the furthest end of any token that begins here or before
        for start, end in sorted((t[0], t[1]) for t in tokens):
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1]) if self._ends else end)

    def covers(self, start: int, end: int) -> bool:
        """Whether one token begins at `start` or before and ends at `end` or behind."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._ends[at - 1] >= end


_by_place = itemgetter(0, 1)
_quickly = tuple.__new__  # a NamedTuple in a third of the time
_BEGIN = -1


def segment(text: str, tokens: Sequence[Token], filler: Filler) -> Cut:
    """The choices of non-overlapping tokens that leave least unexplained. Linear in the text."""
    covered = 0
    for token in tokens:  # nearly always one behind the other, as they were found
        if token[0] < covered:
            break
        covered = token[1]
    else:
        return _quickly(Cut, ([lay_out(text, tuple(tokens), filler)], True))
    ordered = sorted(tokens, key=_by_place)
    chosen: list[Token] = []
    covered = 0
    shortest = 0  # where the shortest token that begins with the last chosen one ends
    for token in ordered:
        start, end = token[0], token[1]
        if start >= covered:
            chosen.append(token)
            covered = shortest = end
        elif start == chosen[-1][0]:
            if token[2] != chosen[-1][2] or end == covered:
                break  # one stretch that is two kinds of thing, or misspelt in two ways
            chosen[-1] = token  # same start, sorted by end: the longer one
            covered = end
        elif end > covered or (end == covered and _splits(text, chosen[-1], token, shortest, filler)):
            break  # overlaps, or ends alike and splits the longer one in two
    else:
        return _quickly(Cut, ([lay_out(text, tuple(chosen), filler)], True))
    return _best_cuts(text, ordered, filler)


def _splits(text: str, longer: Token, token: Token, shortest: int, filler: Filler) -> bool:
    """Whether what a longer token has before one that ends with it could be explained without it."""
    middle = token[0]
    if _is_tail(token, longer):
        return False
    if shortest <= middle or not filler.gap(text[longer[0] : middle]).content:
        return True
    name = longer[3]
    return isinstance(name, OrgName) and any(longer[1] - less <= middle for less, _ in name.shorter)


def lay_out(text: str, chosen: tuple[Token, ...], filler: Filler) -> Segmentation:
    """The tokens as a segmentation: what stands between them, explained by filler words or not."""
    content = 0
    runs: list[tuple[int, int]] = []
    position = 0
    for token in chosen:
        start = token[0]
        if start > position:
            gap = filler.gap(text[position:start])
            if gap.content:
                content += gap.content
                runs.extend((position + a, position + b) for a, b in gap.runs)
        position = token[1]
    if position < len(text):
        gap = filler.gap(text[position:])
        if gap.content:
            content += gap.content
            runs.extend((position + a, position + b) for a, b in gap.runs)
    return _quickly(Segmentation, (chosen, content, tuple(runs)))


def _best_cuts(text: str, ordered: list[Token], filler: Filler) -> Cut:
    """Dynamic programming over tokens by their end; ties are all kept."""
    tokens = sorted(_without_tails(_with_shorter(ordered, _divisible(text, ordered))), key=lambda t: (t.end, t.start))
    ends = [t.end for t in tokens]
    # latest[k]: the latest start among the first k tokens; a token must follow one that ends after
    # it, or it would leave room for a token in between.
    latest = [-1]
    for token in tokens:
        latest.append(max(latest[-1], token.start))
    costs: list[tuple[int, int, int]] = []
    before: list[list[int]] = []
    final = Token(len(text), len(text), PHRASE, None)
    for token in [*tokens, final]:
        size = token.end - token.start
        known = bisect_right(ends, token.start, hi=len(costs))
        first = bisect_right(ends, latest[known], hi=known)
        options: list[tuple[tuple[int, int, int], int]] = []
        if known == 0:
            options.append(((filler.gap(text[: token.start]).content, 0, 0), _BEGIN))
        for k in range(first, known):
            gap = text[ends[k] : token.start]
            content, strong, named = costs[k]
            options.append(((content + (filler.gap(gap).content if gap else 0), strong, named), k))
        best = min(cost for cost, _ in options)
        before.append([k for cost, k in options if cost == best])
        if token.kind == ORGANISATION:
            costs.append((best[0], best[1], best[2] - size))
        else:  # dates, indicators and phrases beat names they overlap, other things equal
            costs.append((best[0], best[1] - size, best[2]))
    # Fewer alternatives for a longer text, so that the work stays linear; what is cut off makes it ambiguous.
    limit = max(2, min(MAX_SEGMENTATIONS, _MAX_WORK // len(tokens)))
    found: list[tuple[Token, ...]] = []
    stack: list[tuple[int, _Chain | None]] = [(len(tokens), None)]
    while stack and len(found) < limit:
        at, chain = stack.pop()
        for k in reversed(before[at]):
            if k == _BEGIN:
                found.append(tuple(_unrolled(chain)))
            else:
                stack.append((k, _Chain(tokens[k], chain)))
    found.sort(key=lambda chosen: (len(chosen), [t[:2] for t in chosen]))
    return Cut([lay_out(text, chosen, filler) for chosen in found], not stack)


def _with_shorter(ordered: Sequence[Token], wanted: Sequence[Token]) -> list[Token]:
    """Add what the wanted organisations are called with less of their suffix: 济南市|中 may be 济南|市中."""
    added = [
        Token(token.start, token.end - less, ORGANISATION, name)
        for token in wanted
        if isinstance(token.ref, OrgName)
        for less, name in token.ref.shorter
    ]
    return sorted([*ordered, *added], key=_by_place)


def _divisible(text: str, ordered: list[Token]) -> list[Token]:
    """Those that another token begins in, or that plain text follows, which may begin in them: 麒麟|所有.

    The others lose by being shorter: nothing else would explain the rest.
    """
    starts = sorted({token[0] for token in ordered} | {len(text)})
    return [token for token in ordered if starts[bisect_right(starts, token[0])] != token[1]]


def _without_tails(ordered: list[Token]) -> list[Token]:
    """Leave out 经济开发区 where the text has 郓城县经济开发区: the same organisation, less of it."""
    kept = []
    for i, token in enumerate(ordered):
        if not any(_is_tail(token, other) for other in ordered[max(i - 24, 0) : i]):
            kept.append(token)
    return kept


def _is_tail(token: Token, longer: Token) -> bool:
    """Whether a token is the end, or the middle, of a longer one that may be the same organisation."""
    name, other = token[3], longer[3]
    return (
        longer[0] < token[0]
        and token[1] <= longer[1]
        and isinstance(name, OrgName)
        and isinstance(other, OrgName)
        and _share(name, other)
    )


def _share(one: OrgName, other: OrgName) -> bool:
    """Whether there is an organisation that both could be."""
    few, many = (one.nodes, other.nodes) if len(one.nodes) < len(other.nodes) else (other.nodes, one.nodes)
    for node in few:
        at = bisect_left(many, node)
        if at < len(many) and many[at] == node:
            return True
    return False


# ── linking ──────────────────────────────────────────────────────────────────────────────────────


class Group:
    """The mentions of one target (or of one exclusion) and the paths they may be."""

    __slots__ = ("excluded", "mentions", "options", "source", "states", "via")

    def __init__(self, mention: Token, states: list[State], excluded: bool) -> None:
        self.mentions: list[Token] = [mention]
        self.states = states
        self.excluded = excluded
        self.options: tuple[int, ...] = ()  # the organisations still possible, by node id
        self.source = "graph"  # what told the missing ancestors: graph, scope, context
        self.via: State | None = None  # the best state, when one option is left


class Clash(NamedTuple):
    """Two mentions of different levels that no path joins."""

    upper: Token
    lower: Token


class Reading(NamedTuple):
    """A segmentation with an organisation for each mention; `clashes` says where that failed.

    `apart`: a mention that may as well begin a target of its own.
    """

    segmentation: Segmentation
    groups: list[Group]
    clashes: list[Clash]
    apart: Token | None = None


def link(
    text: str, segmentation: Segmentation, hierarchy: Hierarchy, filler: Filler, apart: Token | None = None
) -> Reading:
    """Put the mentions together into targets, each on one path. `apart`: a mention that begins a target."""
    groups: list[Group] = []
    clashes: list[Clash] = []
    current: Group | None = None
    excluding = False
    listed: Token | None = None  # the mention of the current target that stands behind a comma or a blank
    maybe: Token | None = None
    last_org = -1  # where the mention before ends
    anchor = 0  # where the token before ends, whatever it is
    levels = hierarchy.levels
    for token in segmentation.tokens:
        if token[2] != ORGANISATION:
            ref = token[3]
            if isinstance(ref, Phrase) and ref.kind == "exclusion":
                excluding, current = True, None
            elif excluding and token[2] != PHRASE:
                excluding, current = False, None
            anchor = token[1]
            continue
        name = token[3]
        assert isinstance(name, OrgName)
        if excluding and not _continues(text, anchor if current is None else last_org, token, current is None):
            excluding, current = False, None
        begin = current is None
        soft = False
        if current is not None and last_org != token[0]:
            gap = filler.gap(text[anchor : token[0]])
            begin = gap.hard >= 0 or token is apart
            soft = gap.soft or (anchor != last_org and filler.gap(text[last_org:anchor]).soft)
        if current is not None and not begin:
            states = _extend(current.states, name, hierarchy)
            if states and not (soft and _worse(min(states), min(current.states), name)):
                current.states = states
                current.mentions.append(token)
                listed = token if soft else listed
                if listed is not None and maybe is None and _higher_alone(min(states), name, levels):
                    maybe = listed
            else:
                begin = True
                if not states and not soft and not _same_level(current, name, levels):
                    clashes.append(_clash(current, token, hierarchy))
        if begin:
            current = Group(token, name.states, excluding)
            groups.append(current)
            listed = None
        last_org = anchor = token[1]
    _choose(groups, hierarchy)
    return _quickly(Reading, (segmentation, groups, clashes, maybe))


def _continues(text: str, end: int, token: Token, opening: bool) -> bool:
    """Whether an exclusion reaches the next mention, from its own word (`opening`) or the mention before."""
    between = text[end : token.start]
    if EXCLUSION_CLOSE.search(between):
        return False  # 除曹县外, 除此之外
    if not between.strip(" 的：:（(“" if opening else "、和与及跟"):
        return True
    # 除曹县，单县外 takes both out, 除去年的曹县外 too; 不要再停电了，曹县 and 除了曹县，菏泽 take out no more.
    closes = EXCLUSION_CLOSE.match(text, token.end) is not None
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
            extended.append(_quickly(State, (again, typo, its_form, its_depth, up, bottom, (*nodes, node))))
    if len(extended) > MAX_STATES:
        extended = sorted(extended)[:MAX_STATES]
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
    """Whether one path says less of the names than two targets do: 锡林郭勒、巴彦淖尔 are two cities."""
    return joined.repeats > before.repeats or joined.form > before.form + name.form


def _higher_alone(joined: State, name: OrgName, levels: tuple[int, ...]) -> bool:
    """Whether a mention would be of a higher level if it were not put below the one before: 广州越秀、白云."""
    node = joined.nodes[-1]
    return not joined.typos and node not in name.best and name.level < levels[node]


def _same_level(group: Group, name: OrgName, levels: tuple[int, ...]) -> bool:
    best = min(group.states)
    return any(levels[node] == name.level for node in best.nodes)


def _clash(group: Group, token: Token, hierarchy: Hierarchy) -> Clash:
    """The mention of the group that the new one does not go with; the upper of the two first."""
    name = token.ref
    assert isinstance(name, OrgName)
    other = group.mentions[-1]
    for mention in group.mentions[::-1]:
        known = mention.ref
        assert isinstance(known, OrgName)
        if not _extend(known.states, name, hierarchy):
            other = mention
            break
    known = other.ref
    assert isinstance(known, OrgName)
    if known.level <= name.level:
        return Clash(other, token)
    return Clash(token, other)


def _choose(groups: list[Group], hierarchy: Hierarchy) -> None:
    """The best organisations of each group; a later target inherits the parents of an earlier one."""
    if len(groups) == 1 and len(groups[0].states) == 1:  # the usual case, said shortly
        group = groups[0]
        group.via = via = group.states[0]
        group.options = (via[5],)
        return
    earlier: list[int] = []
    wanted = [g for g in groups if not g.excluded]
    for group in [*wanted, *(g for g in groups if g.excluded)]:
        states = group.states
        if len(states) > 1:
            if group.excluded and wanted:
                tops = [o for g in wanted for o in g.options]
                inside = [s for s in states if any(s.deepest != o and _within(s.deepest, o, hierarchy) for o in tops)]
                states = inside or states
            best = _cheapest(states)
            if len(best) > 1 and earlier and not group.excluded:
                best = _inherit(states, best, earlier[-1], hierarchy)
            elif earlier and not group.excluded:
                best = _doubt(states, best, earlier[-1], hierarchy)
        else:
            best = states
        group.options = tuple(sorted({s.deepest for s in best}))
        group.via = best[0]
        if len(group.options) == 1:
            earlier.append(group.options[0])


def _cheapest(states: list[State]) -> list[State]:
    lowest = min(states)[:5]
    return [state for state in states if state[:5] == lowest]


def _within(node: int, top: int, hierarchy: Hierarchy) -> bool:
    return top <= node <= hierarchy.last[top]


def _inherit(states: list[State], best: list[State], target: int, hierarchy: Hierarchy) -> list[State]:
    """Among equals, those nearest to the target before: 济南市中和历下 stays in 济南."""
    for ancestor in reversed(hierarchy.paths[target][:-1]):
        inside = [s for s in best if _within(s.deepest, ancestor, hierarchy)]
        if inside:
            return inside
    return best


def _doubt(states: list[State], best: list[State], target: int, hierarchy: Hierarchy) -> list[State]:
    """One best, but elsewhere or above, while a lesser form would stay beside the target before: ask."""
    path = hierarchy.paths[target]
    if len(path) < 3 or any(_within(s.deepest, path[1], hierarchy) and s.deepest not in path for s in best):
        return best
    near = [s for s in states if _within(s.deepest, path[-2], hierarchy) and s.deepest not in path]
    return best + _cheapest(near) if near else best


def rank(reading: Reading, shared: frozenset[Token] = frozenset()) -> tuple[int, int]:
    """What decides between segmentations that explain equally much: typos, then the least full form
    of a name that is written as it should be.

    `shared`: mentions that all of them have, and that decide nothing therefore.
    """
    typos = form = 0
    for group in reading.groups:
        via = group.via
        assert via is not None
        typos += via.typos
        for mention, node in zip(group.mentions, via.nodes, strict=True):
            if mention not in shared:
                name = mention.ref
                assert isinstance(name, OrgName)
                candidate = name.candidate(node)
                if not candidate.typo:  # equally light typos are equally good, however full the form
                    form = max(form, candidate.form)
    return typos, form


def tears(reading: Reading, names: Cover) -> bool:
    """Whether a longer mention was torn into targets of its own: 呼伦贝尔 is not 呼伦 and 贝尔."""
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        if a.end == b.start and names.covers(a.start, b.end):
            return True
    return False


def overlapped_bare(tokens: Sequence[Token]) -> set[Token]:
    """Bare mentions that overlap a longer mention without lying in it: 市南 in 济南市南部."""
    mentions = [t for t in _with_shorter(tokens, tokens) if t.kind == ORGANISATION]
    found: set[Token] = set()
    for i, left in enumerate(mentions):
        for right in mentions[i + 1 :]:
            if right.start >= left.end:
                break
            if left.start < right.start and left.end < right.end:
                short, long = sorted((left, right), key=lambda t: t.end - t.start)
                if (
                    isinstance(short.ref, OrgName)
                    and short.ref.form >= BARE
                    and short.end - short.start < long.end - long.start
                ):
                    found.add(short)
    return found
