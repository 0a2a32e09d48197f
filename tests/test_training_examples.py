"""Training rows: right by construction, apart by name, the same for the same seed."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import date

import pytest

from qilin import Engine, check
from qilin.answer.markup import parse
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Hierarchy, Level
from qilin.llm.prompt import bare_prompt, choices_prompt
from qilin.training import garble
from qilin.training.examples import generate
from qilin.training.kinds import KINDS
from qilin.training.made_up import made_up_stem, made_up_table
from qilin.training.maker import Row
from qilin.training.name_index import NameIndex
from qilin.training.split import SPLITS, Split, split_of

ORGANISATION = frozenset(LEVEL_NAMES)
# What the contract lets stand though no one organisation is meant: shared ancestors with a name that is left open.
OPEN = frozenset({"missing-parent", "unknown-organisation", "wrong-parent"})


@pytest.fixture(scope="module")
def table() -> Hierarchy:
    return Hierarchy.bundled()


@pytest.fixture(scope="module")
def rows(table: Hierarchy) -> list[Row]:
    return list(generate(table, seed=5, split="train", size=1500))


def test_the_same_seed_gives_the_same_rows_and_more_only_adds(table: Hierarchy, rows: list[Row]) -> None:
    assert list(generate(table, seed=5, split="train", size=300)) == rows[:300]
    assert list(generate(table, seed=6, split="train", size=300)) != rows[:300]
    assert len({row.query for row in rows}) == len(rows)


def test_every_kind_is_made_for_every_split(table: Hierarchy) -> None:
    for split in SPLITS:
        for kind in KINDS:
            found = list(generate(table, seed=1, split=split, size=3, kinds=[kind]))
            assert len(found) == 3, (split, kind)


def test_the_text_outside_organisations_is_the_query(rows: list[Row]) -> None:
    for row in rows:
        position = 0
        for piece in parse(row.tagged):
            if piece.tag not in ORGANISATION:
                position = row.query.index(piece.text, position) + len(piece.text)


def test_the_table_accepts_what_is_not_left_open(table: Hierarchy, rows: list[Row]) -> None:
    for row in rows:
        if "<" not in row.tagged:
            assert row.kind == "ordinary" and row.tagged == row.query
            continue
        conflicts = check(row.tagged, table)
        if row.kind != "ambiguous":
            assert not conflicts, (row, conflicts)
        else:
            assert {conflict.kind for conflict in conflicts} <= OPEN, (row, conflicts)


def test_the_rules_agree_where_they_are_sure(engine: Engine, rows: list[Row]) -> None:
    """The generator asks no resolver; where the rules resolve a plain row, they name the same organisations."""
    seen: Counter[bool] = Counter()
    for row in rows:
        if row.kind not in ("template", "plain", "several", "reordered"):
            continue
        resolution = engine.resolve(row.query, today=date(2024, 5, 13))
        if resolution.status == "resolved":
            ours = [piece for piece in parse(row.tagged) if piece.tag in ORGANISATION]
            seen[ours == [piece for piece in parse(resolution.to_xml()) if piece.tag in ORGANISATION]] += 1
    assert seen[True] > 400
    assert seen[False] <= seen.total() / 100, seen


def test_alternatives_hold_the_answer_or_it_stays_open(table: Hierarchy, rows: list[Row]) -> None:
    for row in rows:
        held = [alternative for alternative in row.alternatives if alternative in row.tagged]
        if row.kind == "garbled":
            assert len(held) >= 1, row
        if row.kind == "unknown name":
            assert not held, row


def test_no_substation_stem_or_word_of_the_test_split_is_seen_in_training(table: Hierarchy) -> None:
    index = NameIndex(table)
    seen: dict[Split, set[str]] = {}
    for split in SPLITS:
        seen[split] = set()
        for row in generate(table, seed=2, split=split, size=1200):
            for text in (row.tagged, *row.alternatives):
                seen[split] |= set(re.findall("<Substation>(.*?)</Substation>", text))
    stems = {name: index.stems[node] for node, name in enumerate(table.names) if table.levels[node] == Level.SUBSTATION}
    for name in seen["train"] & set(stems):
        assert split_of(stems[name]) == "train", name
    asked = {name for name in seen["test"] & set(stems) if split_of(stems[name]) == "test"}
    assert len(asked) > 50 and not asked & seen["train"]


def test_words_of_the_test_split_are_held_out(table: Hierarchy) -> None:
    indicators = {
        split: {
            piece.text
            for row in generate(table, seed=3, split=split, size=400, kinds=["unlisted indicator"])
            for piece in parse(row.tagged)
            if piece.tag == "Indicator"
        }
        for split in SPLITS
    }
    assert not indicators["train"] & indicators["test"] and not indicators["train"] & indicators["valid"]
    assert len(indicators["test"]) > 100


def test_invented_tables_copy_nothing(table: Hierarchy) -> None:
    invented = made_up_table(random.Random(1), "train")
    assert len(invented) > 60 and len({*invented.names} & {*table.names}) < len(invented) / 10
    found = list(generate(invented, seed=1, size=80, offer_all=True))
    assert len(found) == 80
    for row in found:
        for piece in parse(row.tagged):  # nothing has to be known by heart
            if piece.tag in ORGANISATION and row.kind not in ("ambiguous", "garbled", "unknown name"):
                assert piece.text in "".join(row.alternatives) or piece.text[:2] in row.query, row
    assert split_of(made_up_stem(random.Random(3), "test")) == "test"


@pytest.mark.parametrize(
    ("written", "stem", "far"),
    [
        ("巨野", "巨野", 0),
        ("聚野", "巨野", 1),
        ("平应", "平阴", 1.5),
        ("野巨", "巨野", 2),
        ("巨大野", "巨野", 3),
        ("火野", "巨野", 4),
    ],
)
def test_how_far_a_slip_is(written: str, stem: str, far: float) -> None:
    assert garble.distance(written, stem) == far


def test_what_is_no_slip() -> None:
    assert garble.distance("火星", "巨野县城") == garble.FAR
    assert not garble.is_plausible("火野", "巨野")
    assert garble.is_plausible("火村集", "王村集")
    assert garble.is_one_change("火野", "巨野") and garble.is_one_change("野巨", "巨野")
    assert not garble.is_one_change("具也", "巨野") and not garble.is_one_change("巨野", "巨野")
    assert garble.garble("巨", "swap", random.Random(1)) is None


def test_prompts() -> None:
    assert bare_prompt("菏泽投诉") == choices_prompt("菏泽投诉") == "菏泽投诉"
    tagged = "<Province>山东省</Province><City>菏泽</City>"
    assert choices_prompt("菏则投诉", [tagged]) == "菏则投诉\n山东省/菏泽"
