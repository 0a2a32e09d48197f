"""`qilin hierarchy ambiguous`: names that several organisations go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from qilin.cli.hierarchy.nodes import arrows, path
from qilin.cli.options import JsonOption, TableOptions, with_options
from qilin.cli.terminal import reporting, show, show_object
from qilin.hierarchy import Hierarchy, Level
from qilin.hierarchy.shared_names import shared_names
from qilin.report.text import Line, Styled, line

_MOST_OWNERS = 5


class LevelChoice(StrEnum):
    """A level, as an option says it."""

    PROVINCE = "province"
    CITY = "city"
    COMPANY = "company"
    SUBSTATION = "substation"


@with_options
def ambiguous(
    level: Annotated[LevelChoice | None, typer.Option(help="只看这一级。 This level only.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="最多几个名称，0 为全部。 Most names shown; 0: all.")] = 20,
    *,
    options: TableOptions,
    as_json: JsonOption = False,
) -> None:
    """由多个单位共用的名称，多者在前。 Names owned by several organisations, most owners first."""
    with reporting(data=as_json):
        hierarchy = options.hierarchy()
        shared = shared_names(hierarchy, None if level is None else Level[level.name])
        shown = shared[: limit or None]
        if as_json:
            for name, nodes in shown:
                show_object({"name": name, "owners": [path(hierarchy, node) for node in nodes]})
        else:
            show(_shared_lines(hierarchy, shown, len(shared)))


def _shared_lines(hierarchy: Hierarchy, shown: Sequence[tuple[str, list[int]]], total: int) -> Iterator[Line]:
    for name, nodes in shown:
        yield line(Styled(f"{len(nodes):>5}", "yellow"), "  ", Styled(name, "bold"))
        for node in nodes[:_MOST_OWNERS]:
            yield line(" " * 9, arrows(hierarchy, node))
        if len(nodes) > _MOST_OWNERS:
            yield line(" " * 9, Styled(f"… 共 {len(nodes)} 个", "dim"))
    rest = f"，这里列出 {len(shown)} 个（--limit 0 列出全部）" if len(shown) < total else ""
    yield line(f"{total} 个名称由多个单位共用{rest}")
