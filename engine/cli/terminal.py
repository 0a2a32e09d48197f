"""What the commands write: lines, JSON, tagged text and complaints; and the exit codes.

`show` is the one way out for lines, and makes every piece safe, whoever wrote it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, TextIO

import typer

from qilin.report.text import Line, one_line, safe, safe_json

if TYPE_CHECKING:
    from rich.text import Text

FINE, NOT_RESOLVED, BAD_INPUT = 0, 1, 2
INTERRUPTED, PIPE_CLOSED = 130, 141  # what a shell says of SIGINT and SIGPIPE


def show(lines: Iterable[Line]) -> None:
    """Print lines: plain into a pipe or file, in colour on a terminal."""
    if _is_terminal(sys.stdout):
        from rich.console import Console

        console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        for each in lines:
            console.print(_coloured(each))
    else:
        for each in lines:
            sys.stdout.write("".join(safe(piece.text) for piece in each) + "\n")
    sys.stdout.flush()


def _coloured(pieces: Line) -> Text:
    from rich.text import Text

    text = Text()
    for piece in pieces:
        text.append(safe(piece.text), style=piece.style or None)
    return text


def show_xml(xml: str) -> None:
    """Print tagged text on one line: as it is into a pipe or file, safe on a terminal."""
    text = one_line(xml)
    print(safe(text) if _is_terminal(sys.stdout) else text, flush=True)


def show_json(text: str) -> None:
    """Print one line of JSON."""
    print(safe_json(text), flush=True)


def show_object(content: Mapping[str, object]) -> None:
    """Print a mapping as one line of JSON."""
    import json

    show_json(json.dumps(content, ensure_ascii=False))


def complain(message: str) -> None:
    """Say on stderr what is wrong."""
    print(f"qilin: {safe(message)}", file=sys.stderr, flush=True)


def stdin_is_terminal() -> bool:
    """Whether nothing is piped in, so that waiting for lines would only puzzle the person."""
    return sys.stdin is None or _is_terminal(sys.stdin)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


@contextmanager
def reporting(data: bool = False) -> Iterator[None]:
    """Prepare the streams, and turn whatever a command raises into one message and an exit code.

    Args:
        data: as for `prepare_streams`.

    Raises: typer.Exit, with 2 for wrong use or bad input; 141 when the reader of a pipe went away.
    """
    prepare_streams(data)
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        raise typer.Exit(PIPE_CLOSED) from None
    except (ValueError, ImportError) as error:  # HierarchyError, unknown scopes and missing extras among them
        complain(str(error))
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        place, advice = (f"{error.filename}: ", " Check its path and permissions.") if error.filename else ("", "")
        complain(f"{place}{error.strerror or error}.{advice}")
        raise typer.Exit(BAD_INPUT) from None


def prepare_streams(data: bool = False) -> None:
    """Make stdout and stderr able to take any text, whatever the locale.

    Args:
        data: stdout carries JSON, XML or CSV, which is always UTF-8.
    """
    sys.stdout = sys.stdout or StringIO()  # closed by whoever started us
    sys.stderr = sys.stderr or StringIO()
    for stream, is_data in ((sys.stdout, data), (sys.stderr, False)):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if (stream.encoding or "").lower().replace("-", "") == "utf8" or not is_data:
            reconfigure(errors="backslashreplace")
        else:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Send the rest of the output nowhere, so that closing the stream does not fail again."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
