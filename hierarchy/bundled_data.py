"""Where the bundled data lies: the package `qilin.bundled`, which is the folder data/ of a checkout."""

from __future__ import annotations

from pathlib import Path

from qilin import bundled

from .findings import HierarchyError

ROOT: Path = Path(str(bundled.__file__)).parent


def bundled_path(relative: str) -> Path:
    """The file `relative` ("indicators.csv", "hierarchy/shandong.csv") of the bundled data.

    Raises: HierarchyError, when it is missing.
    """
    path = ROOT / relative
    if path.exists():
        return path
    raise HierarchyError(
        f"the bundled file '{relative}' is not in {ROOT}.", "Reinstall the package, or pass a file of your own."
    )
