"""What the commands read: arguments and lines of text, of which a bad one does not end the rest."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple


class InputLine(NamedTuple):
    """One line of input; `text` is None where `problem` says why it cannot be read."""

    source: str
    number: int
    text: str | None
    problem: str = ""

    @property
    def place(self) -> str:
        """`queries.txt:3`"""
        return f"{self.source}:{self.number}"


def read_lines(file: str | None = None) -> Iterator[InputLine]:
    """The lines of a file, or of stdin for None and "-", as they come.

    Raises: OSError, when the file cannot be read.
    """
    if file is None or file == "-":
        yield from _decoded("stdin", sys.stdin.buffer)
    else:
        with open(file, "rb") as content:
            yield from _decoded(file, content)


def _decoded(source: str, content: Iterable[bytes]) -> Iterator[InputLine]:
    for number, raw in zip(count(1), content, strict=False):
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield InputLine(source, number, line.decode("utf-8"))
        except UnicodeDecodeError as error:
            problem = (
                f"byte 0x{line[error.start]:02x} (byte {error.start + 1} of the line) is not UTF-8. "
                "The line is skipped; convert the input to UTF-8 (iconv -f GB18030 -t UTF-8)."
            )
            yield InputLine(source, number, None, problem)


def as_utf8(argument: str) -> str:
    """A command-line argument as UTF-8, where the locale could not decode it (LC_ALL=C without UTF-8 mode)."""
    if argument.isascii() or not re.search("[\udc80-\udcff]", argument):
        return argument
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument
