"""The commands of `qilin hierarchy`, with the line that lists each."""

from __future__ import annotations

import typer

from qilin.cli.hierarchy.ambiguous import ambiguous
from qilin.cli.hierarchy.diff import diff
from qilin.cli.hierarchy.export import export
from qilin.cli.hierarchy.find import find
from qilin.cli.hierarchy.lint import lint
from qilin.cli.hierarchy.show import show

app = typer.Typer(
    help="组织表：检查、浏览、查找、比较、导出。 The organisation table: lint, show, find, compare, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for command, short_help in (
    (lint, "检查组织表。 Find what is wrong."),
    (show, "画出单位以下的树。 Draw the tree."),
    (find, "一个名称可能指谁。 Whom a name means."),
    (ambiguous, "共用的名称。 Names owned by several."),
    (diff, "比较两个版本。 Compare two versions."),
    (export, "导出 CSV、JSON。 Write CSV or JSON."),
):
    app.command(short_help=short_help)(command)
