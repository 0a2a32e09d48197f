"""Everyday sentences that name no organisation yield none, whatever table they are asked of."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchmarks.oracle import Table
from qilin import Engine
from qilin.hierarchy import Hierarchy

GOLDEN = Path(__file__).parent / "golden" / "everyday.txt"
CHINA = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
PROVINCES = sorted(str(path[0]) for path in Table.read(CHINA).by_level[0])


def sentences() -> list[str]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_there_are_sentences_and_provinces_enough() -> None:
    assert len(sentences()) > 300 and len(set(sentences())) == len(sentences())
    assert len(PROVINCES) == 31


@pytest.mark.parametrize("province", PROVINCES)
def test_everyday_sentences_name_nothing(province: str, china: Hierarchy, today: date) -> None:
    """No target and nothing taken out, though places go by words such as 建设, 和平, 新城."""
    engine = Engine(china.subset(province))
    found = {}
    for sentence in sentences():
        resolution = engine.resolve(sentence, today=today)
        if resolution.targets or resolution.excluded:
            found[sentence] = [str(path) for path in (*resolution.targets, *resolution.excluded)]
    assert found == {}


def test_everyday_sentences_name_nothing_in_shandong(engine: Engine, today: date) -> None:
    """The bundled table has declared aliases and nicknames as well."""
    assert [s for s in sentences() if engine.resolve(s, today=today).targets] == []


def test_the_same_sentences_about_a_city_are_about_that_city(engine: Engine, today: date) -> None:
    """菏泽市 in front is found whatever follows; no word of the sentence adds another target."""
    answered = 0
    for sentence in sentences():
        found = engine.resolve("菏泽市" + sentence, today=today)
        if found.status == "resolved":
            answered += 1
            assert [str(path) for path in found.targets] == ["山东省 → 菏泽"], sentence
        else:
            assert found.targets == () and found.question, sentence
    assert answered > 0.8 * len(sentences())
