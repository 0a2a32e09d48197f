"""The tagged form: what a resolution is written as, and tagged text taken apart again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qilin import Engine, Resolution
from qilin.answer.markup import MarkupError, Piece, parse

Ask = Callable[..., Resolution]
SHANDONG, HEZE = "<Province>山东省</Province>", "<Province>山东省</Province><City>菏泽</City>"
JUYE = HEZE + "<Company>巨野县供电公司</Company>"
QILIN = JUYE + "<Substation>麒麟供电所</Substation>"
COMPLAINTS = "<Indicator>投诉</Indicator>"


@pytest.mark.parametrize(
    ("query", "tagged"),
    [
        ("菏泽市意见百万户量总数", f"{HEZE}<Indicator>意见百万户量</Indicator>总数"),
        ("麒麟供电所（菏泽巨野）投诉数量", f"{QILIN}{COMPLAINTS}数量"),
        ("麒麟供电所(菏泽、巨野)投诉", f"{QILIN}{COMPLAINTS}"),
        ("麒麟供电所 菏泽投诉", f"{QILIN}{COMPLAINTS}"),
        ("菏泽，巨野县供电公司，麒麟供电所投诉", f"{QILIN}{COMPLAINTS}"),
        ("菏泽（巨野县供电公司、麒麟供电所）投诉", f"{QILIN}{COMPLAINTS}"),
        ("【菏泽】麒麟所投诉", f"【{QILIN}】{COMPLAINTS}"),
        ("请问菏泽的麒麟所的投诉是多少？", f"请问{QILIN}的的{COMPLAINTS}是多少？"),
        ("投诉数量 菏泽麒麟", f"{COMPLAINTS}数量 {QILIN}"),
        ("麒麟投诉菏泽", f"{QILIN}{COMPLAINTS}"),
        ("菏泽巨野和曹县投诉", f"{JUYE}和{HEZE}<Company>曹县供电公司</Company>{COMPLAINTS}"),
        ("菏泽和巨野投诉", f"{HEZE}和{JUYE}{COMPLAINTS}"),
        ("菏泽各县公司投诉", f"{HEZE}各县公司{COMPLAINTS}"),
        ("菏泽除曹县外投诉", f"{HEZE}除{HEZE}<Company>曹县供电公司</Company>外{COMPLAINTS}"),
        ("昨天菏泽投诉", f"<Date>昨天</Date>{HEZE}{COMPLAINTS}"),
        ("菏澤投訴數量", f"{HEZE}<Indicator>投訴</Indicator>數量"),
        ("菏泽聚野投诉", f"{JUYE}{COMPLAINTS}"),
        ("菏泽a<b&c>投诉", f"{HEZE}a&lt;b&amp;c&gt;{COMPLAINTS}"),
        ("<City>菏泽</City>", f"&lt;City&gt;{HEZE}&lt;/City&gt;"),
        ("菏泽\ud800投诉", f"{HEZE}\ufffd{COMPLAINTS}"),
        ("菏泽\ud83d\ude00投诉", f"{HEZE}\U0001f600{COMPLAINTS}"),
        ("火星供电所投诉", f"火星供电所{COMPLAINTS}"),
        ("你好", "你好"),
        ("", ""),
        # ambiguous: what the candidates share, then the mention by its level
        ("城关供电所投诉", f"{SHANDONG}<Substation>城关供电所</Substation>{COMPLAINTS}"),
        ("潍坊城关供电所投诉", f"{SHANDONG}<City>潍坊</City><Substation>城关供电所</Substation>{COMPLAINTS}"),
        ("市中投诉", f"{SHANDONG}<Company>市中</Company>{COMPLAINTS}"),
        # conflict: each mention with its own level, no ancestors
        (
            "曹县供电公司麒麟供电所投诉",
            f"<Company>曹县供电公司</Company><Substation>麒麟供电所</Substation>{COMPLAINTS}",
        ),
        ("济宁巨野投诉", f"<City>济宁</City><Company>巨野县供电公司</Company>{COMPLAINTS}"),
    ],
)
def test_tagged_form(ask: Ask, query: str, tagged: str) -> None:
    assert ask(query).to_xml() == tagged


def test_organisations_that_scope_or_context_told_stand_in_front(ask: Ask) -> None:
    """They were said nowhere in the query, yet the tagged form must name what is asked about."""
    assert ask("意见呢", context=ask("菏泽投诉")).to_xml() == f"{HEZE}<Indicator>意见</Indicator>呢"
    assert ask("县公司投诉", scope="麒麟供电所").to_xml() == f"{JUYE}{COMPLAINTS}"


def test_names_are_escaped(engine_with: Callable[..., Engine]) -> None:
    """A name of the table is text, whatever it looks like."""
    found = engine_with("山东省,菏泽,R&D<1供电公司,").resolve("菏泽R&D<1供电公司投诉")
    assert found.to_xml() == f"{HEZE}<Company>R&amp;D&lt;1供电公司</Company>{COMPLAINTS}"


@pytest.mark.parametrize(
    ("tagged", "pieces"),
    [
        ("", []),
        ("投诉 &lt;1&gt; &amp;", [Piece(None, "投诉 <1> &")]),
        ("<City>菏泽</City>投诉", [Piece("City", "菏泽"), Piece(None, "投诉")]),
        (
            "a<City>菏泽</City><Date></Date>b",
            [Piece(None, "a"), Piece("City", "菏泽"), Piece("Date", ""), Piece(None, "b")],
        ),
        ("1 < 2 <3>", [Piece(None, "1 < 2 <3>")]),
        ("<Other>x</Other >", [Piece("Other", "x")]),
    ],
)
def test_parse(tagged: str, pieces: list[Piece]) -> None:
    """What is no tag is text."""
    assert parse(tagged) == pieces


@pytest.mark.parametrize(
    ("tagged", "tag"),
    [
        ("<City>菏泽", "<City>"),
        ("菏泽</City>", "</City>"),
        ("<City>菏泽</Company>", "</Company>"),
        ("<City><Company>菏泽</Company></City>", "<Company>"),
        ("<City>菏泽</City></City>", "</City>"),
    ],
)
def test_parse_says_which_tag_is_left_open_nested_or_never_opened(tagged: str, tag: str) -> None:
    with pytest.raises(MarkupError, match=tag):
        parse(tagged)
