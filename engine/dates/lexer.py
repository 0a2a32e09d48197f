"""Cuts date expressions out of a text, and an expression into its words.

Everything here is made from the rows of `qilin.dates.words`, when the first text comes to it: that takes half a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from qilin.dates.beginnings import beginnings, joined
from qilin.dates.numerals import CN, NUMERAL, are_consecutive
from qilin.dates.periods import WEEK_UNITS
from qilin.dates.words import BORDERS, KINDS, WORDS, DateWord


class Word(NamedTuple):
    """A word of an expression: its kind, and its text."""

    kind: str
    text: str


def find_runs(text: str, until: int) -> list[tuple[int, int]]:
    """The date expressions of `text` as spans, each as long as its words go on, none behind `until`."""
    runs: list[tuple[int, int]] = []
    start_from = _start()
    position = 0
    while position < until and (hit := start_from(text, position)) is not None:
        run = _run()(text, hit.start())
        if run is None:
            position = hit.end()
        else:
            position = run.end()
            runs.append((hit.start(), position))
    return runs


def may_begin(text: str, position: int) -> bool:
    """Whether a date expression may begin there, as far as two characters tell."""
    return text[position : position + 2] in _starts()


def words_of(expression: str) -> list[Word] | None:
    """The words of an expression, without those that only join; None where one is not understood."""
    words: list[Word] = []
    position = 0
    cut = _token()
    while position < len(expression):
        token = cut(expression, position)
        if token is None or token.end() == position or token.lastindex is None:
            return None
        kind = WORDS[token.lastindex - 1].kind
        text = token[0].strip()
        position = token.end()
        if kind.startswith("no:"):
            return None
        if kind in ("of", "era"):
            continue
        words.extend(_listed(kind, text) or [Word(kind, text)])
    return words


def _listed(kind: str, text: str) -> list[Word]:
    """3、4月 and 三四月 as the range they are; empty for anything but a list of numbers.

    A list with gaps (1、3月) is not one range; a word of the kind "gap", which means nothing, stands for it.
    """
    numerals: list[str] = NUMERAL.findall(text)
    if kind == "several":
        kind = _unit_kind(text)
    elif kind in ("month", "quarter") and re.match(f"第?(?!.?十)[{CN}]{{2}}", text):
        numerals = list(numerals[0])
    else:
        return []
    if not are_consecutive(numerals):
        return [Word("gap", text)]
    return [Word(kind, numerals[0]), Word("to", ""), Word(kind, numerals[-1])]


def _unit_kind(text: str) -> str:
    if "季" in text:
        return "quarter"
    last = text.rstrip("份度")[-1]
    return "year" if last == "年" else "month" if last == "月" else "week" if last in WEEK_UNITS else "day"


# --- Patterns made from the rows ---

_Match = Callable[[str, int], re.Match[str] | None]


def _placed(*places: str) -> list[DateWord]:
    return [row for row in WORDS if row.place in places]


def _any(rows: Iterable[DateWord]) -> str:
    return "(?:" + "|".join(row.pattern for row in rows) + ")"


def _one_of(characters: Iterable[str]) -> str:
    return "[" + "".join(map(re.escape, sorted(characters))) + "]"


@lru_cache(maxsize=1)
def _beginnings() -> dict[DateWord, set[str]]:
    return {row: beginnings(row.pattern) for row in WORDS}


def _beginning_with(*places: str) -> set[str]:
    return set().union(*(_beginnings()[row] for row in _placed(*places)))


@lru_cache(maxsize=1)
def _starts() -> frozenset[str]:
    """The two characters that every expression begins with one pair of."""
    words = _beginning_with("anywhere")
    return frozenset(words | joined(joined(_beginning_with("opening"), {"", " "}), words))


@lru_cache(maxsize=1)
def _start() -> _Match:
    """Where an expression can begin: most of these characters are ordinary ones, so their neighbours are looked at."""
    seconds: dict[str, set[str]] = {}
    for start in _starts():
        seconds.setdefault(start[0], set()).add(start[1])
    borders = {character: border for characters, border in BORDERS for character in characters}
    alike: dict[tuple[str, str], list[str]] = {}
    for first in sorted(seconds):
        alike.setdefault((borders.get(first, ""), _one_of(seconds[first])), []).append(first)
    choices = [f"{_one_of(firsts)}{border}(?={following})" for (border, following), firsts in alike.items()]
    # One set in front lets the engine skip to the next candidate without trying the choices.
    return re.compile(f"(?={_one_of(seconds)})(?:{'|'.join(choices)})").search


@lru_cache(maxsize=1)
def _run() -> _Match:
    """One expression, the longest run of words that can belong together."""
    to, of = (KINDS[kind].pattern for kind in ("to", "of"))
    # Nearly always something else comes behind an expression: looking at one character first spares it a hundred
    # patterns.
    more = _beginning_with("behind", "anywhere", "going on", "joint")
    goes_on = _one_of({beginning[0] for beginning in more if beginning})
    behind = f"(?:{to}|{of}){_any(_placed('behind', 'anywhere'))}|(?:{to}| ?){_any(_placed('going on'))}"
    opening = f"(?:{_any(_placed('opening'))} ?)??"
    return re.compile(f"{opening}{_any(_placed('anywhere'))}(?:(?={goes_on})(?:{behind}))*+").match


@lru_cache(maxsize=1)
def _token() -> _Match:
    """One word; the number of its group is that of its row, counted from one."""
    patterns = (rf"\A(?:{row.pattern})" if row.place == "opening" else row.pattern for row in WORDS)
    return re.compile("|".join(f"({pattern})" for pattern in patterns)).match
