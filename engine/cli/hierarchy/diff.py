"""`qilin hierarchy diff`: one version of a table against another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from qilin.cli.options import JsonOption
from qilin.cli.tables import load_table
from qilin.cli.terminal import reporting, show, show_object
from qilin.hierarchy import Change
from qilin.hierarchy import diff as find_changes
from qilin.report.text import Line, Styled, line

_CHANGE = {
    "added": ("新增", "green"),
    "removed": ("撤销", "red"),
    "moved": ("移动", "yellow"),
    "renamed": ("改名", "cyan"),
}


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="旧表。 The old table.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="新表。 The new table.")],
    old_aliases: Annotated[str | None, typer.Option("--old-aliases", metavar="FILE", help="旧别名表。")] = None,
    new_aliases: Annotated[
        str | None,
        typer.Option("--new-aliases", metavar="FILE", help="新别名表；旧名称列为别名的算改名。 Tells renames apart."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """两个版本之间新增、撤销、移动和改名的单位。 What was added, removed, moved and renamed between two versions."""
    with reporting(data=as_json):
        changes = find_changes(load_table(old, None, old_aliases), load_table(new, None, new_aliases))
        if as_json:
            for change in changes:
                show_object({**change._asdict(), "level": change.level.column})
        else:
            show(_change_lines(changes))


def _change_lines(changes: Sequence[Change]) -> Iterator[Line]:
    for change in changes:
        word, style = _CHANGE[change.kind]
        paths = " ⇒ ".join(" → ".join(path) for path in (change.old, change.new) if path)
        yield line(Styled(word, style), f"  {change.level.chinese}  {paths}")
    yield line(f"{len(changes)} 处变化" if changes else "两个版本相同")
