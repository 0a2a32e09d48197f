"""What a misspelt stretch may have meant, when nothing matched it.

At most one change in the stem of a name, lighter before heavier. The index is by wildcard: 麒? and
?麟 lead to the characters the table has there, and how alike two characters sound decides the
weight. A typo must be supported, by a suffix of its own or by an exact mention on its path.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from qilin.hierarchy import Hierarchy, Level
from qilin.names.gazetteer import ORGANISATION, Candidate, Gazetteer, OrgName, Token
from qilin.names.recent import Recent
from qilin.names.rules import BARE, SHORT, SUFFIX_STARTS, TOWNSHIP
from qilin.names.suffixes import suffix_at
from qilin.operators.phrases import Gap
from qilin.readings.lattice import Reading
from qilin.text.sounds import merged_readings, readings

HOMOPHONE, MERGED_SOUND, SWAPPED, EDITED = 1, 2, 3, 4  # weights; 0 is written as it should be
TYPO_SCORE = {HOMOPHONE: 0.9, MERGED_SOUND: 0.85, SWAPPED: 0.8, EDITED: 0.7}
_BEGINNERS = frozenset("的和与及跟在是有查看问")  # words of one character that a name can follow
_IDEOGRAPHS = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+").fullmatch
_WILD = "\ufffc"
_MAX_STEM = 12
_quickly = tuple.__new__  # a NamedTuple in a third of the time
_MEANINGS_KEPT = 1 << 14  # of stems that were looked up lately
_ORGANISATIONS_KEPT = 1 << 16  # of names that were made lately
_NEAR = 8  # mentions on either side that may support a typo


class Meant(NamedTuple):
    """A stem that one change makes of what was written.

    `kept`: characters left as they were; `odd`: the character written that is not in the stem, "" for none.
    """

    weight: int
    stem: str
    kept: int
    odd: str = ""


def _is_lost(meant: Meant) -> bool:
    """Whether a name is one character and 镇 or 乡, and only one of the two is as written: 族镇 may be 苴镇 or 竹镇."""
    return meant.kept < 2 and len(meant.stem) == 2 and meant.stem[1] in TOWNSHIP


class Stretch(NamedTuple):
    """A place to look for a typo: offsets into the text.

    `start`, `end`: what no token covers; `low`, `high`: the same with exact names a typo may
    swallow; `follows`: an indicator or a date comes right behind; `runs`: what is unexplained there; `starts`: where a name may begin, since a word or a
    mention does or ends there; `edges`: places that are not inside an exact name.
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
    """What the exact mentions beside a stretch could be."""

    def __init__(self, mentions: Sequence[Token]) -> None:
        self.mentions = mentions
        self.known: frozenset[int] = frozenset([node for token in mentions for node in token[3].nodes])
        self.nodes = sorted(self.known)


class _Found:
    """Candidates for one misspelt stretch, each by its lightest typo."""

    def __init__(self) -> None:
        self.candidates: dict[int, Candidate] = {}
        self.guesses: set[int] = set()
        self.lonely: set[int] = set()

    def add(
        self, candidate: Candidate, meant: Meant, supported: bool, doubtful: bool = False, lonely: bool = True
    ) -> None:
        node, form, depth, _, alias = candidate
        weight = meant[0]
        known = self.candidates.get(node)
        if known is None or weight < known[3]:
            self.candidates[node] = _quickly(Candidate, (node, form, depth, weight, alias))
            if known is not None:
                self.guesses.discard(node)
                self.lonely.discard(node)
            little = weight >= EDITED and meant[2] < 2
            if doubtful or (little and not supported):
                self.guesses.add(node)  # an ordinary word, or one character kept of two
            elif lonely and little:
                self.lonely.add(node)  # what stands beside it must be on its path


class TypoIndex:
    """Stems one change away from what was written."""

    def __init__(self, stems: Iterable[str]) -> None:
        self.stems = frozenset(s for s in stems if 2 <= len(s) <= _MAX_STEM and "供电" not in s)
        wild: dict[str, list[str]] = {}
        shorter: dict[str, list[str]] = {}
        for stem in sorted(self.stems):
            for i, character in enumerate(stem):
                wild.setdefault(f"{stem[:i]}{_WILD}{stem[i + 1 :]}", []).append(character)
                if len(stem) > 2:
                    shorter.setdefault(stem[:i] + stem[i + 1 :], []).append(stem)
        self._wild = {pattern: "".join(characters) for pattern, characters in wild.items()}
        self._shorter = {key: tuple(dict.fromkeys(found)) for key, found in shorter.items()}
        self._alphabet = frozenset("".join(self.stems))
        self._by_sound: tuple[dict[str, set[str]], dict[str, set[str]]] | None = None
        self._alike = lru_cache(maxsize=4096)(self._sounding_alike)
        self.longest = max(map(len, self.stems), default=0)
        self._looked_up: Recent[tuple[str, bool], list[Meant]] = Recent(_MEANINGS_KEPT, lambda _, found: 1 + len(found))

    def prepare(self) -> None:
        """Find out now how the characters of the table sound, which otherwise waits for the first typo."""
        self._alike(_WILD)

    def _sounding_alike(self, character: str) -> dict[str, int]:
        """Characters of the table that sound the same, and that do once sounds are merged, by their weight."""
        if self._by_sound is None:
            self._by_sound = _by_sound(self._alphabet, readings), _by_sound(self._alphabet, merged_readings)
        exact, blurred = self._by_sound
        near = {c for sound in merged_readings(character) for c in blurred.get(sound, ())}
        same = {c for sound in readings(character) for c in exact.get(sound, ())}
        return {**dict.fromkeys(near, MERGED_SOUND), **dict.fromkeys(same, HOMOPHONE)}

    def lookup(self, written: str, heavy: bool = True) -> list[Meant]:
        """Stems one change away, unordered; `heavy`: swaps and other edits too, not only sounds."""
        found = self._looked_up.get((written, heavy))  # one question asks the same several times
        if found is None:
            found = self._lookup(written, heavy)
            self._looked_up.put((written, heavy), found)
        return found

    def _lookup(self, written: str, heavy: bool) -> list[Meant]:
        found: list[Meant] = []
        size = len(written)
        if size < 2 or size > self.longest + 1 or not _IDEOGRAPHS(written):
            return found
        for i, character in enumerate(written):
            before, behind = written[:i], written[i + 1 :]
            there = self._wild.get(f"{before}{_WILD}{behind}")
            if there is None or there == character:
                continue
            alike = self._alike(character)
            others: Iterable[str] = there
            if not heavy and len(there) > len(alike):
                others = sorted((c for c in alike if c in there), key=there.index)
            for other in others:
                weight = alike.get(other, EDITED)
                if (heavy or weight < SWAPPED) and other != character:
                    found.append(_quickly(Meant, (weight, f"{before}{other}{behind}", size - 1, character)))
        if heavy:
            for i in range(size - 1):
                swapped = written[:i] + written[i + 1] + written[i] + written[i + 2 :]
                if swapped != written and swapped in self.stems:
                    found.append(Meant(SWAPPED, swapped, size))
            found.extend(Meant(EDITED, stem, size) for stem in self._shorter.get(written, ()))
            if size > 2:
                for stem in dict.fromkeys(written[:i] + written[i + 1 :] for i in range(size)):
                    if stem in self.stems:
                        found.append(Meant(EDITED, stem, size - 1))
        return found


def _by_sound(characters: Iterable[str], sounds: Callable[[str], Iterable[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for character in characters:
        for sound in sounds(character):
            found.setdefault(sound, set()).add(character)
    return found


class TypoFinder:
    """Finds supported typos in what a reading leaves unexplained."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        gazetteer: Gazetteer,
        is_ordinary: Callable[[str], bool],
        ends_like_a_word: Callable[[str], bool],
        is_place: Callable[..., bool],
        place_characters: Callable[[], frozenset[str]],
        gap: Callable[[str], Gap],
    ) -> None:
        self._hierarchy = hierarchy
        self._gap = gap
        self._gazetteer = gazetteer
        self._names: Recent[tuple[str, str], tuple[OrgName | None]] = Recent(
            _ORGANISATIONS_KEPT, lambda _, known: 1 + (len(known[0].nodes) if known[0] is not None else 0)
        )
        self._is_ordinary = is_ordinary
        self._ends_like_a_word = ends_like_a_word
        self._is_place = is_place
        self._place_characters = place_characters
        self.index = TypoIndex(gazetteer.stems)

    def find(self, text: str, reading: Reading, stretches: Sequence[Stretch]) -> list[Token]:
        """Mentions that misspelt stretches may be, as tokens to choose among like any other."""
        tokens: list[Token] = []
        mentions = [t for g in reading.groups for t in g.mentions]
        for stretch in stretches:
            at = bisect_left(mentions, (stretch.start,))
            exact = mentions[max(at - _NEAR, 0) : at + _NEAR]
            tokens += self._with_suffix(text, stretch, exact)
            tokens += self._beside_relative(text, stretch, exact)
        return tokens

    def stretches(self, text: str, reading: Reading, swallow: bool) -> list[Stretch]:
        """Every gap that holds something unexplained; `swallow`: with the exact names a typo there may take in whole.

        教新城供电所 is 新城供电所 with one character too many before it.
        """
        return list(self._stretches(text, reading, swallow))

    def _stretches(self, text: str, reading: Reading, swallow: bool) -> Iterator[Stretch]:
        tokens = reading.segmentation.tokens
        swallowable = self._swallowable(reading) if swallow else set()
        inside = {k for t in tokens for k in range(t.start + 1, t.end)}
        for i in range(len(tokens) + 1):
            start = tokens[i - 1].end if i else 0
            end = tokens[i].start if i < len(tokens) else len(text)
            gap = self._gap(text[start:end]) if start < end else None
            if gap is None or not gap.content:
                continue
            low, low_starts = self._reach(text, tokens, swallowable, i - 1, start, -1)
            high, _ = self._reach(text, tokens, swallowable, i, end, 1)
            words = [(a, b) for a, b in gap.words if b - a > 1 or text[start + a] in _BEGINNERS]
            starts = {start, *(start + edge for word in words for edge in word), *low_starts}
            follows = i < len(tokens) and tokens[i].kind != ORGANISATION
            starts |= {start + a for a, _ in gap.runs if self._begins(text, start, start + a)}
            edges = frozenset(k for k in range(low, high + 1) if k not in inside)
            runs = tuple((start + a, start + b) for a, b in gap.runs)
            yield Stretch(low, high, start, end, follows, runs, frozenset(starts), edges)

    @staticmethod
    def _begins(text: str, first: int, position: int) -> bool:
        """Whether a name can begin here: not behind a syllable that may be part of it (分|宜县, 比|奇堡)."""
        return position == first or not text[position - 1].isalnum() or text[position - 1] in _BEGINNERS

    def _reach(
        self, text: str, tokens: Sequence[Token], swallowable: set[Token], k: int, edge: int, step: int
    ) -> tuple[int, set[int]]:
        """How far a typo may reach over swallowable names beside a gap, and what is unexplained behind them.

        Args:
            k: the token to begin with; it goes on to the left (`step` -1) or to the right (1).
            edge: where the gap ends on that side.

        Returns: the new edge, and places on the way where a name may begin.
        """
        starts: set[int] = set()
        while 0 <= k < len(tokens) and tokens[k] in swallowable:
            near, far = (tokens[k].end, tokens[k].start) if step < 0 else (tokens[k].start, tokens[k].end)
            if near != edge:
                break
            edge = far
            k += step
            if step < 0:
                behind = tokens[k].end if k >= 0 else 0
                gap = self._gap(text[behind:edge])
                if gap.runs and behind + gap.runs[-1][1] == edge:
                    edge = behind + gap.runs[-1][0]
                    starts.add(edge)
                    break
                starts.add(edge)
            else:
                behind = tokens[k].start if k < len(tokens) else len(text)
                gap = self._gap(text[edge:behind])
                if gap.runs and gap.runs[0][0] == 0:
                    edge += gap.runs[0][1]
                    break
        return edge, starts

    @staticmethod
    def _swallowable(reading: Reading) -> set[Token]:
        """Exact mentions that go with nothing else: a typo may swallow them whole."""
        clashing = {t for clash in reading.clashes for t in clash}
        return {t for g in reading.groups for t in g.mentions if len(g.mentions) == 1 or t in clashing}

    def _with_suffix(self, text: str, stretch: Stretch, exact: Sequence[Token]) -> list[Token]:
        """Misspelt stems in front of a suffix of their own: 剧野县, 麒鳞供电所."""
        tokens: list[Token] = []
        for end in range(stretch.low + 2, stretch.high):
            if text[end] not in SUFFIX_STARTS:
                continue
            suffix = suffix_at(text, end)
            stop = end + len(suffix)
            if not suffix or self._ends_like_a_word(text[stretch.low : stop]):
                continue
            inside = end not in stretch.edges  # the stem ends inside an exact name, which goes as a whole
            for start in range(max(stretch.low, end - self.index.longest - 1), end - 1):
                if start not in stretch.starts or not any(start < b and a < stop for a, b in stretch.runs):
                    continue
                if inside and any(
                    t.start < stop and start < t.end and not start <= t.start <= t.end <= stop for t in exact
                ):
                    continue
                written = text[start:end]
                if self._gazetteer.name(written, suffix):
                    continue
                if any(self._is_elsewhere_from(text, k, stop) for k in (start - 2, start - 1) if k in stretch.edges):
                    continue
                tokens += self._tokens(start, end, suffix, written, exact)
        return tokens

    def _is_elsewhere_from(self, text: str, start: int, stop: int) -> bool:
        """Whether a longer stretch is a real place elsewhere: 分宜县 where 宜县 might be 义县."""
        for end in range(start + 2, stop):
            rest = suffix_at(text, end)
            if end + len(rest) == stop and self._is_elsewhere(text[start:end], rest):
                return True
        return False

    def _is_elsewhere(self, written: str, suffix: str) -> bool:
        return self._is_place(written, suffix) and not self._gazetteer.is_stem(written)

    def _tokens(self, start: int, end: int, suffix: str, written: str, exact: Sequence[Token]) -> list[Token]:
        """What a stem in front of its suffix may be."""
        found: dict[int, _Found] = {}
        outside = [t for t in exact if t.end <= start or end <= t.start]
        elsewhere = self._is_elsewhere(written, suffix)
        light = self.index.lookup(written, heavy=False)
        if elsewhere:  # a company has few stations: one that sounds like a place elsewhere is meant all the same
            companies = [t for t in outside if t.end == start and self._level(t) == Level.COMPANY]
            fits = self._collect(found, light, end, suffix, _Beside(companies), True) or bool(light)
        else:
            fits = self._collect(found, light, end, suffix, _Beside(outside), False) if light else False
        if not fits:
            heavy = [m for m in self.index.lookup(written) if m.weight >= SWAPPED]
            a_word = elsewhere or self._is_ordinary(written)
            if a_word:  # only what keeps all of its characters
                heavy = [m for m in heavy if m.kept == len(written) and (m.weight == SWAPPED or not elsewhere)]
                outside = [t for t in outside if t.end == start]
            if heavy:
                self._collect(found, heavy, end, suffix, _Beside(outside), a_word)
        return [self._token(start, stop, here) for stop, here in found.items() if here.candidates]

    def _collect(
        self,
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
            while ending and (name := self._name(meant.stem, ending)) is None:
                ending = ending[:-1]
            if name is None:
                continue
            here = found.setdefault(end + len(ending), _Found())
            swapped = meant.weight == SWAPPED
            # All counties are known: 峻兴县供电公司 is misspelt, it is not one from elsewhere.
            county = ending[0] in "县区市旗" and ending.endswith("供电公司")
            nowhere = self._is_nowhere(meant.odd)
            lost = several and _is_lost(meant)
            kept = swapped if a_word else len(ending) > 1 or meant.kept > 1 or meant.weight < EDITED
            for candidate in name.candidates:
                if candidate.form <= SHORT:
                    related = self._related(candidate.node, beside)
                    if related or kept:
                        supported = nowhere or ((county or related) and ending != "所")
                        doubtful = (a_word and not (related and meant.weight <= SWAPPED)) or (lost and not related)
                        here.add(candidate, meant, supported, doubtful=doubtful, lonely=not (county or nowhere))
                        fits = fits or related or not beside.mentions
        return fits

    def _beside_relative(self, text: str, stretch: Stretch, exact: Sequence[Token]) -> list[Token]:
        """Misspelt stems without a suffix: beside, or all that there is with, a mention on their path."""
        if not exact:
            return []
        start, end = stretch.start, stretch.end
        longest = min(self.index.longest + 1, end - start)
        windows = {(start, end), *stretch.runs}
        if any(t.end == start for t in exact):
            windows |= {(start, start + k) for k in range(2, longest + 1)}
        if any(t.start == end for t in exact):
            windows |= {(end - k, end) for k in range(2, longest + 1)}
        tokens = []
        for a, b in sorted(windows):
            written = text[a:b]
            if not 2 <= b - a <= longest or not any(a < y and x < b for x, y in stretch.runs):
                continue
            whole = (a, b) == (start, end) or (a, b) in stretch.runs
            alone = (a, b) == (start, end) and stretch.follows
            ordinary = self._is_ordinary(written)
            if self._gazetteer.is_stem(written) or (not whole if ordinary else self._is_place(written)):
                continue
            found = _Found()
            beside = _Beside([t for t in exact if t.end <= a or b <= t.start])
            for meant in self.index.lookup(written, heavy=alone if ordinary else whole):
                if meant.kept < 2 and meant.weight >= EDITED and (ordinary or not alone):
                    continue  # one character of two, in the middle of other words
                name = self._name(meant.stem, "")
                for candidate in name.candidates if name else ():
                    if candidate.form <= BARE and self._related(candidate.node, beside):
                        found.add(candidate, meant, self._is_nowhere(meant.odd), doubtful=ordinary)
            if found.candidates:
                found.lonely = set(found.candidates)
                tokens.append(self._token(a, b, found))
        return tokens

    def _name(self, stem: str, ending: str) -> OrgName | None:
        """`Gazetteer.name`, kept: stems and suffixes come again."""
        known = self._names.get((stem, ending))
        if known is None:
            known = (self._gazetteer.name(stem, ending),)
            self._names.put((stem, ending), known)
        return known[0]

    @staticmethod
    def _level(token: Token) -> int:
        name = token.ref
        assert isinstance(name, OrgName)
        return name.level

    def _is_nowhere(self, character: str) -> bool:
        """Whether no place in China is written with the character: 央抉 is no name that the table lacks."""
        return character != "" and character not in self._place_characters()

    def _related(self, node: int, beside: _Beside) -> bool:
        """Whether an exact mention outside the stretch lies on the path of the organisation."""
        hierarchy = self._hierarchy
        if not beside.known.isdisjoint(hierarchy.paths[node][:-1]):
            return True
        end = hierarchy.last[node]
        at = bisect_right(beside.nodes, node)
        return at < len(beside.nodes) and beside.nodes[at] <= end

    def _token(self, start: int, end: int, found: _Found) -> Token:
        candidates = tuple(found.candidates[node] for node in sorted(found.candidates))
        name = OrgName(
            candidates, self._hierarchy.levels, guesses=frozenset(found.guesses), lonely=frozenset(found.lonely)
        )
        return Token(start, end, ORGANISATION, name)
