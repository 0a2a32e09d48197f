"""Names that several organisations go by."""

from __future__ import annotations

from .levels import Level
from .tree import Tree


def shared_names(tree: Tree, level: Level | None = None) -> list[tuple[str, list[int]]]:
    """Each name with its owners, most owners first; only owners of one level, where it is given."""
    owners = {
        name: [node for node in tree.find(name) if level is None or tree.levels[node] == level]
        for name in {*tree.names, *(alias.name for alias in tree.aliases)}
    }
    shared = [(name, nodes) for name, nodes in owners.items() if len(nodes) > 1]
    return sorted(shared, key=lambda item: (-len(item[1]), item[0]))
