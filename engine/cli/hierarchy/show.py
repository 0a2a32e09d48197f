"""`qilin hierarchy show`: the tree below an organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.hierarchy.nodes import arrows, complain_of_unknown
from qilin.cli.options import TableOptions, with_options
from qilin.cli.terminal import NOT_RESOLVED, reporting
from qilin.cli.terminal import show as show_lines
from qilin.hierarchy import Hierarchy
from qilin.report.text import Styled, Tree, line, tree_lines

if TYPE_CHECKING:
    from qilin.names.compiled import Tables


@with_options
def show(
    name: Annotated[str | None, typer.Argument(help="单位名称或路径。 Name or path of an organisation.")] = None,
    depth: Annotated[int, typer.Option(min=0, help="向下几级。 Levels below it.")] = 1,
    *,
    options: TableOptions,
) -> None:
    """画出一个单位（默认整张表）以下的树。 The tree below an organisation, or of the whole table."""
    with reporting():
        if name is None:
            hierarchy = options.hierarchy()
            nodes: Sequence[int] = hierarchy.provinces
        else:
            tables = options.tables()
            hierarchy, nodes = tables.hierarchy, _named(tables, name)
        for node in nodes:
            show_lines(tree_lines(_subtree(hierarchy, node, depth, whole_path=True)))


def _named(tables: Tables, name: str) -> Sequence[int]:
    """The nodes a name could be, by the names of the table first.

    Raises: typer.Exit, when there is none.
    """
    from qilin.names.find import find_names

    nodes = tables.hierarchy.find(name) or [form.node for form in find_names(tables, name)]
    if not nodes:
        complain_of_unknown(tables.hierarchy, name)
        raise typer.Exit(NOT_RESOLVED)
    return nodes


def _subtree(hierarchy: Hierarchy, node: int, depth: int, whole_path: bool = False) -> Tree:
    name = arrows(hierarchy, node) if whole_path else hierarchy.names[node]
    below = hierarchy.last[node] - node
    if depth and below:
        return Tree(line(name), [_subtree(hierarchy, child, depth - 1) for child in hierarchy.children(node)])
    return Tree(line(name, Styled(f"（下辖 {below} 个单位）" if below else "", "dim")))
