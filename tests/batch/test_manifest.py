"""The hash of the rules: the same for the same sources wherever they lie, another for others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import qilin
from qilin import hierarchy
from qilin.batch.files.manifest import deciding_sources, rules_hash
from qilin.hierarchy import bundled_path

FOLDERS = {
    "qilin": Path(str(qilin.__file__)).parent,
    "qilin.hierarchy": Path(str(hierarchy.__file__)).parent,
    "qilin.bundled": bundled_path("README.md").parent,
}
# Finds packages as the finder of an editable installation does. No batch is run, so only what is hashed is imported.
CODE = """
import sys
from importlib.util import spec_from_file_location
folders = dict(pair.split("=") for pair in sys.argv[1:])
class Finder:
    def find_spec(name, path=None, target=None):
        if name in folders:
            return spec_from_file_location(name, folders[name] + "/__init__.py")
sys.meta_path.insert(0, Finder)
from qilin.batch.files.manifest import rules_hash
print(rules_hash())
"""


def hashed(folders: Mapping[str, Path]) -> str:
    """The hash of the rules in a process that finds these packages in these folders."""
    pairs = [f"{name}={folder}" for name, folder in folders.items()]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *pairs], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def copied(source: Path, target: Path) -> Path:
    """The sources of a package elsewhere; without its subpackages that lie apart in a checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "hierarchy", "bundled", "training", "model")
    return Path(shutil.copytree(source, target, ignore=ignored))


def test_the_hash_is_that_of_the_sources_in_a_checkout_and_installed(tmp_path: Path) -> None:
    apart = {name: copied(folder, tmp_path / name) for name, folder in FOLDERS.items()}
    copied(FOLDERS["qilin.bundled"] / "hierarchy", apart["qilin.bundled"] / "hierarchy")
    installed = copied(apart["qilin"], tmp_path / "site" / "qilin")
    for name in ("hierarchy", "bundled"):
        shutil.copytree(apart[f"qilin.{name}"], installed / name)
    assert hashed(apart) == hashed({"qilin": installed}) == rules_hash()
    levels = installed / "hierarchy" / "levels.py"
    levels.write_bytes(levels.read_bytes() + b"# another version")
    assert hashed({"qilin": installed}) != rules_hash()


@pytest.mark.parametrize("room", ["answer", "batch", "dates", "hierarchy", "llm", "names", "operators", "readings"])
def test_every_source_of_a_room_is_hashed(room: str) -> None:
    folder = FOLDERS.get(f"qilin.{room}", FOLDERS["qilin"] / room)
    names = {name for name, _ in deciding_sources() if name.startswith(f"{room}/")}
    assert names == {f"{room}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.py")}


def test_what_decides_no_answer_is_not_hashed() -> None:
    names = {name for name, _ in deciding_sources()}
    assert "resolver.py" in names
    assert not [name for name in names if name.startswith(("cli", "report", "training", "check"))]


def test_each_source_is_the_file_that_it_names() -> None:
    for name, path in deciding_sources():
        assert path.suffix == ".py" and path.as_posix().endswith(name)
