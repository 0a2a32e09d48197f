"""Options that several commands share: each is declared once, and a command gets them as one value.

@with_options
def resolve(queries: QueriesArgument = None, *, options: EngineOptions, as_json: JsonOption = False) -> None: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

from qilin.cli.lines_in import as_utf8
from qilin.cli.tables import load_compiled, load_table
from qilin.hierarchy import Hierarchy

if TYPE_CHECKING:
    from qilin.llm.options import GapOptions
    from qilin.names.compiled import Tables
    from qilin.resolver import Engine

# fmt: off
TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help="同 --table。 As for --table.")]
TableOption = Annotated[str | None, typer.Option("--table", "-t", metavar="TABLE", show_default="shandong",
    help="组织表：CSV、XLSX、数据库 URL，或自带的 shandong、china。 Organisation table: a CSV or XLSX file, "
         "a database URL (sqlite:///org.db#table), or a bundled one.")]
SheetOption = Annotated[str | None, typer.Option("--sheet",
    help="XLSX 工作表，或数据库中的表。 Worksheet, or table of the database.")]
AliasesOption = Annotated[str | None, typer.Option("--aliases", metavar="FILE",
    help="别名表（CSV）。 Alias file, a CSV.")]
JsonOption = Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象。 One JSON object a line.")]
# fmt: on


@dataclass(frozen=True)
class TableOptions:
    """Which organisation table, for a command that looks names up in it."""

    table: TableOption = None
    sheet: SheetOption = None
    aliases: AliasesOption = None

    def hierarchy(self) -> Hierarchy:
        """The table. Raises: HierarchyError."""
        return load_table(self.table, self.sheet, self.aliases)

    def tables(self) -> Tables:
        """The table, compiled for queries. Raises: HierarchyError."""
        return load_compiled(self.table, self.sheet, self.aliases)


@dataclass(frozen=True)
class EngineOptions(TableOptions):
    """How questions are resolved, for a command that does."""

    # fmt: off
    indicators: Annotated[str | None, typer.Option("--indicators", metavar="FILE",
        help="指标表（CSV）。 Indicator file, a CSV.")] = None
    today: Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD",
        help="相对日期从这一天算。 The day that relative dates count from.",
        show_default="上海时间的今天 today in Shanghai")] = None
    scope: Annotated[str | None, typer.Option("--scope", metavar="ORG",
        help="提问者所在单位，名称或路径（菏泽/巨野县供电公司）。 The caller's own organisation.")] = None
    default_date: Annotated[str | None, typer.Option("--default-date", metavar="DATE",
        help="问题没有日期时用它，例如 本月。 For questions without a date.")] = None
    max_length: Annotated[int, typer.Option("--max-length", min=1,
        help="问题最长几个字。 Longest question, in characters.")] = 2000
    gap_filler: Annotated[str | None, typer.Option("--gap-filler", metavar="auto|local|server:URL|none",
        help="规则没有定论的部分问语言模型。 Ask a language model about what the rules leave open.")] = None
    model: Annotated[str | None, typer.Option("--model", metavar="PATH",
        help="模型的路径或名称；默认是自带的小模型。 The model; default: the bundled small one.")] = None
    adapter: Annotated[str | None, typer.Option("--adapter", metavar="PATH",
        help="LoRA 适配器。 A LoRA adapter for the model.")] = None
    server: Annotated[str | None, typer.Option("--server", metavar="URL",
        help="OpenAI 兼容的服务；密钥取自 QILIN_API_KEY。 "
             "An OpenAI-compatible server; its key is taken from QILIN_API_KEY.")] = None
    gap_threshold: Annotated[float, typer.Option("--gap-threshold", min=0.0, max=1.0,
        help="采用模型说法所需的可信度。 Score at which what it says is taken.")] = 0.95
    gap_settles: Annotated[bool, typer.Option("--gap-settles",
        help="允许模型在候选单位中选定。 Let its choice among candidates settle.")] = False
    gap_timeout: Annotated[float, typer.Option("--gap-timeout", min=0.0,
        help="等模型几秒。 How long to wait for it, in seconds.")] = 10.0
    # fmt: on

    @property
    def day(self) -> date | None:
        """The day of --today."""
        return None if self.today is None else self.today.date()

    @property
    def caller(self) -> str | None:
        """The organisation of --scope."""
        return self.scope and as_utf8(self.scope)

    def tables(self) -> Tables:
        """The table and the indicators, compiled for queries. Raises: HierarchyError."""
        return load_compiled(self.table, self.sheet, self.aliases, self.indicators)

    def gaps(self) -> GapOptions:
        """The gap filler. Raises: typer.BadParameter, where two options contradict each other."""
        from qilin.llm.options import GapOptions

        kind = self.gap_filler
        if self.server is not None:
            if kind is not None:
                raise typer.BadParameter("give --gap-filler or --server, not both.")
            kind = f"server:{self.server}"
        if kind is None:
            kind = "auto" if self.model is None and self.adapter is None else "local"
        kind = None if kind == "none" else kind
        return GapOptions(kind, self.model, self.adapter, self.gap_timeout, self.gap_threshold, self.gap_settles)

    def engine(self) -> Engine:
        """An engine with these options. Raises: as `tables`, `gaps` and `Engine`."""
        from qilin.resolver import Engine

        given = self.gaps().engine_options()
        given |= {"indicators": self.indicators, "default_date": self.default_date, "max_length": self.max_length}
        return Engine(self.tables(), **given)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its parameter `options`, a dataclass, spread into one parameter a field, for typer to read."""
    signature = inspect.signature(command, eval_str=True)
    shared = signature.parameters["options"].annotation
    types = get_type_hints(shared, include_extras=True)
    single = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=types[each.name])
        for each in fields(shared)
    ]

    @wraps(command)
    def called(**given: object) -> None:
        command(options=shared(**{each.name: given.pop(each.name) for each in single}), **given)

    spread = [p for each in signature.parameters.values() for p in (single if each.name == "options" else [each])]
    called.__signature__ = signature.replace(parameters=spread)  # type: ignore[attr-defined]
    return called
