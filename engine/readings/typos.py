"""Misspelt stretches and the names they may mean, where nothing else explains them.

At most one change in the stem of a name, lighter before heavier (`names.typo_index`). A typo must be
supported, by a suffix of its own or by an exact mention on its path.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import division_words, single_characters
from qilin.names.compiled import Tables
from qilin.names.mention import EDITED, SWAPPED, Candidate, OrgMention, OrgName, Part, Sense
from qilin.names.rules import BARE, SHORT, SUFFIX_STARTS, TOWNSHIP
from qilin.names.suffixes import suffix_at
from qilin.names.typo_index import Meant
from qilin.readings.reading import Reading
from qilin.text.tuples import quickly
from qilin.text.words import ends_like_a_word, is_ordinary, is_place, place_characters

_BEGINNERS = frozenset("的和与及跟在是有查看问")  # words of one character that a name can follow
_COUNTY_ENDS = single_characters(division_words(Level.COMPANY))  # 县 市 区 旗
_NEAR = 8  # mentions on either side that may support a typo


def _is_lost(meant: Meant) -> bool:
    """Whether a name is one character and 镇 or 乡, and only one of the two is as written: 族镇 may be 苴镇 or 竹镇."""
    return meant.kept < 2 and len(meant.stem) == 2 and meant.stem[1] in TOWNSHIP


class Stretch(NamedTuple):
    """A place to look for a typo: offsets into the text.

    `start`, `end`: the stretch that no part covers; `low`, `high`: the same with exact names a typo may
    swallow; `follows`: an indicator or a date comes right behind; `runs`: its unexplained stretches;
    `starts`: where a name may begin, since a word or a mention begins or ends there; `edges`: places that
    are not inside an exact name.
    """

    low: int
    high: int
    start: int
    end: int
    follows: bool
    runs: tuple[tuple[int, int], ...]
    starts: frozenset[int]
    edges: frozenset[int]


class _Beside:
    """The organisations that the exact mentions beside a stretch could be."""

    def __init__(self, mentions: Sequence[OrgMention]) -> None:
        self.mentions = mentions
        self.known: frozenset[int] = frozenset([node for mention in mentions for node in mention.name.nodes])
        self.nodes = sorted(self.known)


class _Found:
    """Candidates for one misspelt stretch, each by its lightest typo."""

    def __init__(self) -> None:
        self.senses: dict[int, Sense] = {}
        self.guesses: set[int] = set()
        self.lonely: set[int] = set()

    def add(
        self, candidate: Candidate, meant: Meant, supported: bool, doubtful: bool = False, lonely: bool = True
    ) -> None:
        node, form, depth, _, alias = candidate
        weight = meant[0]
        known = self.senses.get(node)
        if known is None or weight < known.typo:
            self.senses[node] = quickly(Sense, ((node,), form, depth, alias, False, weight))
            if known is not None:
                self.guesses.discard(node)
                self.lonely.discard(node)
            little = weight >= EDITED and meant[2] < 2
            if doubtful or (little and not supported):
                self.guesses.add(node)  # an ordinary word, or one character kept of two
            elif lonely and little:
                self.lonely.add(node)  # what stands beside it must be on its path


def find_typos(tables: Tables, text: str, reading: Reading, stretches: Sequence[Stretch]) -> list[OrgMention]:
    """Mentions that misspelt stretches may be: parts to choose among like any other."""
    found: list[OrgMention] = []
    mentions = [m for g in reading.groups for m in g.mentions]
    for stretch in stretches:
        at = bisect_left(mentions, (stretch.start,))
        exact = mentions[max(at - _NEAR, 0) : at + _NEAR]
        found += _with_suffix(tables, text, stretch, exact)
        found += _beside_relative(tables, text, stretch, exact)
    return found


def find_stretches(tables: Tables, text: str, reading: Reading, swallow: bool) -> list[Stretch]:
    """Every gap that holds something unexplained; `swallow`: with the exact names a typo there may take in whole.

    教新城供电所 is 新城供电所 with one character too many before it.
    """
    return list(_stretches(tables, text, reading, swallow))


def _stretches(tables: Tables, text: str, reading: Reading, swallow: bool) -> Iterator[Stretch]:
    parts = reading.segmentation.parts
    swallowable = _swallowable(reading) if swallow else set()
    inside = {k for p in parts for k in range(p.start + 1, p.end)}
    for i in range(len(parts) + 1):
        start = parts[i - 1].end if i else 0
        end = parts[i].start if i < len(parts) else len(text)
        gap = tables.filler.gap(text[start:end]) if start < end else None
        if gap is None or not gap.content:
            continue
        low, low_starts = _reach(tables, text, parts, swallowable, i - 1, start, -1)
        high, _ = _reach(tables, text, parts, swallowable, i, end, 1)
        words = [(a, b) for a, b in gap.words if b - a > 1 or text[start + a] in _BEGINNERS]
        starts = {start, *(start + edge for word in words for edge in word), *low_starts}
        follows = i < len(parts) and not isinstance(parts[i], OrgMention)
        # Not behind a syllable that may be part of the name: 分|宜县, 比|奇堡.
        starts |= {start + a for a, _ in gap.runs if a and not text[start + a - 1].isalnum()}
        edges = frozenset(k for k in range(low, high + 1) if k not in inside)
        runs = tuple((start + a, start + b) for a, b in gap.runs)
        yield Stretch(low, high, start, end, follows, runs, frozenset(starts), edges)


def _reach(
    tables: Tables, text: str, parts: Sequence[Part], swallowable: set[OrgMention], k: int, edge: int, step: int
) -> tuple[int, set[int]]:
    """How far a typo may reach over swallowable names beside a gap, and the unexplained stretch behind them.

    Args:
        k: the part to begin with; it goes on to the left (`step` -1) or to the right (1).
        edge: where the gap ends on that side.

    Returns: the new edge, and places on the way where a name may begin.
    """
    starts: set[int] = set()
    while 0 <= k < len(parts) and parts[k] in swallowable:
        near, far = (parts[k].end, parts[k].start) if step < 0 else (parts[k].start, parts[k].end)
        if near != edge:
            break
        edge = far
        k += step
        if step < 0:
            behind = parts[k].end if k >= 0 else 0
            gap = tables.filler.gap(text[behind:edge])
            if gap.runs and behind + gap.runs[-1][1] == edge:
                edge = behind + gap.runs[-1][0]
                starts.add(edge)
                break
            starts.add(edge)
        else:
            behind = parts[k].start if k < len(parts) else len(text)
            gap = tables.filler.gap(text[edge:behind])
            if gap.runs and gap.runs[0][0] == 0:
                edge += gap.runs[0][1]
                break
    return edge, starts


def _swallowable(reading: Reading) -> set[OrgMention]:
    """Exact mentions that go with nothing else: a typo may swallow them whole."""
    clashing = {t for clash in reading.clashes for t in clash}
    return {t for g in reading.groups for t in g.mentions if len(g.mentions) == 1 or t in clashing}


def _with_suffix(tables: Tables, text: str, stretch: Stretch, exact: Sequence[OrgMention]) -> list[OrgMention]:
    """Misspelt stems in front of a suffix of their own: 剧野县, 麒鳞供电所."""
    found: list[OrgMention] = []
    for end in range(stretch.low + 2, stretch.high):
        if text[end] not in SUFFIX_STARTS:
            continue
        suffix = suffix_at(text, end)
        stop = end + len(suffix)
        if not suffix or ends_like_a_word(text[stretch.low : stop]):
            continue
        inside = end not in stretch.edges  # the stem ends inside an exact name, which goes as a whole
        for start in range(max(stretch.low, end - tables.typo_index.longest - 1), end - 1):
            if start not in stretch.starts or not any(start < b and a < stop for a, b in stretch.runs):
                continue
            if inside and any(
                t.start < stop and start < t.end and not start <= t.start <= t.end <= stop for t in exact
            ):
                continue
            written = text[start:end]
            if tables.gazetteer.name(written, suffix):
                continue
            if any(_is_elsewhere_from(tables, text, k, stop) for k in (start - 2, start - 1) if k in stretch.edges):
                continue
            found += _mentions(tables, start, end, suffix, written, exact)
    return found


def _is_elsewhere_from(tables: Tables, text: str, start: int, stop: int) -> bool:
    """Whether a longer stretch is a real place elsewhere: 分宜县 where 宜县 might be 义县."""
    for end in range(start + 2, stop):
        rest = suffix_at(text, end)
        if end + len(rest) == stop and tables.elsewhere.has(text[start:end], rest):
            return True
    return False


def _mentions(
    tables: Tables, start: int, end: int, suffix: str, written: str, exact: Sequence[OrgMention]
) -> list[OrgMention]:
    """The mentions that a stem in front of its suffix may be."""
    found: dict[int, _Found] = {}
    outside = [t for t in exact if t.end <= start or end <= t.start]
    elsewhere = tables.elsewhere.has(written, suffix)
    light = tables.typo_index.lookup(written, heavy=False)
    if elsewhere:  # a company has few stations: one that sounds like a place elsewhere is meant all the same
        companies = [t for t in outside if t.end == start and t.name.level == Level.COMPANY]
        fits = _collect(tables, found, light, end, suffix, _Beside(companies), True) or bool(light)
    else:
        fits = _collect(tables, found, light, end, suffix, _Beside(outside), False) if light else False
    if not fits:
        heavy = [m for m in tables.typo_index.lookup(written) if m.weight >= SWAPPED]
        a_word = elsewhere or is_ordinary(written)
        if a_word:  # only what keeps all of its characters
            heavy = [m for m in heavy if m.kept == len(written) and (m.weight == SWAPPED or not elsewhere)]
            outside = [t for t in outside if t.end == start]
        if heavy:
            _collect(tables, found, heavy, end, suffix, _Beside(outside), a_word)
    return [_mention(tables, start, stop, here) for stop, here in found.items() if here.senses]


def _collect(
    tables: Tables,
    found: dict[int, _Found],
    meanings: Sequence[Meant],
    end: int,
    suffix: str,
    beside: _Beside,
    a_word: bool,
) -> bool:
    """Add candidates by where their mention ends; tell whether one goes with all that stands outside.

    `a_word`: what is written means something as it stands, a word or a place elsewhere; then only
    a homophone or two characters swapped, below what stands before, are certainly a typo.
    """
    fits = False
    several = sum(map(_is_lost, meanings)) > 1
    for meant in meanings:
        ending, name = suffix, None
        while ending and (name := tables.name(meant.stem, ending)) is None:
            ending = ending[:-1]
        if name is None:
            continue
        here = found.setdefault(end + len(ending), _Found())
        swapped = meant.weight == SWAPPED
        # All counties are known: 峻兴县供电公司 is misspelt, it is not one from elsewhere.
        county = ending[0] in _COUNTY_ENDS and ending.endswith("供电公司")
        nowhere = _is_nowhere(meant.odd)
        lost = several and _is_lost(meant)
        kept = swapped if a_word else len(ending) > 1 or meant.kept > 1 or meant.weight < EDITED
        for candidate in name.candidates:
            if candidate.form <= SHORT:
                related = _related(tables, candidate.node, beside)
                if related or kept:
                    supported = nowhere or ((county or related) and ending != "所")
                    doubtful = (a_word and not (related and meant.weight <= SWAPPED)) or (lost and not related)
                    here.add(candidate, meant, supported, doubtful=doubtful, lonely=not (county or nowhere))
                    fits = fits or related or not beside.mentions
    return fits


def _beside_relative(tables: Tables, text: str, stretch: Stretch, exact: Sequence[OrgMention]) -> list[OrgMention]:
    """Misspelt stems without a suffix: beside, or all that there is with, a mention on their path."""
    if not exact:
        return []
    start, end = stretch.start, stretch.end
    longest = min(tables.typo_index.longest + 1, end - start)
    windows = {(start, end), *stretch.runs}
    if any(t.end == start for t in exact):
        windows |= {(start, start + k) for k in range(2, longest + 1)}
    if any(t.start == end for t in exact):
        windows |= {(end - k, end) for k in range(2, longest + 1)}
    mentions = []
    for a, b in sorted(windows):
        written = text[a:b]
        if not 2 <= b - a <= longest or not any(a < y and x < b for x, y in stretch.runs):
            continue
        whole = (a, b) == (start, end) or (a, b) in stretch.runs
        alone = (a, b) == (start, end) and stretch.follows
        ordinary = is_ordinary(written)
        if tables.gazetteer.is_stem(written) or (not whole if ordinary else is_place(written)):
            continue
        found = _Found()
        beside = _Beside([t for t in exact if t.end <= a or b <= t.start])
        for meant in tables.typo_index.lookup(written, heavy=alone if ordinary else whole):
            if meant.kept < 2 and meant.weight >= EDITED and (ordinary or not alone):
                continue  # one character of two, in the middle of other words
            name = tables.name(meant.stem, "")
            for candidate in name.candidates if name else ():
                if candidate.form <= BARE and _related(tables, candidate.node, beside):
                    found.add(candidate, meant, _is_nowhere(meant.odd), doubtful=ordinary)
        if found.senses:
            found.lonely = set(found.senses)
            mentions.append(_mention(tables, a, b, found))
    return mentions


def _is_nowhere(character: str) -> bool:
    """Whether no place in China is written with the character: 央抉 is no name that the table lacks."""
    return character != "" and character not in place_characters()


def _related(tables: Tables, node: int, beside: _Beside) -> bool:
    """Whether an exact mention outside the stretch lies on the path of the organisation."""
    hierarchy = tables.hierarchy
    if not beside.known.isdisjoint(hierarchy.paths[node][:-1]):
        return True
    end = hierarchy.last[node]
    at = bisect_right(beside.nodes, node)
    return at < len(beside.nodes) and beside.nodes[at] <= end


def _mention(tables: Tables, start: int, end: int, found: _Found) -> OrgMention:
    senses = tuple([found.senses[node] for node in sorted(found.senses)])
    levels, guesses, lonely = tables.hierarchy.levels, frozenset(found.guesses), frozenset(found.lonely)
    return quickly(OrgMention, (start, end, OrgName(senses, levels, guesses=guesses, lonely=lonely)))
