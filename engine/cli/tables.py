"""The organisation table of a command; stderr says which rows had to be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qilin.cli.terminal import complain

if TYPE_CHECKING:
    from qilin.hierarchy import Hierarchy
    from qilin.names.compiled import Tables

_DEFAULT = "shandong"


def load_table(table: str | None, sheet: str | None = None, aliases: str | None = None) -> Hierarchy:
    """Load the table that `--table` names.

    Raises: HierarchyError.
    """
    from qilin.hierarchy.named import load_named

    hierarchy = load_named(table if table is not None else _DEFAULT, sheet, aliases)
    _complain_of_left_out(hierarchy)
    return hierarchy


def load_compiled(
    table: str | None, sheet: str | None = None, aliases: str | None = None, indicators: str | None = None
) -> Tables:
    """As `load_table`, compiled for queries.

    Raises: HierarchyError.
    """
    from qilin.names.load import load_compiled as load

    tables = load(table if table is not None else _DEFAULT, sheet, aliases, indicators)
    _complain_of_left_out(tables.hierarchy)
    return tables


def _complain_of_left_out(hierarchy: Hierarchy) -> None:
    left_out = [finding for finding in hierarchy.findings if finding.severity == "error"]
    if left_out:
        more = f" ({len(left_out) - 1} more)" if len(left_out) > 1 else ""
        complain(f"left out: {left_out[0]}{more}; `qilin hierarchy lint` lists everything.")
