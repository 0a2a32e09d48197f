"""One cell of a table read as a name, and what is wrong with it."""

from __future__ import annotations

import re
from typing import NamedTuple

from .findings import Problem

MAX_NAME = 100
"""Longest name taken, in characters; a longer cell is a sentence or a row gone wrong."""

_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd\uffff]")
_INSIDE = "a blank inside"
_SEPARATORS = re.compile("[/→>]")
_VOID = re.compile(
    r"[（(\[【〔]\s*(?:已|拟|曾)?\s*(?:作废|测试|停用|撤销|注销|废止|废弃|弃用|删除|勿用|test)[^）)\]】〕]*[）)\]】〕]",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset({"-", "--", "—", "——", "?", "？", "无", "空", "暂无"}).union(
    {"null", "(null)", "none", "nil", "nan", "n/a", "#n/a", "#ref!", "#value!", "#name?"}
)


class Cell(NamedTuple):
    """The name in a cell, and its faults, each "" if the cell has none of the kind."""

    name: str
    blank: str = ""
    void: str = ""
    bad: str = ""


def read_cell(text: str) -> Cell:
    """The cell without blanks around it and invisible characters, with its faults."""
    name = _INVISIBLE.sub("", text).strip()
    if not name:
        return Cell("")
    blank = ""
    if name != text:
        blank = "invisible characters in it" if _INVISIBLE.search(text) else "blanks around it"
    elif any(character.isspace() for character in name):
        blank = _INSIDE
    bad = void = ""
    if found := _UNPRINTABLE.search(name):
        kind = "a line break" if found[0] in "\r\n\u2028\u2029" else f"the character U+{ord(found[0]):04X}"
        bad = f"contains {kind}"
    elif name.lower() in _PLACEHOLDERS:
        bad = "is a placeholder, not a name"
    elif found := _SEPARATORS.search(name):
        bad = f"contains '{found[0]}', which separates the names of a path"
    elif len(name) > MAX_NAME:
        bad = f"has {len(name)} characters, more than {MAX_NAME}"
    elif found := _VOID.search(name):
        void = found[0]
    return Cell(name, blank, void, bad)


def problem_of(what: str, cell: Cell) -> Problem | None:
    """The gravest problem of a cell, None for a good one; `what` names its column."""
    if cell.bad:
        advice = "Correct the name."
        if "line break" in cell.bad:
            advice = "Remove the break, or the quotation mark that swallows the lines after it."
        return Problem("bad-row", "error", f"{what} {shown(cell.name)} {cell.bad}.", advice)
    if cell.void:
        advice = "Remove the row, or the mark if the organisation is in service."
        return Problem("void-row", "error", f"{what} {shown(cell.name)} is marked {cell.void}.", advice)
    if cell.blank:
        kept = cell.blank == _INSIDE
        advice = (
            "It is kept; remove it if it does not belong there."
            if kept
            else "Clean the cell; the name is used without them."
        )
        return Problem("blank", "warning", f"{what} {shown(cell.name)} has {cell.blank}.", advice)
    return None


def shown(name: str) -> str:
    """The name in quotes for a message: cut if long, unprintable characters replaced."""
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
