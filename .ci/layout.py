"""Lays the packages out as they are installed, by links: what is in engine/ becomes build/layout/qilin.

Type checkers and import-linter look for a folder `qilin`, and a checkout has none: its folders keep their own names, and
an editable install maps them while Python runs. Take the result for MYPYPATH or PYTHONPATH. Once made, it is out of date
only when a file or folder is added right below engine/.

    python .ci/layout.py [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def lay_out(target: Path) -> None:
    """Make `target` anew, with a folder `qilin` whose entries are links into the checkout."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = settings["tool"]["setuptools"]["package-dir"]
    shutil.rmtree(target, ignore_errors=True)
    package = target / "qilin"
    package.mkdir(parents=True)
    for entry in (ROOT / folders.pop("qilin")).iterdir():
        if entry.name != "__pycache__":
            (package / entry.name).symlink_to(entry, entry.is_dir())
    for name, folder in folders.items():
        (package / name.removeprefix("qilin.")).symlink_to(ROOT / folder, target_is_directory=True)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "layout")
