"""A tree as text: CSV of either shape, which loads to the same version again, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from .aliases import ALIAS_COLUMNS
from .hierarchy import Hierarchy
from .levels import COLUMNS, Level
from .parent_rows import PARENT_COLUMNS


def parent_rows(hierarchy: Hierarchy) -> list[dict[str, str]]:
    """One row a node: id, parent_id ("" for a province), name, level. Ids begin at 1."""
    return [
        {
            "id": str(i + 1),
            "parent_id": str(parent + 1) if parent >= 0 else "",
            "name": hierarchy.names[i],
            "level": Level(hierarchy.levels[i]).column,
        }
        for i, parent in enumerate(hierarchy.parents)
    ]


def alias_rows(hierarchy: Hierarchy) -> list[dict[str, str]]:
    """The rows of an alias file, each pinned to its node by every name above it."""
    rows = []
    for alias in hierarchy.aliases:
        province, city, company, _ = hierarchy.path_names(alias.node)
        level = Level(hierarchy.levels[alias.node])
        rows.append(
            {
                "alias": alias.name,
                "level": level.column,
                "canonical": hierarchy.names[alias.node],
                "city": city or "",
                "kind": alias.kind,
                "valid_from": str(alias.valid_from or ""),
                "valid_to": str(alias.valid_to or ""),
                "company": (company or "") if level == Level.SUBSTATION else "",
                "province": province or "",
            }
        )
    return rows


def to_csv(hierarchy: Hierarchy) -> str:
    """The path-shaped CSV text, without its aliases."""
    return _csv_text(COLUMNS, hierarchy.to_rows())


def to_parent_csv(hierarchy: Hierarchy) -> str:
    """The parent-shaped CSV text, without its aliases."""
    return _csv_text(PARENT_COLUMNS, parent_rows(hierarchy))


def to_alias_csv(hierarchy: Hierarchy) -> str:
    """The alias file of the tree."""
    return _csv_text(ALIAS_COLUMNS, alias_rows(hierarchy))


def to_json(hierarchy: Hierarchy) -> str:
    """Version, organisations (parent-shaped, with paths) and aliases as one JSON object."""
    organisations = [
        {**row, "path": [hierarchy.names[node] for node in path]}
        for row, path in zip(parent_rows(hierarchy), hierarchy.paths, strict=True)
    ]
    content = {"version": hierarchy.version, "organisations": organisations, "aliases": alias_rows(hierarchy)}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _csv_text(columns: Iterable[str], rows: Iterable[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
