"""The command `qilin`: parse arguments, call, print.

Exit codes: 0 fine; 1 something is not resolved, or in conflict; 2 wrong use or bad input.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine import cli_hierarchy
from engine.cli_hierarchy import AliasesOption, JsonOption, SheetOption, TableOption, load_table
from engine.terminal import (
    BAD_INPUT,
    FINE,
    NOT_RESOLVED,
    InputLine,
    Line,
    Styled,
    complain,
    line,
    numbered,
    prepare_streams,
    read_lines,
    reporting,
    resolution_lines,
    show,
    show_json,
    show_xml,
    stdin_is_terminal,
)

if TYPE_CHECKING:
    from engine.resolver import Engine
    from engine.types import Conflict
    from hierarchy import Hierarchy

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
app.add_typer(cli_hierarchy.app, name="hierarchy")

QueriesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[QUERY]...",
        help="问题；- 或没有参数时从标准输入读，一行一个。 The questions; - or none: from stdin, one a line.",
    ),
]
IndicatorsOption = Annotated[
    str | None, typer.Option("--indicators", metavar="FILE", help="指标表（CSV）。 Indicator file, a CSV.")
]
TodayOption = Annotated[
    datetime | None,
    typer.Option("--today", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="相对日期从这一天算。 The day that relative dates count from.",
                 show_default="上海时间的今天 today in Shanghai"),
]  # fmt: skip
ScopeOption = Annotated[
    str | None,
    typer.Option("--scope", metavar="ORG", help="提问者所在单位，名称或路径（菏泽/巨野县供电公司）。 The caller's own organisation."),
]
DefaultDateOption = Annotated[
    str | None,
    typer.Option("--default-date", metavar="DATE", help="问题没有日期时用它，例如 本月。 For questions without a date."),
]
MaxLengthOption = Annotated[int, typer.Option("--max-length", min=1, help="问题最长几个字。 Longest question, in characters.")]
XmlOption = Annotated[bool, typer.Option("--xml", help="每行一个标注文本。 One tagged text a line.")]


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


@app.command()
def resolve(
    queries: QueriesArgument = None,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    indicators: IndicatorsOption = None,
    today: TodayOption = None,
    scope: ScopeOption = None,
    default_date: DefaultDateOption = None,
    max_length: MaxLengthOption = 2000,
    as_json: JsonOption = False,
    as_xml: XmlOption = False,
) -> None:
    """解析问题中的单位、指标和日期。 Resolve the organisations, indicators and dates of questions."""
    if as_json and as_xml:
        raise typer.BadParameter("give --json or --xml, not both.")
    prepare_streams(data=as_json or as_xml)
    worst = FINE
    with reporting():
        lines, titled = _queries(queries)
        engine = _engine(table, sheet, aliases, indicators, default_date, max_length)
        day = today.date() if today else None
        for query in lines:
            resolution = _tried(query, lambda text: engine.resolve(text, today=day, scope=scope))
            if resolution is None:
                worst = BAD_INPUT
                continue
            worst = max(worst, FINE if resolution.status == "resolved" else NOT_RESOLVED)
            if as_json:
                show_json(resolution.model_dump_json())
            elif as_xml:
                show_xml(resolution.to_xml())
            else:
                show(_block(resolution.query, resolution_lines(resolution), titled))
    raise typer.Exit(worst)
