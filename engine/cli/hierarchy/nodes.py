"""Organisations of a table as these commands name them."""

from __future__ import annotations

from qilin.cli.terminal import complain
from qilin.hierarchy import Hierarchy


def path(hierarchy: Hierarchy, node: int) -> list[str]:
    """The names from the province down to the node."""
    return [hierarchy.names[i] for i in hierarchy.paths[node]]


def arrows(hierarchy: Hierarchy, node: int) -> str:
    """山东省 → 菏泽 → 巨野县供电公司"""
    return " → ".join(path(hierarchy, node))


def complain_of_unknown(hierarchy: Hierarchy, name: str) -> None:
    """Say on stderr that nobody goes by a name, and who goes by the nearest names."""
    from qilin.names.nearest import nearest_nodes

    nearest = [arrows(hierarchy, node) for node in nearest_nodes(hierarchy, name)]
    hint = f" The nearest: {'; '.join(nearest)}." if nearest else ""
    complain(f"{hierarchy.source}: no organisation is named '{name}'.{hint}")
