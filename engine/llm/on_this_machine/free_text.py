"""Decides where tags open and close in free text.

The token tree holds the text as if nothing (more) were tagged. The first place where a tag is more probable than
going on ends it, and the next tree begins with that tag. "Going on" is the sum over all tokens without markup: a
model that means to go on copying may be wrong about the character.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from qilin.llm.on_this_machine.token_tree import (
    Decision,
    Encoded,
    Encoder,
    Limits,
    LogitQuery,
    TokenTree,
    common_beginning,
    most_probable,
)
from qilin.llm.protocol import FREE_TAGS, TAG

_NEAR = 24  # characters; a little more than a token may reach


class _Place(NamedTuple):
    """A place in free text: the answer up to here, the next unit, the open tag and where it opened."""

    text: str
    next: int
    tag: str | None = None
    opened: int = 0


class _Rival(NamedTuple):
    """Another way on than the text of a token tree: the answer up to and with a tag, and the place behind it."""

    text: str
    shared: int  # characters in common with the text of the tree
    to: _Place


def tag(
    encoder: Encoder, limits: Limits, before: str, units: Sequence[str], following: str
) -> Decision[tuple[str, float]]:
    """The text with the tagged free text behind it, and the product of the decisions' probabilities.

    Args:
        before: the answer up to here.
        units: the free text, as `qilin.llm.protocol.units` cuts it.
        following: how the answer goes on, as far as that is certain; "" only at its end.
    """
    place, chance = _Place(before, 0), 1.0
    rivals: list[_Rival] = []
    while True:
        going_on, end = _going_on(place, units)
        rivals += _rivals(place, units, end, limits.lookahead)
        if rivals:
            likely = _likely(place, units, limits.lookahead)
            taken, its_chance = yield from _first_better(encoder, going_on + following, rivals, likely)
            chance *= its_chance
            if taken:
                place, rivals = taken[0].to, taken[1:]
                continue
            rivals = []
        place = _beyond(place, units, end, limits.lookahead)
        if place.next >= len(units) and place.tag is None:
            return place.text, chance


def _going_on(place: _Place, units: Sequence[str]) -> tuple[str, int]:
    """The whole text if no other tag opens, and the unit before which an open tag closes: behind the last ink."""
    if place.tag is None:
        return place.text + "".join(units[place.next :]), len(units)
    end = len(units)
    while end > place.opened and not units[end - 1].strip():
        end -= 1
    return f"{place.text}{''.join(units[place.next : end])}</{place.tag}>{''.join(units[end:])}", end


def _likely(place: _Place, units: Sequence[str], lookahead: int) -> str:
    """A second guess for the same pass, or "": an indicator begins right here, as is common in gap questions."""
    if place.tag is not None or 2 * (len(units) - place.next) > lookahead or not units[place.next].strip():
        return ""
    name = FREE_TAGS[0]
    return _going_on(_Place(f"{place.text}<{name}>", place.next, name, place.next), units)[0]


def _rivals(place: _Place, units: Sequence[str], end: int, lookahead: int) -> list[_Rival]:
    """Every tag that may open or close within the next units."""
    rivals = []
    text = place.text
    for i in range(place.next, min(end, place.next + lookahead)):
        if place.tag is not None:
            if i > place.opened and units[i - 1].strip():
                closed = f"{text}</{place.tag}>"
                rivals.append(_Rival(closed, len(text), _Place(closed, i)))
        elif units[i].strip():
            for name in FREE_TAGS:
                opened = f"{text}<{name}>"
                rivals.append(_Rival(opened, len(text), _Place(opened, i, name, i)))
        text += units[i]
    return rivals


def _beyond(place: _Place, units: Sequence[str], end: int, lookahead: int) -> _Place:
    """The place at the end of the lookahead, if nothing was decided up to there."""
    stop = min(end, place.next + lookahead)
    text = place.text + "".join(units[place.next : stop])
    if place.tag is None or stop < end:
        return place._replace(text=text, next=stop)
    return _Place(f"{text}</{place.tag}>{''.join(units[end:])}", len(units))


def _first_better(
    encoder: Encoder, going_on: str, rivals: Sequence[_Rival], likely: str
) -> Decision[tuple[list[_Rival], float]]:
    """The rivals that are more probable than going on, at the first place where any is; [] if none.

    Several share a token there and part later. `likely` is only looked at, so that going that way next needs no pass.
    """
    main = encoder.encode(going_on)
    parting: dict[int, dict[int, list[_Rival]]] = {}  # place in the tokens, other token there, rivals that go on so
    for rival in rivals:
        place, token = _parting(encoder, going_on, main, rival)
        parting.setdefault(place, {}).setdefault(token, []).append(rival)
    places = sorted(parting)
    queries = [LogitQuery(place - 1, (main.ids[place], *parting[place])) for place in places]
    tree = TokenTree(main.ids[: places[-1]], list(range(-1, places[-1] - 1)), queries)
    if likely:
        ahead = encoder.encode(likely).ids
        parent = common_beginning(ahead, tree.tokens) - 1
        for token in ahead[parent + 1 :]:
            tree.parents.append(parent)
            parent = len(tree.tokens)
            tree.tokens.append(token)
    markup = [False] * (len(going_on) + 1)
    for match in TAG.finditer(going_on):
        markup[match.start() : match.end()] = [True] * (match.end() - match.start())
    logits = yield tree
    chance = 1.0
    for place, here in zip(places, logits, strict=True):
        groups = parting[place]
        if markup[main.starts[place]] or main.ids[place] in encoder.markup:
            own = here.of[main.ids[place]]
        else:
            own = _log_difference(here.text, [here.of[token] for token in groups if token not in encoder.markup])
        best, its_chance = most_probable([own, *(here.of[token] for token in groups)])
        chance *= its_chance
        if best:
            return list(groups.values())[best - 1], chance
    return [], chance


def _parting(encoder: Encoder, going_on: str, main: Encoded, rival: _Rival) -> tuple[int, int]:
    """The place in the tokens of `going_on` at which a rival has another token, and that token.

    Encodes only the neighbourhood: all of the text for every rival would take quadratic time.
    """
    first = max(0, bisect_left(main.starts, max(0, rival.shared - _NEAR) + 1) - 1)
    begin = main.starts[first]
    other = encoder.encode(rival.text[begin:])
    here = encoder.encode(going_on[begin : rival.shared + _NEAR])
    same = common_beginning(other.ids, here.ids)
    if same < len(here.ids) and same < len(other.ids):
        offset = begin + here.starts[same]
        place = bisect_left(main.starts, offset)
        place += same - bisect_left(here.starts, here.starts[same])
        if place < len(main.ids) and main.ids[place] == here.ids[same]:
            return place, other.ids[same]
    whole = encoder.encode(rival.text)
    same = min(common_beginning(whole.ids, main.ids), len(whole.ids) - 1, len(main.ids) - 1)
    return same, whole.ids[same]


def _log_difference(total: float, others: Sequence[float]) -> float:
    """log(exp(total) - sum(exp(others)))."""
    left = 1.0 - sum(math.exp(min(0.0, other - total)) for other in others)
    return total + math.log(left) if left > 0.0 else -math.inf
