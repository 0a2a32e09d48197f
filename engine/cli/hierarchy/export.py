"""`qilin hierarchy export`: a table as CSV or JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qilin.cli.options import AliasesOption, SheetOption, TableArgument
from qilin.cli.tables import load_table
from qilin.cli.terminal import complain, reporting


class Shape(StrEnum):
    """What `export` writes."""

    PATH = "path"
    PARENT = "parent"
    ALIASES = "aliases"


def export(
    table: TableArgument,
    out: Annotated[
        str, typer.Argument(metavar="OUT", help=".csv 或 .json 文件，- 为标准输出。 File, or - for stdout.")
    ],
    shape: Annotated[
        Shape,
        typer.Option(
            help="CSV 的形状：一行一条路径，一行一个单位和上级，或别名表。 Rows are paths, or name their parents; or the aliases."
        ),
    ] = Shape.PATH,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
) -> None:
    """把组织表写成 CSV 或 JSON（按扩展名）。 Write a table as CSV or JSON, by extension."""
    from qilin.hierarchy.export import to_alias_csv, to_csv, to_json, to_parent_csv

    with reporting(data=True):
        ending = Path(out).suffix.lower() if out != "-" else ".csv"
        if ending not in (".csv", ".json"):
            raise ValueError(f"{out}: no format is known to end in '{ending}'. Use .csv or .json.")
        if Path(out).exists() and Path(table).exists() and Path(out).samefile(table):
            raise ValueError(
                f"{out}: this is the table itself, and rows that were left out would be lost. Name another file."
            )
        hierarchy = load_table(table, sheet, aliases)
        writers = {Shape.PATH: to_csv, Shape.PARENT: to_parent_csv, Shape.ALIASES: to_alias_csv}
        text = to_json(hierarchy) if ending == ".json" else writers[shape](hierarchy)
        if out == "-":
            print(text, end="", flush=True)
        else:
            Path(out).write_text(text, encoding="utf-8", newline="")
        if ending == ".csv" and shape is not Shape.ALIASES and hierarchy.aliases:
            complain(f"{len(hierarchy.aliases)} aliases are not part of this file; --shape aliases writes them.")
