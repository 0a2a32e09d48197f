"""Alias files: the names organisations go by, and the short forms they must not go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .cells import problem_of, read_cell, shown
from .did_you_mean import NameIndex, did_you_mean
from .files import read_csv
from .findings import Finding, HierarchyError, Severity, listed
from .levels import Level, parse_level
from .table import StrPath, Table
from .tree import FORBIDDEN, Alias, Tree, alias_order

ALIAS_COLUMNS = (
    "alias",
    "level",
    "canonical",
    "city",
    "kind",
    "valid_from",
    "valid_to",
    "company",
    "province",
)
_REQUIRED = ("alias", "level", "canonical")


class Aliases(NamedTuple):
    """The aliases of a file, sorted, and what was seen on the way."""

    aliases: tuple[Alias, ...]
    findings: tuple[Finding, ...]


def load_aliases(path: StrPath, hierarchy: Tree, encoding: str | None = None) -> Aliases:
    """Read an alias CSV (docs/tables.md) against the organisations of `hierarchy`.

    Aliases that `hierarchy` has already are not repeated, but collisions with them are told.
    Raises: HierarchyError, when the file cannot be read or lacks a column.
    """
    return read_aliases(read_csv(path, encoding), hierarchy)


def read_aliases(table: Table, hierarchy: Tree) -> Aliases:
    """The aliases of a table that was read already; otherwise as `load_aliases`."""
    reading = _Reading(table.source, hierarchy)
    for number, row in _alias_rows(table):
        reading.read(number, row)
    reading.findings.sort(key=lambda finding: finding.row or 0)
    return Aliases(tuple(sorted(reading.rows, key=alias_order)), tuple(reading.findings))


def _alias_rows(table: Table) -> Iterable[tuple[int, dict[str, str]]]:
    header = [cell.strip().lower() for cell in table.header]
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise HierarchyError(
            f"the header ({listed(header)}) lacks {listed(missing)}.",
            f"An alias file has the columns {','.join(ALIAS_COLUMNS[:7])}.",
            table.source,
            table.header_row,
        )
    for number, row in zip(table.numbers, table.rows, strict=True):
        if any(cell.strip() for cell in row):
            padded = [*row, *[""] * (len(header) - len(row))]
            yield (
                number,
                {name: padded[header.index(name)] if name in header else "" for name in ALIAS_COLUMNS},
            )


class _Reading:
    def __init__(self, source: str, hierarchy: Tree) -> None:
        self.source = source
        self.hierarchy = hierarchy
        self.rows: dict[Alias, int] = {}
        self.findings: list[Finding] = []
        self.canonical: dict[str, list[int]] = {}
        for node, name in enumerate(hierarchy.names):
            self.canonical.setdefault(name, []).append(node)
        self.known: dict[Level, NameIndex] = {}
        self.taken: dict[str, list[Alias]] = {}
        for alias in hierarchy.aliases:
            self.taken.setdefault(alias.name, []).append(alias)

    def read(self, number: int, row: Mapping[str, str]) -> None:
        """One row; its alias, or the finding that says why there is none."""

        def tell(code: str, severity: Severity, message: str, advice: str) -> None:
            self.findings.append(Finding(code, severity, self.source, number, message, advice))

        cell = read_cell(row["alias"])
        if problem := problem_of("alias", cell):
            tell(*problem)
            if problem.severity == "error":
                return
        if not cell.name:
            tell("bad-row", "error", "the row has no alias.", "Fill it in, or remove the row.")
            return
        node = self._node(row, tell)
        years = self._years(row, tell)
        if node is None or years is None:
            return
        kind = " ".join(row["kind"].split()) or "variant"
        alias = Alias(cell.name, node, kind, *years)
        if alias in self.rows or alias in self.hierarchy.aliases:
            before = f" in row {self.rows[alias]}" if alias in self.rows else ""
            tell(
                "duplicate",
                "warning",
                f"alias {shown(alias.name)} was declared{before} already.",
                "Remove the row.",
            )
        elif not self._collides(alias, tell):
            self.rows[alias] = number
            self.taken.setdefault(alias.name, []).append(alias)

    def _node(self, row: Mapping[str, str], tell: Callable[..., None]) -> int | None:
        level = parse_level(row["level"])
        name = read_cell(row["canonical"]).name
        if level is None:
            words = listed(word.column for word in Level)
            tell("bad-row", "error", f"level {shown(row['level'])} is none of {words}.", "Correct it.")
            return None
        pins = {
            pin: read_cell(row[pin.column]).name
            for pin in (Level.PROVINCE, Level.CITY, Level.COMPANY)
            if pin < level and row[pin.column].strip()
        }
        hierarchy = self.hierarchy
        same_level = [i for i in self.canonical.get(name, ()) if hierarchy.levels[i] == level]
        nodes = [i for i in same_level if all(hierarchy.names[hierarchy.paths[i][pin]] == pins[pin] for pin in pins)]
        place = "".join(f" in {pin.column} '{pins[pin]}'" for pin in sorted(pins, reverse=True))
        if len(nodes) == 1:
            return nodes[0]
        if nodes:
            paths = listed(("/".join(hierarchy.names[i] for i in hierarchy.paths[node]) for node in nodes), 4)
            narrower = [pin.column for pin in Level if pin < level and pin not in pins]
            message = f"{level.column} '{name}'{place} is ambiguous: {paths}."
            tell("ambiguous-alias", "error", message, f"Fill in {' and '.join(narrower) or 'its place'}.")
            return None
        if same_level:
            elsewhere = listed(("/".join(n for n in hierarchy.path_names(i)[:level] if n) for i in same_level), 4)
            hint = f"The table has it in {elsewhere}. "
        else:
            hint = did_you_mean(name, self._known(level))
        alias = shown(row["alias"].strip())
        message = f"alias {alias} is of {level.column} {shown(name)}{place}, which the table lacks."
        tell("unknown-organisation", "error", message, f"{hint}Correct the row, or remove it.")
        return None

    def _known(self, level: Level) -> NameIndex:
        if level not in self.known:
            hierarchy = self.hierarchy
            names = (name for name, its in zip(hierarchy.names, hierarchy.levels, strict=True) if its == level)
            self.known[level] = NameIndex(names)
        return self.known[level]

    def _years(self, row: Mapping[str, str], tell: Callable[..., None]) -> tuple[int | None, int | None] | None:
        years: list[int | None] = []
        for column in ("valid_from", "valid_to"):
            text = row[column].strip().removesuffix("年")
            if text and not (text.isascii() and text.isdigit() and len(text) == 4):
                tell(
                    "bad-row",
                    "error",
                    f"{column} {shown(text)} is no year.",
                    "Write four digits, or leave it empty.",
                )
                return None
            years.append(int(text) if text else None)
        first, last = years
        if first is not None and last is not None and first > last:
            tell(
                "bad-row",
                "error",
                f"valid_from {first} is after valid_to {last}.",
                "Exchange or correct them.",
            )
            return None
        return first, last

    def _collides(self, alias: Alias, tell: Callable[..., None]) -> bool:
        """Tell collisions; True when the alias cannot be kept."""
        if alias.kind == FORBIDDEN:
            return False
        hierarchy = self.hierarchy
        named = self.canonical.get(alias.name, ())
        if alias.node in named:
            message = f"alias {shown(alias.name)} is the canonical name itself."
            tell("alias-collision", "warning", message, "Remove the row; it adds nothing and is left out.")
            return True
        others = dict.fromkeys(named, "the canonical name")
        for other in self.taken.get(alias.name, ()):
            if other.kind != FORBIDDEN and other.node != alias.node:
                others.setdefault(other.node, f"a {other.kind} alias")
        refused = False
        for node, what in sorted(others.items()):
            path = "/".join(hierarchy.names[i] for i in hierarchy.paths[node])
            mine = "/".join(hierarchy.names[i] for i in hierarchy.paths[alias.node])
            siblings = hierarchy.parents[node] == hierarchy.parents[alias.node]
            message = f"alias {shown(alias.name)} of {mine} is {what} of {path} too."
            if siblings:
                tell(
                    "alias-collision",
                    "error",
                    message,
                    "Nothing could tell the two apart; correct or remove the row.",
                )
                refused = True
            elif hierarchy.levels[node] == hierarchy.levels[alias.node]:
                tell(
                    "alias-collision",
                    "info",
                    message,
                    "Kept: only the organisation above it tells which is meant.",
                )
            else:
                tell("alias-collision", "warning", message, "Kept, but ambiguous; remove the row if not meant.")
        return refused
