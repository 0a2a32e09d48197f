"""The suffix words, and the suffix behind a stem: the walk through the words must find what their pattern says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import one_of, organisation_words, registered_words
from qilin.names.rules import ADMIN_WORDS, ORG_WORDS, PEOPLE_STARTS, SUFFIX, SUFFIX_STARTS
from qilin.names.suffixes import endings, suffix_at, without_peoples

PIECES = [
    *ADMIN_WORDS,
    *ORG_WORDS,
    *sorted(SUFFIX_STARTS),
    "土家族",
    "苗族",
    "各族",
    "维吾尔",
    "自治",
    "有",
    "在",
    "投诉",
]


def by_pattern(text: str, position: int) -> str:
    match = SUFFIX.match(text, position)
    return "" if match is None else match[0]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.integers(0, 4))
def test_the_walk_finds_what_the_pattern_finds(text: str, position: int) -> None:
    expected = by_pattern(text, position)
    behind = text[position + len(expected) :]
    if expected.endswith("所") and not expected.endswith("供电所") and behind[:1] in ("有", "在"):
        expected = expected[:-1]  # no piece goes on with 多少 and the like
    assert suffix_at(text, position) == expected


@pytest.mark.parametrize("suffix", [*ADMIN_WORDS, *ORG_WORDS, *(a + o for a in ADMIN_WORDS for o in ORG_WORDS)])
def test_every_suffix_is_found_whole(suffix: str) -> None:
    assert suffix_at(f"某{suffix}，投诉", 1) == suffix
    assert endings(suffix)[-1] == (len(suffix), suffix)


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("土家族自治县供电公司投诉", "土家族自治县供电公司"),
        ("土家族的自治县", ""),
        ("所有投诉", ""),
        ("所有多少投诉", "所"),
        ("供电所有投诉", "供电所"),
        ("街道办事处供电所", "街道办事处供电所"),
        ("新区供电公司", "新区供电公司"),
        ("新供电公司", ""),
        ("", ""),
    ],
)
def test_the_longest_suffix(text: str, suffix: str) -> None:
    assert suffix_at(text, 0) == suffix


def test_peoples_say_nothing_of_their_own() -> None:
    assert without_peoples("土家族苗族自治县供电公司") == "自治县供电公司"
    assert without_peoples("县供电公司") == "县供电公司"
    assert endings("土家族自治县") == ((0, ""), (6, "自治县"))


def test_no_ordinary_suffix_begins_like_a_people() -> None:
    """What begins so is left to the pattern, which is slower."""
    assert PEOPLE_STARTS.isdisjoint(word[0] for word in (*ADMIN_WORDS, *ORG_WORDS))


# One row is all that a word needs --------------------------------------------------------------------------

SUBSTATION_WORDS = [word for word in organisation_words(Level.SUBSTATION) if len(word) > 1]


@pytest.fixture(scope="module")
def small(engine_with: Callable[..., Any]) -> Any:
    """Two substations of Shanghai, one of them of one character."""
    return engine_with("上海市,上海,崇明区供电公司,堡供电所", "上海市,上海,崇明区供电公司,城桥供电所")


@pytest.mark.parametrize("word", SUBSTATION_WORDS)
def test_a_word_of_substations_is_known_wherever_one_is_named(small: Any, word: str) -> None:
    """In a name, in one that the table lacks or has only the end of, in a breakdown, and in a relative name."""
    assert small.resolve(f"城桥{word}投诉").substation == "城桥供电所"
    for name in ("火星", "青堡"):
        found = small.resolve(f"崇明区{name}{word}投诉")
        assert (found.status, [unknown.text for unknown in found.unknown]) == ("unresolved", [name + word])
    found = small.resolve(f"崇明各{word}投诉")
    assert (found.status, found.group_by, found.unknown) == ("resolved", "Substation", ())
    assert small.resolve(f"本{word}投诉", scope="崇明区供电公司/城桥供电所").substation == "城桥供电所"


def test_registered_words_are_words_of_organisations() -> None:
    assert set(registered_words(*Level)) <= set(organisation_words(*Level))


def test_a_longer_word_is_tried_before_its_beginning() -> None:
    assert one_of(["街道", "街道办", "乡", "街道"]) == "(?:街道办|街道|乡)"
