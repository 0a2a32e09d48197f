"""Questions with their tagged form, made from an organisation table; right by construction.

Nothing here asks the resolver. A question is put together from parts whose meaning is known, and given
up where its parts could be read in another way: a name that others go by too, a name across a joint.

    for row in generate(Hierarchy.bundled(), seed=1, part="test", size=500):
        row.query, row.tagged, row.kind, row.alternatives
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from qilin.answer.markup import escape
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Hierarchy, Level
from qilin.hierarchy.suffixes import SUBSTATION_ENDS
from qilin.names.rules import BARE
from qilin.text.sounds import merged_readings
from qilin.training import garble, words
from qilin.training.date_phrases import date_phrase, odd_date_phrase
from qilin.training.made_up import made_up_stem
from qilin.training.name_index import NameIndex
from qilin.training.split import Part


class Row(NamedTuple):
    """One question with the answer that a model is to give.

    Attributes:
        query: the question.
        tagged: its tagged form (docs/architecture.md).
        kind: what is tried; a key of `KINDS`.
        alternatives: tagged forms of the organisations that could be meant where the rules leave it open, the
            right one among them if there is one; () where nothing is to be chosen.
    """

    query: str
    tagged: str
    kind: str
    alternatives: tuple[str, ...] = ()


class _Said(NamedTuple):
    """A part of a question: as written, and what becomes of it in the tagged form."""

    text: str
    tagged: str


_NONE: Final = _Said("", "")
_ENOUGH_TRIES: Final = 400


class Maker:
    """Makes questions from one table for one part of the data."""

    def __init__(self, index: NameIndex, rng: random.Random, part: Part, offer_all: bool = False) -> None:
        self.index, self.rng, self.part, self.offer_all = index, rng, part, offer_all
        self.hierarchy = index.hierarchy
        self.named: list[int] = []  # organisations of the question that is being made

    # ── parts of questions ───────────────────────────────────────────────────────────────────────

    def tags(self, node: int, above: int = 0) -> str:
        """The tagged path of an organisation, without its first `above` levels."""
        self.named.append(node)
        path = self.hierarchy.paths[node][above:]
        return "".join(_tag(LEVEL_NAMES[self.hierarchy.levels[i]], self.hierarchy.names[i]) for i in path)

    def indicator(self, unlisted: float = 0.3) -> _Said:
        """An indicator with what is asked of it."""
        rng = self.rng
        if rng.random() < unlisted:
            name, tail = words.unlisted_indicator(rng, self.part)
        else:
            seed = ("投诉", "意见", "投诉百万户量", "意见百万户量")
            name = rng.choice(seed if rng.random() < 0.4 else words.listed_indicators())
            tail = rng.choice(words.TOTALS) if rng.random() < 0.6 else rng.choice(words.TAILS)
        return _Said(name + tail, _tag("Indicator", name) + tail)

    def date(self, odd: float = 0.1) -> _Said:
        """A date, or one that the rules do not read."""
        text = odd_date_phrase(self.rng, self.part) if self.rng.random() < odd else date_phrase(self.rng)
        return _Said(text, _tag("Date", text))

    def some_node(
        self, levels: Sequence[Level] = (Level.CITY, Level.COMPANY, Level.SUBSTATION, Level.SUBSTATION)
    ) -> int:
        """An organisation of one of the levels."""
        for _ in range(_ENOUGH_TRIES):
            nodes = self.index.nodes(self.rng.choice(levels), self.part)
            if nodes:
                return self.rng.choice(nodes)
        return 0

    def form(self, node: int, full: float = 0.5) -> str:
        """One way to write an organisation."""
        forms = self.index.forms(node)
        if self.rng.random() < full:
            return forms[0].text
        usual = [form.text for form in forms if form.fullness == BARE or len(form.text) <= len(forms[0].text)]
        return self.rng.choice(usual or [forms[0].text])

    def means(self, texts: Sequence[str], node: int) -> bool:
        """Whether names written side by side can only mean one organisation, and no other reading crosses them."""
        if self.index.crosses(list(texts)):
            return False
        owners = [self.index.owners(text) for text in texts]
        low = [i for i, found in enumerate(owners) if node in found]
        if not low:
            return False
        others = {other for i in low for other in owners[i] if other != node}
        if any(all(any(self._one_path(o, other) for o in found) for found in owners) for other in others):
            return False
        return all(any(self.hierarchy.is_ancestor(o, node) for o in found) for found in owners)

    def _one_path(self, a: int, b: int) -> bool:
        return self.hierarchy.is_ancestor(a, b) or self.hierarchy.is_ancestor(b, a)

    def organisation(self, node: int | None = None) -> _Said | None:
        """An organisation by some of its names, from the top down."""
        rng = self.rng
        node = self.some_node() if node is None else node
        path = self.hierarchy.paths[node]
        above = [i for i in path[:-1] if rng.random() < (0.25 if i == path[0] else 0.5)]
        texts = [self.form(i) for i in (*above, node)]
        return _Said("".join(texts), self.tags(node)) if self.means(texts, node) else None

    def sentence(self, *parts: _Said) -> tuple[str, str] | None:
        """The parts in order, perhaps with an opening; None where a name stands across a joint."""
        rng = self.rng
        said = [part for part in parts if part.text]
        if rng.random() < 0.15:
            opening = rng.choice(words.OPENINGS)
            said.insert(0, _Said(opening, opening))
        if self.index.crosses([part.text for part in said]):
            return None
        return "".join(part.text for part in said), "".join(part.tagged for part in said)

    def maybe_date(self, share: float = 0.35) -> _Said:
        """A date, or nothing."""
        return self.date() if self.rng.random() < share else _NONE

    def de(self) -> _Said:
        """的, or nothing."""
        return _Said("的", "的") if self.rng.random() < 0.12 else _NONE

    # ── kinds ────────────────────────────────────────────────────────────────────────────────────

    def template(self) -> Row | None:
        """The twelve templates of the task, in full or shortened forms."""
        rng = self.rng
        levels = rng.choice(((1, 2, 3), (1,), (2,), (1, 2), (1, 3), (3,)))
        node = self.some_node((Level(levels[-1]),))
        path = self.hierarchy.paths[node]
        texts = [self.form(path[level]) for level in levels]
        if not self.means(texts, node):
            return None
        date = self.date(odd=0.05) if rng.random() < 0.5 else _NONE
        made = self.sentence(date, _Said("".join(texts), self.tags(node)), self.indicator(0.1))
        return made and self._row("template", made, self._offered(texts, node))

    def plain(self) -> Row | None:
        """Any names of one organisation, the date before or behind them."""
        node = self.some_node()
        name = self.organisation(node)
        if name is None:
            return None
        date, ask = self.maybe_date(), self.indicator()
        parts = (date, name, self.de(), ask) if self.rng.random() < 0.6 else (name, self.de(), date, ask)
        made = self.sentence(*parts)
        return made and self._row("plain", made, self._offered([name.text], node))

    def reordered(self) -> Row | None:
        """The lower name before the upper, brackets, or the indicator in front."""
        rng = self.rng
        node = self.some_node((Level.COMPANY, Level.SUBSTATION))
        above = rng.choice(self.hierarchy.paths[node][1:-1] or (0,))
        texts = [self.form(node, 0.7), self.form(above)]
        if not self.means(texts, node) or not self.means(texts[::-1], node):
            return None
        shape = rng.choice(("{}{}", "{}（{}）", "{}({})", "{}，{}"))
        name = _Said(shape.format(*texts), self.tags(node))
        if shape == "{}，{}" and self.means(texts[:1], node) is False:
            return None
        ask = self.indicator()
        made = self.sentence(*((name, ask) if rng.random() < 0.7 else (ask, name)))
        if made and made[0].endswith(texts[1]) and shape == "{}，{}":
            return None
        return made and self._row("reordered", made)

    def several(self) -> Row | None:
        """Two or three organisations, each with its own path."""
        rng = self.rng
        names: list[_Said] = []
        nodes: list[int] = []
        for _ in range(2 if rng.random() < 0.8 else 3):
            node = self.some_node((Level.CITY, Level.COMPANY, Level.SUBSTATION))
            name = self.organisation(node)
            if name is None or any(self._one_path(node, other) for other in nodes):
                return None
            nodes.append(node)
            names += [_Said(sep, sep) for sep in [rng.choice("和与及跟")] if len(nodes) > 1] + [name]
        made = self.sentence(self.maybe_date(), *names, self.de(), self.indicator())
        return made and self._row("several", made)

    def no_organisation(self) -> Row | None:
        """An indicator, a date, or both."""
        parts = [self.maybe_date(0.6), self.de(), self.indicator(0.5)]
        made = self.sentence(*parts)
        return made and self._row("no organisation", made)

    def unlisted(self) -> Row | None:
        """An indicator that no file lists."""
        name = self.organisation() if self.rng.random() < 0.85 else _NONE
        if name is None:
            return None
        made = self.sentence(self.maybe_date(0.3), name, self.de(), self.indicator(1.0))
        return made and self._row("unlisted indicator", made)

    def odd_date(self) -> Row | None:
        """A date that the rules do not read."""
        name = self.organisation() if self.rng.random() < 0.85 else _NONE
        if name is None:
            return None
        date = self.date(odd=1.0)
        parts = (date, name) if self.rng.random() < 0.5 else (name, date)
        made = self.sentence(*parts, self.de(), self.indicator(0.2))
        return made and self._row("odd date", made)

    def ordinary(self) -> Row | None:
        """A sentence that names nothing."""
        sentence = words.everyday_sentence(self.rng, self.part)
        if not words.is_plain(sentence) or self.index.holds_a_stem(sentence):
            return None
        date = date_phrase(self.rng) if self.rng.random() < 0.15 else ""
        return self._row("ordinary", (date + sentence, (_tag("Date", date) if date else "") + escape(sentence)))

    def garbled(self) -> Row | None:
        """A name with a slip in it, to be chosen among those it could be."""
        rng = self.rng
        node = self.some_node((Level.CITY, Level.COMPANY, Level.COMPANY, Level.SUBSTATION, Level.SUBSTATION))
        stem, name = self.index.stems[node], self.hierarchy.names[node]
        if len(stem) < 2:
            return None
        written = garble.garble(stem, rng.choice(garble.SLIPS), rng)
        if written is None or written == stem or not garble.is_plausible(written, stem):
            return None
        above = self._parent(self.hierarchy.paths[node][:-1])
        return self._misspelt("garbled", written, self._suffix(name, stem), above, node)

    def unknown(self) -> Row | None:
        """A name that the table lacks, beside names it has that look a little like it; it stays as it is."""
        rng = self.rng
        level = rng.choice((Level.COMPANY, Level.SUBSTATION))
        near = self.some_node((level,))
        if rng.random() < 0.6:  # half of a name of the table, and half of another
            stem, other = self.index.stems[near], self.index.stems[self.some_node((level,))]
            cut = rng.randint(1, max(len(stem) - 1, 1))
            written = stem[:cut] + other[cut:] if rng.random() < 0.5 else other[:cut] + stem[cut:]
        else:
            written = made_up_stem(rng, self.part)
        if len(written) < 2:
            return None
        suffix = self._suffix(self.hierarchy.names[near], self.index.stems[near]) or "供电公司"
        above = self._parent(self.hierarchy.paths[near][:-1])
        return self._misspelt("unknown name", written, suffix, above, None)

    def ambiguous(self) -> Row | None:
        """A name that several organisations go by, left open."""
        rng = self.rng
        node = self.some_node((Level.SUBSTATION, Level.SUBSTATION, Level.COMPANY))
        text = self.form(node, 0.6)
        above = rng.choice(self.hierarchy.paths[node][:-1])
        named = rng.random() < 0.4
        owners = {n: f for n, f in self.index.owners(text).items() if not named or self.hierarchy.is_ancestor(above, n)}
        if len(owners) < 2 or len(owners) > 12 or len(set(owners.values())) > 1:
            return None
        if len({self.hierarchy.levels[n] for n in owners}) > 1 or not all(
            self.index.usable(n, self.part) for n in owners
        ):
            return None
        parent = self.form(above) if named else ""
        if named and (not self.means([parent], above) or self.index.crosses([parent, text])):
            return None
        shared = self._shared(list(owners))
        names = {self.hierarchy.names[n] for n in owners}
        level = LEVEL_NAMES[self.hierarchy.levels[node]]
        head = self.tags(shared) if shared is not None else ""
        left = head + _tag(level, names.pop() if len(names) == 1 else text)
        made = self.sentence(self.maybe_date(0.3), _Said(parent + text, left), self.de(), self.indicator(0.2))
        return made and self._row("ambiguous", made, tuple(self.tags(n) for n in sorted(owners)))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────

    def _row(self, kind: str, made: tuple[str, str], alternatives: tuple[str, ...] = ()) -> Row:
        if self.offer_all and not alternatives and kind != "ordinary":
            nodes = list(dict.fromkeys(self.named))
            if any(self.index.stems[i] not in made[0] for node in nodes for i in self.hierarchy.paths[node]):
                nodes += [self.some_node() for _ in range(self.rng.randrange(2))]
                self.rng.shuffle(nodes)
                alternatives = tuple(self.tags(node) for node in dict.fromkeys(nodes))
        return Row(made[0], made[1], kind, alternatives)

    def _offered(self, texts: Sequence[str], node: int) -> tuple[str, ...]:
        """The organisation among others, for questions that leave some of its path out."""
        if self.rng.random() < 0.5:
            return ()
        others = [self.some_node((Level(self.hierarchy.levels[node]),)) for _ in range(self.rng.randrange(3))]
        nodes = list(dict.fromkeys([node, *others]))
        self.rng.shuffle(nodes)
        return tuple(self.tags(n) for n in nodes)

    def _suffix(self, name: str, stem: str) -> str:
        """What is written behind a stem: all of the name's rest, or a shorter suffix."""
        rest = name[len(stem) :] if name.startswith(stem) else ""
        if rest.endswith("供电所"):
            return self.rng.choice((rest, rest, rest, "所"))
        if rest.endswith("供电公司"):
            return self.rng.choice((rest, rest, rest.removesuffix("供电公司") or rest, "供电公司"))
        return rest

    def _parent(self, above: Sequence[int]) -> int | None:
        """The organisation that is named before a misspelt name, if any."""
        if self.offer_all:  # what stands above it could not be known
            above = [i for i in above if self.hierarchy.levels[i] == Level.PROVINCE]
        return self.rng.choice(above) if above and self.rng.random() < 0.5 else None

    def _misspelt(self, kind: str, written: str, suffix: str, above: int | None, node: int | None) -> Row | None:
        """A question with a name that is not quite one of the table."""
        rng = self.rng
        parent = self.form(above) if above is not None else ""
        if above is not None and not self.means([parent], above):
            return None
        text = written + suffix
        if self.index.owners(text) or self.index.holds_a_stem(written) or self.index.crosses([parent, text]):
            return None
        nearest = self._nearest(written, suffix, above)
        ties: list[int] = []
        if node is None:
            stems = [self.index.stems[n] for _, n in self._nearest(written, suffix, None)]
            if any(garble.is_plausible(written, stem) or garble.is_one_change(written, stem) for stem in stems):
                return None
        else:
            far = garble.distance(written, self.index.stems[node])
            rivals = [d for d, n in nearest if n != node]
            if not garble.is_one_change(written, self.index.stems[node]) and any(
                garble.is_one_change(written, self.index.stems[n]) for _, n in nearest
            ):
                return None  # the rules would take that one
            if rivals and min(rivals) < far + 1:
                ties = [n for d, n in nearest if d == far]
                if (
                    min(rivals) != far
                    or node not in ties
                    or not garble.is_one_change(written, self.index.stems[node])
                    or len({self.hierarchy.levels[n] for n in ties}) > 1
                ):
                    return None
        meant = [node] if node is not None and not ties else ties
        if not all(self.index.usable(n, self.part) for n in meant):
            return None
        others = [n for _, n in nearest[: rng.randint(2, 7)] if n not in meant and self.index.usable(n, self.part)]
        if len(others) < 2 and rng.random() < 0.5:
            level = Level.SUBSTATION if suffix.endswith("所") else Level.COMPANY
            others += [self.some_node((level,)) for _ in range(rng.randint(1, 3))]
        nodes = list(dict.fromkeys([*meant, *others]))[:8]
        if above is not None:
            nodes = [n for n in nodes if n != above and self.hierarchy.is_ancestor(above, n)]
        if not nodes or len(ties) > 8:
            return None
        rng.shuffle(nodes)
        depth = 0 if above is None else self.hierarchy.levels[above] + 1  # the parent is settled; paths go on from it
        head = self.tags(above) if above is not None else ""
        if ties:
            shared = self._shared(ties)
            head = self.tags(shared) if shared is not None else ""
            kind, answer = "ambiguous", head + _tag(LEVEL_NAMES[self.hierarchy.levels[ties[0]]], text)
            depth = 0
        else:
            answer = self.tags(node) if node is not None else head + escape(text)
        made = self.sentence(self.maybe_date(0.25), _Said(parent + text, answer), self.de(), self.indicator(0.2))
        return made and self._row(kind, made, tuple(self.tags(n, depth) for n in nodes))

    def _shared(self, nodes: Sequence[int]) -> int | None:
        """The lowest organisation above all of these."""
        paths = [self.hierarchy.paths[n] for n in nodes]
        depth = 0
        while len({path[depth : depth + 1] for path in paths}) == 1 and all(len(path) > depth + 1 for path in paths):
            depth += 1
        return paths[0][depth - 1] if depth else None

    def _nearest(self, written: str, suffix: str, above: int | None) -> list[tuple[float, int]]:
        """Organisations by how far their stems are from what is written, nearest first."""
        found: set[int] = set()
        size = len(written)
        for i, c in enumerate(written):
            for sound in {c, *merged_readings(c)}:
                for shift in (-1, 0, 1):
                    found.update(self.index.near.get(f"{size + shift} {i} {sound}", ()))
                    if shift:
                        found.update(self.index.near.get(f"{size + shift} {i + shift} {sound}", ()))
        substation = suffix.endswith(SUBSTATION_ENDS)
        scored = []
        for node in found:
            if suffix and (self.hierarchy.levels[node] == Level.SUBSTATION) != substation:
                continue
            if above is not None and not self.hierarchy.is_ancestor(above, node):
                continue
            scored.append((garble.distance(written, self.index.stems[node]), node))
        return sorted(scored)


def _tag(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"


KINDS: Final[dict[str, tuple[Callable[[Maker], Row | None], int]]] = {
    "template": (Maker.template, 18),
    "plain": (Maker.plain, 14),
    "reordered": (Maker.reordered, 5),
    "several": (Maker.several, 5),
    "no organisation": (Maker.no_organisation, 6),
    "unlisted indicator": (Maker.unlisted, 12),
    "odd date": (Maker.odd_date, 8),
    "ordinary": (Maker.ordinary, 7),
    "garbled": (Maker.garbled, 18),
    "unknown name": (Maker.unknown, 8),
    "ambiguous": (Maker.ambiguous, 6),
}
"""What kinds of questions there are, how each is made, and its share in the data."""


@lru_cache(maxsize=8)
def _index(hierarchy: Hierarchy) -> NameIndex:
    return NameIndex(hierarchy)


def generate(
    hierarchy: Hierarchy,
    seed: int = 0,
    part: Part = "train",
    size: int = 1000,
    kinds: Sequence[str] | None = None,
    offer_all: bool = False,
) -> Iterator[Row]:
    """Questions with the answers that a model is to give; no two the same.

    Args:
        hierarchy: the table.
        seed: the same table, seed, part and kinds give the same rows; a larger `size` only adds to them.
        part: what the rows are for; substations, words and odd dates of one part are in no other.
        size: how many rows.
        kinds: keys of `KINDS`; None for all of them, in their shares.
        offer_all: give alternatives wherever an ancestor is filled in, since the table is not to be learnt by heart.

    Yields: rows; fewer than `size` where the table has not enough to make them of.
    """
    names = tuple(KINDS if kinds is None else kinds)
    rng = random.Random(f"{seed} {part}")
    maker = Maker(_index(hierarchy), rng, part, offer_all)
    weights = [KINDS[name][1] for name in names]
    seen: set[str] = set()
    failures = 0
    while len(seen) < size and failures < _ENOUGH_TRIES * 5:
        (kind,) = rng.choices(names, weights)
        row = None
        for _ in range(_ENOUGH_TRIES):
            maker.named.clear()
            row = KINDS[kind][0](maker)
            if row is not None:
                break
        if row is None or row.query in seen:
            failures += 1
            continue
        failures = 0
        seen.add(row.query)
        yield row
