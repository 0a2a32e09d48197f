"""The names of a table, both ways: the names of an organisation, and the organisations of a name."""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

from qilin.hierarchy import Hierarchy, Level
from qilin.hierarchy.suffixes import RARE
from qilin.names.rules import BARE, FULL, SHORT, names_of
from qilin.text.sounds import merged_readings
from qilin.text.words import ordinary_words
from qilin.training.split import Split, split_of

_LONGEST: Final = 12


class NameForm(NamedTuple):
    """One way to write an organisation; `fullness` is FULL, SHORT or BARE."""

    text: str
    fullness: int


class NameIndex:
    """Every full, shortened and bare form of every organisation of a table."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.stems: list[str] = []  # the main stem of each node
        self._by_stem: dict[str, list[tuple[int, dict[str, int]]]] = {}
        for node, name in enumerate(hierarchy.names):
            level = Level(hierarchy.levels[node])
            own = [n for n in names_of(level, name) if any(f <= BARE for f in n.suffixes.forms.values())]
            self.stems.append(min((n.stem for n in own), key=len) if own else name)
            for each in own:
                self._by_stem.setdefault(each.stem, []).append((node, each.suffixes.forms))
        for alias in hierarchy.aliases:
            self._by_stem.setdefault(alias.name, []).append((alias.node, {"": SHORT}))

    def forms(self, node: int) -> list[NameForm]:
        """The forms of the organisation's name, the canonical one first; without a bare form that is an ordinary word."""
        name = self.hierarchy.names[node]
        stem = self.stems[node]
        found = {name: FULL}
        for owner, suffixes in self._by_stem.get(stem, ()):
            if owner == node:
                for suffix, fullness in suffixes.items():
                    text = stem + suffix
                    if fullness <= BARE and not suffix.endswith(RARE) and 1 < len(text) <= _LONGEST + len(stem):
                        found.setdefault(text, fullness)
        if stem in ordinary_words():
            found.pop(stem, None)
        return [NameForm(text, fullness) for text, fullness in found.items()]

    def owners(self, text: str) -> dict[int, int]:
        """Every organisation that goes by a text, and the fullness of that form of its name."""
        found: dict[int, int] = {}
        for end in range(2, len(text) + 1):
            for node, suffixes in self._by_stem.get(text[:end], ()):
                fullness = suffixes.get(text[end:])
                if fullness is not None:
                    found[node] = min(fullness, found.get(node, fullness))
        return found

    def holds_a_stem(self, text: str) -> bool:
        """Whether the stem of any organisation stands anywhere in a text."""
        return any(
            text[i:j] in self._by_stem for i in range(len(text)) for j in range(i + 2, min(i + 13, len(text) + 1))
        )

    def crosses(self, fragments: list[str]) -> bool:
        """Whether a name stands across the place where two fragments of a question meet: 济南市|中区."""
        text, joints, at = "".join(fragments), set[int](), 0
        for fragment in fragments[:-1]:
            at += len(fragment)
            joints.add(at)
        for joint in joints:
            for start in range(max(joint - 8, 0), joint):
                for end in range(joint + 1, min(joint + 8, len(text)) + 1):
                    if text[start:end] in self._by_stem:
                        return True
        return False

    @cached_property
    def by_level(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of each level, by its number."""
        levels = self.hierarchy.levels
        return tuple(tuple(i for i in range(len(levels)) if levels[i] == level) for level in Level)

    def nodes(self, level: Level, split: Split) -> tuple[int, ...]:
        """The nodes of a level that questions of a split may name; only substations are split."""
        if level is not Level.SUBSTATION:
            return self.by_level[level]
        if split not in self._by_split:
            self._by_split[split] = tuple(i for i in self.by_level[level] if split_of(self.stems[i]) == split)
        return self._by_split[split]

    @cached_property
    def _by_split(self) -> dict[Split, tuple[int, ...]]:
        return {}

    def usable(self, node: int, split: Split) -> bool:
        """Whether a split may show the node: training shows no substation that is held out of it."""
        return (
            split != "train" or self.hierarchy.levels[node] != Level.SUBSTATION or split_of(self.stems[node]) == split
        )

    @cached_property
    def near(self) -> dict[str, tuple[int, ...]]:
        """Nodes by length of the stem, place in it, and a character or sound there, blanks between them."""
        found: dict[str, list[int]] = {}
        for node, stem in enumerate(self.stems):
            for i, c in enumerate(stem):
                for sound in {c, *merged_readings(c)}:
                    found.setdefault(f"{len(stem)} {i} {sound}", []).append(node)
        return {key: tuple(nodes) for key, nodes in found.items()}
