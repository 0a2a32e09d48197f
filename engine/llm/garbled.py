"""Organisations that a garbled name may have meant: more than one character wrong, but alike in sound or writing.

The rules allow a single change in a name. What is further off is never an answer of theirs; a model
may choose it among these, or leave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import SUBSTATION_ENDS
from qilin.names.compiled import Tables
from qilin.names.mention import EDITED
from qilin.names.rules import SUFFIX
from qilin.text.sounds import merged_readings, readings
from qilin.text.words import is_place

_MOST = 8
_LEAST_ALIKE = 0.6
_SAME_SOUND, _MERGED_SOUND, _ONE_CHANGE = 0.9, 0.8, 0.6


class _Sounds:
    """The stems of a table by how each of their characters sounds, place by place."""

    def __init__(self, stems: list[str]) -> None:
        self._stems: dict[tuple[int, int, str], list[str]] = {}
        for stem in stems:
            for i, character in enumerate(stem):
                for sound in {character, *merged_readings(character)}:
                    self._stems.setdefault((len(stem), i, sound), []).append(stem)

    def near(self, written: str) -> Iterator[tuple[str, float]]:
        """Stems of the same length and how alike they are, from half of the characters upwards."""
        size = len(written)
        found: Counter[str] = Counter()
        for i, character in enumerate(written):
            found.update(
                {s for x in {character, *merged_readings(character)} for s in self._stems.get((size, i, x), ())}
            )
        for stem, count in found.items():
            if count * 2 >= size:
                yield stem, sum(map(_alike, written, stem)) / size


def _alike(a: str, b: str) -> float:
    if a == b:
        return 1.0
    if readings(a) & readings(b):
        return _SAME_SOUND
    return _MERGED_SOUND if merged_readings(a) & merged_readings(b) else 0.0


@lru_cache(maxsize=4)
def _sounds(tables: Tables) -> _Sounds:
    return _Sounds(sorted(s for s in tables.gazetteer.stems if len(s) > 1))


def lookalikes(tables: Tables, written: str, parent: int | None = None) -> list[int]:
    """Organisations that a name, suffix included, may have meant, most alike first; at most eight.

    Args:
        written: folded text.
        parent: look only below this organisation, where the name stands right behind it.
    """
    stem, suffix = _stem_and_suffix(written)
    if is_place(stem, suffix) or written.endswith(("省", "自治区")):
        return []  # a real place, elsewhere
    below = suffix.endswith(SUBSTATION_ENDS)
    alike = {m.stem: _ONE_CHANGE for m in tables.typo_index.lookup(stem) if m.kept > 1 or m.weight < EDITED}
    for near, score in _sounds(tables).near(stem):
        alike[near] = max(score, alike.get(near, 0.0))
    hierarchy = tables.hierarchy
    scored: dict[int, float] = {}
    for near, score in alike.items():
        if score < _LEAST_ALIKE:
            continue
        for node, _, alias in tables.gazetteer.entries(near):
            if alias is not None and alias.kind == "forbidden":
                continue
            if suffix and (hierarchy.levels[node] == Level.SUBSTATION) != below:
                continue
            if parent is not None and not parent < node <= hierarchy.last[parent]:
                continue
            scored[node] = max(score, scored.get(node, 0.0))
    return sorted(scored, key=lambda node: (-scored[node], hierarchy.levels[node], node))[:_MOST]


def _stem_and_suffix(written: str) -> tuple[str, str]:
    for at in range(2, len(written)):
        if SUFFIX.fullmatch(written, at):
            return written[:at], written[at:]
    return written, ""
