"""Substations of one character, such as 堡供电所: names by themselves, but also the rest of names that the table lacks."""

from __future__ import annotations

import pytest

from qilin import Engine
from qilin.hierarchy import Hierarchy

ROWS = [
    ("上海市", "上海", "崇明区供电公司", "堡供电所"),
    ("上海市", "上海", "崇明区供电公司", "城桥供电所"),
    ("上海市", "上海", "嘉定区供电公司", "马陆供电所"),
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    keys = ("province", "city", "company", "substation")
    return Engine(Hierarchy.from_rows([dict(zip(keys, row, strict=True)) for row in ROWS]), gap_filler=None)


@pytest.mark.parametrize(
    "query",
    ["堡供电所投诉", "崇明堡供电所投诉", "本月堡供电所投诉数量", "上海的堡供电所投诉", "马陆供电所和堡供电所投诉"],
)
def test_a_name_of_one_character_is_found(engine: Engine, query: str) -> None:
    assert "堡供电所" in [target.name for target in engine.resolve(query).targets]


@pytest.mark.parametrize(
    "query", ["崇明区供电公司青堡供电所投诉", "嘉定区供电公司比奇堡供电所", "马陆供电所和青堡供电所投诉"]
)
def test_it_is_not_the_rest_of_a_longer_name(engine: Engine, query: str) -> None:
    found = engine.resolve(query)
    assert found.status != "resolved"
    assert "堡供电所" not in [target.name for target in found.targets]
