"""Readings that looked certain and were not: each was once answered wrongly, without a word."""

from __future__ import annotations

import pytest

from qilin import Engine
from qilin.hierarchy import Hierarchy

KEYS = ("province", "city", "company", "substation")


def table(*paths: str) -> Engine:
    rows = [dict(zip(KEYS, path.split("/"), strict=True)) for path in paths]
    return Engine(Hierarchy.from_rows(rows), gap_filler=None)


@pytest.fixture(scope="module")
def jiangxi() -> Engine:
    return table(
        "江西省/九江/彭泽县供电公司/棉船供电所",
        "江西省/九江/彭泽县供电公司/棉科所供电所",
        "江西省/九江/湖口县供电公司/流泗供电所",
    )


@pytest.fixture(scope="module")
def jiangsu() -> Engine:
    return table(
        "江苏省/南通/如东县供电公司/苴供电所",
        "江苏省/南京/六合区供电公司/竹镇供电所",
        "江苏省/南京/六合区供电公司/马鞍供电所",
    )


@pytest.fixture(scope="module")
def beijing() -> Engine:
    return table("北京市/北京/密云区供电公司/西田各庄供电所", "北京市/北京/密云区供电公司/穆家峪供电所")


def test_equally_light_typos_are_equally_good(jiangxi: Engine) -> None:
    """棉姨所 is 棉船所 with one character wrong, and 棉科所 too; that one is said more fully decides nothing."""
    found = jiangxi.resolve("九江棉姨所举报个数")
    assert found.status == "ambiguous"
    assert [path.name for path in found.candidates] == ["棉船供电所", "棉科所供电所"]


def test_a_name_of_one_character_that_is_misspelt_is_a_guess_where_another_sounds_like_it(jiangsu: Engine) -> None:
    found = jiangsu.resolve("族镇供电所投诉")
    assert found.status == "ambiguous" and not found.targets
    assert jiangsu.resolve("如东县族镇供电所投诉").targets  # its parent tells
    assert table("江苏省/南京/六合区供电公司/竹镇供电所").resolve("族镇供电所投诉").targets  # there is no other


@pytest.mark.parametrize("query", ["西田庄各供电所投诉", "某某庄各供电所投诉", "上月大榆村各供电所投诉"])
def test_what_is_broken_down_must_be_known(beijing: Engine, query: str) -> None:
    found = beijing.resolve(query)
    assert found.status == "unresolved" and found.question is not None
    assert [unknown.kind for unknown in found.unknown] == ["organisation"]


@pytest.mark.parametrize(
    "query",
    [
        "汇总各供电所投诉",
        "密云区各供电所投诉",
        "请排查各供电所投诉",
        "投诉最多的各供电所",
        "对比各供电所投诉",
        "跳闸率各供电所投诉排名",
        "农村各供电所投诉",
        "按各供电所统计投诉",
    ],
)
def test_a_breakdown_of_all_that_is_asked_about_is_none(beijing: Engine, query: str) -> None:
    assert beijing.resolve(query).status == "resolved"
