"""The documents say what is true: each runs from top to bottom in a folder of its own, and prints what it shows.

A block is run by its language. What it prints must be what the document shows:

    ```console   each line that begins with "$ " is a command; the lines behind it are what it prints, if it prints anything
    ```sh        run as a whole; a plain block right behind it is what it prints
    ```python    the same; the blocks of a document share their names
    ```pycon     a session, with the same names
    ```csv a.csv any block with a name behind its language is a file, and is there from the beginning

Any other block is no program, and needs a comment in front. A reader of the page sees neither these nor the files' names:

    <!-- not run: REASON -->      the block is only read; pytest lists it as skipped, with the reason
    <!-- varies: PATTERN -->      what this regular expression matches may be anything else that it matches
    <!-- output not shown -->     what the block prints is not looked at
    <!-- file: a.csv              a file that the page need not show, in the lines that follow, up to the end of the comment

In what is shown, "…" stands for any text within a line, and on a line of its own for any lines. Commands may exit with 0, and
those of `qilin`, for which it is an answer, with 1. `pip` does nothing here: .ci/run installs, and below the extras are
looked up.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import qilin

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
_LONGEST_S = 60
_COMMENT = re.compile(r"<!--\s*(file|not run|varies|output not shown)\s*(?::\s*(.*?))?\s*-->", re.DOTALL)


@dataclass
class Block:
    """A fenced block.

    Attributes:
        language: What stands behind its first fence.
        file: The name that stands behind the language; "" for what is no file.
        text: What is in it.
        line: The line of its first fence.
        comments: Those in front of it.
        follows: Whether only blank lines are between it and the block before.
    """

    language: str
    file: str
    text: str
    line: int
    comments: dict[str, str] = field(default_factory=dict)
    follows: bool = False


def blocks_of(markdown: str) -> list[Block]:
    """The blocks of a document, in order. A comment that holds a file's text is a block too."""
    found: list[Block] = []
    comments: dict[str, str] = {}
    follows = False
    lines = iter(enumerate(markdown.splitlines(), 1))
    for number, line in lines:
        if line.startswith("```"):
            text = []
            for _, inner in lines:
                if inner.startswith("```"):
                    break
                text.append(inner + "\n")
            language, _, file = line[3:].strip().partition(" ")
            found.append(Block(language, file, "".join(text), number, comments, follows and not comments))
            comments, follows = {}, True
        elif line.startswith("<!--"):
            while "-->" not in line:
                line += "\n" + next(lines)[1]
            match = _COMMENT.fullmatch(line.strip())
            assert match and (match[2] or match[1] == "output not shown"), (
                f"line {number}: {line!r} is no comment that is known"
            )
            if match[1] == "file":
                name, _, content = match[2].partition("\n")
                found.append(Block("", name.strip(), content + "\n", number))
            else:
                comments[match[1]] = match[2]
        elif line.strip():
            assert not comments, f"line {number}: the comment before it belongs to no block"
            follows = False
    return found


def matches(shown: str, printed: str, varies: str | None = None) -> bool:
    """Whether a program printed what a document shows."""
    if varies:
        shown, printed = (re.sub(varies, "\0", text) for text in (shown, printed))
    pattern = ""
    for line in shown.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("…"))) + r" *\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


# ── running ──────────────────────────────────────────────────────────────────────────────────────


class Run:
    """A document that is run, block by block, in a folder of its own."""

    def __init__(self, document: str, folder: Path) -> None:
        """Put `qilin`, `python` and a `pip` that does nothing where the commands find them."""
        self._document = document
        self._folder = folder / "work"
        self._names: dict[str, Any] = {"__name__": "document"}
        self.faults: list[str] = []
        commands = folder / "bin"
        commands.mkdir()
        self._folder.mkdir()
        for name, line in (
            ("python", f'exec "{sys.executable}" "$@"'),
            ("qilin", f'exec "{sys.executable}" -m qilin "$@"'),
            ("pip", "exit 0"),
        ):
            (commands / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (commands / name).chmod(0o755)
        search = [str(Path(str(qilin.__file__)).parent.parent), os.environ.get("PYTHONPATH", "")]
        self._environment = {
            **os.environ,
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, search)),
            "QILIN_CACHE_DIR": str(folder / "cache"),
            "TERM": "dumb",
        }

    def all(self, blocks: list[Block]) -> None:
        """Write the files, then run the rest in order; what goes wrong is in `faults`."""
        for block in blocks:
            if block.file:
                (self._folder / block.file).write_text(block.text, encoding="utf-8")
        waiting = iter(zip(blocks, [*blocks[1:], None], strict=True))
        for block, after in waiting:
            shown = ""
            if block.language in ("python", "sh") and after is not None and after.follows and not after.language:
                shown = after.text
                next(waiting)
            if block.file or "not run" in block.comments:
                continue
            if block.language == "console":
                self._console(block)
            elif block.language == "pycon":
                self._session(block)
            elif block.language == "python":
                self._hold(block, shown, self._python(block))
            elif block.language == "sh":
                self._hold(block, shown, self._sh(block))
            else:
                self._fault(block.line, "a block that is no program, and no comment says what it is")

    def _console(self, block: Block) -> None:
        commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        if commands.pop(0).strip():
            self._fault(block.line, 'a console block begins with "$ "')
        line = block.line + 1
        for each in commands:
            command, _, shown = each.partition("\n")
            status, printed = self._call(command)
            if status != 0 and not (status == 1 and re.match(r"\S+=\S* qilin |qilin ", command)):
                self._fault(line, f"$ {command}\nends with {status}:\n{printed}")
            elif shown.strip() or printed.strip():
                self._hold(Block("console", "", each, line, block.comments), shown, printed, f"$ {command}\n")
            line += each.count("\n")

    def _call(self, command: str) -> tuple[int, str]:
        try:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_LONGEST_S,
            )
        except subprocess.TimeoutExpired:
            return 124, f"it was stopped after {_LONGEST_S} s; say why it is not run"
        return done.returncode, done.stdout.decode("utf-8")

    def _sh(self, block: Block) -> str:
        status, printed = self._call("set -e\n" + block.text)
        return printed if status == 0 else f"{printed}it ends with {status}"

    def _python(self, block: Block) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.chdir(self._folder):
            try:
                code = compile("\n" * block.line + block.text, self._document, "exec")
                exec(code, self._names)
            except Exception:
                out.write(traceback.format_exc())
        return out.getvalue()

    def _session(self, block: Block) -> None:
        """A session of the interpreter, by the rules of doctest."""
        session = doctest.DocTestParser().get_doctest(
            block.text, self._names, self._document, self._document, block.line
        )
        told: list[str] = []
        with contextlib.chdir(self._folder):
            doctest.DocTestRunner().run(session, out=told.append, clear_globs=False)
        self._names.update(session.globs)
        if told:
            self._fault(block.line, "".join(told))

    def _hold(self, block: Block, shown: str, printed: str, command: str = "") -> None:
        failed = "Traceback (most recent call last)" in printed
        if failed or ("output not shown" not in block.comments and not self._is_same(block, shown, printed)):
            self._fault(block.line, f"{command}shows\n{shown.rstrip()}\nand prints\n{printed.rstrip()}")

    def _is_same(self, block: Block, shown: str, printed: str) -> bool:
        if not shown.strip() or not printed.strip():
            return shown.strip() == printed.strip()
        return matches(shown, printed, block.comments.get("varies"))

    def _fault(self, line: int, what: str) -> None:
        self.faults.append(f"{self._document}:{line}: {what}")


def _blocks(document: str) -> list[Block]:
    return blocks_of((ROOT / document).read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_prints_what_it_shows(document: str, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("the commands of the documents are written for bash")
    run = Run(document, tmp_path)
    run.all(_blocks(document))
    assert not run.faults, "\n\n".join(["what is not so:", *run.faults])


def _not_run() -> Iterator[Any]:
    for document in DOCUMENTS:
        for block in _blocks(document):
            if (reason := block.comments.get("not run")) is not None:
                first = block.text.strip().splitlines()[0]
                yield pytest.param(f"{document}:{block.line}, {first!r}", reason, id=f"{document}:{block.line}")


@pytest.mark.parametrize(("block", "reason"), [*_not_run()])
def test_what_is_not_run_says_why(block: str, reason: str) -> None:
    assert len(reason.split()) > 1, "a reason is a few words long"
    pytest.skip(f"{block}: {reason}")


# ── names in the text ────────────────────────────────────────────────────────────────────────────


@cache
def _text(document: str) -> str:
    """A document without its blocks and comments."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_that_are_named_exist(document: str) -> None:
    folders = "benchmarks|data|docs|engine|hierarchy|tests|training|\\.ci"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", _text(document)))
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def _defines(dotted: str) -> bool:
    """Whether `qilin.a.b.name` is a module, or a name that a module's source defines or imports. Nothing is imported."""
    module, _, name = dotted.rpartition(".")
    with contextlib.suppress(ModuleNotFoundError):
        if find_spec(dotted):
            return True
    if not module:
        return False
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # `module` may be a class: qilin.Engine.reload
        return "." in module and _defines(module)
    if spec is None or spec.origin is None:
        return _defines(module)
    source = Path(spec.origin).with_suffix(".py").read_text(encoding="utf-8")
    defined = rf"^(?:class |def |    )?{name}\b|^from .* import .*\b{name}\b"
    return re.search(defined, source, re.MULTILINE) is not None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_that_are_named_exist(document: str) -> None:
    named = set(re.findall(r"`(qilin(?:\.[A-Za-z_]\w*)+)", _text(document))) - {"qilin.json"}
    assert not [name for name in sorted(named) if not _defines(name)]


@pytest.mark.parametrize("document", ["CHANGELOG.md", *DOCUMENTS])
def test_imports_that_are_named_work(document: str) -> None:
    imports = re.findall(r"from (qilin[\w.]*) import ([\w, ]+)", (ROOT / document).read_text(encoding="utf-8"))
    named = {f"{module}.{name.strip()}" for module, names in imports for name in names.split(",")}
    assert not [name for name in sorted(named) if not _defines(name)]


@pytest.mark.parametrize("of", [(), ("hierarchy",)], ids=["qilin", "qilin hierarchy"])
def test_the_readme_lists_every_command(of: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "qilin", *of, "--help"]
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb"}
    told = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=environment).stdout
    names = re.findall(r"^ *│? *([a-z]+) {2,}", told.partition("Commands")[2], re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(names) > 5 and not [name for name in names if f"| `qilin {' '.join((*of, name))}" not in readme]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_extras_that_are_named_exist(document: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"(?:'\.|qilin-grid)\[([\w,]+)\]", (ROOT / document).read_text(encoding="utf-8"))
    assert {extra for each in named for extra in each.split(",")} <= set(project["optional-dependencies"])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_folders_of_the_checkout_are_not_imported(document: str) -> None:
    """What is installed is one package: `engine`, `hierarchy` and `training` are folders of a checkout."""
    imports = r"^(?:from|import) (?:data|engine|hierarchy|training)\b.*|python -m (?:engine|hierarchy|training)\b.*"
    assert not re.findall(imports, (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)


# ── the comparison itself ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("one\ntwo", "one\ntwo\n", True),
        ("one\ntwo", "one\n", False),
        ("one … three", "one two three", True),
        ("one … three", "one two\nthree", False),
        ("…\nthree", "one\ntwo\nthree", True),
        ("one\n…\nfour", "one\nfour", True),
        ("one\n…\nfour", "one\ntwo\nfive", False),
        ("a.c", "abc", False),
        ("版本 1", "版本 1   ", True),
    ],
)
def test_ellipses_stand_for_anything(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) == same


def test_what_varies_may_be_another() -> None:
    assert matches("took 12 s", "took 3 s", r"\d+ s")
    assert not matches("took 12 s", "took 3 h", r"\d+ s")


def test_a_wrong_document_is_noticed(tmp_path: Path) -> None:
    text = """
```python
print(1)
```

```
2
```

```console
$ echo one
two
$ exit 3
$ pip install anything
```

<!-- file: note.txt
kept
-->

```python
from pathlib import Path

assert Path("note.txt").read_text(encoding="utf-8") == "kept\\n"
1 / 0
```

```csv shown.csv
a
```

```pycon
>>> Path("shown.csv").read_text(encoding="utf-8")
'a\\n'
>>> 1 + 1
3
```

```
nobody says what this is
```
"""
    run = Run("page.md", tmp_path)
    run.all(blocks_of(text))
    assert [fault.split(": ")[0] for fault in run.faults] == [
        "page.md:2", "page.md:11", "page.md:13", "page.md:21", "page.md:32", "page.md:39",
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="belongs to no block"):
        blocks_of("<!-- not run: nothing to run -->\nwords")
    with pytest.raises(AssertionError, match="no comment that is known"):
        blocks_of("<!-- todo -->")
