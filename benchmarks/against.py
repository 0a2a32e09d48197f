"""This version against another, both measured in one run: the comparison that holds on any machine.

    python -m benchmarks --against ../before                       # a checkout
    python -m benchmarks --against dist/qilin_grid-0.2.0-py3-none-any.whl

Each side is a process of its own, with the same Python and the same libraries. They take turns, pass by pass, over the same
questions, and whatever else the machine does meets both. Of each question the quickest pass counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import qilin
from benchmarks.report import Ratio, Rows, Section, Text, number
from benchmarks.timing import TODAY, quickest

TOLERANCE: Final = 0.10
TABLES: Final = ("shandong", "china")
SIDES: Final = ("this version", "the other")
_SIDE: Final = Path(__file__).with_name("one_side.py")


class Unusable(ValueError):
    """What --against names holds no version; the message says what was looked for."""


class Version(NamedTuple):
    """A folder to search for modules, None where they are found without it; what has `Engine`; what has `Hierarchy`."""

    folder: Path | None
    package: str = "qilin"
    tables: str = "qilin.hierarchy"


def own() -> Version:
    """The version that this process runs."""
    package = Path(str(qilin.__file__)).absolute().parent
    return Version(package.parent if package.name == "qilin" else None)  # else an editable install finds it


def lay_out(version: Path, target: Path) -> Version:
    """How to find the packages of `version`.

    Args:
        version: A wheel; a checkout; or a folder that holds the packages as they are installed.
        target: An empty folder for what has to be made.

    Raises: Unusable, for anything else.
    """
    if version.suffix == ".whl" and version.is_file():
        with zipfile.ZipFile(version) as wheel:
            wheel.extractall(target)
        return Version(target)
    version = version.resolve()
    if (version / "qilin" / "__init__.py").is_file():
        return Version(version)
    folders = _package_folders(version / "pyproject.toml")
    if "qilin" in folders:
        package = target / "qilin"
        package.mkdir()
        for entry in (version / folders.pop("qilin")).iterdir():
            (package / entry.name).symlink_to(entry, entry.is_dir())
        for name, folder in folders.items():
            (package / name.removeprefix("qilin.")).symlink_to(version / folder, target_is_directory=True)
        return Version(target)
    if (version / "engine" / "__init__.py").is_file():  # a checkout from before 0.2.0
        return Version(version, "engine", "hierarchy")
    raise Unusable(f"{version} is no wheel of qilin-grid and no checkout of it. Give the path of one.")


def _package_folders(project: Path) -> dict[str, str]:
    if not project.is_file():
        return {}
    settings = tomllib.loads(project.read_text(encoding="utf-8"))
    return dict(settings.get("tool", {}).get("setuptools", {}).get("package-dir", {}))


class Side:
    """A process that has one version imported."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Talk to `process`."""
        self._process = process

    def ask(self, what: str, table: str, queries: Sequence[str]) -> Any:
        """The times of one pass in µs, or the answers."""
        assert self._process.stdin and self._process.stdout
        order = {"what": what, "table": table, "queries": queries, "today": TODAY.isoformat()}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise Unusable("one side ended; what it said stands above.")
        return json.loads(line)


@contextmanager
def _side(version: Version) -> Iterator[Side]:
    environment = {**os.environ, "PYTHONPATH": str(version.folder or "")}
    command = [sys.executable, str(_SIDE), version.package, version.tables]
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=environment, cwd=elsewhere
        ) as process,
    ):
        try:
            yield Side(process)
        finally:
            process.kill()


def measure(other: Path, queries: Sequence[str], rounds: int) -> Section:
    """Both versions by turns, over the same questions, with the tables of Shandong and of China.

    Raises: Unusable, where `other` holds no version.
    """
    section = Section("against")
    with ExitStack() as stack:
        versions = own(), lay_out(other, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        sides = [stack.enter_context(_side(version)) for version in versions]
        rows = []
        for table in TABLES:
            said = [side.ask("answers", table, queries) for side in sides]
            if not Path(said[1]["file"]).is_relative_to(str(versions[1].folder)):
                raise Unusable(f"{other} was not found; {said[1]['file']} ran in its stead.")
            passes: list[list[list[float]]] = [[], []]
            for turn in range(rounds):
                for which in (0, 1) if turn % 2 else (1, 0):
                    passes[which].append(sides[which].ask("pass", table, queries))
            best = [quickest(each) for each in passes]
            median = [statistics.median(each) for each in best]
            mean = [statistics.mean(each) for each in best]
            differ = sum(ours != theirs for ours, theirs in zip(said[0]["answers"], said[1]["answers"], strict=True))
            section.figures[table] = {
                "median_us": median,
                "mean_us": mean,
                "other_answers": differ,
                "queries": len(queries),
                "files": [each["file"] for each in said],
            }
            section.ratios[f"median, {table}"] = Ratio(round(median[0] / median[1], 4), "lower")
            section.ratios[f"mean, {table}"] = Ratio(round(mean[0] / mean[1], 4), "lower")
            rows += [[table, name, number(median[which]), number(mean[which])] for which, name in enumerate(SIDES)] + [
                [table, "ratio", number(median[0] / median[1]), number(mean[0] / mean[1])]
            ]
            rows.append([table, "other answers", f"{differ} of {len(queries)}", ""])
    section.blocks += [
        Text(f"The other: {other}. Both took turns in one run, the quickest pass of each question counts."),
        Rows("This version against the other, µs a question", ("table", "", "median", "mean"), rows),
    ]
    return section


def slower(section: Section, tolerance: float = TOLERANCE) -> list[str]:
    """In what this version is slower than the other by more than `tolerance`, a line each."""
    return [
        f"{name}: {number(ratio.value)} times the other's"
        for name, ratio in section.ratios.items()
        if ratio.value > 1 + tolerance
    ]
