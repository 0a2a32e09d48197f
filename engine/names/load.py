"""A table by the name that a person gives it, compiled for queries."""

from __future__ import annotations

from pathlib import Path

from qilin.hierarchy.named import is_bundled, load_named, named_files
from qilin.names.cache import load_tables
from qilin.names.compiled import Tables


def load_compiled(
    name: str, sheet: str | None = None, aliases: str | None = None, indicators: str | None = None
) -> Tables:
    """As `qilin.hierarchy.named.load_named`, compiled; a CSV file comes from the cache where it can.

    Raises: HierarchyError.
    """
    if is_bundled(name):
        if aliases is None:
            return load_tables(*named_files(name), indicators)
    elif sheet is None and Path(name).suffix.lower() == ".csv" and "://" not in name:
        return load_tables(name, aliases, indicators)
    return Tables.build(load_named(name, sheet, aliases), indicators)
