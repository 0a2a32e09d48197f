"""The build of the compiled wheel: `QILIN_COMPILE=1 pip install .`; without it the wheel is pure Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree, rmtree

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

# What a question runs through. Pydantic models and what is only loaded, printed or explained stay interpreted.
MODULES = (
    "answer/markup",
    "batch/result_columns",
    "dates/find",
    "dates/lexer",
    "dates/numerals",
    "dates/periods",
    "dates/ranges",
    "names/compiled",
    "names/elsewhere",
    "names/gazetteer",
    "names/mention",
    "names/recent",
    "names/suffixes",
    "names/typo_index",
    "operators/breakdown",
    "operators/exclusion",
    "operators/phrase",
    "operators/relative",
    "readings/asked",
    "readings/cost",
    "readings/lattice",
    "readings/link",
    "readings/parts",
    "readings/rating",
    "readings/reading",
    "readings/search",
    "readings/support",
    "readings/typos",
    "readings/unknowns",
    "readings/whereabouts",
    "resolver",
    "text/filler",
    "text/normalize",
    "text/tuples",
    "text/words",
    "verdict/conflicts",
    "verdict/dialogue",
    "verdict/draft",
    "verdict/entities",
    "verdict/exclusions",
    "verdict/leftovers",
    "verdict/status",
)
_SETUP = """
from mypyc.build import mypycify
from setuptools import setup

flags = ["--follow-imports=silent", "--ignore-missing-imports"]
setup(name="qilin", packages=[], ext_modules=mypycify([*flags, *{files!r}], opt_level="2", debug_level="0"))
"""
COMPILED = os.environ.get("QILIN_COMPILE") == "1"


class BuildPackages(build_py):
    """Puts extension modules beside their sources, which tracebacks and the key of the cache still need."""

    def run(self) -> None:
        """Lay the packages out as they are installed, then compile a copy: a checkout never holds extension modules."""
        if self.editable_mode:
            super().run()
            return
        rmtree(Path(self.build_lib, "qilin"), ignore_errors=True)  # modules of an earlier build that are gone since
        super().run()
        if not COMPILED:
            return
        with tempfile.TemporaryDirectory() as name:  # setuptools would read a pyproject.toml beside it: there is none
            folder = Path(name)
            copytree(Path(self.build_lib, "qilin"), folder / "qilin")
            script = _SETUP.format(files=[f"qilin/{module}.py" for module in MODULES])
            (folder / "setup.py").write_text(script, encoding="utf-8")
            subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=folder, check=True)
            for ending in ("*.so", "*.pyd"):
                for built in (*folder.glob(ending), *(folder / "qilin").rglob(ending)):
                    self.copy_file(str(built), str(Path(self.build_lib, built.relative_to(folder))))


class Platform(Distribution):
    """Tells that a compiled wheel is for one platform."""

    def has_ext_modules(self) -> bool:
        """Whether there are extension modules, which are built aside."""
        return COMPILED


setup(
    cmdclass={"build_py": BuildPackages},
    distclass=Platform,
    setup_requires=["mypy[mypyc]>=1.13", "pydantic>=2,<3"] if COMPILED else [],
)
