"""The Province → City → Company → Substation tree: load it, look names up, see what is wrong with it."""

from .aliases import Aliases, load_aliases
from .bundled_data import bundled_path
from .diff import Change, diff
from .findings import Finding, HierarchyError
from .hierarchy import Hierarchy
from .levels import Level
from .lint import lint
from .tree import Alias

__all__ = [
    "Alias",
    "Aliases",
    "Change",
    "Finding",
    "Hierarchy",
    "HierarchyError",
    "Level",
    "bundled_path",
    "diff",
    "lint",
    "load_aliases",
]
