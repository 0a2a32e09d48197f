"""A resolution to tagged text, and tagged text to its parts."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, NamedTuple

from engine.types import LEVEL_NAMES, Entity, encodable

if TYPE_CHECKING:
    from engine.types import Resolution

TAGS = (*LEVEL_NAMES, "Indicator", "Date")
_OPENING, _CLOSING = "（(【[《〈「", "）)】]》〉」"
_SEPARATORS = " 、，,;；/|-—>→和与及跟\n\t"


def escape(text: str) -> str:
    """Text as XML content; a lone surrogate becomes U+FFFD."""
    return encodable(html.escape(text, quote=False))


def tagged(resolution: Resolution) -> str:
    """The query with its entities tagged; see docs/architecture.md for the rules."""
    query = resolution.query
    paths: dict[int, list[Entity]] = {}
    for entity in resolution.entities:
        if entity.group is not None:
            paths.setdefault(entity.group, []).append(entity)
    parts: list[str] = []  # alternating: text, tags, text, tags, …, text
    position = 0
    written: set[int] = set()
    for entity in resolution.entities:
        if entity.start is None or entity.end is None:
            continue
        gap = query[position : entity.start]
        position = entity.end
        if entity.group is None:
            parts += [gap, _tag(entity.type, query[entity.start : entity.end])]
        elif entity.group not in written:
            written.add(entity.group)
            path = {e.type: e for e in reversed(paths[entity.group])}
            parts += [gap, "".join(_tag(level, path[level].name) for level in LEVEL_NAMES if level in path)]
        else:  # said before: the mention goes, and the separators that led to it
            parts += [gap.strip(_SEPARATORS) if not gap.strip(_SEPARATORS) else gap, ""]
    parts.append(query[position:])
    for i in range(1, len(parts), 2):
        if not parts[i]:
            if parts[i - 1] and parts[i - 1][-1] in _OPENING:
                parts[i + 1] = parts[i + 1].lstrip(_SEPARATORS)  # what it was set off by
            parts[i - 1], parts[i + 1] = _close_brackets(parts[i - 1], parts[i + 1])
    texts = [escape(part) if i % 2 == 0 else part for i, part in enumerate(parts)]
    inferred = [e for e in resolution.entities if e.group is not None and e.group not in written]
    head = "".join(_tag(e.type, e.name) for e in inferred)
    return head + "".join(texts)


def _close_brackets(before: str, after: str) -> tuple[str, str]:
    """Drop a pair of brackets that stands empty."""
    left, right = before.rstrip(), after.lstrip()
    if left and right and left[-1] in _OPENING and right[0] == _CLOSING[_OPENING.index(left[-1])]:
        return left[:-1], right[1:]
    if left and left[-1] in _OPENING and not right:
        return "", before + after  # the closing bracket may come after the next mention that goes
    return before, after


def _tag(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"


class Piece(NamedTuple):
    """One part of tagged text: `tag` is None for what stands outside the tags."""

    tag: str | None
    text: str


class MarkupError(ValueError):
    """Text that is not well-formed tagged text."""


_MARK = re.compile(r"<(/?)([A-Za-z][\w.-]*)\s*>")


def parse(xml: str) -> list[Piece]:
    """Tagged text as its pieces, unescaped.

    Raises: MarkupError, where a tag is nested, left open or never opened.
    """
    pieces: list[Piece] = []
    position = 0
    open_tag: str | None = None
    for match in _MARK.finditer(xml):
        text = html.unescape(xml[position : match.start()])
        closing, tag = match.groups()
        if closing:
            if open_tag != tag:
                raise MarkupError(f"标签 </{tag}> 没有对应的 <{tag}>（第 {match.start() + 1} 个字符）")
            pieces.append(Piece(tag, text))
            open_tag = None
        else:
            if open_tag is not None:
                raise MarkupError(f"标签 <{tag}> 嵌套在 <{open_tag}> 里（第 {match.start() + 1} 个字符）")
            if text:
                pieces.append(Piece(None, text))
            open_tag = tag
        position = match.end()
    if open_tag is not None:
        raise MarkupError(f"标签 <{open_tag}> 没有结束")
    if position < len(xml):
        pieces.append(Piece(None, html.unescape(xml[position:])))
    return pieces
