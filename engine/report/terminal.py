"""What goes to people and comes from them: safe text, lines and trees, streams.

Nothing here knows how a query is resolved. Lines are made of plain pieces; `show` is the one way out
for them, and makes every piece safe, whoever wrote it.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TextIO

import typer

from qilin.answer.resolution import Resolution
from qilin.answer.values import LEVEL_NAMES, Entity, OrgPath, Unknown
from qilin.hierarchy import Level

if TYPE_CHECKING:
    from rich.text import Text

FINE, NOT_RESOLVED, BAD_INPUT = 0, 1, 2
INTERRUPTED, PIPE_CLOSED = 130, 141  # what a shell says of SIGINT and SIGPIPE

# Letters and marks that no terminal shows, though Unicode calls them printable.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # controls, format (bidi, zero width), surrogates, line ends
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LABEL_WIDTH = 8
SHOWN = 10  # candidates listed; the rest is counted


# ── safe text ────────────────────────────────────────────────────────────────────────────────────


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or hide, as a visible escape.

    >>> safe("麒\\u202e麟\\x1b[31m")
    '麒\\\\u202e麟\\\\x1b[31m'
    """
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    return "".join(_SHORT.get(c) or _escape(c) if _is_hidden(c) else c for c in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or _UNSEEN.match(character) is not None


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe_json(text: str) -> str:
    """JSON text with the same characters as JSON escapes: another spelling of the same values."""
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    return "".join(_json_escape(c) if _is_hidden(c) else c for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def one_line(xml: str) -> str:
    """Tagged text on one line: line ends become character references, which `check` reads back."""
    return xml.replace("\r", "&#13;").replace("\n", "&#10;")


def width(text: str) -> int:
    """Terminal columns of a text; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


class Styled(NamedTuple):
    """A piece of a line with the colour a terminal gives it."""

    text: str
    style: str = ""


Line = tuple[Styled, ...]


def line(*pieces: str | Styled) -> Line:
    """One line of output."""
    return tuple(Styled(p) if isinstance(p, str) else p for p in pieces)


def labelled(label: str, *pieces: str | Styled) -> Line:
    """A line with a label in a column of its own."""
    return line("  ", Styled(label, "dim"), " " * max(_LABEL_WIDTH - width(label), 2), *pieces)


def show(lines: Iterable[Line]) -> None:
    """Print lines: plain into a pipe or file, in colour on a terminal; every piece made safe."""
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


def show_json(json: str) -> None:
    """Print one line of JSON."""
    print(safe_json(json), flush=True)


def complain(message: str) -> None:
    """Say on stderr what is wrong."""
    print(f"qilin: {safe(message)}", file=sys.stderr, flush=True)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


class Tree(NamedTuple):
    """A label and what hangs below it."""

    label: Line
    children: Sequence[Tree] = ()


def tree_lines(tree: Tree, first: str = "", rest: str = "") -> Iterator[Line]:
    """A tree with its branches drawn."""
    yield line(Styled(first, "dim"), *tree.label)
    for i, child in enumerate(tree.children):
        final = i == len(tree.children) - 1
        yield from tree_lines(child, rest + ("└── " if final else "├── "), rest + ("    " if final else "│   "))


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def prepare_streams(data: bool = False) -> None:
    """Make stdout and stderr able to take any text, whatever the locale.

    Args:
        data: stdout carries JSON or XML, which is UTF-8 always.
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


@contextmanager
def reporting() -> Iterator[None]:
    """Turn what a command raises into one message and an exit code.

    Raises: typer.Exit, with 2 for wrong use or bad input; 141 when the reader of a pipe went away.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        raise typer.Exit(PIPE_CLOSED) from None
    except (
        ValueError,
        ImportError,
    ) as error:  # HierarchyError, QueryTooLong, unknown scopes, missing extras among them
        complain(str(error))
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        place, advice = (f"{error.filename}: ", " Check its path and permissions.") if error.filename else ("", "")
        complain(f"{place}{error.strerror or error}.{advice}")
        raise typer.Exit(BAD_INPUT) from None


def silence(stream: TextIO) -> None:
    """Send what is still to come nowhere, so that closing the stream does not fail again."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


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
    """The lines of a file, or of stdin for None and "-", as they come; a bad line does not end it.

    Raises: OSError, when the file cannot be read.
    """
    if file is None or file == "-":
        yield from _decoded("stdin", sys.stdin.buffer)
    else:
        with open(file, "rb") as content:
            yield from _decoded(file, content)


def _decoded(source: str, content: Iterable[bytes]) -> Iterator[InputLine]:
    for number, raw in zip(count(1), content, strict=False):
        line_bytes = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line_bytes = line_bytes.removeprefix(b"\xef\xbb\xbf")
        try:
            yield InputLine(source, number, line_bytes.decode("utf-8"))
        except UnicodeDecodeError as error:
            problem = (
                f"byte 0x{line_bytes[error.start]:02x} (byte {error.start + 1} of the line) is not UTF-8. "
                "The line is skipped; convert the input to UTF-8 (iconv -f GB18030 -t UTF-8)."
            )
            yield InputLine(source, number, None, problem)


def stdin_is_terminal() -> bool:
    """Whether nothing is piped in, so that waiting for lines would only puzzle the person."""
    return sys.stdin is None or _is_terminal(sys.stdin)


def as_utf8(argument: str) -> str:
    """A command-line argument as UTF-8, where the locale could not decode it (LC_ALL=C without UTF-8 mode)."""
    if argument.isascii() or not re.search("[\udc80-\udcff]", argument):
        return argument
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument


# ── a resolution for people ──────────────────────────────────────────────────────────────────────

STATUS = {"resolved": "已解析", "ambiguous": "有歧义", "conflict": "有冲突", "unresolved": "未解析"}
_STATUS_SIGN = {"resolved": "✓", "ambiguous": "?", "conflict": "✗", "unresolved": "✗"}
STATUS_STYLE = {"resolved": "green", "ambiguous": "yellow", "conflict": "red", "unresolved": "red"}
UNKNOWN_KIND = {"organisation": "单位", "date": "日期", "other": "其他"}


def resolution_lines(resolution: Resolution) -> Iterator[Line]:
    """A resolution for reading: status and paths first, then only what there is."""
    status = Styled(f"{_STATUS_SIGN[resolution.status]} {STATUS[resolution.status]}", STATUS_STYLE[resolution.status])
    targets = resolution.targets
    if targets:
        yield line(status, "  ", Styled(str(targets[0]), "bold"))
        for target in targets[1:]:
            yield line(" " * (2 + _LABEL_WIDTH), Styled(str(target), "bold"))
    else:
        yield line(status, *(["  （没有指明单位）"] if resolution.status == "resolved" else []))
    for path in resolution.excluded:
        yield labelled("排除", str(path))
    if resolution.group_by:
        yield labelled("细分到", Level(LEVEL_NAMES.index(resolution.group_by)).chinese)
    if resolution.indicators:
        yield labelled("指标", "、".join(resolution.indicators))
    for day_range in resolution.dates:
        first, last = day_range.start.isoformat(), day_range.end.isoformat()
        yield labelled("日期", f"{day_range.text} = {first}" + (f" 至 {last}" if last != first else ""))
    for conflict in resolution.conflicts:
        yield labelled("冲突", Styled(conflict.message, "red"))
    yield from numbered("候选" if resolution.status == "ambiguous" else "可改为", resolution.candidates)
    for unknown in resolution.unknown:
        yield labelled("未识别", _unknown_text(unknown))
    for note in _notes(resolution.entities):
        yield labelled("说明", note)
    question = resolution.question
    if question:
        for conflict in resolution.conflicts:  # it has just been said
            question = question.removeprefix(conflict.message)
    if question:
        yield labelled("提问", Styled(question, "cyan"))
    if resolution.degraded:
        yield labelled("未用模型", Styled(resolution.degraded, "yellow"))


def numbered(label: str, paths: Sequence[OrgPath]) -> Iterator[Line]:
    """Paths to choose among, numbered; past the tenth only counted."""
    for i, path in enumerate(paths[:SHOWN]):
        yield labelled("" if i else label, f"{i + 1}. {path}")
    if len(paths) > SHOWN:
        yield labelled("", f"… 共 {len(paths)} 个（--json 列出全部）")


def _unknown_text(unknown: Unknown) -> str:
    hint = f"，是否指 {'、'.join(unknown.suggestions)}" if unknown.suggestions else ""
    return f"“{unknown.text}”（{UNKNOWN_KIND[unknown.kind]}{hint}）"


def _notes(entities: Sequence[Entity]) -> Iterator[str]:
    """What the answer rests on besides the words of the query."""
    said: set[str] = set()
    for entity in entities:
        note = entity.note
        if entity.source == "fuzzy":
            note = f"“{entity.text}”按错别字读作“{entity.name}”"
        elif entity.source in _ADDED:
            note = f"“{entity.name}”{_ADDED[entity.source]}"
        if note and note not in said:
            said.add(note)
            yield note


_ADDED = {"scope": "来自提问者所在单位", "context": "来自上一个问题", "default": "是默认日期", "llm": "由模型选定"}
