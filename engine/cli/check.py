"""`qilin check`: tagged text and paths against the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from qilin.answer.values import Conflict, encodable
from qilin.cli.lines_in import InputLine, as_utf8, read_lines
from qilin.cli.options import JsonOption, TableOptions, with_options
from qilin.cli.terminal import BAD_INPUT, FINE, NOT_RESOLVED, complain, reporting, show, show_json, stdin_is_terminal
from qilin.hierarchy import Hierarchy
from qilin.report.text import Line, Styled, line, numbered

_KIND = {
    "path": "路径", "exclusion": "排除", "unknown-tag": "未知标签", "unknown-organisation": "未知单位",
    "wrong-parent": "上级不符", "missing-parent": "缺少上级", "level-order": "层级次序", "text-differs": "文字不符",
    "malformed": "格式错误",
}  # fmt: skip


@with_options
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
    *,
    options: TableOptions,
    as_json: JsonOption = False,
) -> None:
    """用组织表核对标注文本或路径；有冲突时退出码为 1。 Hold tagged text or paths against the table; exit code 1 on conflict."""
    with reporting(data=as_json):
        if file is None and stdin_is_terminal():
            raise typer.BadParameter("give a FILE, or pipe the text in.")
        hierarchy = options.hierarchy()
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


def _conflict_lines(each: InputLine, conflicts: Iterable[Conflict]) -> Iterator[Line]:
    for conflict in conflicts:
        yield line(f"第 {each.number} 行  ", Styled(_KIND[conflict.kind], "red"), f"  {conflict.message}")
        yield from numbered("可改为", conflict.repairs)
