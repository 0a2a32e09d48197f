"""Each small rule is noticed: with the rule switched off, the golden question named for it is answered wrongly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from datetime import date
from typing import Any, NamedTuple

import pytest
import test_golden as tables

from qilin import Engine, OrgPath


class Rule(NamedTuple):
    """A rule that can be switched off, and a golden question of Shandong that needs it.

    `target`: the dotted name that the code looks the rule up by; `off`: what stands there when the rule does nothing.
    """

    target: str
    off: Callable[..., object] | Container[str]
    query: str


def _no(*_: object) -> bool:
    return False


def _nowhere(*_: object) -> None:
    return None


NONE: frozenset[str] = frozenset()
CODES = ("山东省,菏泽,巨野县供电公司,B12供电所", "山东省,菏泽,曹县供电公司,麒麟供电所")

RULES = {
    "a lone typo needs a suffix": Rule("qilin.readings.search._is_lonely", _no, "菏泽和西明县投诉"),
    "a bare name that overlaps a longer one": Rule(
        "qilin.readings.search.overlapped_bare", lambda _: frozenset(), "菏泽市中哪个县投诉最多"
    ),
    "a fuller form elsewhere is doubted": Rule(
        "qilin.readings.link._doubt", lambda states, best, *_: best, "历下供电中心和东阿投诉"
    ),
    "a name in a number": Rule("qilin.names.gazetteer._in_number", _no, "几万张工单的投诉"),
    "an indicator in a number": Rule("qilin.names.gazetteer._in_number", _no, "菏泽一百万户投诉"),
    "a word that ends names too": Rule("qilin.text.words._PLACE_LIKE", NONE, "廖城市投诉"),
    "a word that joins two names": Rule("qilin.text.words._JOINERS", NONE, "济南和平阴的投诉，蓝屏了"),
    "a typo in a longer place": Rule("qilin.readings.typos._is_elsewhere_from", _no, "中和营供电所投诉"),
    "a typo behind a word": Rule("qilin.readings.typos._BEGINNERS", NONE, "查剧野县投诉"),
    "a place called like a word": Rule("qilin.readings.unknowns._place_before", _nowhere, "结构供电所投诉"),
    "syllables that look like filler": Rule(
        "qilin.readings.unknowns._syllables_before", _nowhere, "菏泽离我最近的供电所投诉"
    ),
    "a name at the end of a place": Rule("qilin.readings.unknowns._hidden", lambda *_: (), "中河口供电所投诉"),
}
TEARS_CODE = Rule("qilin.names.gazetteer._tears_code", _no, "AB12供电所投诉")

Short = Callable[[OrgPath], str]


def _row(query: str) -> dict[str, Any]:
    """The golden line of a question that is asked of Shandong without scope or context."""
    (row,) = (
        row
        for table in tables.TABLES
        for row in tables.golden(table)
        if query in row["queries"] and not row.keys() & {"table", "scope", "context"}
    )
    return row


def _switch_off(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule.target, rule.off)
    if any(
        rule.target.startswith(f"{name}.") and not str(module.__file__).endswith(".py")
        for name, module in sys.modules.items()
        if name.startswith("qilin.") and getattr(module, "__file__", None)
    ):
        pytest.skip("a compiled module calls its functions directly: no rule of it can be switched off")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_is_noticed(rule: Rule, monkeypatch: pytest.MonkeyPatch, short: Short, today: date) -> None:
    """What the golden line says of the question is not what the engine says without the rule."""
    row = _row(rule.query)
    _switch_off(rule, monkeypatch)
    engine = Engine(gap_filler=None)  # one of its own: nothing that was remembered with the rule, or without it, stays
    engine.resolve(rule.query, today=today)  # no error either
    with pytest.raises(AssertionError):
        tables.test_golden(row, rule.query, lambda _: engine, short, today)


@pytest.mark.parametrize(
    ("query", "wanted", "kind"),
    [
        ("B12供电所投诉", ["菏泽/巨野县供电公司/B12供电所"], None),
        ("菏泽2024年5月B12投诉", ["菏泽/巨野县供电公司/B12供电所"], None),
        ("AB12供电所投诉", [], "organisation"),
        ("B123投诉", [], "other"),
        ("2024B12投诉", [], "other"),
    ],
)
def test_a_code_is_never_torn(
    query: str, wanted: list[str], kind: str | None, engine_with: Callable[..., Engine], short: Short, today: date
) -> None:
    """B12 is the name by itself and behind Chinese characters, never in a longer code."""
    found = engine_with(*CODES).resolve(query, today=today)
    assert [short(path) for path in found.targets] == wanted
    assert [unknown.kind for unknown in found.unknown] == ([kind] if kind else [])


def test_a_torn_code_is_noticed(
    engine_with: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch, short: Short, today: date
) -> None:
    _switch_off(TEARS_CODE, monkeypatch)
    found = engine_with(*CODES).resolve(TEARS_CODE.query, today=today)
    assert [short(path) for path in found.targets] == ["菏泽/巨野县供电公司/B12供电所"]
