"""Questions from arguments or stdin, each answered in turn: for `qilin resolve` and `qilin explain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, NamedTuple

import typer

from qilin.answer.resolution import Resolution
from qilin.answer.values import QueryTooLong
from qilin.cli.lines_in import InputLine, as_utf8, read_lines
from qilin.cli.terminal import BAD_INPUT, FINE, NOT_RESOLVED, complain, stdin_is_terminal

QueriesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUERY",
        help="问题；- 或没有参数时从标准输入读，一行一个。 The questions; - or none: from stdin, one a line.",
    ),
]


class Questions(NamedTuple):
    """The questions to answer; `several`: there may be more than one, so each answer needs its heading."""

    lines: Iterable[InputLine]
    several: bool


def questions_of(arguments: list[str] | None) -> Questions:
    """The questions that the arguments of a command name.

    Raises: typer.BadParameter, when there are none and a person sits at stdin.
    """
    if not arguments:
        if stdin_is_terminal():
            raise typer.BadParameter("give a QUERY, or pipe the questions in, one a line.")
        return Questions(read_lines(), True)
    return Questions(_argument_lines(arguments), len(arguments) > 1 or arguments == ["-"])


def _argument_lines(arguments: list[str]) -> Iterator[InputLine]:
    for number, argument in enumerate(arguments, 1):
        if argument == "-":
            yield from read_lines()
        else:
            yield InputLine("argument", number, as_utf8(argument))


def answer_each(questions: Questions, answer: Callable[[str], Resolution]) -> int:
    """Answer the questions in turn; stderr tells of those that cannot be taken.

    Args:
        questions: from `questions_of`.
        answer: resolves one question and prints the answer.

    Returns: the worst exit code.
    """
    worst = FINE
    for each in questions.lines:
        problem = each.problem
        if each.text is not None:
            try:
                worst = max(worst, FINE if answer(each.text).status == "resolved" else NOT_RESOLVED)
                continue
            except QueryTooLong as error:
                problem = f"{error} Here: --max-length."
        complain(f"{each.place}: {problem}")
        worst = BAD_INPUT
    return worst
