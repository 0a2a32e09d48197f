"""What is wrong with a table, where, and what to do: Finding where loading goes on, HierarchyError where not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Finding(NamedTuple):
    """One thing lint saw. An `error` row was left out; the row of a `warning` or `info` is in the tree."""

    code: str
    severity: Severity
    source: str
    row: int | None
    """1-based line of the file, header included; record number without a file; None if no row is to blame."""
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{_place(self.source, self.row)}{self.message} {self.advice}".rstrip()


class HierarchyError(ValueError):
    """A table that cannot be used. `findings` holds every bad row where rows were the reason."""

    def __init__(
        self,
        problem: str,
        advice: str = "",
        source: str = "",
        row: int | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(problem, advice, source, row, tuple(findings))
        self.problem = problem
        self.advice = advice
        self.source = source
        self.row = row
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return f"{_place(self.source, self.row)}{self.problem} {self.advice}".rstrip()

    @classmethod
    def from_findings(cls, findings: Sequence[Finding]) -> HierarchyError:
        """The first error among `findings` as an exception, saying how many more there are."""
        errors = [finding for finding in findings if finding.severity == "error"]
        first, more = errors[0], len(errors) - 1
        advice = first.advice + (f" ({more} more row{'s' * (more > 1)} refused; lint lists them.)" if more else "")
        return cls(first.message, advice, first.source, first.row, findings)


def _place(source: str, row: int | None) -> str:
    return f"{source}:{row}: " if source and row is not None else f"{source}: " if source else ""


_AFFIXES = re.compile(r"^国网|(?:供电公司|供电中心|供电局|供电部|营业部|公司|供电所|供电站|供电服务站)$")


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


def listed(words: Iterable[object], limit: int = 8) -> str:
    """The words joined by commas, cut after `limit` with the number left out."""
    every = [str(word) for word in words]
    rest = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {rest} more" if rest > 0 else "")
