"""The fragments that questions are made of: names, dates, indicators, each with its tagged form.

Nothing here asks the resolver. A question is put together from fragments of known meaning, and given up
where they could be read in another way: a name that others go by too, a name across a joint.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from qilin.answer.markup import escape
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Level
from qilin.names.rules import BARE
from qilin.training import words
from qilin.training.date_phrases import date_phrase, odd_date_phrase
from qilin.training.name_index import NameIndex
from qilin.training.split import Split

MOST_TRIES: Final = 400  # to make one row, or find one node


class Row(NamedTuple):
    """One question with the answer that a model is to give.

    Attributes:
        query: the question.
        tagged: its tagged form (docs/architecture.md).
        kind: what it exercises; a key of `KINDS`.
        alternatives: tagged forms of the organisations that could be meant where the rules leave it open, the
            right one among them if there is one; () where nothing is to be chosen.
    """

    query: str
    tagged: str
    kind: str
    alternatives: tuple[str, ...] = ()


class Fragment(NamedTuple):
    """A piece of a question: as written, and its tagged form."""

    text: str
    tagged: str


NOTHING: Final = Fragment("", "")


class Maker:
    """Makes fragments of questions from one table, for one split of the data.

    `offer_all`: give alternatives wherever an ancestor is filled in.
    """

    def __init__(self, index: NameIndex, rng: random.Random, split: Split, offer_all: bool = False) -> None:
        self.index, self.rng, self.split, self.offer_all = index, rng, split, offer_all
        self.hierarchy = index.hierarchy
        self.named: list[int] = []  # organisations tagged since `begin`

    def begin(self) -> None:
        """Begin another question."""
        self.named.clear()

    # ── fragments ────────────────────────────────────────────────────────────────────────────────

    def tags(self, node: int, above: int = 0) -> str:
        """The tagged path of an organisation, without its first `above` levels."""
        self.named.append(node)
        path = self.hierarchy.paths[node][above:]
        return "".join(tag(LEVEL_NAMES[self.hierarchy.levels[i]], self.hierarchy.names[i]) for i in path)

    def indicator(self, unlisted: float = 0.3) -> Fragment:
        """An indicator and the words behind it; unlisted with a probability."""
        rng = self.rng
        if rng.random() < unlisted:
            name, tail = words.unlisted_indicator(rng, self.split)
        else:
            seed = ("投诉", "意见", "投诉百万户量", "意见百万户量")
            name = rng.choice(seed if rng.random() < 0.4 else words.listed_indicators())
            tail = rng.choice(words.TOTALS) if rng.random() < 0.6 else rng.choice(words.TAILS)
        return Fragment(name + tail, tag("Indicator", name) + tail)

    def date(self, odd: float = 0.1) -> Fragment:
        """A date; with a probability, one that the rules do not understand."""
        text = odd_date_phrase(self.rng, self.split) if self.rng.random() < odd else date_phrase(self.rng)
        return Fragment(text, tag("Date", text))

    def maybe_date(self, probability: float = 0.35) -> Fragment:
        """A date, or nothing."""
        return self.date() if self.rng.random() < probability else NOTHING

    def de(self) -> Fragment:
        """的, or nothing."""
        return Fragment("的", "的") if self.rng.random() < 0.12 else NOTHING

    def organisation(self, node: int | None = None) -> Fragment | None:
        """An organisation by some names of its path, from the top down; None where they could mean another."""
        rng = self.rng
        node = self.some_node() if node is None else node
        path = self.hierarchy.paths[node]
        above = [i for i in path[:-1] if rng.random() < (0.25 if i == path[0] else 0.5)]
        texts = [self.form(i) for i in (*above, node)]
        return Fragment("".join(texts), self.tags(node)) if self.means(texts, node) else None

    def sentence(self, *fragments: Fragment) -> tuple[str, str] | None:
        """The text and tagged form of fragments in order, perhaps with an opening; None for a name across a joint."""
        rng = self.rng
        used = [fragment for fragment in fragments if fragment.text]
        if rng.random() < 0.15:
            opening = rng.choice(words.OPENINGS)
            used.insert(0, Fragment(opening, opening))
        if self.index.crosses([fragment.text for fragment in used]):
            return None
        return "".join(fragment.text for fragment in used), "".join(fragment.tagged for fragment in used)

    # ── organisations and their names ────────────────────────────────────────────────────────────

    def some_node(
        self, levels: Sequence[Level] = (Level.CITY, Level.COMPANY, Level.SUBSTATION, Level.SUBSTATION)
    ) -> int:
        """An organisation of one of the levels."""
        for _ in range(MOST_TRIES):
            nodes = self.index.nodes(self.rng.choice(levels), self.split)
            if nodes:
                return self.rng.choice(nodes)
        return 0

    def form(self, node: int, full: float = 0.5) -> str:
        """One way to write an organisation; its full name with a probability."""
        forms = self.index.forms(node)
        if self.rng.random() < full:
            return forms[0].text
        usual = [form.text for form in forms if form.fullness == BARE or len(form.text) <= len(forms[0].text)]
        return self.rng.choice(usual or [forms[0].text])

    def means(self, texts: Sequence[str], node: int) -> bool:
        """Whether names written side by side can only mean one organisation, with no name across a joint."""
        if self.index.crosses(list(texts)):
            return False
        owners = [self.index.owners(text) for text in texts]
        low = [i for i, found in enumerate(owners) if node in found]
        if not low:
            return False
        others = {other for i in low for other in owners[i] if other != node}
        if any(all(any(self.on_one_path(o, other) for o in found) for found in owners) for other in others):
            return False
        return all(any(self.hierarchy.is_ancestor(o, node) for o in found) for found in owners)

    def on_one_path(self, a: int, b: int) -> bool:
        """Whether one of two organisations stands above the other."""
        return self.hierarchy.is_ancestor(a, b) or self.hierarchy.is_ancestor(b, a)

    def shared_ancestor(self, nodes: Sequence[int]) -> int | None:
        """The lowest organisation above all of these."""
        paths = [self.hierarchy.paths[n] for n in nodes]
        depth = 0
        while len({path[depth : depth + 1] for path in paths}) == 1 and all(len(path) > depth + 1 for path in paths):
            depth += 1
        return paths[0][depth - 1] if depth else None

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────

    def row(self, kind: str, sentence: tuple[str, str], alternatives: tuple[str, ...] = ()) -> Row:
        """A row of a sentence's text and tagged form."""
        text, tagged = sentence
        if self.offer_all and not alternatives and kind != "ordinary":
            nodes = list(dict.fromkeys(self.named))
            if any(self.index.stems[i] not in text for node in nodes for i in self.hierarchy.paths[node]):
                nodes += [self.some_node() for _ in range(self.rng.randrange(2))]
                self.rng.shuffle(nodes)
                alternatives = tuple(self.tags(node) for node in dict.fromkeys(nodes))
        return Row(text, tagged, kind, alternatives)

    def offered(self, node: int) -> tuple[str, ...]:
        """The organisation among others, for half of the questions that leave some of its path out."""
        if self.rng.random() < 0.5:
            return ()
        others = [self.some_node((Level(self.hierarchy.levels[node]),)) for _ in range(self.rng.randrange(3))]
        nodes = list(dict.fromkeys([node, *others]))
        self.rng.shuffle(nodes)
        return tuple(self.tags(n) for n in nodes)


def tag(name: str, text: str) -> str:
    """Text in a tag."""
    return f"<{name}>{escape(text)}</{name}>"
