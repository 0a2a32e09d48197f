"""`qilin hierarchy lint`: what is wrong with a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer

from qilin.cli.options import AliasesOption, JsonOption, SheetOption, TableArgument
from qilin.cli.terminal import NOT_RESOLVED, reporting, show, show_object
from qilin.hierarchy import Finding
from qilin.hierarchy import lint as find_problems
from qilin.hierarchy.named import named_files
from qilin.report.text import Line, Styled, line

_SEVERITY = {"error": ("错误", "red"), "warning": ("警告", "yellow"), "info": ("提示", "cyan")}


def lint(
    table: TableArgument, sheet: SheetOption = None, aliases: AliasesOption = None, as_json: JsonOption = False
) -> None:
    """检查组织表，列出问题；有错误或警告时退出码为 1。 What is wrong with a table; exit code 1 on errors or warnings."""
    with reporting(data=as_json):
        source, own_aliases = named_files(table)
        findings = find_problems(source, sheet, aliases=aliases or own_aliases)
        if as_json:
            for finding in findings:
                show_object(finding._asdict())
        else:
            show(_finding_lines(findings))
        if any(finding.severity != "info" for finding in findings):
            raise typer.Exit(NOT_RESOLVED)


def _finding_lines(findings: Sequence[Finding]) -> Iterator[Line]:
    for finding in findings:
        word, style = _SEVERITY[finding.severity]
        yield line(Styled(word, style), f"  {finding}", Styled(f"  [{finding.code}]", "dim"))
    counts = [
        f"{sum(finding.severity == severity for finding in findings)} 个{word}"
        for severity, (word, _) in _SEVERITY.items()
    ]
    yield line("、".join(counts) if findings else Styled("✓ 没有发现问题", "green"))
