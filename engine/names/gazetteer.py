"""Names to one Aho-Corasick automaton, and every mention of them in a text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import ahocorasick

from qilin.hierarchy import Alias, Hierarchy, Level
from qilin.names.rules import BARE, CITY_ADMIN, CUT, SHORT, SUFFIX_STARTS, TAIL, Name, Suffixes, names_of, whole
from qilin.names.suffixes import endings, suffix_at, without_peoples

ORGANISATION, INDICATOR, DATE, PHRASE = range(4)  # what a token is
TAIL_BIT = 1 << 16  # the trigger that says the text holds the tail of a name
_MANY = 12  # organisations of one stem that are looked at one by one
_MAX_HELD = 1 << 19  # organisations that the remembered strings may name together
_NO_NODES: frozenset[int] = frozenset()
_MAX_MEMO = 1 << 16  # strings whose meaning is remembered
EXACT_TYPO = 0  # weight of a name that is written as it should be


class Candidate(NamedTuple):
    """One organisation a mention could be: its node, how full the form is, how heavy the typo.

    `depth` is the level that counts where the higher one is preferred.
    """

    node: int
    form: int
    depth: int
    typo: int = EXACT_TYPO
    alias: Alias | None = None


class Part(NamedTuple):
    """Organisations one string could name that differ in the node alone; `bare`: no suffix is written."""

    nodes: tuple[int, ...]
    form: int
    depth: int
    alias: Alias | None
    bare: bool


def _sorted_nodes(parts: Sequence[Part]) -> tuple[int, ...]:
    if len(parts) == 1:
        return parts[0].nodes
    return tuple(sorted([node for part in parts for node in part.nodes]))


_first = itemgetter(0)
_token = _state = tuple.__new__  # a NamedTuple in a third of the time


class State(NamedTuple):
    """One way to give the mentions of a target their organisations, all on one path.

    Compared by its first five fields: nodes named twice, weight of typos, how little of the names
    is said, depth, steps upwards in text order.
    """

    repeats: int
    typos: int
    form: int
    depth: int
    upward: int
    deepest: int
    nodes: tuple[int, ...]

    @property
    def cost(self) -> tuple[int, ...]:
        """What decides between states, lowest first."""
        return self[:5]


class OrgName:
    """What one string, suffix included, could name. Made once per string and kept.

    `nodes`: those of the candidates, ascending. `best`: the nodes left when only the form and then the level count. `bare`: no suffix is
    written. `weak`: bare, and an ordinary word too. `tail`: only the tail of a name, which nothing but its parent can support. `stem`: what it was found by, "" for a typo.
    `source`: what told it when the text alone did not (scope, context), else "". `guesses`: nodes
    that too little of a name was kept for; worth asking about, never an answer. `lonely`:
    nodes that are no answer unless another mention stands on the path. `templates`: what an entity of each node says wherever it stands, made at first use.
    """

    __slots__ = (
        "_candidates",
        "_gazetteer",
        "_parts",
        "_shorter",
        "_states",
        "_suffix",
        "bare",
        "best",
        "form",
        "guesses",
        "level",
        "lonely",
        "nodes",
        "source",
        "stem",
        "tail",
        "templates",
        "weak",
    )

    def __init__(
        self,
        candidates: tuple[Candidate, ...],
        levels: tuple[int, ...],
        *,
        stem: str = "",
        bare: bool = False,
        tail: bool = False,
        weak: bool = False,
        source: str = "",
        guesses: frozenset[int] = _NO_NODES,
        lonely: frozenset[int] = _NO_NODES,
        parts: tuple[Part, ...] = (),
    ) -> None:
        """
        Args:
            candidates: ascending by node; empty where `parts` has them.
            levels: of all nodes.
            parts: many candidates, together where only the node differs; no node twice.
        """
        self.guesses = guesses
        self.lonely = lonely
        self.stem = stem
        self.bare = bare
        self.tail = tail
        self.weak = weak
        self.source = source
        self.templates: dict[int, dict[str, object]] = {}
        self._candidates = candidates
        self._parts = parts
        self._states: list[State] | None = None
        self._shorter: tuple[tuple[int, OrgName], ...] | None = ()
        self._gazetteer: Gazetteer | None = None
        self._suffix = ""
        self.nodes: tuple[int, ...]
        self.best: tuple[int, ...]
        if parts:
            self.form, depth = min([(part.form, part.depth) for part in parts])
            self.nodes = _sorted_nodes(parts)
            self.best = _sorted_nodes([part for part in parts if part.form == self.form and part.depth == depth])
        elif len(candidates) == 1:
            node, self.form, _, _, _ = candidates[0]
            self.nodes = self.best = (node,)
        else:
            self.nodes = tuple([c[0] for c in candidates])
            typo, form, depth = min([(c[3], c[1], c[2]) for c in candidates])
            self.form = form
            self.best = tuple([c[0] for c in candidates if c[1] == form and c[2] == depth and c[3] == typo])
        self.level = levels[self.best[0]]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every organisation the mention could be, ascending by node."""
        if not self._candidates:
            found = [
                _token(Candidate, (node, form, depth, EXACT_TYPO, alias))
                for nodes, form, depth, alias, _ in self._parts
                for node in nodes
            ]
            found.sort(key=_first)
            self._candidates = tuple(found)
        return self._candidates

    def slice(self, start: int, end: int) -> Sequence[Candidate]:
        """`candidates[start:end]`, without making the others."""
        if self._candidates:
            return self._candidates[start:end]
        return [self.candidate(node) for node in self.nodes[start:end]]

    def candidate(self, node: int) -> Candidate:
        """The candidate of one of the nodes."""
        if self._candidates:
            found = self._candidates[bisect_left(self.nodes, node)]
            assert found.node == node
            return found
        for nodes, form, depth, alias, _ in self._parts:
            at = bisect_left(nodes, node)
            if at < len(nodes) and nodes[at] == node:
                return Candidate(node, form, depth, EXACT_TYPO, alias)
        raise AssertionError("only one of the nodes has a candidate")

    @property
    def states(self) -> list[State]:
        """The mention as all of a target; must not be changed."""
        if self._states is None:
            # Equally light typos are equally good, however full the form or high the level.
            self._states = [
                _state(State, (0, typo, 0 if typo else form, 0 if typo else depth, 0, node, (node,)))
                for node, form, depth, typo, _ in self.candidates
            ]
        return self._states

    @property
    def shorter(self) -> tuple[tuple[int, OrgName], ...]:
        """What the mention would be with less of its suffix, as (characters less, name)."""
        if self._shorter is None:
            assert self._gazetteer is not None
            self._shorter = self._gazetteer.shorter(self.stem, self._suffix)
        return self._shorter

    def found_with(self, gazetteer: Gazetteer, suffix: str) -> None:
        """Remember the suffix that the longest mention was made from: `shorter` is made when it is asked for."""
        self._gazetteer = gazetteer
        self._suffix = suffix
        self._shorter = None


class Token(NamedTuple):
    """A mention, or another stretch that is explained: half-open span in the folded text."""

    start: int
    end: int
    kind: int
    ref: Any  # OrgName, indicator name, DateMention or Phrase, by kind


# What the automaton knows of one string that is more than a trigger: its length, itself if it is a stem, the indicator
# and the level it names. Plain tuples are unpacked in a third of the time.
_Slot = tuple[int, str | None, str | None, Level | None]
# The longest mention of a stem with a suffix: how much of the suffix counts, what it names, and whether it
# counts wherever it stands. None: nothing.
_Longest = tuple[int, OrgName, bool] | None


class Scan(NamedTuple):
    """What one pass over a text found, unsorted.

    `tokens`: organisations (each with the longest suffix) and indicators; `relatives`: words such as
    本县, but for the end of a name; `triggers`: bit set of the searches worth making; `until`: where the
    last of the strings ends that told so.
    """

    tokens: list[Token]
    relatives: list[tuple[int, int, Level]]
    triggers: int
    until: int


class _Same(NamedTuple):
    """Organisations that go by one stem with the same suffixes, ascending; an alias belongs to one of them."""

    suffixes: Suffixes
    alias: Alias | None
    nodes: tuple[int, ...]


def _add(
    adding: dict[str, list[tuple[int, Suffixes, Alias | None]]], name: Name, node: int, alias: Alias | None
) -> None:
    if len(name.stem) > 1:
        adding.setdefault(name.stem, []).append((node, name.suffixes, alias))


def _together(entries: list[tuple[int, Suffixes, Alias | None]]) -> tuple[_Same, ...]:
    if len(entries) == 1:
        node, suffixes, alias = entries[0]
        return (_token(_Same, (suffixes, alias, (node,))),)
    nodes: dict[tuple[int, Alias | None], list[int]] = {}
    kinds: dict[int, Suffixes] = {}
    for node, suffixes, alias in entries:
        kinds[id(suffixes)] = suffixes
        nodes.setdefault((id(suffixes), alias), []).append(node)
    return tuple([_Same(kinds[kind], alias, tuple(found)) for (kind, alias), found in nodes.items()])


_PICKLED = (
    "levels",
    "_parents",
    "_autonomous",
    "_stems",
    "_forbidden",
    "indicators",
    "triggers",
    "relatives",
    "_automaton",
    "_bits",
    "_first",
    "_slots",
    "_has_codes",
    "_rests",
)


class Gazetteer:
    """Every name of a hierarchy and of the indicators, and where they stand in a text."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        indicators: Iterable[tuple[str, str]],
        triggers: dict[str, int],
        relatives: dict[str, Level],
        fold: Callable[[str], str],
        ordinary: frozenset[str],
    ) -> None:
        """
        Args:
            hierarchy: the organisations and their declared aliases.
            indicators: (folded surface form, canonical name).
            triggers: strings that tell that a costlier search is worth it, each with its bit.
            relatives: words that name an organisation by who asks, each with its level.
            fold: the fold that queries go through.
            ordinary: ordinary words, for `OrgName.weak`.
        """
        self.levels = hierarchy.levels
        self._parents = hierarchy.parents
        self._autonomous = {
            node
            for node, name in enumerate(hierarchy.names)
            if "自治" in name and hierarchy.levels[node] == Level.COMPANY
        }
        self._ordinary = ordinary
        adding: dict[str, list[tuple[int, Suffixes, Alias | None]]] = {}
        self._forbidden: dict[str, set[int]] = {}
        for node, name in enumerate(hierarchy.names):
            path = hierarchy.paths[node]
            parents = tuple(fold(hierarchy.names[a]) for a in path[:-1])
            for known in names_of(Level(hierarchy.levels[node]), fold(name), parents):
                _add(adding, known, node, None)
        for alias in hierarchy.aliases:
            folded = fold(alias.name)
            level = Level(hierarchy.levels[alias.node])
            if alias.kind == "forbidden":
                self._forbidden.setdefault(folded, set()).add(alias.node)
                continue
            known_names = [whole(level, folded)] if alias.kind == "nickname" else names_of(level, folded)
            for known in known_names:
                _add(adding, known, alias.node, alias)
        self._stems: dict[str, tuple[_Same, ...]] = {stem: _together(entries) for stem, entries in adding.items()}
        self.indicators: dict[str, str] = dict(indicators)
        self.triggers = triggers
        self.relatives = relatives
        self._compile()

    def _compile(self) -> None:
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        known = {*self._stems, *self.indicators, *self.relatives}
        bare = sorted(self.triggers.keys() - known)  # nothing but triggers come first
        keys = [*bare, *sorted(known)]
        for value, key in enumerate(keys):
            self._automaton.add_word(key, value)
        self._automaton.make_automaton()
        self._bits = [self.triggers.get(key, 0) for key in keys]
        self._first = len(bare)
        self._slots: list[_Slot] = [
            (len(key), key if key in self._stems else None, self.indicators.get(key), self.relatives.get(key))
            for key in keys[self._first :]
        ]
        self._has_codes = any(c.isascii() and c.isalnum() for stem in self._stems for c in stem)
        kinds = {id(same.suffixes): same.suffixes for together in self._stems.values() for same in together}
        self._rests = frozenset(rest for suffixes in kinds.values() for rest in suffixes.forms)
        self._forget()

    def _forget(self) -> None:
        self._memo: list[dict[str, _Longest] | None] = [None] * len(self._slots)  # of each slot, by suffix
        self._strings = 0
        self._held = 0

    def __reduce__(self) -> tuple[object, ...]:
        # Made empty, then filled: compiled, there is neither a __dict__ nor a class without its arguments. The
        # words are a list of the package, and the memo fills itself.
        empty: tuple[object, ...] = (Hierarchy((), (), (), (), ()), (), {}, {}, str, frozenset())
        return Gazetteer, empty, {name: getattr(self, name) for name in _PICKLED}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._forget()

    def with_words(self, ordinary: frozenset[str]) -> Gazetteer:
        """Put back the words that a pickle leaves out."""
        self._ordinary = ordinary
        return self

    def scan(self, text: str) -> Scan:
        """Every organisation and indicator in a folded text. Linear in text and matches."""
        tokens: list[Token] = []
        relatives: list[tuple[int, int, Level]] = []
        triggers = until = 0
        bits, slots, memo, first = self._bits, self._slots, self._memo, self._first
        size = len(text)
        low = high = 0  # the token found last
        last: int
        value: int
        for last, value in self._automaton.iter(text):
            bit = bits[value]
            if bit:
                triggers |= bit
                until = last + 1
            value -= first
            if value < 0:
                continue
            length, stem, indicator, relative = slots[value]
            end = last + 1
            start = end - length
            if stem is not None:
                suffix = suffix_at(text, end) if end < size and text[end] in SUFFIX_STARTS else ""
                known = memo[value]
                if known is not None and suffix in known:
                    longest = known[suffix]
                else:
                    longest = self._remember(value, stem, suffix)
                    memo = self._memo  # a new one, if it was full
                if longest is not None:
                    more, name, certain = longest
                    if certain or not (
                        (name.bare and _in_number(text, start))
                        or (self._has_codes and _tears_code(text, start, end + more))
                    ):
                        low, high = start, end + more
                        tokens.append(_token(Token, (start, high, ORGANISATION, name)))
                        if name.tail:
                            triggers |= TAIL_BIT
            if indicator is not None and not (text[start] in _MULTIPLIERS and _in_number(text, start)):
                low, high = start, end
                tokens.append(_token(Token, (start, end, INDICATOR, indicator)))
            if relative is not None and not (low <= start and end <= high):
                relatives.append((start, end, relative))
        return _token(Scan, (tokens, relatives, triggers, until))

    def _remember(self, slot: int, stem: str, suffix: str) -> _Longest:
        """`_longest`, kept for the next text; and whether it counts wherever it stands."""
        if self._strings >= _MAX_MEMO or self._held >= _MAX_HELD:
            self._forget()
        longest = self._longest(stem, suffix)
        known: _Longest = None
        if longest is not None:
            more, name = longest
            self._held += len(name.nodes)
            known = more, name, not (self._has_codes or (name.bare and stem[0] in _MULTIPLIERS))
        by_suffix = self._memo[slot]
        if by_suffix is None:
            by_suffix = self._memo[slot] = {}
        by_suffix[suffix] = known
        self._strings += 1
        return known

    def _longest(self, stem: str, suffix: str) -> tuple[int, OrgName] | None:
        """The longest mention that a stem makes with the suffix behind it, and how much of it counts."""
        for length, ending in reversed(endings(suffix)):
            name = self.name(stem, ending, suffix[:length])
            if name is not None:
                if length:
                    name.found_with(self, suffix)
                return length, name
        return None

    def shorter(self, stem: str, suffix: str) -> tuple[tuple[int, OrgName], ...]:
        """What a stem makes with less than all that counts of the suffix behind it, shortest first.

        Returns: (how many characters less than the longest mention, what it names).
        """
        forms = []
        for length, ending in endings(suffix):
            name = self.name(stem, ending, suffix[:length])
            if name is not None:
                forms.append((length, name))
        return tuple([(forms[-1][0] - less, name) for less, name in forms[:-1]])

    def name(self, stem: str, ending: str, written: str | None = None) -> OrgName | None:
        """What stem + ending names; None: nothing. `written` is the ending with its peoples.

        The same string may be cut elsewhere too: 大理市 is 大理 + 市 and the stem of 大理市供电所.
        """
        text = stem + (ending if written is None else written)
        parts: list[Part] = []
        count = 0
        for cut in range(2, len(text) + 1):
            rest = text[cut:]
            if rest not in self._rests and "自治" not in rest:
                continue  # few strings are ever behind a stem: most cuts need no look into a large table
            found = self._stems.get(text[:cut])
            if found is None:
                continue
            for suffixes, alias, nodes in found:
                form = suffixes.forms.get(rest)
                if form is None and "自治" in rest:
                    form = suffixes.forms.get(without_peoples(rest))
                if form is not None:
                    parts.append(_token(Part, (nodes, form, self.levels[nodes[0]], alias, not rest)))
                    count += len(nodes)
        forbidden = self._forbidden.get(text)
        if count > _MANY and forbidden is None:
            many = self._name_of_many(text, stem, ending, parts, count)
            if many is not None:
                return many
        best: dict[int, Candidate] = {}
        bare: set[int] = set()
        upper = False
        for nodes, form, level, alias, is_bare in parts:
            for node in nodes:
                if forbidden is not None and node in forbidden:
                    continue
                known = best.get(node)
                if known is None or form < known.form:
                    best[node] = _token(Candidate, (node, form, level, EXACT_TYPO, alias))
                    upper = upper or level != Level.SUBSTATION
                    if is_bare:
                        bare.add(node)
                    else:
                        bare.discard(node)
        if not best:
            return None
        if upper:
            self._level_up(best, ending, [c[2] for c in best.values() if c[1] == BARE])
        candidates = tuple([best[node] for node in sorted(best)])
        form = min([c[1] for c in candidates])
        is_bare = bool(bare) and any(c[1] == form and c[0] in bare for c in candidates)
        weak = is_bare and text in self._ordinary
        # 开发区供电所 is a name of its own: below a parent that has none, 宿城开发区供电所 is only a guess.
        guesses = frozenset([c[0] for c in candidates if c[1] == TAIL]) if form < SHORT else _NO_NODES
        return OrgName(candidates, self.levels, stem=stem, bare=is_bare, tail=form == TAIL, weak=weak, guesses=guesses)

    def _name_of_many(self, text: str, stem: str, ending: str, parts: list[Part], count: int) -> OrgName | None:
        """`name` of many organisations, put together part by part; None where an organisation is in several parts."""
        if len(parts) > 1 and len(set[int]().union(*[part.nodes for part in parts])) < count:
            return None
        kept = [part for part in parts if part.depth == Level.SUBSTATION]
        if len(kept) < len(parts):
            upper = {
                node: Candidate(node, part.form, part.depth, EXACT_TYPO, part.alias)
                for part in parts
                if part.depth != Level.SUBSTATION
                for node in part.nodes
            }
            bare = {node for part in parts if part.bare for node in part.nodes if part.depth != Level.SUBSTATION}
            depths = [part.depth for part in parts if part.form == BARE]
            self._level_up(upper, ending, depths)
            kept += [Part((c.node,), c.form, c.depth, c.alias, c.node in bare) for c in upper.values()]
        form = min([part.form for part in kept])
        is_bare = any(part.bare and part.form == form for part in kept)
        weak = is_bare and text in self._ordinary
        guesses = frozenset([n for p in kept if p.form == TAIL for n in p.nodes]) if form < SHORT else _NO_NODES
        tail = form == TAIL
        return OrgName(
            (), self.levels, stem=stem, bare=is_bare, tail=tail, weak=weak, guesses=guesses, parts=tuple(kept)
        )

    def _level_up(self, best: dict[int, Candidate], ending: str, bare_depths: list[int]) -> None:
        """Keep open what the level alone should not decide; `bare_depths`: of all candidates that are bare stems.

        大理市 is the city 大理 or its 大理市供电公司; 兴安 is the city 兴安盟 or a 兴安供电所; 恭城 is
        恭城瑶族自治县 or the 恭城供电所, since what is left off is more than 县.
        """
        for node, candidate in list(best.items()):
            level = self.levels[node]
            if level == Level.SUBSTATION:
                continue
            city = self._parents[node]
            if ending.startswith(CITY_ADMIN):
                if level == Level.COMPANY and city in best and best[city].form == candidate.form:
                    best[node] = candidate._replace(depth=self.levels[city])
            elif level == Level.CITY and candidate.form == CUT:
                if bare_depths:
                    best[node] = candidate._replace(form=BARE, depth=min(bare_depths))
            elif node in self._autonomous and candidate.form == BARE:
                best[node] = candidate._replace(depth=Level.SUBSTATION)

    @property
    def stems(self) -> Collection[str]:
        """Every stem that an organisation goes by."""
        return self._stems

    def entries(self, stem: str) -> list[tuple[int, Suffixes, Alias | None]]:
        """The organisations that go by a stem, with what may follow it; by canonical names first, by id."""
        found = [(node, same.suffixes, same.alias) for same in self._stems.get(stem, ()) for node in same.nodes]
        return sorted(found, key=lambda entry: (entry[2] is not None, entry[0]))

    def is_stem(self, text: str) -> bool:
        """Whether some organisation goes by this stem."""
        return text in self._stems


_MULTIPLIERS = frozenset("百千万亿")
_NUMERALS = frozenset("一二两三四五六七八九十百千万几数")


def _in_number(text: str, start: int) -> bool:
    """Whether a mention would begin in the middle of a number: 万户 in 百万户."""
    return text[start] in _MULTIPLIERS and start > 0 and text[start - 1] in _NUMERALS


def _tears_code(text: str, start: int, end: int) -> bool:
    """Whether a mention in Latin letters or digits is only part of a longer one: B12 in B123."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (text[start].isascii() and before.isascii() and before.isalnum()) or (
        text[end - 1].isascii() and after.isascii() and after.isalnum()
    )
