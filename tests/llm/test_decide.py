"""Decisions, with a stand-in for the model that knows what it wants to say: no torch needed."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qilin.llm.on_this_machine.decide import Decided, decide, is_settled
from qilin.llm.on_this_machine.token_tree import Encoded, Limits, Logits, TokenTree
from qilin.llm.protocol import Choice, Free, GapRequest, Settled

TOKEN = re.compile(r"</?[A-Za-z]+>|投诉|供电所|.", re.S)


class Characters:
    """A tokenizer: a token a character, a tag or one of a few words."""

    end = 0
    markup: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    def encode(self, text: str) -> Encoded:
        found = list(TOKEN.finditer(text))
        ids = [self.ids.setdefault(match[0], len(self.ids) + 1) for match in found]
        self.markup = frozenset(i for t, i in self.ids.items() if t.startswith("<")) | {0}
        return Encoded(ids, [match.start() for match in found])


class _Model:
    """Runs a request's token trees against `logits`."""

    def __init__(self) -> None:
        self.encoder = Characters()
        self.seen: list[TokenTree] = []

    def logits(self, tree: TokenTree) -> list[Logits]:
        raise NotImplementedError

    def decides(self, request: GapRequest, limits: Limits = Limits()) -> Decided:  # noqa: B008
        decision = decide(request, self.encoder, limits)
        try:
            tree = next(decision)
            while True:
                self.seen.append(tree)
                tree = decision.send(self.logits(tree))
        except StopIteration as stop:
            return stop.value


def _said(tree: TokenTree, node: int) -> list[int]:
    """The tokens up to a node of a tree."""
    return [] if node == -1 else [*_said(tree, tree.parents[node]), tree.tokens[node]]


class Says(_Model):
    """A model sure of one answer: the next token of it scores high, wherever a tree begins like it."""

    def __init__(self, answer: str, *, copies_badly: bool = False) -> None:
        super().__init__()
        self.answer = [*self.encoder.encode(answer).ids, 0]
        self.copies_badly = copies_badly

    def logits(self, tree: TokenTree) -> list[Logits]:
        found = []
        for query in tree.queries:
            said = _said(tree, query.node)
            wanted = (
                self.answer[len(said)] if said == self.answer[: len(said)] and len(said) < len(self.answer) else None
            )
            of = {token: 9.0 if token == wanted else 0.0 for token in query.tokens}
            text = 9.0 if wanted not in self.encoder.markup else 2.0
            if self.copies_badly:  # every text token is more probable than the right one
                of = {t: s if t in self.encoder.markup else -5.0 for t, s in of.items()}
            found.append(Logits(math.log(math.exp(9.0) + math.exp(text)), text, of))
        return found


def whole(free: str, *parts: Settled | Choice) -> GapRequest:
    return GapRequest(free, (*parts, Free(free)))


@pytest.mark.parametrize("lookahead", [1, 3, 64])
@pytest.mark.parametrize("copies_badly", [False, True])
@pytest.mark.parametrize(
    ("free", "answer"),
    [
        ("低电压台区数", "<Indicator>低电压台区</Indicator>数"),
        ("低电压台区数", "低电压台区数"),
        ("上上周投诉", "<Date>上上周</Date>投诉"),
        ("上上周低电压", "<Date>上上周</Date><Indicator>低电压</Indicator>"),
        ("投诉意见", "<Indicator>投诉</Indicator><Indicator>意见</Indicator>"),
        ("a&lt;b", "a<Indicator>&lt;</Indicator>b"),
        ("投诉 ", "<Indicator>投诉</Indicator> "),
        ("数", "<Date>数</Date>"),
    ],
)
def test_free_text_is_tagged_as_the_model_wants(free, answer, copies_badly, lookahead):
    said = Says("<City>菏泽</City>" + answer, copies_badly=copies_badly).decides(
        whole(free, Settled("<City>菏泽</City>")), Limits(lookahead=lookahead)
    )
    assert said.text == "<City>菏泽</City>" + answer


def test_a_tag_costs_two_trees():
    model = Says("<Indicator>低电压台区</Indicator>数")
    model.decides(whole("低电压台区数"))
    assert len(model.seen) == 3  # where it opens, where it closes, that no other follows


NAMES = tuple(
    f"<City>{'甲乙丙丁戊己庚辛壬癸'[n // 10]}</City><Company>{'甲乙丙丁戊己庚辛壬癸'[n % 10]}县</Company>"
    for n in range(100)
)


@pytest.mark.parametrize("size", [2, 3, 10, 11, 100])
@pytest.mark.parametrize("lookahead", [1, 16, 64])
def test_the_alternative_that_the_model_wants(size, lookahead):
    for wanted in {0, 1, size // 2, size - 1}:
        alternatives = ("甲", *NAMES)[:size]
        model = Says(f"<Date>本月</Date>{alternatives[wanted]}投诉")
        request = GapRequest("", (Settled("<Date>本月</Date>"), Choice(alternatives), Settled("投诉")))
        said = model.decides(request, Limits(lookahead=lookahead))
        assert said.text == f"<Date>本月</Date>{alternatives[wanted]}投诉"
        assert said.scores[0] > 0.9
        assert len(model.seen) <= (1 if size <= 10 else 4 if lookahead > 1 else 9)


def test_a_name_that_another_one_begins_with():
    short, long = "<City>甲</City>", "<City>甲</City><Company>乙</Company>"
    for following in (Settled("投诉"), Free("投诉"), Settled("<Date>本月</Date>"), None):
        for wanted in (short, long):
            segments = (Choice(("甲", short, long)), *([following] if following else []))
            end = following.text if following else ""
            assert Says(wanted + end).decides(GapRequest("", segments)).text == wanted + end


def test_alternatives_that_are_written_twice():
    said = Says("乙").decides(GapRequest("", (Choice(("甲", "乙", "甲", "乙")),)))
    assert (said.text, len(said.scores)) == ("乙", 1)


@pytest.mark.parametrize(
    ("segments", "settled"),
    [
        ((), True),
        ((Settled("甲"),), True),
        ((Choice(("甲",)), Free(""), Free(" ")), True),
        ((Choice(("甲", "甲")),), True),
        ((Choice(("甲", "乙")),), False),
        ((Free("甲"),), False),
    ],
)
def test_nothing_is_asked_where_one_answer_is_legal(segments, settled):
    request = GapRequest("", segments)
    assert is_settled(request) is settled
    model = Says("")
    model.decides(request)
    assert bool(model.seen) is not settled


class Whim(_Model):
    """A model whose every score is a hash of where it is asked."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def logits(self, tree: TokenTree) -> list[Logits]:
        found = []
        for query in tree.queries:
            said = tuple(_said(tree, query.node))
            scores = {token: hash((self.seed, said, token)) % 1000 / 100 for token in query.tokens}
            found.append(Logits(12.0, hash((self.seed, said)) % 1000 / 100, scores))
        return found


@given(
    seed=st.integers(0, 2**20),
    free=st.text("投诉上周 数é麒", max_size=12),
    size=st.integers(1, 30),
    lookahead=st.sampled_from([1, 7, 64]),
)
def test_whatever_the_scores_the_answer_is_allowed(seed, free, size, lookahead):
    request = GapRequest(free, (Choice(NAMES[:size]), Settled("<Date>本月</Date>"), Free(free)))
    said = Whim(seed).decides(request, Limits(lookahead=lookahead))
    name, middle, tail = said.text.partition("<Date>本月</Date>")
    assert name in NAMES[:size] and middle
    assert re.sub(r"</?(Indicator|Date)>", "", tail) == free
    plain = re.sub(r"<(Indicator|Date)>\S(?:[^<]*?[^\s<])?</\1>", "", tail)
    assert "<" not in plain
    assert all(0 < score <= 1 + 1e-9 for score in said.scores)
