"""Rows `province,city,company,substation`: each names one organisation by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, cast

from .cells import Cell, Problem, problem_of, read_cell, shown
from .findings import Finding, did_you_mean
from .levels import Level, named_like
from .tables import Table

Path = tuple[str, str, str, str]
"""Province, city, company, substation; "" below the level of the organisation."""

NO_PATH: Path = ("", "", "", "")

_PLAIN_SUBSTATION = re.compile(r"[\u4e00-\u9fff]{3,50}(?<!供电公司)\Z")
"""Nothing can be wrong with such a name: no blank, bracket or control character, and no placeholder."""


class Organisations(NamedTuple):
    """What a table declares: each path with the first row that names it, and what was seen on the way."""

    rows: dict[Path, int]
    findings: list[Finding]


def joined(path: Path) -> str:
    """The path as people write it: 山东省/菏泽/巨野县供电公司."""
    return "/".join(name for name in path if name)


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
        if len(row) == width:  # the short way, which nearly every row takes
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
                if not cell.blank:  # nothing to tell about it: no second look
                    names.add(text)
        findings += [Finding(code, severity, table.source, number, *rest) for code, severity, *rest in problems]
    _refuse_undeclared(table.source, rows, findings)
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


# Companies that no row declares -----------------------------------------------------------------

_COMPANY = re.compile(r"^(?:国网)?(?P<stem>.+?)(?P<division>[县市区旗]?)(?P<suffix>供电公司|供电中心|供电局|公司)$")


def resembles(company: str, other: str) -> bool:
    """Whether the two differ only in a 县, 市, 区 or 旗 that one lacks: 巨野供电公司, 巨野县供电公司."""
    a, b = _COMPANY.match(company), _COMPANY.match(other)
    if a is None or b is None or bool(a["division"]) == bool(b["division"]):
        return False
    return a["stem"] == b["stem"] and a["suffix"] == b["suffix"]


def look_alikes(companies: Sequence[str]) -> dict[str, str]:
    """Each company of one city that `resembles` another, with that other."""
    by_stem: dict[str, list[str]] = {}
    for company in companies:
        if match := _COMPANY.match(company):
            by_stem.setdefault(match["stem"], []).append(company)
    return {
        company: other
        for group in by_stem.values()
        if len(group) > 1
        for company in group
        for other in group
        if resembles(company, other)
    }


def _refuse_undeclared(source: str, rows: dict[Path, int], findings: list[Finding]) -> None:
    """Take out substations whose company is most likely misspelt.

    A substation's row declares its company too, with two exceptions, both judged within the one city and both
    settled by a row of the company's own: it looks like a misspelling of a neighbour, or the city evidently
    lists its companies and this is not among them.
    """
    cities: dict[tuple[str, str], dict[str, int]] = {}  # how many substations each company has
    own: dict[tuple[str, str], set[str]] = {}  # companies with a row of their own
    for province, city, company, substation in rows:
        if company:
            counts = cities.setdefault((province, city), {})
            counts[company] = counts.get(company, 0) + bool(substation)
            if not substation:
                own.setdefault((province, city), set()).add(company)
    refused: dict[tuple[str, str, str], str] = {}
    for above, counts in cities.items():
        alike = look_alikes(list(counts))
        declared = own.get(above, set())
        staffed = {company for company, count in counts.items() if count}
        listing = len(declared & staffed)
        lists_companies = listing >= _LISTED and 4 * listing >= 3 * len(staffed)
        for company in staffed - declared:
            other = alike.get(company)
            if other is not None and _outranks(other, company, counts, declared):
                refused[(*above, company)] = f"Did you mean '{other}'? "
            elif lists_companies:
                refused[(*above, company)] = did_you_mean(company, declared)
    if not refused:
        return
    for path in [path for path in rows if path[:3] in refused]:
        message = f"substation '{path[3]}' has company '{path[2]}', which no row of its city {path[1]} declares."
        advice = f"{refused[path[:3]]}Correct the row, or add the company on a row of its own."
        findings.append(Finding("orphan", "error", source, rows.pop(path), message, advice))


_LISTED = 3
"""With fewer companies on rows of their own, a city does not count as listing them."""


def _outranks(other: str, company: str, counts: Mapping[str, int], declared: Container[str]) -> bool:
    """Whether of two look-alikes the undeclared `company` is the misspelt one.

    A look-alike declared on a row of its own, with substations, does not count against a neighbour of the same
    size or larger: whoever adds that row to settle one finding must not get another.
    """
    if counts[other] != counts[company]:
        return counts[other] > counts[company] or (counts[other] == 0 and other in declared)
    return other not in declared and other > company
