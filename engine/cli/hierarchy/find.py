"""`qilin hierarchy find`: whom a name could mean."""

from __future__ import annotations

from typing import Annotated

import typer

from qilin.cli.hierarchy.nodes import arrows, complain_of_unknown, path
from qilin.cli.options import JsonOption, TableOptions, with_options
from qilin.cli.terminal import NOT_RESOLVED, reporting, show, show_object
from qilin.hierarchy import Level
from qilin.report.text import Styled, line


@with_options
def find(
    name: Annotated[str, typer.Argument(help="名称、简称或路径。 Name, short form or path.")],
    *,
    options: TableOptions,
    as_json: JsonOption = False,
) -> None:
    """一个名称可能指的所有单位。 Every organisation that a name, a short form or a path could be."""
    from qilin.names.find import find_names

    with reporting(data=as_json):
        tables = options.tables()
        hierarchy = tables.hierarchy
        found = find_names(tables, name)
        if not found:
            complain_of_unknown(hierarchy, name)
            raise typer.Exit(NOT_RESOLVED)
        if as_json:
            for node, form in found:
                level = Level(hierarchy.levels[node]).column
                show_object({"path": path(hierarchy, node), "level": level, "form": form})
        else:
            show(line(arrows(hierarchy, node), Styled(f"  {form}", "dim")) for node, form in found)
