"""Text for people: safe pieces, lines, trees, and a resolution as lines.

Lines are values, made of plain pieces; whoever prints them makes every piece safe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qilin.answer.resolution import Resolution
from qilin.answer.values import LEVEL_NAMES, Entity, OrgPath, Unknown
from qilin.hierarchy import Level

# Letters and marks that no terminal shows, though Unicode calls them printable.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # controls, format (bidi, zero width), surrogates, line ends
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LABEL_WIDTH = 8
_MOST_CANDIDATES = 10  # candidates listed; the rest is counted


# ── safe text ────────────────────────────────────────────────────────────────────────────────────


def safe(text: str) -> str:
    """The text with everything that a terminal would obey, or hide, as a visible escape.

    >>> safe("麒\\u202e麟\\x1b[31m")
    '麒\\\\u202e麟\\\\x1b[31m'
    """
    return _escaped(text, _escape)


def safe_json(text: str) -> str:
    """JSON text with the same characters as JSON escapes: another spelling of the same values."""
    return _escaped(text, _json_escape)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable() and _UNSEEN.search(text) is None:
        return text
    return "".join(escape(c) if unicodedata.category(c) in _HIDDEN or _UNSEEN.match(c) else c for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    wide = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return _SHORT.get(character, wide)


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


# ── trees ────────────────────────────────────────────────────────────────────────────────────────


class Tree(NamedTuple):
    """A label and the branches below it."""

    label: Line
    children: Sequence[Tree] = ()


def tree_lines(tree: Tree, first: str = "", rest: str = "") -> Iterator[Line]:
    """A tree with its branches drawn."""
    yield line(Styled(first, "dim"), *tree.label)
    for i, child in enumerate(tree.children):
        final = i == len(tree.children) - 1
        yield from tree_lines(child, rest + ("└── " if final else "├── "), rest + ("    " if final else "│   "))


# ── a resolution for people ──────────────────────────────────────────────────────────────────────

STATUS = {"resolved": "已解析", "ambiguous": "有歧义", "conflict": "有冲突", "unresolved": "未解析"}
_STATUS_SIGN = {"resolved": "✓", "ambiguous": "?", "conflict": "✗", "unresolved": "✗"}
_STATUS_STYLE = {"resolved": "green", "ambiguous": "yellow", "conflict": "red", "unresolved": "red"}
_UNKNOWN_KIND = {"organisation": "单位", "date": "日期", "other": "其他"}


def resolution_lines(resolution: Resolution) -> Iterator[Line]:
    """A resolution for reading: status and paths first, then only what there is."""
    status = Styled(f"{_STATUS_SIGN[resolution.status]} {STATUS[resolution.status]}", _STATUS_STYLE[resolution.status])
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
    for i, path in enumerate(paths[:_MOST_CANDIDATES]):
        yield labelled("" if i else label, f"{i + 1}. {path}")
    if len(paths) > _MOST_CANDIDATES:
        yield labelled("", f"… 共 {len(paths)} 个（--json 列出全部）")


def _unknown_text(unknown: Unknown) -> str:
    hint = f"，是否指 {'、'.join(unknown.suggestions)}" if unknown.suggestions else ""
    return f"“{unknown.text}”（{_UNKNOWN_KIND[unknown.kind]}{hint}）"


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
