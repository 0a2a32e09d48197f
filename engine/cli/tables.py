"""The organisation table of a command; stderr says which rows had to be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qilin.cli.terminal import complain
from qilin.hierarchy import Hierarchy
from qilin.hierarchy.named import load_named

if TYPE_CHECKING:
    from qilin.names.compiled import Tables

_DEFAULT = "shandong"


def load_table(table: str | None, sheet: str | None = None, aliases: str | None = None) -> Hierarchy:
    """The table that `--table` names. Raises: HierarchyError."""
    return _told(load_named(table if table is not None else _DEFAULT, sheet, aliases))


def load_compiled(
    table: str | None, sheet: str | None = None, aliases: str | None = None, indicators: str | None = None
) -> Tables:
    """As `load_table`, compiled for queries."""
    from qilin.names.load import load_compiled as load

    tables = load(table if table is not None else _DEFAULT, sheet, aliases, indicators)
    _told(tables.hierarchy)
    return tables


def _told(hierarchy: Hierarchy) -> Hierarchy:
    """The same table, once stderr says what is not in it."""
    left_out = [finding for finding in hierarchy.findings if finding.severity == "error"]
    if left_out:
        more = f" ({len(left_out) - 1} more)" if len(left_out) > 1 else ""
        complain(f"left out: {left_out[0]}{more}; `qilin hierarchy lint` lists everything.")
    return hierarchy
