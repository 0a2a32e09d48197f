"""The command `qilin`: every command with the line that lists it, and the entry point.

Exit codes: 0 fine; 1 something is not resolved, or in conflict; 2 wrong use or bad input.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from qilin.cli.batch import batch
from qilin.cli.check import check
from qilin.cli.dataset import dataset
from qilin.cli.evaluate import evaluate
from qilin.cli.explain import explain
from qilin.cli.hierarchy.app import app as hierarchy
from qilin.cli.resolve import resolve
from qilin.cli.terminal import FINE, INTERRUPTED, prepare_streams, show
from qilin.cli.train import train
from qilin.report.text import line, safe

app = typer.Typer(
    name="qilin",
    help="把中文电网问题解析到确切的单位路径，或者说明为什么不能。 "
    "Resolves Chinese power-grid questions to the exact organisation path, or says why it cannot. "
    "退出码 Exit codes: 0 正常 fine; 1 未解析或有冲突 not resolved or in conflict; 2 用法或输入有误 wrong use or bad input.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(hierarchy, name="hierarchy", short_help="检查、浏览、比较组织表。 Lint, browse, compare tables.")
for command, short_help in (
    (batch, "解析一个文件的问题。 Resolve a file of questions."),
    (dataset, "生成训练数据。 Make training data."),
    (train, "训练模型。 Train a model."),
    (evaluate, "比较规则、模型和两者。 Compare rules, model and both."),
    (resolve, "解析问题。 Resolve questions."),
    (explain, "说明为什么这样解析。 Say why a question resolves so."),
    (check, "用组织表核对标注文本或路径。 Check tagged text or paths."),
):
    app.command(short_help=short_help)(command)


def _version(wanted: bool) -> None:
    if wanted:
        prepare_streams()
        show([line(_version_text())])
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本和自带组织表的版本。 Versions.")
    ] = False,
) -> None:
    """Holds the options that come before a command."""


def main() -> None:
    """The entry point: like `app()`, with messages of the argument parser made safe too."""
    prepare_streams()
    try:
        code = app(standalone_mode=False)
    except _USAGE_ERROR as error:
        text = io.StringIO()
        error.show(file=text)  # type: ignore[attr-defined]
        for each in text.getvalue().rstrip("\n").split("\n"):
            print(safe(each), file=sys.stderr)
        code = error.exit_code  # type: ignore[attr-defined]
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else FINE)


# Typer carries a click of its own or uses the one installed, by version; either is the same class here.
_USAGE_ERROR: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def _version_text() -> str:
    from importlib.metadata import PackageNotFoundError, version

    from qilin.hierarchy import Hierarchy

    try:
        installed = version("qilin-grid")
    except PackageNotFoundError:
        installed = "(checkout, not installed)"
    table = Hierarchy.bundled()
    return f"qilin {installed}, table shandong {table.version} ({len(table)} organisations)"
