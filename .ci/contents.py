"""Holds built distributions against git: a wheel has every tracked file of the packages, a source distribution every
tracked file, and neither has anything else.

    python .ci/contents.py dist/qilin_grid-0.2.0-py3-none-any.whl dist/qilin_grid-0.2.0.tar.gz
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
_MADE = (".so", ".pyd")  # extension modules of a compiled wheel
_METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE")


def tracked() -> set[str]:
    """The paths that git tracks and that still exist, relative to the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for path in listed.split("\0") if path and (ROOT / path).is_file()}


def installed_paths(paths: set[str]) -> set[str]:
    """Where the files of the packages come to lie, relative to site-packages."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {
        folder: name.replace(".", "/") for name, folder in settings["tool"]["setuptools"]["package-dir"].items()
    }
    found = set()
    for path in map(PurePosixPath, paths):
        if package := packages.get(path.parts[0]):
            found.add(str(PurePosixPath(package, *path.parts[1:])))
    return found


def faults_of_wheel(wheel: Path) -> list[str]:
    """What a wheel lacks or has too much, a line each."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = next(name.split("/")[0] for name in names if name.split("/")[0].endswith(".dist-info"))
    names = {name for name in names if not name.endswith(_MADE)}
    return _differences(wheel, names, installed_paths(tracked()) | {f"{info}/{name}" for name in _METADATA})


def faults_of_sdist(sdist: Path) -> list[str]:
    """What a source distribution lacks or has too much, a line each."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    made = {name for name in names if name in ("PKG-INFO", "setup.cfg") or ".egg-info/" in name}
    return _differences(sdist, names - made, tracked())


def _differences(path: Path, names: set[str], wanted: set[str]) -> list[str]:
    lacking = [f"{path.name} lacks {name}" for name in sorted(wanted - names)]
    return lacking + [f"{path.name} holds {name}, which git does not track" for name in sorted(names - wanted)]


if __name__ == "__main__":
    faults = [
        fault
        for path in map(Path, sys.argv[1:])
        for fault in (faults_of_wheel if path.suffix == ".whl" else faults_of_sdist)(path)
    ]
    sys.exit("\n".join(faults) or 0)
