"""The indicators a query may ask for: canonical names and what people call them."""

from __future__ import annotations

import csv
from os import PathLike
from pathlib import Path

from qilin.hierarchy import HierarchyError, bundled_path


def load_indicators(path: str | PathLike[str] | None = None) -> dict[str, str]:
    """Surface form → canonical name, from a CSV with columns name and aliases (separated by |).

    Args:
        path: the file; None for the bundled one.

    Raises: HierarchyError, if there is no such file or it has no column `name`.
    """
    source = Path(path) if path is not None else bundled_path("indicators.csv")
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HierarchyError(
            f"the indicators cannot be read: {error}.", "Give a UTF-8 CSV file with columns name,aliases.", str(source)
        ) from error
    rows = csv.DictReader(text.splitlines())
    if "name" not in (rows.fieldnames or ()):
        raise HierarchyError("there is no column 'name'.", "Name the columns name,aliases.", str(source), 1)
    surfaces: dict[str, str] = {}
    for row in rows:
        name = (row["name"] or "").strip()
        if name:
            surfaces[name] = name
            for alias in (row.get("aliases") or "").split("|"):
                if alias.strip():
                    surfaces.setdefault(alias.strip(), name)
    if not surfaces:
        raise HierarchyError("it names no indicator.", "Add a row for each indicator.", str(source))
    return surfaces
