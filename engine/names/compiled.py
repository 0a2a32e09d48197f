"""Everything that is computed from one organisation table, once, and shared by all queries."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike

from qilin.answer.values import LEVEL_NAMES, Entity, OrgPath, complete, path_text
from qilin.dates.find import TRIGGERS as DATE_TRIGGERS
from qilin.hierarchy import Hierarchy
from qilin.names.gazetteer import ORGANISATION, Gazetteer, OrgName
from qilin.names.indicators import load_indicators
from qilin.names.rules import GRID_PREFIXES
from qilin.operators.phrases import RELATIVES, Filler
from qilin.operators.phrases import TRIGGERS as PHRASE_TRIGGERS
from qilin.readings.typos import SWAPPED, TypoFinder
from qilin.readings.unknowns import NilFinder
from qilin.text import words as lexicon
from qilin.text.normalize import FoldTable

DATE_BIT, EXCLUSION_BIT, BREAKDOWN_BIT, GRID_BIT = 1, 2, 4, 8
# Words that are the ending of a name when they do not stand alone.
_PLACE_LIKE = frozenset(
    ["城市", "市区", "县区", "城区", "郊区", "地区", "矿区", "林区", "牧区", "农区", "山区", "库区", "区县", "市县"]
)
_WORD_SIZES = (2, 3, 4)
# A word that begins with one of these is as likely two: 和|平阴.
_JOINERS = frozenset("的和与及跟同是在有对把被从向为问查看")


class Tables:
    """One hierarchy, compiled: gazetteer, filler, typos, and values made once per organisation."""

    def __init__(self, hierarchy: Hierarchy, folds: FoldTable, gazetteer: Gazetteer) -> None:
        self.hierarchy = hierarchy
        self.folds = folds
        self.gazetteer = gazetteer
        self.filler = _filler()
        self._typos: TypoFinder | None = None  # no cached_property: compiled, it is a plain property
        self._nil: NilFinder | None = None
        self.grid_prefixes = tuple(sorted(map(folds.fold_name, GRID_PREFIXES), key=len, reverse=True))
        self.org_path = lru_cache(maxsize=65536)(self._org_path)
        self.inferred = lru_cache(maxsize=65536)(self._inferred)
        self._suffix_words = frozenset(lexicon.suffix_words())
        self._longest_suffix_word = max(map(len, self._suffix_words))

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
            (EXCLUSION_BIT, PHRASE_TRIGGERS["exclusion"]),
            (BREAKDOWN_BIT, PHRASE_TRIGGERS["breakdown"]),
            (GRID_BIT, GRID_PREFIXES),
        ):
            for word in words:
                triggers[fold(word)] = triggers.get(fold(word), 0) | bit
        gazetteer = Gazetteer(hierarchy, surfaces, triggers, RELATIVES, fold, lexicon.ordinary_words())
        return cls(hierarchy, folds, gazetteer)

    def _org_path(self, node: int) -> OrgPath:
        hierarchy = self.hierarchy
        province, city, company, substation = hierarchy.path_names(node)
        values = {
            "province": province,
            "city": city,
            "company": company,
            "substation": substation,
            "level": LEVEL_NAMES[hierarchy.levels[node]],
            "name": hierarchy.names[node],
        }
        return complete(OrgPath, values)

    def _inferred(self, node: int, group: int, source: str) -> Entity:
        """An ancestor that the query does not name."""
        values = {
            "type": LEVEL_NAMES[self.hierarchy.levels[node]],
            "name": self.hierarchy.names[node],
            "text": None,
            "start": None,
            "end": None,
            "source": source,
            "score": 1.0,
            "group": group,
            "note": None,
        }
        return complete(Entity, values)

    @property
    def typos(self) -> TypoFinder:
        """Made when the first query leaves something unexplained."""
        if self._typos is None:
            self._typos = TypoFinder(
                self.hierarchy,
                self.gazetteer,
                self.is_ordinary,
                self.ends_like_a_word,
                lexicon.is_place,
                lexicon.place_characters,
                self.filler.gap,
            )
        return self._typos

    @property
    def nil(self) -> NilFinder:
        """Made when the first query leaves something unexplained."""
        if self._nil is None:
            self._nil = NilFinder(
                self.hierarchy,
                self.gazetteer.is_stem,
                self.is_ordinary,
                self.ends_like_a_word,
                lexicon.is_place,
                lexicon.places,
                self.sounds_like_a_name,
                self.filler.gap,
            )
        return self._nil

    def is_ordinary(self, text: str) -> bool:
        """Whether the text is a word of everyday language."""
        return text in lexicon.ordinary_words()

    def ends_like_a_word(self, text: str) -> bool:
        """Whether the text ends in an ordinary word that looks like the ending of a place: 台区, 小区.

        Some of them end names too, and count only by themselves: 廖城市 is no 城市, 火星市区 no 市区.
        """
        for size in range(min(self._longest_suffix_word, len(text)), 1, -1):
            word = text[-size:]
            if word in self._suffix_words:
                return size == len(text) or word not in _PLACE_LIKE or self.is_ordinary(text)
        return False

    def sounds_like_a_name(self, text: str) -> bool:
        """Whether the text, no word itself, is a homophone of a name of the table, or has two characters swapped."""
        if self.is_ordinary(text):
            return False
        return any(meant.weight <= SWAPPED for meant in self.typos.index.lookup(text))

    def crosses_a_word(self, text: str, edge: int) -> bool:
        """Whether an ordinary word lies across a place of the text: 更新|城网 across the start of 新城."""
        words = lexicon.ordinary_words()
        for size in _WORD_SIZES:
            for start in range(max(edge - size + 1, 0), min(edge, len(text) - size + 1)):
                if text[start] not in _JOINERS and text[start : start + size] in words:
                    return True
        return False

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
                for token in self.gazetteer.scan(folded).tokens
                if token.kind == ORGANISATION and token[:2] == (0, len(folded)) and isinstance(token.ref, OrgName)
                for node in token.ref.best
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
    return Filler(lexicon.function_words())
