"""Everything that is computed from one organisation table, once, and shared by all queries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from os import PathLike

from qilin.answer.values import LEVEL_NAMES, Entity, OrgPath, org_path, path_text, trusted
from qilin.dates import TRIGGERS as DATE_TRIGGERS
from qilin.hierarchy import Hierarchy
from qilin.names.elsewhere import Elsewhere
from qilin.names.gazetteer import Gazetteer
from qilin.names.indicators import load_indicators
from qilin.names.mention import OrgMention, OrgName
from qilin.names.recent import Recent
from qilin.names.rules import GRID_PREFIXES
from qilin.names.typo_index import TypoIndex
from qilin.operators import breakdown, exclusion
from qilin.operators.relative import RELATIVES
from qilin.text.filler import Filler
from qilin.text.normalize import FoldTable
from qilin.text.words import function_words

DATE_BIT, EXCLUSION_BIT, BREAKDOWN_BIT, GRID_BIT = 1, 2, 4, 8
_ORGANISATIONS_KEPT = 1 << 16  # of the names that were made lately


class Tables:
    """One hierarchy, compiled: gazetteer, filler, typos, and values made once per organisation."""

    def __init__(self, hierarchy: Hierarchy, folds: FoldTable, gazetteer: Gazetteer) -> None:
        self.hierarchy = hierarchy
        self.folds = folds
        self.gazetteer = gazetteer
        self.filler = _filler()
        self.grid_prefixes = tuple(sorted(map(folds.fold_name, GRID_PREFIXES), key=len, reverse=True))
        self.org_path: Callable[[int], OrgPath] = lru_cache(maxsize=65536)(partial(org_path, hierarchy))
        self.inferred = lru_cache(maxsize=65536)(self._inferred)
        self._typo_index: TypoIndex | None = None  # no cached_property: compiled, it is a plain property
        self._elsewhere: Elsewhere | None = None
        self._names: Recent[tuple[str, str], tuple[OrgName | None]] = Recent(
            _ORGANISATIONS_KEPT, lambda _, known: 1 + (len(known[0].nodes) if known[0] is not None else 0)
        )

    @classmethod
    def build(cls, hierarchy: Hierarchy, indicators: str | PathLike[str] | None = None) -> Tables:
        """Compile a hierarchy.

        Raises: HierarchyError, if the indicators cannot be read.
        """
        folds = FoldTable.standard()
        fold = folds.fold_name
        surfaces = [(fold(surface), name) for surface, name in load_indicators(indicators).items()]
        triggers: dict[str, int] = {}
        for bit, words in (
            (DATE_BIT, DATE_TRIGGERS),
            (EXCLUSION_BIT, exclusion.TRIGGERS),
            (BREAKDOWN_BIT, breakdown.TRIGGERS),
            (GRID_BIT, GRID_PREFIXES),
        ):
            for word in words:
                triggers[fold(word)] = triggers.get(fold(word), 0) | bit
        return cls(hierarchy, folds, Gazetteer(hierarchy, surfaces, triggers, RELATIVES, fold))

    def _inferred(self, node: int, group: int, source: str) -> Entity:
        """An ancestor that the query does not name."""
        level, name = LEVEL_NAMES[self.hierarchy.levels[node]], self.hierarchy.names[node]
        return trusted(Entity, type=level, name=name, source=source, group=group)

    @property
    def typo_index(self) -> TypoIndex:
        """Made when the first query leaves something unexplained."""
        if self._typo_index is None:
            self._typo_index = TypoIndex(self.gazetteer.stems)
        return self._typo_index

    @property
    def elsewhere(self) -> Elsewhere:
        """Made when the first query leaves something unexplained."""
        if self._elsewhere is None:
            self._elsewhere = Elsewhere(self.gazetteer.is_stem, self.typo_index, self.filler.gap)
        return self._elsewhere

    def name(self, stem: str, ending: str) -> OrgName | None:
        """`Gazetteer.name`, kept: the stems and suffixes of typos come again."""
        known = self._names.get((stem, ending))
        if known is None:
            known = (self.gazetteer.name(stem, ending),)
            self._names.put((stem, ending), known)
        return known[0]

    def scope_node(self, scope: str | OrgPath) -> int:
        """The node of the caller's own organisation.

        Raises: ValueError, if the table does not have it, or has it more than once.
        """
        text = path_text(scope) if isinstance(scope, OrgPath) else scope
        nodes = self.hierarchy.find(text)
        if not nodes:
            folded = self.folds.fold_name(text)
            nodes = tuple(
                node
                for mention in self.gazetteer.scan(folded).mentions
                if isinstance(mention, OrgMention) and mention[:2] == (0, len(folded))
                for node in mention.name.best
            )
        if not nodes:
            raise ValueError(
                f"scope {text!r} is not in the table; give a name or a path such as '菏泽/巨野县供电公司'."
            )
        if len(nodes) > 1:
            named = "; ".join(str(self.org_path(i)) for i in nodes)
            raise ValueError(f"scope {text!r} is not unique; give its path. Candidates: {named}")
        return nodes[0]

    def node_of(self, path: OrgPath) -> int | None:
        """The node of a path; None when this table does not have it."""
        nodes = self.hierarchy.find(path_text(path))
        exact = [i for i in nodes if self.org_path(i) == path]
        return exact[0] if exact else None


@lru_cache(maxsize=1)
def _filler() -> Filler:
    return Filler(function_words())
