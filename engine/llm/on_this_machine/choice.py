"""Decides a choice: which of several alternatives follows the text, and how probable it is among all of them.

Few alternatives are scored exactly: all of them lie in one token tree. Among many, the decision walks down their
prefix tree and takes the best branch wherever there are several; each token tree holds as much of the prefix tree
as `Limits.lookahead` allows.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from qilin.llm.on_this_machine.token_tree import Decision, Encoder, Limits, LogitQuery, Logits, TokenTree, most_probable
from qilin.llm.protocol import TAG


def choose(
    encoder: Encoder, limits: Limits, before: str, alternatives: Sequence[str], following: str
) -> Decision[tuple[str, float]]:
    """The text with the best alternative behind it, and the probability of that alternative among all.

    Args:
        before: the answer up to here.
        alternatives: at least two, all different.
        following: how the answer goes on, as far as that is certain; "" only at its end.
    """
    tree = _PrefixTree()
    for number, alternative in enumerate(alternatives):
        tree.add(*_with_next_token(encoder, before, alternative, following), number)
    if len(alternatives) <= limits.exact:
        best, score = yield from _score_all(tree, len(alternatives))
    else:
        best, score = yield from _descend(tree, limits.lookahead)
    return before + alternatives[best], score


def _with_next_token(encoder: Encoder, before: str, alternative: str, following: str) -> tuple[list[int], list[bool]]:
    """The tokens up to and with the first one behind the alternative, and which of them are text outside of tags.

    With the next token, no alternative is the beginning of another.
    """
    whole = before + alternative
    opening = TAG.match(following)
    ids, starts = encoder.encode(whole + (opening[0] if opening else following[:1]))
    size = bisect_left(starts, len(whole)) + 1
    ids, starts = ids[:size], starts[:size]
    outside = _outside_tags(whole)
    plain = [
        token not in encoder.markup and (start >= len(outside) or outside[start])
        for token, start in zip(ids, starts, strict=True)
    ]
    if not following:
        ids, plain = [*ids, encoder.end], [*plain, False]
    return ids, plain


def _outside_tags(text: str) -> list[bool]:
    """For each character, whether it is text outside of tags."""
    outside = [True] * len(text)
    begin = 0
    for match in TAG.finditer(text):
        if not match[0].startswith("</"):
            begin = match.start()
        outside[begin : match.end()] = [False] * (match.end() - begin)
    return outside


class _PrefixTree:
    """The alternatives' tokens, common beginnings stored once. Node 0 is the end of the prompt."""

    def __init__(self) -> None:
        self.tokens: list[int] = [-1]
        self.parents: list[int] = [-1]
        self.plain: list[bool] = [False]  # text outside of tags
        self.children: list[dict[int, int]] = [{}]  # token → node
        self.ends: list[int | None] = [None]  # the alternative that ends here

    def add(self, ids: Sequence[int], plain: Sequence[bool], alternative: int) -> None:
        node = 0
        for token, is_plain in zip(ids, plain, strict=True):
            child = self.children[node].get(token)
            if child is None:
                child = self.children[node][token] = len(self.tokens)
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

    def scores(self, node: int, logits: Logits) -> dict[int, float]:
        """The score of each next node; -1 stands for ending here.

        Text outside of tags is copied from the query, so a single plain token scores as any text would.
        """
        children = self.children[node]
        several = sum(self.plain[child] for child in children.values()) > 1
        found = {
            child: logits.text if self.plain[child] and not several else logits.of[token]
            for token, child in children.items()
        }
        if self.ends[node] is not None:
            found[-1] = logits.text
        return found

    def token_tree(self, nodes: Iterable[int], asked: Sequence[int]) -> TokenTree:
        """Nodes, each behind its parent, as a token tree that asks for the children of some of them."""
        tree = TokenTree([], [], [])
        places = {0: -1}
        for node in nodes:
            places[node] = len(tree.tokens)
            tree.tokens.append(self.tokens[node])
            tree.parents.append(places[self.parents[node]])
        tree.queries.extend(LogitQuery(places[node], tuple(self.children[node])) for node in asked)
        return tree


def _score_all(tree: _PrefixTree, count: int) -> Decision[tuple[int, float]]:
    """The best alternative and its probability, from one token tree that holds every alternative in full."""
    first = 0  # the node where the alternatives part
    while tree.options(first) == 1 and tree.children[first]:
        first = next(iter(tree.children[first].values()))
    if not tree.children[first]:  # all alternatives are the same tokens
        return tree.ends[first] or 0, 1.0
    below = {first}
    for node in range(first + 1, len(tree.tokens)):
        if tree.parents[node] in below:
            below.add(node)
    asked = sorted(node for node in below if tree.children[node])
    logits = yield tree.token_tree((*tree.path(first), *(node for node in asked if node != first)), asked)
    totals = [-math.inf] * count
    known = {first: 0.0}  # log probability of the way to each node
    for node, here in zip(asked, logits, strict=True):
        for child, score in tree.scores(node, here).items():
            value = known[node] + score - here.total
            alternative = tree.ends[node if child == -1 else child]
            if child != -1:
                known[child] = value
                if tree.children[child] or alternative is None:
                    continue
            assert alternative is not None
            totals[alternative] = value
    return most_probable(totals)


def _descend(tree: _PrefixTree, budget: int) -> Decision[tuple[int, float]]:
    """The alternative at the end of the best branches, and the product of their probabilities."""
    branching = [tree.options(node) > 1 for node in range(len(tree.tokens))]
    needed = list(branching)  # nodes on the way to a branching one
    for node in range(len(tree.tokens) - 1, 0, -1):
        if needed[node]:
            needed[tree.parents[node]] = True
    known: dict[int, Logits] = {}
    node, chance = 0, 1.0
    while True:
        if not branching[node]:
            if not tree.children[node]:
                return tree.ends[node] or 0, chance
            node = next(iter(tree.children[node].values()))
            continue
        if node not in known:
            ahead = _ahead(tree, node, needed, budget)
            asked = [each for each in ahead if branching[each]]
            known.update(zip(asked, (yield tree.token_tree((*tree.path(node), *ahead[1:]), asked)), strict=True))
        ways = tree.scores(node, known[node])
        best, its_chance = most_probable(list(ways.values()))
        chance *= its_chance
        way = list(ways)[best]
        if way == -1:
            return tree.ends[node] or 0, chance
        node = way


def _ahead(tree: _PrefixTree, start: int, needed: Sequence[bool], budget: int) -> list[int]:
    """A node and as many of the needed nodes below it as the budget allows, nearest first."""
    found: list[int] = []
    queue = deque([start])
    while queue:
        node = queue.popleft()
        found.append(node)
        budget -= node != start
        queue.extend(islice((c for c in tree.children[node].values() if needed[c]), max(0, budget - len(queue))))
    return found
