"""Entities to tagged text, and tagged text to its pieces."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from qilin.answer.values import LEVEL_NAMES, Entity, encodable

TAGS = (*LEVEL_NAMES, "Indicator", "Date")
_OPENING, _CLOSING = "（(【[《〈「", "）)】]》〉」"
_SEPARATORS = " 、，,;；/|-—>→和与及跟\n\t"


def escape(text: str) -> str:
    """Text as XML content; a lone surrogate becomes U+FFFD."""
    if text.isalnum() or not text:  # nothing of either kind in it, and most pieces are so
        return text
    return encodable(html.escape(text, quote=False))


class Fragment(NamedTuple):
    """A fragment of the tagged form, escaped: text outside the tags, or all tags that stand in one place.

    `places`: where in the query each character of plain text stands; `group`: the target whose path
    the tags are. Both are None for what they do not apply to.
    """

    text: str
    places: Sequence[int] | None = None
    group: int | None = None


class _Plain(NamedTuple):
    """A stretch outside the tags, and where its characters stand in the query."""

    text: str
    places: Sequence[int]

    def cut(self, start: int, end: int | None = None) -> _Plain:
        return _Plain(self.text[start:end], self.places[start:end])


def tagged(query: str, entities: Sequence[Entity]) -> str:
    """The query with its entities tagged; see docs/architecture.md for the rules."""
    quick = _tagged_quickly(query, entities)
    return quick if quick is not None else "".join([part.text for part in tagged_fragments(query, entities)])


def _tagged_quickly(query: str, entities: Sequence[Entity]) -> str | None:
    """What `tagged_fragments` makes, where no mention leaves a bracket empty and every target is named; else None."""
    parts: list[str] = []
    paths: dict[int, dict[str, str]] = {}  # of each group: level → name, the first that is said
    places: dict[int, int] = {}  # where in `parts` the path of a group goes
    position = 0
    for entity in entities:
        fields = entity.__dict__  # looking a field up on a model takes twice as long
        start, end, group = fields["start"], fields["end"], fields["group"]
        if group is not None:
            if group not in paths:
                paths[group] = {}
            paths[group].setdefault(fields["type"], fields["name"])
        if start is None or end is None:
            continue
        gap = query[position:start]
        position = end
        if group is None:
            kind = fields["type"]
            parts.append(f"{escape(gap)}<{kind}>{escape(query[start:end])}</{kind}>")
        elif group not in places:
            parts.append(escape(gap))
            places[group] = len(parts)
            parts.append("")
        elif gap and gap.strip(_SEPARATORS):
            if gap.rstrip()[-1:] in _OPENING:  # holds for "" too
                return None
            parts.append(escape(gap))
    if len(places) < len(paths):
        return None
    for group, place in places.items():
        path = paths[group]
        parts[place] = _tags(path.get("Province"), path.get("City"), path.get("Company"), path.get("Substation"))
    parts.append(escape(query[position:]))
    return "".join(parts)


def tagged_fragments(query: str, entities: Sequence[Entity]) -> list[Fragment]:
    """The tagged form in fragments, in order; plain text and tags by turns."""
    paths: dict[int, list[Entity]] = {}
    for entity in entities:
        if entity.group is not None:
            paths.setdefault(entity.group, []).append(entity)
    gaps: list[_Plain] = []  # one more than there are tags
    tags: list[Fragment] = []
    position = 0
    written: set[int] = set()
    for entity in entities:
        if entity.start is None or entity.end is None:
            continue
        gap = _Plain(query[position : entity.start], range(position, entity.start))
        position = entity.end
        if entity.group is None:
            tags.append(Fragment(_tag(entity.type, query[entity.start : entity.end])))
        elif entity.group not in written:
            written.add(entity.group)
            path = {e.type: e for e in reversed(paths[entity.group])}
            names = "".join(_tag(level, path[level].name) for level in LEVEL_NAMES if level in path)
            tags.append(Fragment(names, group=entity.group))
        else:  # said before: the mention goes, and the separators that led to it
            gap = gap if gap.text.strip(_SEPARATORS) else gap.cut(0, 0)
            tags.append(Fragment(""))
        gaps.append(gap)
    gaps.append(_Plain(query[position:], range(position, len(query))))
    for i, tag in enumerate(tags):
        if not tag.text:
            before, after = gaps[i : i + 2]
            if before.text and before.text[-1] in _OPENING:
                after = after.cut(len(after.text) - len(after.text.lstrip(_SEPARATORS)))  # what it was set off by
            gaps[i : i + 2] = _close_brackets(before, after)
    inferred = [e for e in entities if e.group is not None and e.group not in written]
    parts = [Fragment(_tag(e.type, e.name)) for e in inferred]
    for gap, tag in zip(gaps, tags, strict=False):
        parts += (Fragment(escape(gap.text), gap.places), tag)
    parts.append(Fragment(escape(gaps[-1].text), gaps[-1].places))
    return parts


def _close_brackets(before: _Plain, after: _Plain) -> tuple[_Plain, _Plain]:
    """Drop a pair of brackets that stands empty."""
    left, right = before.text.rstrip(), after.text.lstrip()
    if left and right and left[-1] in _OPENING and right[0] == _CLOSING[_OPENING.index(left[-1])]:
        return before.cut(0, len(left) - 1), after.cut(len(after.text) - len(right) + 1)
    if left and left[-1] in _OPENING and not right:
        # The closing bracket may come after the next mention that goes.
        return before.cut(0, 0), _Plain(before.text + after.text, [*before.places, *after.places])
    return before, after


@lru_cache(maxsize=65536)
def _tags(*names: str | None) -> str:
    """The tags of a path, from the names of its levels."""
    return "".join([_tag(level, name) for level, name in zip(LEVEL_NAMES, names, strict=True) if name is not None])


@lru_cache(maxsize=65536)
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
