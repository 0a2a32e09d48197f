"""Folding: what looks the same is the same, and spans still cut the query as it was given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qilin import OrgPath, Resolution
from qilin.text.normalize import FoldTable

QILIN = "菏泽/巨野县供电公司/麒麟供电所"


def fold(text: str) -> str:
    return FoldTable.standard().fold(text).text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＡＢＣ１２３", "ABC123"),
        ("abc", "ABC"),
        ("菏澤巨野縣供電公司", "菏泽巨野县供电公司"),
        ("投訴數量", "投诉数量"),
        ("⽇照⻓清⻰口", "日照长清龙口"),  # radicals for ideographs
        ("\uf914\uf9dc", "乐隆"),  # compatibility ideographs
        ("\u6236", "户"),
        ("①㈠㎡", "1(一)M2"),
        ("麒\u200b麟\ufeff", "麒麟"),
        ("麒\u0301麟\u20dd", "麒麟"),
        ("麒\x00麟\x7f\u202e", "麒麟"),
        ("菏泽\u3000麒麟\t投诉\r\n", "菏泽 麒麟 投诉  "),
        ("菏泽—麒麟", "菏泽-麒麟"),
        ("\ufdfa", "\ufdfa"),  # one that unfolds to eighteen characters stays as it is
        ("\U0002f800", "丽"),
        ("\ud800", "\ud800"),
        ("", ""),
    ],
)
def test_fold(written: str, read: str) -> None:
    """Width, script, radicals, compatibility forms, invisible and combining characters."""
    assert fold(written) == read


@given(text=st.text())
def test_folding_twice_changes_nothing_more_and_offsets_are_in_order(text: str) -> None:
    """Every folded character knows where it came from; a span never loses half of an original character."""
    folded = FoldTable.standard().fold(text)
    assert fold(folded.text) == folded.text
    places = [folded.span(i, i + 1) for i in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)
    if folded.offsets is None:
        assert folded.text == text


@pytest.mark.parametrize(
    ("query", "surfaces"),
    [
        ("菏澤麒麟供電所投訴數量", ["菏澤", "麒麟供電所", "投訴"]),
        ("菏\u200b泽麒\u200b麟供电所投诉", ["菏\u200b泽", "麒\u200b麟供电所", "投诉"]),
        ("\u200b菏泽\u200b麒麟\u200b投诉", ["菏泽", "麒麟", "投诉"]),
        ("菏泽麒麟\u0301供电所投诉", ["菏泽", "麒麟\u0301供电所", "投诉"]),
        ("菏\x00泽麒麟投\x00诉", ["菏\x00泽", "麒麟", "投\x00诉"]),
        ("㎡菏泽麒麟㎡投诉", ["菏泽", "麒麟", "投诉"]),
        ("\U0001f600菏泽\U0001f600麒麟投诉", ["菏泽", "麒麟", "投诉"]),
    ],
)
def test_spans_are_offsets_into_the_query_as_given(
    ask: Callable[..., Resolution], short: Callable[[OrgPath], str], query: str, surfaces: list[str]
) -> None:
    """Whatever the fold removed, added or replaced, the surface form is what the person wrote."""
    found = ask(query)
    assert [short(path) for path in found.targets] == [QILIN]
    named = [entity for entity in found.entities if entity.start is not None]
    assert [entity.text for entity in named] == surfaces
    assert [query[entity.start : entity.end] for entity in named] == surfaces


@pytest.mark.parametrize(
    "query", ["⽇照投诉", "日照投訴", "日\u200d照投诉", "日\u20dd照投诉", "【日照】投诉", "日照​投诉"]
)
def test_look_alikes_name_the_same_city(
    ask: Callable[..., Resolution], short: Callable[[OrgPath], str], query: str
) -> None:
    assert [short(path) for path in ask(query).targets] == ["日照"]


def test_names_of_the_table_are_folded_too(engine_with: Callable[..., object], today: object) -> None:
    """A table typed in traditional characters and full width answers simplified questions, and prints its own names."""
    engine = engine_with("山東省,菏澤,巨野縣供電公司,麒麟供電所")
    found = engine.resolve("菏泽巨野县供电公司麒麟供电所投诉", today=today)  # type: ignore[attr-defined]
    assert str(found.targets[0]) == "山東省 → 菏澤 → 巨野縣供電公司 → 麒麟供電所"
    assert found.entities[-2].text == "麒麟供电所"
