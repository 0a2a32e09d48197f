"""The grammar and the plain reader agree on every answer, and the grammar is small and quick."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import qwen_vocabulary
from qilin.answer.markup import escape
from qilin.llm.constraint import grammar, lark, open_segments
from qilin.llm.legal import is_beginning, is_legal, read_answer
from qilin.llm.protocol import FREE_TAGS, Choice, Free, GapRequest, Segment, Settled, units

needs_llguidance = pytest.mark.skipif(not qwen_vocabulary.is_there(), reason="needs llguidance and dashscope")

REQUESTS: list[tuple[Segment, ...]] = [
    (Settled("<City>菏泽</City>"), Free("台区数")),
    (Free("a b"), Settled("，"), Free("&lt;&amp;")),
    (Choice(("城关", "<City>潍坊</City>", "<City>潍坊</City><Company>潍城</Company>")), Settled("投诉"), Free("数")),
    (Choice(('"q"\\', "]]", "\n\t")), Free("]]"), Settled('"]]\\')),
    (Choice(("甲", "甲乙", "丙")), Choice(("丁戊", "己")), Free("庚")),
    (Settled("一"), Choice(("只此一个",)), Settled("二")),
    (
        Choice(("<City>大理</City>", "<City>大理</City><Company>大理市</Company>")),
        Settled("<Indicator>投诉</Indicator>"),
    ),
    (Free(" 空 "),),
    (Free("𠀀é"), Settled("")),
]


def language(segments: Sequence[Segment]) -> Iterator[str]:
    """Every legal answer, by brute force."""
    for parts in product(*(_said(segment) for segment in segments)):
        yield "".join(parts)


def _said(segment: Segment) -> list[str]:
    if isinstance(segment, Settled):
        return [segment.text]
    if isinstance(segment, Choice):
        return list(dict.fromkeys(segment.alternatives))
    return list(_tagged(units(segment.text)))


def _tagged(characters: list[str]) -> Iterator[str]:
    if not characters:
        yield ""
        return
    for rest in _tagged(characters[1:]):
        yield characters[0] + rest
    for size in range(1, len(characters) + 1):
        if characters[0].strip() and characters[size - 1].strip():
            for rest in _tagged(characters[size:]):
                for tag in FREE_TAGS:
                    yield f"<{tag}>{''.join(characters[:size])}</{tag}>{rest}"


def accepts(text: str, rules: str) -> bool:
    """Whether llguidance lets a model say the text, token by token, and stop there."""
    import llguidance

    matcher = llguidance.LLMatcher(qwen_vocabulary.tokenizer(), llguidance.LLMatcher.grammar_from_lark(lark(rules)))
    assert not matcher.is_error(), matcher.get_error()
    tokens = qwen_vocabulary.tokenizer().tokenize_bytes(text.encode())
    return bool(matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting())


def mutated(text: str, random_: random.Random) -> str:
    """A text a little different."""
    pieces = [
        "<County>",
        "</County>",
        "<Indicator>",
        "</Indicator>",
        "<Date>",
        "</Date>",
        " ",
        "济",
        "&",
        "OUTPUT:",
        "]]",
    ]
    at = random_.randrange(len(text) + 1)
    match random_.randrange(4):
        case 0:
            return text[:at] + random_.choice(pieces) + text[at:]
        case 1:
            return text[:at] + text[at + 1 + random_.randrange(4) :]
        case 2:
            other = random_.randrange(len(text) + 1)
            return text[: min(at, other)] + text[max(at, other) :] + text[min(at, other) : max(at, other)]
        case _:
            return text[:at]


@needs_llguidance
@pytest.mark.parametrize("segments", REQUESTS, ids=range(len(REQUESTS)))
def test_both_accept_the_whole_language_and_reject_the_same_mutations(segments: tuple[Segment, ...]) -> None:
    request = GapRequest("", segments)
    rules = grammar(segments)
    allowed = list(language(segments))
    once = [text for text in allowed if allowed.count(text) == 1]
    chosen = random.Random(1)
    for text in chosen.sample(once, min(len(once), 60)):
        assert is_legal(text, request), text
        assert accepts(text, rules), text
        for _ in range(3):
            other = mutated(text, chosen)
            assert accepts(other, rules) == (other in allowed), other
            assert is_legal(other, request) == (allowed.count(other) == 1), other


@pytest.mark.parametrize("segments", REQUESTS, ids=range(len(REQUESTS)))
def test_the_reader_knows_the_language_and_its_beginnings(segments: tuple[Segment, ...]) -> None:
    request = GapRequest("", segments)
    allowed = list(language(segments))
    chosen = random.Random(2)
    for text in chosen.sample(allowed, min(len(allowed), 300)):
        assert is_legal(text, request) == (allowed.count(text) == 1)
        cut = text[: chosen.randrange(len(text) + 1)]
        assert is_beginning(cut, segments)
        other = mutated(text, chosen)
        assert is_beginning(other, segments) == any(t.startswith(other) for t in allowed), other


def test_an_answer_that_could_mean_two_things_is_not_legal() -> None:
    request = GapRequest("", (Choice(("甲", "甲乙")), Choice(("乙丙", "丙"))))
    assert read_answer("甲乙丙", request) is None
    said = read_answer("甲丙", request)
    assert said is not None and [s.choice for s in said] == [0, 1]


def test_what_was_said_is_told_in_places_of_the_unescaped_text() -> None:
    said = read_answer("&lt;<Date>a&amp;</Date>b", GapRequest("", (Free("&lt;a&amp;b"),)))
    assert said is not None
    assert said[0].tags == ((1, 3, "Date"),)


@given(text=st.text())
def test_arbitrary_text_is_read_without_an_error(text: str) -> None:
    for segments in REQUESTS:
        assert is_legal(text, GapRequest("", segments)) == (list(language(segments)).count(text) == 1)


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12))
def test_any_text_stands_for_itself(text: str) -> None:
    escaped = escape(text)
    assert is_legal(escaped, GapRequest(text, (Free(escaped),)))
    assert grammar((Free(escaped), Settled(escaped), Choice((escaped, "x"))))


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_what_no_reader_takes_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        grammar((Free(f"a{character}"),))


def test_only_the_open_segments_is_asked_for() -> None:
    segments = (Settled("a"), Settled("b"), Free("c"), Settled("d"), Choice(("e", "f")), Settled("g"))
    assert open_segments(segments) == ("ab", segments[2:5], "g")
    assert open_segments(segments[:2]) == ("ab", (), "")


def test_the_grammar_grows_linearly_with_free_text() -> None:
    sizes = [len(grammar((Free("台" * n),))) / n for n in (50, 400)]
    assert sizes[1] < sizes[0] * 1.2


def test_a_long_wrong_answer_is_read_to_its_end() -> None:
    request = GapRequest("", (Free("台" * 500), Choice(tuple(f"{'台' * i}区" for i in range(200)))))
    for text in ("台" * 10_000, "<Indicator>" * 5_000, "<Indicator>" + "台" * 700 + "</Indicator>", " " * 50_000):
        assert not is_legal(text, request)


@needs_llguidance
@pytest.mark.parametrize("candidates", [1, 100, 2000])
def test_a_grammar_of_many_candidates_is_taken(candidates: int) -> None:
    import llguidance

    paths = [
        f"<Province>山东省</Province><City>市{i % 16}</City><Company>县{i % 140}供电公司</Company>"
        f"<Substation>所{i}供电所</Substation>"
        for i in range(candidates)
    ]
    segments = (Settled("<Date>本月</Date>"), Choice(("<Substation>所</Substation>", *paths)), Free("低电压台区数"))
    made = llguidance.LLMatcher.grammar_from_lark(lark(grammar(segments)))
    matcher = llguidance.LLMatcher(qwen_vocabulary.tokenizer(), made)
    matcher.compute_bitmask()
    assert not matcher.is_error()
