"""The command `qilin`: parse arguments, call, print.

Exit codes: 0 fine; 1 something is not resolved, or in conflict; 2 wrong use or bad input.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from qilin.answer.resolution import Resolution
from qilin.answer.values import Conflict, QueryTooLong, encodable
from qilin.cli import batch as cli_batch
from qilin.cli import evaluate as cli_evaluate
from qilin.cli import hierarchy as cli_hierarchy
from qilin.cli import training as cli_training
from qilin.cli.hierarchy import AliasesOption, JsonOption, SheetOption, TableOption, load_compiled, load_table
from qilin.cli.lines_in import InputLine, as_utf8, read_lines
from qilin.cli.options import (
    AdapterOption,
    DefaultDateOption,
    GapFillerOption,
    GapSettlesOption,
    GapThresholdOption,
    GapTimeoutOption,
    IndicatorsOption,
    MaxLengthOption,
    ModelOption,
    ScopeOption,
    ServerOption,
    TodayOption,
    day,
    gap_options,
)
from qilin.cli.terminal import (
    BAD_INPUT,
    FINE,
    INTERRUPTED,
    NOT_RESOLVED,
    complain,
    prepare_streams,
    reporting,
    show,
    show_json,
    show_xml,
    stdin_is_terminal,
)
from qilin.report.text import Line, Styled, line, numbered, resolution_lines, safe

if TYPE_CHECKING:
    from qilin.hierarchy import Hierarchy
    from qilin.llm.options import GapOptions
    from qilin.resolver import Engine

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
app.add_typer(cli_hierarchy.app, name="hierarchy", short_help="检查、浏览、比较组织表。 Lint, browse, compare tables.")
app.command("batch", short_help="解析一个文件的问题。 Resolve a file of questions.")(cli_batch.batch)
app.command("dataset", short_help="生成训练数据。 Make training data.")(cli_training.dataset)
app.command("train", short_help="训练模型。 Train a model.")(cli_training.train)
app.command("evaluate", short_help="比较规则、模型和两者。 Compare rules, model and both.")(cli_evaluate.evaluate)

QueriesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUERY",
        help="问题；- 或没有参数时从标准输入读，一行一个。 The questions; - or none: from stdin, one a line.",
    ),
]
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


@app.command(short_help="解析问题。 Resolve questions.")
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
    gap_filler: GapFillerOption = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    server: ServerOption = None,
    gap_threshold: GapThresholdOption = 0.95,
    gap_settles: GapSettlesOption = False,
    gap_timeout: GapTimeoutOption = 10.0,
    as_json: JsonOption = False,
    as_xml: XmlOption = False,
) -> None:
    """解析问题中的单位、指标和日期。 Resolve the organisations, indicators and dates of questions."""
    if as_json and as_xml:
        raise typer.BadParameter("give --json or --xml, not both.")
    prepare_streams(data=as_json or as_xml)
    with reporting():
        asked = _queries(queries)
        gaps = gap_options(gap_filler, model, adapter, server, gap_threshold, gap_settles, gap_timeout)
        engine = _engine(table, sheet, aliases, indicators, default_date, max_length, gaps)
        worst = FINE
        for resolution in _answers(asked, partial(engine.resolve, today=day(today), scope=scope and as_utf8(scope))):
            worst = max(worst, BAD_INPUT if resolution is None else _exit_code(resolution))
            if resolution is None:
                continue
            if as_json:
                show_json(resolution.model_dump_json())
            elif as_xml:
                show_xml(resolution.to_xml())
            else:
                show(_block(resolution.query if asked.several else None, resolution_lines(resolution)))
        raise typer.Exit(worst)


@app.command(short_help="说明为什么这样解析。 Say why a question resolves so.")
def explain(
    queries: QueriesArgument = None,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    indicators: IndicatorsOption = None,
    today: TodayOption = None,
    scope: ScopeOption = None,
    default_date: DefaultDateOption = None,
    max_length: MaxLengthOption = 2000,
    gap_filler: GapFillerOption = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    server: ServerOption = None,
    gap_threshold: GapThresholdOption = 0.95,
    gap_settles: GapSettlesOption = False,
    gap_timeout: GapTimeoutOption = 10.0,
    as_json: JsonOption = False,
) -> None:
    """说明为什么这样解析：取舍的提及、各种读法、路径和冲突。 Why a question resolves as it does, or does not."""
    from qilin.report.explain import explain as why
    from qilin.report.lines import explanation_lines

    prepare_streams(data=as_json)
    with reporting():
        asked = _queries(queries)
        gaps = gap_options(gap_filler, model, adapter, server, gap_threshold, gap_settles, gap_timeout)
        engine = _engine(table, sheet, aliases, indicators, default_date, max_length, gaps)
        worst = FINE
        for explanation in _answers(asked, partial(why, engine, today=day(today), scope=scope and as_utf8(scope))):
            worst = max(worst, BAD_INPUT if explanation is None else _exit_code(explanation.resolution))
            if explanation is None:
                continue
            if as_json:
                show_json(explanation.to_json())
            else:
                show(explanation_lines(explanation))
                if asked.several:
                    show([line("─" * 60)])
        raise typer.Exit(worst)


@app.command(short_help="用组织表核对标注文本或路径。 Check tagged text or paths.")
def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help='每行一个标注文本、路径（山东省/菏泽/…）或 {"query": …, "xml": …}；- 或没有时读标准输入。 '
            "One tagged text, path or JSON object a line; - or none: stdin.",
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", help="原问题；核对标签外的文字。 The question the text outside the tags must come from."
        ),
    ] = None,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    as_json: JsonOption = False,
) -> None:
    """用组织表核对标注文本或路径；有冲突时退出码为 1。 Hold tagged text or paths against the table; exit code 1 on conflict."""
    prepare_streams(data=as_json)
    with reporting():
        if file is None and stdin_is_terminal():
            raise typer.BadParameter("give a FILE, or pipe the text in.")
        hierarchy = load_table(table, sheet, aliases)
        worst, checked, found = FINE, 0, 0
        for each in read_lines(file):
            conflicts = _conflicts(each, hierarchy, query and as_utf8(query))
            if conflicts is None:
                worst = BAD_INPUT
                continue
            checked, found = checked + 1, found + len(conflicts)
            worst = max(worst, NOT_RESOLVED if conflicts else FINE)
            if as_json:
                for conflict in conflicts:
                    content = {"line": each.number, "text": each.text, **conflict.model_dump(exclude={"entities"})}
                    show_json(encodable(json.dumps(content, ensure_ascii=False)))
            else:
                show(_conflict_lines(each, conflicts))
        if not as_json:
            outcome = Styled(f"{found} 处冲突", "red") if found else Styled("没有冲突", "green")
            show([line(f"核对了 {checked} 行，", outcome)])
        raise typer.Exit(worst)


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


# ── arguments ────────────────────────────────────────────────────────────────────────────────────


class _Asked(NamedTuple):
    """The queries to answer; `several`: there may be more than one, so each answer needs its heading."""

    lines: Iterable[InputLine]
    several: bool


def _queries(arguments: list[str] | None) -> _Asked:
    if not arguments:
        if stdin_is_terminal():
            raise typer.BadParameter("give a QUERY, or pipe the questions in, one a line.")
        return _Asked(read_lines(), True)
    return _Asked(_argument_lines(arguments), len(arguments) > 1 or arguments == ["-"])


def _argument_lines(arguments: list[str]) -> Iterator[InputLine]:
    for number, argument in enumerate(arguments, 1):
        if argument == "-":
            yield from read_lines()
        else:
            yield InputLine("argument", number, as_utf8(argument))


def _engine(
    table: str | None,
    sheet: str | None,
    aliases: str | None,
    indicators: str | None,
    default_date: str | None,
    max_length: int,
    gaps: GapOptions,
) -> Engine:
    from qilin.resolver import Engine

    tables = load_compiled(table, sheet, aliases, indicators)
    options = gaps.engine_options()
    return Engine(tables, indicators=indicators, default_date=default_date, max_length=max_length, **options)


Answer = TypeVar("Answer")


def _answers(asked: _Asked, ask: Callable[[str], Answer]) -> Iterator[Answer | None]:
    """An answer for each query; None for one that cannot be taken, once stderr says why."""
    for each in asked.lines:
        if each.text is None:
            complain(f"{each.place}: {each.problem}")
            yield None
            continue
        try:
            answer = ask(each.text)
        except QueryTooLong as error:
            complain(f"{each.place}: {error} Here: --max-length.")
            yield None
        else:
            yield answer


def _exit_code(resolution: Resolution) -> int:
    return FINE if resolution.status == "resolved" else NOT_RESOLVED


def _conflicts(each: InputLine, hierarchy: Hierarchy, query: str | None) -> list[Conflict] | None:
    """The conflicts of one line, [] for a blank one; None for one that cannot be read, once stderr says why."""
    from qilin.check import check as find_conflicts

    if each.text is None:
        complain(f"{each.place}: {each.problem}")
        return None
    tagged = each.text
    if not tagged.strip():
        return []
    if tagged.lstrip().startswith("{"):
        try:
            content = json.loads(tagged)
            tagged, query = content["xml"], content.get("query", query)
            if not isinstance(tagged, str) or not isinstance(query, str | None):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            complain(f'{each.place}: this is no JSON object {{"query": "…", "xml": "…"}}. The line is skipped.')
            return None
    return find_conflicts(tagged, hierarchy, query)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def _block(title: str | None, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, under the query where there are several, with a blank line behind."""
    if title is not None:
        yield line(Styled("» ", "dim"), Styled(title, "bold"))
    yield from lines
    if title is not None:
        yield line()


_KIND = {
    "path": "路径", "exclusion": "排除", "unknown-tag": "未知标签", "unknown-organisation": "未知单位",
    "wrong-parent": "上级不符", "missing-parent": "缺少上级", "level-order": "层级次序", "text-differs": "文字不符",
    "malformed": "格式错误",
}  # fmt: skip


def _conflict_lines(each: InputLine, conflicts: Iterable[Conflict]) -> Iterator[Line]:
    for conflict in conflicts:
        yield line(f"第 {each.number} 行  ", Styled(_KIND[conflict.kind], "red"), f"  {conflict.message}")
        yield from numbered("可改为", conflict.repairs)


def _version_text() -> str:
    from importlib.metadata import PackageNotFoundError, version

    from qilin.hierarchy import Hierarchy

    try:
        installed = version("qilin-grid")
    except PackageNotFoundError:
        installed = "(checkout, not installed)"
    table = Hierarchy.bundled()
    return f"qilin {installed}, table shandong {table.version} ({len(table)} organisations)"
