"""What the package promises by its form: the public surface, what is installed, what it is called."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import qilin

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The paths that git tracks, relative to the checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files belong to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


# ── the public surface ───────────────────────────────────────────────────────────────────────────


def test_the_public_surface() -> None:
    assert qilin.__all__ == [
        "Conflict",
        "DateRange",
        "Engine",
        "Entity",
        "Hierarchy",
        "HierarchyError",
        "OrgPath",
        "QueryTooLong",
        "Resolution",
        "Unknown",
        "check",
        "resolve",
    ]
    for name in qilin.__all__:
        assert callable(getattr(qilin, name)) and getattr(qilin, name).__doc__


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, qilin; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {
        "httpx",
        "networkx",
        "numpy",
        "opencc",
        "pyarrow",
        "pypinyin",
        "ray",
        "rich",
        "sqlalchemy",
        "torch",
        "typer",
    }
    assert not heavy & set(said.split())


def test_the_command_and_the_module_are_one() -> None:
    module, _, function = PROJECT["project"]["scripts"]["qilin"].partition(":")
    assert getattr(import_module(module), function) is import_module("qilin.__main__").main


# ── what is installed ────────────────────────────────────────────────────────────────────────────


def folder_of(package: str) -> Path:
    """Where a package lies in a checkout."""
    parent, _, name = package.rpartition(".")
    folder = SETUPTOOLS["package-dir"].get(package)
    return ROOT / folder if folder else folder_of(parent) / name


def test_every_package_is_listed() -> None:
    inits = [path for folder in SETUPTOOLS["package-dir"].values() for path in (ROOT / folder).rglob("__init__.py")]
    assert {folder_of(package) / "__init__.py" for package in SETUPTOOLS["packages"]} == set(inits)


def test_every_module_is_in_a_package(tracked: list[str]) -> None:
    folders = {folder_of(package) for package in SETUPTOOLS["packages"]}
    modules = [ROOT / path for path in tracked if path.startswith(tuple(SETUPTOOLS["package-dir"].values()))]
    assert {path.parent for path in modules if path.suffix == ".py"} == folders


def test_the_data_that_ship_are_those_that_git_tracks(tracked: list[str]) -> None:
    """Listed one by one: what a run writes into a checkout (data/ner.json) must not travel."""
    listed = {
        str((folder_of(package) / name).relative_to(ROOT))
        for package, names in SETUPTOOLS["package-data"].items()
        for name in names
    }
    folders = tuple(f"{folder}/" for folder in SETUPTOOLS["package-dir"].values())
    assert listed == {path for path in tracked if path.startswith(folders) and not path.endswith(".py")}


def test_what_is_compiled_exists() -> None:
    script = (ROOT / "setup.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(script[script.index("MODULES") : script.index(")", script.index("MODULES")) + 1], names)
    assert names["MODULES"] and not [
        each for each in names["MODULES"] if not (ROOT / "engine" / f"{each}.py").is_file()
    ]


def test_what_coverage_leaves_out_exists() -> None:
    patterns = [pattern.removeprefix("*/") for pattern in PROJECT["tool"]["coverage"]["run"]["omit"]]
    assert not [each for each in patterns if not [*ROOT.glob(each), *(ROOT / "engine").glob(each)]]


# ── what it is called ────────────────────────────────────────────────────────────────────────────

NAMED_BY_OTHERS = {"psycopg"}  # distributions of others whose extras are recommended


def test_nobody_is_told_to_install_a_namesake(tracked: list[str]) -> None:
    """`qilin` on a package index is somebody else's; this distribution is qilin-grid."""
    wrong = []
    for path in tracked:
        if not path.endswith((".py", ".md", ".toml", ".yaml")) or path.startswith("tests/"):
            continue
        for command in re.findall(r"pip install ([^`\n&#;]*)", (ROOT / path).read_text(encoding="utf-8")):
            named = re.findall(r"([\w.-]+)\[[a-z,]+\]", command)
            named += re.findall(r"(?<![\w./-])(?:qilin|hierarchy|engine|training)(?![\w./\[-])", command)
            wrong += [f"{path}: {name}" for name in named if name not in {".", "qilin-grid", *NAMED_BY_OTHERS}]
    assert not wrong


def test_versions_are_asked_of_the_distribution(tracked: list[str]) -> None:
    asks = re.compile(r"""\b(?:version|requires|distribution|files)\(["']qilin["']\)""")
    assert not [p for p in tracked if p.endswith(".py") and asks.search((ROOT / p).read_text(encoding="utf-8"))]
