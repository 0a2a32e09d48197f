"""Where the bundled data lies: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from .findings import HierarchyError

_PACKAGE = Path(__file__).resolve().parent
ROOTS: tuple[Path, ...] = (_PACKAGE / "bundled", _PACKAGE.parent / "data")
"""An installed wheel carries the first; a checkout has the second."""


def bundled_path(relative: str) -> Path:
    """The file `relative` ("indicators.csv", "hierarchy/shandong.csv") of the bundled data.

    Raises: HierarchyError, when neither place has it.
    """
    for root in ROOTS:
        path = root / relative
        if path.exists():
            return path
    raise HierarchyError(
        f"the bundled file '{relative}' is in neither {' nor '.join(map(str, ROOTS))}.",
        "Reinstall the package, or pass a file of your own.",
    )
