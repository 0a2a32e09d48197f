"""What a model is asked, decision by decision, and how its numbers choose; knows tokens but no tensors.

An answer is never read off a model's output. It is put together from the request's own text, and the
model only decides where that leaves a choice: which alternative, where a tag opens or closes. So an
answer that the request does not allow cannot come about, whatever the model or its tokenizer does.

Each function here is a generator: it yields a `Draft` (tokens to be looked at, forced ones and guesses
of what comes next included), is sent what the model thinks at the places it asked about, and returns
its decision. Whoever runs it may run many side by side, one forward pass for all of them.

- A choice among few alternatives is exact: all of them lie in one draft, as a tree.
- Among many, it walks down the tree and takes the best branch wherever there are several; the draft
  holds as much of the tree as `Limits.draft` allows.
- Free text is drafted as if nothing (more) were tagged. The first place where a tag is more probable
  than going on ends the draft, and the next one begins with the tag. "Going on" is the sum over all
  tokens that are no markup: a model that means to go on copying may be wrong about the character.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from qilin.llm.protocol import Choice, GapRequest, Segment, Settled

FREE_TAGS = ("Indicator", "Date")
_UNIT = re.compile(r"&(?:lt|gt|amp);|.", re.S)
_TAG = re.compile(r"</?[A-Za-z]+>")


class Read(NamedTuple):
    """Ask what follows the token `node` of a draft (-1: the prompt), and about the tokens `of` by name.

    `allowed` has a byte for each entry of the vocabulary, not 0 where the best token may be sought.
    """

    node: int
    of: tuple[int, ...]
    allowed: bytes | None = None


class Draft(NamedTuple):
    """A tree of tokens behind the prompt: `parents[i]` is the index of the token before `tokens[i]`, or -1."""

    tokens: list[int]
    parents: list[int]
    reads: list[Read]


class Reading(NamedTuple):
    """The model's scores (natural log, unnormalised) for what follows one token.

    `total` is the logsumexp over the whole vocabulary, `text` that over the tokens that are no markup,
    `best` the token with the highest score among those allowed, where no token was asked about by name.
    """

    total: float
    text: float
    of: Mapping[int, float]
    best: int = -1


class Encoded(NamedTuple):
    """Token ids, and the offset in the text at which each begins."""

    ids: list[int]
    starts: list[int]


class Encoder(Protocol):
    """A tokenizer, as far as decisions need one."""

    end: int  # the token that ends an answer
    markup: frozenset[int]  # tokens that hold a < or steer the model

    def encode(self, text: str) -> Encoded: ...


class Limits(NamedTuple):
    """How much is asked at once.

    Args:
        exact: With up to so many alternatives every one is scored in full.
        draft: About how many tokens one draft may add.
    """

    exact: int = 10
    draft: int = 64


class Decided(NamedTuple):
    text: str
    scores: tuple[float, ...]


Asking = Generator[Draft, list[Reading], Decided]


def decide(request: GapRequest, encoder: Encoder, limits: Limits) -> Asking:
    """The whole answer to a request; no draft is yielded where only one answer is legal."""
    text = ""
    scores: list[float] = []
    for number, segment in enumerate(request.segments):
        following = _beginning(request.segments[number + 1 :])
        if isinstance(segment, Settled):
            text += segment.text
            continue
        if isinstance(segment, Choice):
            alternatives = list(dict.fromkeys(segment.alternatives))
            if len(alternatives) == 1:
                text, score = text + alternatives[0], 1.0
            else:
                text, score = yield from _choose(encoder, limits, text, alternatives, following)
        else:
            text, score = yield from _tag(encoder, limits, text, _UNIT.findall(segment.text), following)
        scores.append(score)
    return Decided(text, tuple(scores))


def is_settled(request: GapRequest) -> bool:
    """Whether only one answer is legal, so that no model need be asked."""
    for segment in request.segments:
        if isinstance(segment, Choice) and len(set(segment.alternatives)) > 1:
            return False
        if not isinstance(segment, Settled | Choice) and segment.text.strip():
            return False
    return True


def _beginning(segments: Sequence[Segment]) -> str:
    """What follows, as far as it is certain, and how it begins where it is not; "" only at the end of the answer."""
    text = ""
    for segment in segments:
        if isinstance(segment, Settled):
            text += segment.text
            continue
        said = segment.alternatives[0] if isinstance(segment, Choice) else segment.text
        if said:
            begin = _TAG.match(said) or _UNIT.match(said)
            return text + (begin[0] if begin else "")
    return text


# ── one of several alternatives ──────────────────────────────────────────────────────────────────


class _Tree:
    """The alternatives' tokens, what they begin with in common written once. Node 0 is the prompt's end."""

    def __init__(self) -> None:
        self.tokens: list[int] = [-1]
        self.parents: list[int] = [-1]
        self.plain: list[bool] = [False]  # text outside of tags
        self.children: list[dict[int, int]] = [{}]
        self.ends: list[int | None] = [None]  # the alternative that ends here

    def add(self, ids: Sequence[int], plain: Sequence[bool], alternative: int) -> None:
        node = 0
        for token, is_plain in zip(ids, plain, strict=True):
            child = self.children[node].get(token)
            if child is None:
                child = len(self.tokens)
                self.children[node][token] = child
                self.tokens.append(token)
                self.parents.append(node)
                self.plain.append(is_plain)
                self.children.append({})
                self.ends.append(None)
            node = child
        if self.ends[node] is None:
            self.ends[node] = alternative

    def options(self, node: int) -> int:
        return len(self.children[node]) + (self.ends[node] is not None)

    def path(self, node: int) -> list[int]:
        nodes = []
        while node:
            nodes.append(node)
            node = self.parents[node]
        return nodes[::-1]

    def scores(self, node: int, reading: Reading) -> dict[int, float]:
        """The score of each way on; -1 is to end here.

        Text outside of tags is copied, so it counts as going on with any text, unless there are several.
        """
        children = self.children[node]
        several = sum(self.plain[child] for child in children.values()) > 1
        found = {
            child: reading.text if self.plain[child] and not several else reading.of[token]
            for token, child in children.items()
        }
        if self.ends[node] is not None:
            found[-1] = reading.text
        return found

    def read(self, node: int, place: int) -> Read:
        return Read(place, tuple(self.children[node]))


def _choose(
    encoder: Encoder, limits: Limits, before: str, alternatives: Sequence[str], following: str
) -> Generator[Draft, list[Reading], tuple[str, float]]:
    """The text with the best alternative behind it, and how probable that one was among all."""
    tree = _Tree()
    for number, alternative in enumerate(alternatives):
        ids, plain = _with_what_follows(encoder, before, alternative, following)
        tree.add(ids, plain, number)
    if len(alternatives) <= limits.exact:
        best, score = yield from _weigh(tree, len(alternatives))
    else:
        best, score = yield from _descend(tree, limits.draft)
    return before + alternatives[best], score


def _with_what_follows(encoder: Encoder, before: str, alternative: str, following: str) -> tuple[list[int], list[bool]]:
    """The tokens up to and with the first one behind the alternative, so that none is the beginning of another."""
    whole = before + alternative
    opening = _TAG.match(following)
    ids, starts = encoder.encode(whole + (opening[0] if opening else following[:1]))
    size = bisect_left(starts, len(whole)) + 1
    ids, starts = ids[:size], starts[:size]
    outside = _outside(whole)
    plain = [
        token not in encoder.markup and (start >= len(outside) or outside[start])
        for token, start in zip(ids, starts, strict=True)
    ]
    if not following:
        ids, plain = [*ids, encoder.end], [*plain, False]
    return ids, plain


def _outside(text: str) -> list[bool]:
    """For each character, whether it is text outside of tags."""
    outside = [True] * len(text)
    begin = 0
    for match in _TAG.finditer(text):
        if match[0].startswith("</"):
            outside[begin : match.end()] = [False] * (match.end() - begin)
        else:
            begin = match.start()
            outside[begin : match.end()] = [False] * (match.end() - begin)
    return outside


def _weigh(tree: _Tree, count: int) -> Generator[Draft, list[Reading], tuple[int, float]]:
    """Every alternative in full, in one draft: its probability among all of them."""
    first = 0
    while tree.options(first) == 1 and tree.children[first]:
        first = next(iter(tree.children[first].values()))
    if not tree.children[first]:  # all alternatives are the same tokens
        return tree.ends[first] or 0, 1.0
    below = {first}
    for node in range(first + 1, len(tree.tokens)):
        if tree.parents[node] in below:
            below.add(node)
    asked = sorted(node for node in below if tree.children[node])
    draft = Draft([], [], [])
    place = {0: -1}
    for node in (*tree.path(first), *(n for n in asked if n != first)):
        place[node] = len(draft.tokens)
        draft.tokens.append(tree.tokens[node])
        draft.parents.append(place[tree.parents[node]])
    draft.reads.extend(tree.read(node, place[node]) for node in asked)
    readings = yield draft
    totals = [-math.inf] * count
    known = {first: 0.0}
    for node, reading in zip(asked, readings, strict=True):
        for child, score in tree.scores(node, reading).items():
            value = known[node] + score - reading.total
            alternative = tree.ends[node if child == -1 else child]
            if child != -1:
                known[child] = value
                if tree.children[child] or alternative is None:
                    continue
            assert alternative is not None
            totals[alternative] = value
    chances = softmax(totals)
    best = max(range(count), key=chances.__getitem__)
    return best, chances[best]


def _descend(tree: _Tree, budget: int) -> Generator[Draft, list[Reading], tuple[int, float]]:
    """The best branch wherever there are several; how probable these branches were together."""
    branching = [tree.options(node) > 1 for node in range(len(tree.tokens))]
    needed = list(branching)  # nodes on the way to a branching one
    for node in range(len(tree.tokens) - 1, 0, -1):
        if needed[node]:
            needed[tree.parents[node]] = True
    known: dict[int, Reading] = {}
    node, chance = 0, 1.0
    while True:
        if not branching[node]:
            if not tree.children[node]:
                return tree.ends[node] or 0, chance
            node = next(iter(tree.children[node].values()))
            continue
        if node not in known:
            draft, asked = _ahead(tree, node, needed, branching, budget)
            known.update(zip(asked, (yield draft), strict=True))
        ways = tree.scores(node, known[node])
        chances = softmax(list(ways.values()))
        at = max(range(len(chances)), key=chances.__getitem__)
        chance *= chances[at]
        way = list(ways)[at]
        if way == -1:
            return tree.ends[node] or 0, chance
        node = way


def _ahead(
    tree: _Tree, start: int, needed: Sequence[bool], branching: Sequence[bool], budget: int
) -> tuple[Draft, list[int]]:
    """The way to a node and as much of the tree below as the budget allows, nearest first."""
    draft = Draft([], [], [])
    place = {0: -1}

    def append(node: int) -> None:
        place[node] = len(draft.tokens)
        draft.tokens.append(tree.tokens[node])
        draft.parents.append(place[tree.parents[node]])

    for node in tree.path(start):
        append(node)
    asked = []
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if node != start:
            append(node)
            budget -= 1
        if branching[node]:
            asked.append(node)
            draft.reads.append(tree.read(node, place[node]))
        queue.extend(islice((c for c in tree.children[node].values() if needed[c]), max(0, budget - len(queue))))
    return draft, asked


# ── free text in which stretches may be tagged ───────────────────────────────────────────────────


class _At(NamedTuple):
    """A place in free text: the answer up to here, the next unit, the tag that is open and where it began."""

    text: str
    next: int
    tag: str | None = None
    opened: int = 0


class _Way(NamedTuple):
    """Another way on from a draft: the text up to and with a tag, and where that leads."""

    text: str
    cut: int  # how much of the text is the draft's too
    to: _At


def _tag(
    encoder: Encoder, limits: Limits, before: str, units: Sequence[str], following: str
) -> Generator[Draft, list[Reading], tuple[str, float]]:
    """The text with the tagged free text behind it, and how probable the decisions were together."""
    at, chance = _At(before, 0), 1.0
    rivals: list[_Way] = []
    while True:
        going_on, end = _going_on(at, units)
        ways = [*rivals, *_ways(at, units, end, limits.draft)]
        rivals = []
        if ways:
            taken, its_chance = yield from _follow(
                encoder, going_on + following, ways, _likely(at, units, limits.draft)
            )
            chance *= its_chance
            if taken:
                at, rivals = taken[0].to, taken[1:]
                continue
        at = _beyond(at, units, end, limits.draft)
        if at.next >= len(units) and at.tag is None:
            return at.text, chance


def _last(units: Sequence[str], begin: int) -> int:
    """Behind the last unit that is not blank."""
    end = len(units)
    while end > begin and not units[end - 1].strip():
        end -= 1
    return end


def _going_on(at: _At, units: Sequence[str]) -> tuple[str, int]:
    """The rest of the text as it is if nothing more is decided, and where an open tag then closes."""
    if at.tag is None:
        return at.text + "".join(units[at.next :]), len(units)
    end = _last(units, at.opened)
    return f"{at.text}{''.join(units[at.next : end])}</{at.tag}>{''.join(units[end:])}", end


def _likely(at: _At, units: Sequence[str], window: int) -> str:
    """A second guess to look at in the same pass: an indicator that begins right here. What is asked about often does."""
    if at.tag is not None or 2 * (len(units) - at.next) > window or not units[at.next].strip():
        return ""
    tag = FREE_TAGS[0]
    return _going_on(_At(f"{at.text}<{tag}>", at.next, tag, at.next), units)[0]


def _ways(at: _At, units: Sequence[str], end: int, window: int) -> list[_Way]:
    """Everything else that may happen in the next units."""
    ways = []
    text = at.text
    for i in range(at.next, min(end, at.next + window)):
        if at.tag is not None:
            if i > at.opened and units[i - 1].strip():
                said = f"{text}</{at.tag}>"
                ways.append(_Way(said, len(text), _At(said, i)))
        elif units[i].strip():
            for tag in FREE_TAGS:
                said = f"{text}<{tag}>"
                ways.append(_Way(said, len(text), _At(said, i, tag, i)))
        text += units[i]
    return ways


def _beyond(at: _At, units: Sequence[str], end: int, window: int) -> _At:
    """Where the draft leads if it is followed to the end of the window."""
    stop = min(end, at.next + window)
    text = at.text + "".join(units[at.next : stop])
    if at.tag is None or stop < end:
        return at._replace(text=text, next=stop)
    return _At(f"{text}</{at.tag}>{''.join(units[end:])}", len(units))


def _follow(
    encoder: Encoder, drafted: str, ways: Sequence[_Way], likely: str
) -> Generator[Draft, list[Reading], tuple[list[_Way], float]]:
    """The ways that are more probable than the draft at the first place where any is; [] if none.

    Several are alike up to there: they share a token and part later. `likely` is text that is only looked at,
    so that going that way next needs no pass.
    """
    main = encoder.encode(drafted)
    parting: dict[int, dict[int, list[_Way]]] = {}  # place in the draft, token there instead, ways that begin so
    for way in ways:
        place, token = _parts(encoder, drafted, main, way)
        parting.setdefault(place, {}).setdefault(token, []).append(way)
    places = sorted(parting)
    reads = [Read(place - 1, (main.ids[place], *parting[place])) for place in places]
    draft = Draft(main.ids[: places[-1]], list(range(-1, places[-1] - 1)), reads)
    if likely:
        ahead = encoder.encode(likely).ids
        same = _common(ahead, draft.tokens)
        for token in ahead[same:]:
            draft.parents.append(len(draft.tokens) - 1 if len(draft.tokens) > places[-1] else same - 1)
            draft.tokens.append(token)
    markup = [False] * (len(drafted) + 1)
    for match in _TAG.finditer(drafted):
        markup[match.start() : match.end()] = [True] * (match.end() - match.start())
    readings = yield draft
    chance = 1.0
    for place, reading in zip(places, readings, strict=True):
        groups = parting[place]
        if markup[main.starts[place]] or main.ids[place] in encoder.markup:
            own = reading.of[main.ids[place]]
        else:
            own = _without(reading.text, [reading.of[token] for token in groups if token not in encoder.markup])
        chances = softmax([own, *(reading.of[token] for token in groups)])
        best = max(range(len(chances)), key=chances.__getitem__)
        chance *= chances[best]
        if best:
            return list(groups.values())[best - 1], chance
    return [], chance


_NEAR = 24  # characters; how far a token may reach, and a bit


def _parts(encoder: Encoder, drafted: str, main: Encoded, way: _Way) -> tuple[int, int]:
    """The place in the draft at which a way has another token, and that token.

    Encodes only the neighbourhood: with all of the text for every way, long ones would take quadratic time.
    """
    first = max(0, bisect_left(main.starts, max(0, way.cut - _NEAR) + 1) - 1)
    begin = main.starts[first]
    other = encoder.encode(way.text[begin:])
    here = encoder.encode(drafted[begin : way.cut + _NEAR])
    same = _common(other.ids, here.ids)
    if same < len(here.ids) and same < len(other.ids):
        offset = begin + here.starts[same]
        place = bisect_left(main.starts, offset)
        place += same - bisect_left(here.starts, here.starts[same])
        if place < len(main.ids) and main.ids[place] == here.ids[same]:
            return place, other.ids[same]
    whole = encoder.encode(way.text)
    same = min(_common(whole.ids, main.ids), len(whole.ids) - 1, len(main.ids) - 1)
    return same, whole.ids[same]


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def _without(total: float, parts: Sequence[float]) -> float:
    """log(exp(total) - sum(exp(parts)))."""
    left = 1.0 - sum(math.exp(min(0.0, part - total)) for part in parts)
    return total + math.log(left) if left > 0.0 else -math.inf


def softmax(scores: Sequence[float]) -> list[float]:
    """Probabilities of some scores; equal ones where no score is finite."""
    top = max(scores)
    if not math.isfinite(top):
        return [1.0 / len(scores)] * len(scores)
    weights = [math.exp(score - top) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]
