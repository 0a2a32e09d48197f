"""What is wrong with a table, where, and what to do: a Finding if loading goes on, a HierarchyError if not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Finding(NamedTuple):
    """One fault of a table. The row of an `error` was left out; that of a `warning` or `info` is in the tree."""

    code: str
    severity: Severity
    source: str
    row: int | None
    """1-based line of the file, header included; record number without a file; None if no row is to blame."""
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{_place(self.source, self.row)}{self.message} {self.advice}".rstrip()


class Problem(NamedTuple):
    """A finding whose place is not known yet."""

    code: str
    severity: Severity
    message: str
    advice: str


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


def listed(words: Iterable[object], limit: int = 8) -> str:
    """The words joined by commas, cut after `limit` with the number left out."""
    every = [str(word) for word in words]
    rest = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {rest} more" if rest > 0 else "")
