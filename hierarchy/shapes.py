"""The shape of a table, by path or by parent, recognised by its header."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import HierarchyError, listed
from .levels import COLUMNS, Level
from .organisations import Organisations
from .parent_rows import PARENT_COLUMNS, read_parent_rows
from .path_rows import read_path_rows
from .table import Table


def read_organisations(table: Table, columns: Mapping[str, str] | None = None) -> Organisations:
    """Read every row; a bad one is left out with a finding, never guessed at or merged.

    Raises: HierarchyError, when a column is missing or nothing is left.
    """
    if not table.header:
        raise HierarchyError("the table is empty.", "It needs at least one organisation.", table.source)
    columns = columns or {}
    _check_columns(columns, table)
    path_indices = [_index_of(table, columns, level.column, level.chinese) for level in Level]
    parent_indices = [_index_of(table, columns, name) for name in PARENT_COLUMNS]
    by_path = [index for index in path_indices if index is not None]
    by_parent = [index for index in parent_indices[:3] if index is not None]
    if len(by_path) == len(COLUMNS):
        found = read_path_rows(table, by_path)
    elif len(by_parent) == 3:
        found = read_parent_rows(table, by_parent, parent_indices[3])
    else:
        missing = [
            columns.get(name, name)
            for name, index in (
                zip(PARENT_COLUMNS, parent_indices[:3], strict=False)
                if len(by_parent) > len(by_path)
                else zip(COLUMNS, path_indices, strict=True)
            )
            if index is None
        ]
        raise HierarchyError(
            f"the header ({listed(cell.strip() for cell in table.header)}) lacks {listed(missing)}.",
            "Begin the table with province,city,company,substation or id,parent_id,name, "
            "or say with columns what these are called.",
            table.source,
            table.header_row,
        )
    found.findings.sort(key=lambda finding: finding.row or 0)
    if not found.rows:
        if any(finding.severity == "error" for finding in found.findings):
            raise HierarchyError.from_findings(found.findings)
        raise HierarchyError(
            "the table has a header but no rows.",
            "Add at least one organisation.",
            table.source,
            table.header_row,
        )
    return found


def _check_columns(columns: Mapping[str, str], table: Table) -> None:
    allowed = (*COLUMNS, *PARENT_COLUMNS)
    for ours, theirs in columns.items():
        if ours not in allowed:
            turned = " It maps our names to the file's, not the other way round." if theirs in allowed else ""
            raise HierarchyError(
                f"columns names '{ours}', which is no column of ours.{turned}",
                f"Use {listed(allowed)}.",
                table.source,
            )


def _index_of(table: Table, columns: Mapping[str, str], ours: str, *synonyms: str) -> int | None:
    names = [columns[ours]] if ours in columns else [ours, *synonyms]
    wanted = {name.strip().lower() for name in names}
    hits = [i for i, cell in enumerate(table.header) if cell.replace("\ufeff", "").strip().lower() in wanted]
    if len(hits) > 1:
        found = listed(table.header[i].strip() for i in hits)
        raise HierarchyError(
            f"the header has {len(hits)} columns for {ours}: {found}.",
            "Rename or remove all but one.",
            table.source,
            table.header_row,
        )
    return hits[0] if hits else None
