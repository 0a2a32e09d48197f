"""A table by the name that a person gives it: a file, a database URL, or a bare word for a bundled table."""

from __future__ import annotations

from pathlib import Path

from .aliases import load_aliases
from .bundled_data import bundled_path
from .findings import HierarchyError
from .hierarchy import Hierarchy


def is_bundled(name: str) -> bool:
    """Whether a name is that of a bundled table: a bare word, and no file."""
    return "://" not in name and not Path(name).suffix and Path(name).name == name and not Path(name).exists()


def named_files(name: str) -> tuple[str | Path, Path | None]:
    """Where a table lies, and the alias file of its own that a bundled table may have.

    Raises: HierarchyError, for a bundled table that there is none of, with those that there are.
    """
    if not is_bundled(name):
        return name, None
    try:
        path = bundled_path(f"hierarchy/{name}.csv")
    except HierarchyError:
        Hierarchy.bundled(name)  # says it better
        raise
    aliases = path.with_name(f"{name}_aliases.csv")
    return path, aliases if aliases.exists() else None


def load_named(name: str, sheet: str | None = None, aliases: str | None = None) -> Hierarchy:
    """Load a table with the aliases of a file; a bundled table keeps its own aliases too.

    Raises: HierarchyError.
    """
    if not is_bundled(name):
        return Hierarchy.load(name, sheet, aliases=aliases)
    hierarchy = Hierarchy.bundled(name)
    return hierarchy if aliases is None else hierarchy.with_aliases(*load_aliases(aliases, hierarchy))
