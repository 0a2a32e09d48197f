"""Stems one change away from a misspelt one.

The index is by wildcard: 麒? and ?麟 lead to the characters the table has there, and how alike two
characters sound decides the weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from qilin.names.mention import EDITED, HOMOPHONE, MERGED_SOUND, SWAPPED
from qilin.names.recent import Recent
from qilin.text.sounds import merged_readings, readings
from qilin.text.tuples import quickly

_IDEOGRAPHS = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+").fullmatch
_WILD = "\ufffc"
_MAX_STEM = 12
_MEANINGS_KEPT = 1 << 14  # of stems that were looked up lately


class Meant(NamedTuple):
    """A stem that one change makes of what was written.

    `kept`: characters left as they were; `odd`: the character written that is not in the stem, "" for none.
    """

    weight: int
    stem: str
    kept: int
    odd: str = ""


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
                    found.append(quickly(Meant, (weight, f"{before}{other}{behind}", size - 1, character)))
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
