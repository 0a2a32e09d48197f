"""The known name most like one that is not known, for messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

from .levels import Level
from .suffixes import one_of, registered_words

# 所 stays: what is left of 麒麟所 should be no more alike than its name is.
_AFFIXES = re.compile(f"^国网|{one_of(word for word in registered_words(*Level) if len(word) > 1)}$")


class NameIndex:
    """Known names, to look up those most like a name that is not among them."""

    def __init__(self, known: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._stems: dict[str, list[str]] = {}  # by character
        for name in sorted(set(known)):
            stem = _stem(name)
            if stem not in self._names:
                self._names[stem] = name
                for character in set(stem):
                    self._stems.setdefault(character, []).append(stem)

    def nearest(self, name: str, cutoff: float = 0.5) -> str | None:
        """The name most like `name` once common prefixes and suffixes are off; None when nothing is near.

        供电公司 and 供电所 would otherwise make any two names look half alike.
        """
        wanted = _stem(name)
        characters = set(wanted)
        shared = Counter(stem for character in characters for stem in self._stems.get(character, ()))
        near = [stem for stem, count in shared.items() if 2 * count >= len(characters) and self._names[stem] != name]
        close = get_close_matches(wanted, sorted(near), n=1, cutoff=cutoff)
        return self._names[close[0]] if close else None


def _stem(name: str) -> str:
    return _AFFIXES.sub("", name) or name


def did_you_mean(name: str, known: Iterable[str] | NameIndex, cutoff: float = 0.5) -> str:
    """`Did you mean '…'? ` with its trailing blank, or nothing."""
    index = known if isinstance(known, NameIndex) else NameIndex(known)
    near = index.nearest(name, cutoff)
    return f"Did you mean '{near}'? " if near else ""
