"""The parts of a question: mentions, and the organisations that a mention could be."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, final

from qilin.dates import DateMention
from qilin.hierarchy import Alias
from qilin.operators.phrase import Phrase
from qilin.text.tuples import quickly

EXACT, HOMOPHONE, MERGED_SOUND, SWAPPED, EDITED = range(5)  # weight of a typo; 0: written as it should be
NO_NODES: frozenset[int] = frozenset()
_first = itemgetter(0)


class Candidate(NamedTuple):
    """One organisation a mention could be: its node, how full the form is, how heavy the typo.

    `depth` is the level that counts where the higher one is preferred.
    """

    node: int
    form: int
    depth: int
    typo: int = EXACT
    alias: Alias | None = None


class Sense(NamedTuple):
    """Organisations that one string could name and that differ in the node alone.

    `nodes` ascend; `bare`: no suffix is written. The other fields are those of `Candidate`.
    """

    nodes: tuple[int, ...]
    form: int
    depth: int
    alias: Alias | None
    bare: bool
    typo: int = EXACT


class State(NamedTuple):
    """One way to give the mentions of a target their organisations, all on one path.

    Its first five fields are the cost that decides between the states of a target (`readings.cost`);
    `deepest`: the lowest organisation; `nodes`: one a mention, in text order.
    """

    repeats: int
    typos: int
    form: int
    depth: int
    upward: int
    deepest: int
    nodes: tuple[int, ...]


class OrgName:
    """Every organisation that one string, suffix included, could name. Made once a string and kept.

    `nodes`: all of them, ascending. `best`: those left when the typo, the form and then the level have
    decided. `form`, `level`: of the best. `bare`: no suffix is written. `weak`: bare, and an ordinary word
    too. `tail`: only the tail of a name, which nothing but its parent can support. `stem`: the stem it was
    found by, "" for a typo. `source`: scope, context or pattern where the text alone did not tell, else "".
    `guesses`: nodes of whose name too little is written; worth asking about, never an answer. `lonely`:
    nodes that are no answer unless another mention stands on the path. `templates`: the fields of an
    entity of each node that do not depend on its place, made at first use.
    """

    __slots__ = (
        "_candidates",
        "_senses",
        "_shorten",
        "_shorter",
        "_states",
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
        senses: tuple[Sense, ...],
        levels: tuple[int, ...],
        *,
        stem: str = "",
        bare: bool = False,
        tail: bool = False,
        weak: bool = False,
        source: str = "",
        guesses: frozenset[int] = NO_NODES,
        lonely: frozenset[int] = NO_NODES,
    ) -> None:
        """
        Args:
            senses: no node twice.
            levels: of all nodes of the tree.
        """
        self.guesses = guesses
        self.lonely = lonely
        self.stem = stem
        self.bare = bare
        self.tail = tail
        self.weak = weak
        self.source = source
        self.templates: dict[int, dict[str, object]] = {}
        self._senses = senses
        self._candidates: tuple[Candidate, ...] | None = None
        self._states: list[State] | None = None
        self._shorter: tuple[tuple[int, OrgName], ...] | None = ()
        self._shorten: Callable[[], tuple[tuple[int, OrgName], ...]] | None = None
        self.nodes: tuple[int, ...]
        self.best: tuple[int, ...]
        if len(senses) == 1:
            self.nodes = self.best = senses[0].nodes
            self.form = senses[0].form
        else:
            self.nodes = _ascending(senses)
            typo, self.form, depth = min([(s[5], s[1], s[2]) for s in senses])
            self.best = _ascending([s for s in senses if s[1] == self.form and s[2] == depth and s[5] == typo])
        self.level = levels[self.best[0]]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every organisation the mention could be, ascending by node."""
        if self._candidates is None:
            found = [
                quickly(Candidate, (node, form, depth, typo, alias))
                for nodes, form, depth, alias, _, typo in self._senses
                for node in nodes
            ]
            if len(found) > 1:
                found.sort(key=_first)
            self._candidates = tuple(found)
        return self._candidates

    def slice(self, start: int, end: int) -> Sequence[Candidate]:
        """`candidates[start:end]`, without making the others."""
        if self._candidates is not None:
            return self._candidates[start:end]
        return [self.candidate(node) for node in self.nodes[start:end]]

    def candidate(self, node: int) -> Candidate:
        """The candidate of one of the nodes."""
        if self._candidates is not None:
            return self._candidates[bisect_left(self.nodes, node)]
        for nodes, form, depth, alias, _, typo in self._senses:
            at = bisect_left(nodes, node)
            if at < len(nodes) and nodes[at] == node:
                return quickly(Candidate, (node, form, depth, typo, alias))
        raise AssertionError("only one of the nodes has a candidate")

    @property
    def states(self) -> list[State]:
        """The mention as all of a target; must not be changed."""
        if self._states is None:
            # Equally light typos are equally good, however full the form or high the level.
            self._states = [
                quickly(State, (0, typo, 0 if typo else form, 0 if typo else depth, 0, node, (node,)))
                for node, form, depth, typo, _ in self.candidates
            ]
        return self._states

    @property
    def shorter(self) -> tuple[tuple[int, OrgName], ...]:
        """The names that the mention holds with less of its suffix, as (characters less, name)."""
        if self._shorter is None:
            assert self._shorten is not None
            self._shorter = self._shorten()
        return self._shorter

    def shortened_by(self, shorten: Callable[[], tuple[tuple[int, OrgName], ...]]) -> None:
        """Make `shorter` this way when it is asked for."""
        self._shorten = shorten
        self._shorter = None


def _ascending(senses: Sequence[Sense]) -> tuple[int, ...]:
    if len(senses) == 1:
        return senses[0].nodes
    return tuple(sorted([node for sense in senses for node in sense.nodes]))


@final
class OrgMention(NamedTuple):
    """A mention of an organisation: half-open span in the folded text."""

    start: int
    end: int
    name: OrgName


@final
class IndicatorMention(NamedTuple):
    """A mention of an indicator, by its canonical name: half-open span in the folded text."""

    start: int
    end: int
    indicator: str


Part = OrgMention | IndicatorMention | DateMention | Phrase
"""A stretch that plays one part in a question; half-open span `start`, `end` in the folded text."""
