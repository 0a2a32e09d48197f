"""Names to one Aho-Corasick automaton, and every mention of them in a text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import ahocorasick

from qilin.hierarchy import Alias, Hierarchy, Level
from qilin.names.mention import NO_NODES, IndicatorMention, OrgMention, OrgName, Part, Sense
from qilin.names.rules import BARE, CITY_ADMIN, CUT, SHORT, SUFFIX_STARTS, TAIL, Name, Suffixes, names_of, whole
from qilin.names.suffixes import endings, suffix_at, without_peoples
from qilin.text.tuples import quickly
from qilin.text.words import is_ordinary

TAIL_BIT = 1 << 16  # the trigger that says the text holds the tail of a name
_MAX_HELD = 1 << 19  # organisations that the remembered strings may name together
_MAX_MEMO = 1 << 16  # strings whose meaning is remembered


# What the automaton knows of one string that is more than a trigger: its length, itself if it is a stem, the indicator
# and the level it names. Plain tuples are unpacked in a third of the time.
_Slot = tuple[int, str | None, str | None, Level | None]
# The longest mention of a stem with a suffix: how much of the suffix counts, what it names, and whether it
# counts wherever it stands. None: nothing.
_Longest = tuple[int, OrgName, bool] | None


class Scan(NamedTuple):
    """The findings of one pass over a text, unsorted.

    `mentions`: organisations (each with the longest suffix) and indicators; `relatives`: words such as
    本县 (start, end, level) that are not the end of a name; `triggers`: bit set of the searches worth making;
    `until`: where the last trigger ends.
    """

    mentions: list[Part]
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
        return (quickly(_Same, (suffixes, alias, (node,))),)
    nodes: dict[tuple[int, Alias | None], list[int]] = {}
    kinds: dict[int, Suffixes] = {}
    for node, suffixes, alias in entries:
        kinds[id(suffixes)] = suffixes
        nodes.setdefault((id(suffixes), alias), []).append(node)
    return tuple([_Same(kinds[kind], alias, tuple(dict.fromkeys(found))) for (kind, alias), found in nodes.items()])


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
    ) -> None:
        """
        Args:
            hierarchy: the organisations and their declared aliases.
            indicators: (folded surface form, canonical name).
            triggers: strings that tell that a costlier search is worth it, each with its bit.
            relatives: words that name an organisation by who asks, each with its level.
            fold: the fold that queries go through.
        """
        self.levels = hierarchy.levels
        self._parents = hierarchy.parents
        self._autonomous = {
            node
            for node, name in enumerate(hierarchy.names)
            if "自治" in name and hierarchy.levels[node] == Level.COMPANY
        }
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
        # memo fills itself.
        empty: tuple[object, ...] = (Hierarchy((), (), (), (), ()), (), {}, {}, str)
        return Gazetteer, empty, {name: getattr(self, name) for name in _PICKLED}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._forget()

    def scan(self, text: str) -> Scan:
        """Every organisation and indicator in a folded text. Linear in text and matches."""
        mentions: list[Part] = []
        relatives: list[tuple[int, int, Level]] = []
        triggers = until = 0
        bits, slots, memo, first = self._bits, self._slots, self._memo, self._first
        size = len(text)
        low = high = 0  # the mention found last
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
                        mentions.append(quickly(OrgMention, (start, high, name)))
                        if name.tail:
                            triggers |= TAIL_BIT
            if indicator is not None and not (text[start] in _MULTIPLIERS and _in_number(text, start)):
                low, high = start, end
                mentions.append(quickly(IndicatorMention, (start, end, indicator)))
            if relative is not None and not (low <= start and end <= high):
                relatives.append((start, end, relative))
        return quickly(Scan, (mentions, relatives, triggers, until))

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
                    name.shortened_by(partial(self.shorter, stem, suffix))
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
        senses: list[Sense] = []
        upper = False
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
                    level = self.levels[nodes[0]]
                    upper = upper or level != Level.SUBSTATION
                    senses.append(quickly(Sense, (nodes, form, level, alias, not rest, 0)))
        forbidden = self._forbidden.get(text)
        if len(senses) > 1 or forbidden is not None:
            senses = _each_once(senses, forbidden or NO_NODES)
        if not senses:
            return None
        if upper:
            senses = self._level_up(senses, ending)
        form = min([sense[1] for sense in senses])
        bare = any(sense[4] and sense[1] == form for sense in senses)
        weak = bare and is_ordinary(text)
        # 开发区供电所 is a name of its own: below a parent that has none, 宿城开发区供电所 is only a guess.
        guesses = frozenset([n for s in senses if s[1] == TAIL for n in s[0]]) if form < SHORT else NO_NODES
        tail = form == TAIL
        return OrgName(tuple(senses), self.levels, stem=stem, bare=bare, tail=tail, weak=weak, guesses=guesses)

    def _level_up(self, senses: Sequence[Sense], ending: str) -> list[Sense]:
        """Keep open what the level alone should not decide.

        大理市 is the city 大理 or its 大理市供电公司; 兴安 is the city 兴安盟 or a 兴安供电所; 恭城 is
        恭城瑶族自治县 or the 恭城供电所, since what is left off is more than 县.
        """
        forms = {node: sense.form for sense in senses if sense.depth != Level.SUBSTATION for node in sense.nodes}
        bare_depths = [sense.depth for sense in senses if sense.form == BARE]
        raised: list[Sense] = []
        for sense in senses:
            if sense.depth == Level.SUBSTATION:
                raised.append(sense)
                continue
            for node in sense.nodes:
                form, depth = sense.form, sense.depth
                level, city = self.levels[node], self._parents[node]
                if ending.startswith(CITY_ADMIN):
                    if level == Level.COMPANY and forms.get(city) == form:
                        depth = self.levels[city]
                elif level == Level.CITY and form == CUT:
                    if bare_depths:
                        form, depth = BARE, min(bare_depths)
                elif node in self._autonomous and form == BARE:
                    depth = Level.SUBSTATION
                raised.append(quickly(Sense, ((node,), form, depth, sense.alias, sense.bare, sense.typo)))
        return raised

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


def _each_once(senses: Sequence[Sense], forbidden: Collection[int]) -> list[Sense]:
    """Each organisation in the sense of its fullest form only, the first of these; none that is forbidden."""
    fullest: dict[int, Sense] = {}
    for sense in senses:
        for node in sense.nodes:
            known = fullest.get(node)
            if node not in forbidden and (known is None or sense.form < known.form):
                fullest[node] = sense
    if len(fullest) == sum([len(sense.nodes) for sense in senses]):
        return list(senses)
    kept: list[Sense] = []
    for sense in senses:
        nodes = tuple([node for node in sense.nodes if fullest.get(node) is sense])
        if nodes:
            kept.append(sense._replace(nodes=nodes))
    return kept


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
