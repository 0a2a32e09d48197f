"""`qilin resolve`: questions to organisations, indicators and dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from qilin.answer.resolution import Resolution
from qilin.cli.options import EngineOptions, JsonOption, with_options
from qilin.cli.questions import QueriesArgument, answer_each, questions_of
from qilin.cli.terminal import reporting, show, show_json, show_xml
from qilin.report.text import Line, Styled, line, resolution_lines


@with_options
def resolve(
    queries: QueriesArgument = None,
    *,
    options: EngineOptions,
    as_json: JsonOption = False,
    as_xml: Annotated[bool, typer.Option("--xml", help="每行一个标注文本。 One tagged text a line.")] = False,
) -> None:
    """解析问题中的单位、指标和日期。 Resolve the organisations, indicators and dates of questions."""
    if as_json and as_xml:
        raise typer.BadParameter("give --json or --xml, not both.")
    with reporting(data=as_json or as_xml):
        questions = questions_of(queries)
        engine = options.engine()

        def answer(query: str) -> Resolution:
            resolution = engine.resolve(query, today=options.day, scope=options.caller)
            if as_json:
                show_json(resolution.model_dump_json())
            elif as_xml:
                show_xml(resolution.to_xml())
            else:
                lines = resolution_lines(resolution)
                show(_under_heading(resolution.query, lines) if questions.several else lines)
            return resolution

        raise typer.Exit(answer_each(questions, answer))


def _under_heading(title: str, lines: Iterable[Line]) -> Iterator[Line]:
    yield line(Styled("» ", "dim"), Styled(title, "bold"))
    yield from lines
    yield line()
