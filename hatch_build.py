"""The build hook of the compiled wheel: `QILIN_COMPILE=1 pip install .`; without it the wheel is pure Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What a question runs through. Pydantic models and what is only loaded, printed or explained stay interpreted.
MODULES = (
    "batch/columns",
    "conclude",
    "conflicts",
    "dates",
    "draft",
    "entities",
    "exclusions",
    "gazetteer",
    "leftovers",
    "markup",
    "normalize",
    "phrases",
    "readings",
    "recent",
    "resolver",
    "suffixes",
    "tables",
    "typos",
    "unknowns",
    "whereabouts",
)
_SETUP = """
from mypyc.build import mypycify
from setuptools import setup

flags = ["--follow-imports=silent", "--ignore-missing-imports"]
setup(name="qilin", packages=[], ext_modules=mypycify([*flags, *{files!r}], opt_level="2", debug_level="0"))
"""


def _wanted() -> bool:
    return os.environ.get("QILIN_COMPILE") == "1"


class CompileHook(BuildHookInterface[Any]):
    """Puts extension modules beside their sources, which tracebacks and the key of the cache still need."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What compiling needs; nothing for a pure wheel."""
        return ["mypy[mypyc]>=1.13", "setuptools>=70", "pydantic>=2,<3"] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile a copy of the packages: a checkout never holds extension modules."""
        if version == "editable" or not _wanted():
            return
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)  # setuptools would read a pyproject.toml beside it: there is none
        for package in ("engine", "hierarchy"):
            shutil.copytree(Path(self.root, package), folder / package, ignore=shutil.ignore_patterns("*.so", "*.pyd"))
        setup = _SETUP.format(files=[f"engine/{module}.py" for module in MODULES])
        (folder / "setup.py").write_text(setup, encoding="utf-8")
        subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=folder, check=True)
        for ending in ("*.so", "*.pyd"):
            for built in (*folder.glob(ending), *(folder / "engine").rglob(ending)):
                build_data["force_include"][str(built)] = str(built.relative_to(folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        if version != "editable" and _wanted():
            self._folder.cleanup()
