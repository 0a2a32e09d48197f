"""Alias files: the names organisations go by, and the short forms they must not go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .cells import problem_of, read_cell, shown
from .did_you_mean import NameIndex, did_you_mean
from .files import read_csv
from .findings import Finding, HierarchyError, Problem, listed
from .levels import Level, parse_level
from .table import StrPath, Table
from .tree import FORBIDDEN, Alias, Tree, alias_order

ALIAS_COLUMNS = ("alias", "level", "canonical", "city", "kind", "valid_from", "valid_to", "company", "province")
_REQUIRED = ("alias", "level", "canonical")

Years = tuple[int | None, int | None]


class Aliases(NamedTuple):
    """The aliases of a file, sorted, and what was found in reading them."""

    aliases: tuple[Alias, ...]
    findings: tuple[Finding, ...]


def load_aliases(path: StrPath, hierarchy: Tree, encoding: str | None = None) -> Aliases:
    """Read an alias CSV (docs/tables.md) for the organisations of `hierarchy`.

    Aliases that `hierarchy` has already are not repeated, but collisions with them are reported.
    Raises: HierarchyError, when the file cannot be read or lacks a column.
    """
    table = read_csv(path, encoding)
    reading = _Reading(hierarchy)
    findings = [
        Finding(code, severity, table.source, number, *rest)
        for number, row in _alias_rows(table)
        for code, severity, *rest in reading.read(number, row)
    ]
    return Aliases(tuple(sorted(reading.rows, key=alias_order)), tuple(findings))


def _alias_rows(table: Table) -> Iterator[tuple[int, dict[str, str]]]:
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
            yield number, {name: padded[header.index(name)] if name in header else "" for name in ALIAS_COLUMNS}


class _Reading:
    """The good rows so far, and what they may collide with."""

    def __init__(self, hierarchy: Tree) -> None:
        self.hierarchy = hierarchy
        self.rows: dict[Alias, int] = {}
        self.canonical: dict[str, list[int]] = {}
        for node, name in enumerate(hierarchy.names):
            self.canonical.setdefault(name, []).append(node)
        self.known: dict[Level, NameIndex] = {}
        self.taken: dict[str, list[Alias]] = {}
        for alias in hierarchy.aliases:
            self.taken.setdefault(alias.name, []).append(alias)

    def read(self, number: int, row: Mapping[str, str]) -> Iterator[Problem]:
        """Keep the alias of a row unless a problem forbids it."""
        cell = read_cell(row["alias"])
        if problem := problem_of("alias", cell):
            yield problem
            if problem.severity == "error":
                return
        if not cell.name:
            yield Problem("bad-row", "error", "the row has no alias.", "Fill it in, or remove the row.")
            return
        node, years = self._node(row), _years(row)
        yield from (each for each in (node, years) if isinstance(each, Problem))
        if isinstance(node, Problem) or isinstance(years, Problem):
            return
        alias = Alias(cell.name, node, " ".join(row["kind"].split()) or "variant", *years)
        if alias in self.rows or alias in self.hierarchy.aliases:
            before = f" in row {self.rows[alias]}" if alias in self.rows else ""
            message = f"alias {shown(alias.name)} was declared{before} already."
            yield Problem("duplicate", "warning", message, "Remove the row.")
            return
        if alias.kind != FORBIDDEN:
            if alias.node in self.canonical.get(alias.name, ()):
                message = f"alias {shown(alias.name)} is the canonical name itself."
                yield Problem("alias-collision", "warning", message, "Remove the row; it adds nothing and is left out.")
                return
            collisions = list(self._collisions(alias))
            yield from collisions
            if any(collision.severity == "error" for collision in collisions):
                return
        self.rows[alias] = number
        self.taken.setdefault(alias.name, []).append(alias)

    def _node(self, row: Mapping[str, str]) -> int | Problem:
        """The organisation that a row is about."""
        level = parse_level(row["level"])
        name = read_cell(row["canonical"]).name
        if level is None:
            message = f"level {shown(row['level'])} is none of {listed(word.column for word in Level)}."
            return Problem("bad-row", "error", message, "Correct it.")
        pins = {
            pin: read_cell(row[pin.column]).name
            for pin in (Level.PROVINCE, Level.CITY, Level.COMPANY)
            if pin < level and row[pin.column].strip()
        }
        hierarchy = self.hierarchy
        same_level = [i for i in self.canonical.get(name, ()) if hierarchy.levels[i] == level]
        nodes = [i for i in same_level if all(hierarchy.names[hierarchy.paths[i][pin]] == pins[pin] for pin in pins)]
        if len(nodes) == 1:
            return nodes[0]
        place = "".join(f" in {pin.column} '{pins[pin]}'" for pin in sorted(pins, reverse=True))
        if nodes:
            narrower = [pin.column for pin in Level if pin < level and pin not in pins]
            message = f"{level.column} '{name}'{place} is ambiguous: {listed(map(hierarchy.path_text, nodes), 4)}."
            return Problem("ambiguous-alias", "error", message, f"Fill in {' and '.join(narrower) or 'its place'}.")
        if same_level:
            elsewhere = listed((hierarchy.path_text(hierarchy.parents[i]) for i in same_level), 4)
            hint = f"The table has it in {elsewhere}. "
        else:
            hint = did_you_mean(name, self._known(level))
        alias = shown(row["alias"].strip())
        message = f"alias {alias} is of {level.column} {shown(name)}{place}, which the table lacks."
        return Problem("unknown-organisation", "error", message, f"{hint}Correct the row, or remove it.")

    def _known(self, level: Level) -> NameIndex:
        if level not in self.known:
            hierarchy = self.hierarchy
            names = (name for name, its in zip(hierarchy.names, hierarchy.levels, strict=True) if its == level)
            self.known[level] = NameIndex(names)
        return self.known[level]

    def _collisions(self, alias: Alias) -> Iterator[Problem]:
        """The other organisations that go by the name; an error where nothing could tell one from the other."""
        hierarchy = self.hierarchy
        others = dict.fromkeys(self.canonical.get(alias.name, ()), "the canonical name")
        for other in self.taken.get(alias.name, ()):
            if other.kind != FORBIDDEN and other.node != alias.node:
                others.setdefault(other.node, f"a {other.kind} alias")
        mine = hierarchy.path_text(alias.node)
        for node, what in sorted(others.items()):
            message = f"alias {shown(alias.name)} of {mine} is {what} of {hierarchy.path_text(node)} too."
            if hierarchy.parents[node] == hierarchy.parents[alias.node]:
                advice = "Nothing could tell the two apart; correct or remove the row."
                yield Problem("alias-collision", "error", message, advice)
            elif hierarchy.levels[node] == hierarchy.levels[alias.node]:
                advice = "Kept: only the organisation above it tells which is meant."
                yield Problem("alias-collision", "info", message, advice)
            else:
                advice = "Kept, but ambiguous; remove the row if not meant."
                yield Problem("alias-collision", "warning", message, advice)


def _years(row: Mapping[str, str]) -> Years | Problem:
    years: list[int | None] = []
    for column in ("valid_from", "valid_to"):
        text = row[column].strip().removesuffix("年")
        if text and not (text.isascii() and text.isdigit() and len(text) == 4):
            message = f"{column} {shown(text)} is no year."
            return Problem("bad-row", "error", message, "Write four digits, or leave it empty.")
        years.append(int(text) if text else None)
    first, last = years
    if first is not None and last is not None and first > last:
        message = f"valid_from {first} is after valid_to {last}."
        return Problem("bad-row", "error", message, "Exchange or correct them.")
    return first, last
