"""`qilin explain`: why a question resolves as it does."""

from __future__ import annotations

import typer

from qilin.answer.resolution import Resolution
from qilin.cli.options import EngineOptions, JsonOption, with_options
from qilin.cli.questions import QueriesArgument, answer_each, questions_of
from qilin.cli.terminal import reporting, show, show_json
from qilin.report.text import line


@with_options
def explain(queries: QueriesArgument = None, *, options: EngineOptions, as_json: JsonOption = False) -> None:
    """说明为什么这样解析：取舍的提及、各种读法、路径和冲突。 Why a question resolves as it does, or does not."""
    from qilin.report.explain import explain as why
    from qilin.report.lines import explanation_lines

    with reporting(data=as_json):
        questions = questions_of(queries)
        engine = options.engine()

        def answer(query: str) -> Resolution:
            explanation = why(engine, query, today=options.day, scope=options.caller)
            if as_json:
                show_json(explanation.to_json())
            else:
                show(explanation_lines(explanation))
                if questions.several:
                    show([line("─" * 60)])
            return explanation.resolution

        raise typer.Exit(answer_each(questions, answer))
