"""Rows `province,city,company,substation`: each names one organisation by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import cast

from .cells import Cell, problem_of, read_cell, shown
from .companies import misspelt_companies
from .findings import Finding, Problem
from .levels import Level
from .organisations import NO_PATH, Organisations, Path, joined
from .suffixes import named_like
from .table import Table

_PLAIN_SUBSTATION = re.compile(r"[\u4e00-\u9fff]{3,50}(?<!供电公司)\Z")
"""Nothing can be wrong with such a name: no blank, bracket or control character, and no placeholder."""


def read_path_rows(table: Table, indices: Sequence[int]) -> Organisations:
    """The paths of all good rows.

    Args:
        indices: Where the header has province, city, company and substation.
    """
    rows: dict[Path, int] = {}
    findings: list[Finding] = []
    path_of = cast(Callable[[Sequence[str]], Path], itemgetter(*indices))
    width = len(table.header)
    provinces, cities, companies, substations = plain = set[str](), set[str](), set[str](), set[str]()
    for number, row in zip(table.numbers, table.rows, strict=True):
        if len(row) == width:  # the fast path of nearly every row
            path = path_of(row)
            if path[3] not in substations and _PLAIN_SUBSTATION.match(path[3]):
                substations.add(path[3])
            if (
                path[3] in substations
                and path[2] in companies
                and path[1] in cities
                and path[0] in provinces
                and path not in rows
            ):
                rows[path] = number
                continue
        texts, problems = _texts(row, width, indices)
        cells = [read_cell(text) for text in texts]
        path = cast(Path, tuple(cell.name for cell in cells))
        problems += _problems(cells)
        usable = path != NO_PATH and not any(problem.severity == "error" for problem in problems)
        if usable and path in rows:
            first = f"'{joined(path)}' was declared in row {rows[path]} already."
            problems.append(Problem("duplicate", "warning", first, "Remove one of the rows."))
        elif usable:
            rows[path] = number
            for names, text, cell in zip(plain, texts, cells, strict=True):
                if not cell.blank:  # good as it stands: the next row with it need not read it again
                    names.add(text)
        findings += [Finding(code, severity, table.source, number, *rest) for code, severity, *rest in problems]
    if hints := misspelt_companies(rows):
        for path in [path for path in rows if path[:3] in hints]:
            message = f"substation '{path[3]}' has company '{path[2]}', which no row of its city {path[1]} declares."
            advice = f"{hints[path[:3]]}Correct the row, or add the company on a row of its own."
            findings.append(Finding("orphan", "error", table.source, rows.pop(path), message, advice))
    return Organisations(rows, findings)


def _texts(row: Sequence[str], width: int, indices: Sequence[int]) -> tuple[list[str], list[Problem]]:
    """The four cells of a row, which may have fewer or more cells than the header."""
    problems: list[Problem] = []
    counts = f"the row has {len(row)} cells, its header {width}"
    if any(cell.strip() for cell in row[width:]):
        problems.append(Problem("bad-row", "error", f"{counts}.", "Put a cell that holds a comma in quotes."))
    elif 0 < len(row) < width and any(cell.strip() for cell in row):
        problems.append(Problem("bad-row", "warning", f"{counts}; the others are read as empty.", "Add the commas."))
    return [row[index] if index < len(row) else "" for index in indices], problems


def _problems(cells: Sequence[Cell]) -> list[Problem]:
    problems = [
        problem for level, cell in zip(Level, cells, strict=True) if (problem := problem_of(level.column, cell))
    ]
    depth = max((level for level in Level if cells[level].name), default=Level.PROVINCE)
    for level in Level:
        if level < depth and not cells[level].name:
            message = f"{depth.column} {shown(cells[depth].name)} has an empty {level.column}."
            problems.append(Problem("level-order", "error", message, "Fill in the cell (unmerge merged cells first)."))
        elif (meant := named_like(cells[level].name, level)) is not None:
            name = shown(cells[level].name)
            message = f"the column {level.column} holds {name}, which is named like a {meant.column}."
            problems.append(Problem("level-order", "error", message, "Put each name in the column of its own level."))
    return problems
