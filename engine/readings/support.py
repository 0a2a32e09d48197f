"""Mentions that count for nothing where they stand: too little supports them."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, NamedTuple

from qilin.hierarchy import Level
from qilin.names.compiled import Tables
from qilin.names.mention import OrgMention, OrgName, Part
from qilin.names.nearest import stem_of
from qilin.names.rules import FULL
from qilin.readings.reading import Segmentation
from qilin.text.words import word_across

Reason = Literal["tail", "word", "rest", "inside a word", "lonely"]


class Dropped(NamedTuple):
    """A mention that was taken out, and why.

    `tail`: only the tail of a name, without its parent before it; `word`: an ordinary word too; `rest`: the
    rest of a longer name that the table lacks; `inside a word`: an ordinary word lies across its edge;
    `lonely`: a typo that only a mention on its path could support. `across`: the span of the word that lies across an edge.
    """

    mention: OrgMention
    reason: Reason
    across: tuple[int, int] | None = None


def unsupported(tables: Tables, text: str, segmentation: Segmentation) -> list[Dropped]:
    """The mentions of a segmentation that are accidents: words and tails without support, or cut out of a word."""
    dropped: list[Dropped] = []
    previous: OrgMention | None = None
    leftover = segmentation.leftover
    starts = {p[0] for p in segmentation.parts}
    ends = {p[1] for p in segmentation.parts}
    for mention in segmentation.parts:
        if not isinstance(mention, OrgMention):
            continue
        name = mention.name
        accident: Dropped | None = None
        in_doubt = name.tail or (leftover and name.bare and not name.source)
        if in_doubt and not (previous and previous.end == mention.start and _parent_of(tables, previous, name)):
            if name.tail:
                accident = Dropped(mention, "tail")
            elif name.weak:
                accident = Dropped(mention, "word")
            elif _is_rest(text, mention, segmentation.runs):
                accident = Dropped(mention, "rest")
            else:
                across = _word_across(text, mention, starts, ends)
                accident = None if across is None else Dropped(mention, "inside a word", across)
        if accident is not None:
            dropped.append(accident)
        else:
            previous = mention
    return dropped


def _is_rest(text: str, mention: OrgMention, runs: tuple[tuple[int, int], ...]) -> bool:
    """Whether a substation of one character stands right behind a stretch that nothing explains: 青|堡供电所.

    The table has part of a longer name, which it lacks. Counties are all known: 非|曹县 is no longer name.
    """
    if mention.name.level != Level.SUBSTATION or len(stem_of(text[mention.start : mention.end])) != 1:
        return False
    return any(end == mention.start for _, end in runs)


def _word_across(text: str, mention: OrgMention, starts: set[int], ends: set[int]) -> tuple[int, int] | None:
    """The ordinary word that begins outside the mention, where no other part is, and ends in it; or so behind.

    A full name at the beginning of what is said is never taken for part of a word: 沧州|长丰.
    """
    begins = mention.start == 0 or not text[mention.start - 1].isalnum() or mention.start in ends
    if begins and mention.name.form == FULL:
        return None
    across = None if begins else word_across(text, mention.start)
    if across is None and mention.end < len(text) and mention.end not in starts:
        across = word_across(text, mention.end)
    return across


def _parent_of(tables: Tables, upper: OrgMention, name: OrgName) -> bool:
    """Whether `upper` could be the parent of an organisation that the name could be."""
    hierarchy = tables.hierarchy
    last = hierarchy.last
    tops, lows = upper.name.nodes, name.nodes
    if len(tops) <= len(lows):
        return any(bisect_right(lows, top) < bisect_right(lows, last[top]) for top in tops)
    known = set(tops)
    return any(not known.isdisjoint(hierarchy.paths[low][:-1]) for low in lows)


def without(parts: list[Part], dropped: list[Dropped]) -> list[Part]:
    """The parts, but for the mentions that were taken out."""
    gone = {each.mention for each in dropped}
    return [part for part in parts if part not in gone]
