"""Out and in again, and what changed between two tables."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from qilin.hierarchy import Hierarchy, Level, diff, export

NAMES = st.sampled_from(["安阳", "曹县", "城关", "麒麟", "新城", "东", "东关"])
TABLES = st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=40)

LEVELS = ("province", "city", "company", "substation")
COMPANIES = st.sampled_from(["巨野供电公司", "巨野县供电公司", "曹县供电公司", "曹县供电中心", "国网曹县供电公司"])
LOOK_ALIKES = st.lists(st.tuples(st.just("山东省"), st.just("菏泽"), COMPANIES, st.sampled_from(["", "a所", "b所"])))


def load(paths: list[list[str]]) -> Hierarchy:
    """Every company has a row of its own too, so that none is taken for a misspelling."""
    declared = [*paths, *(path[:3] for path in paths if len(path) == 4)]
    return Hierarchy.from_rows(dict(zip(LEVELS, [*path, "", "", ""], strict=False)) for path in declared)


@given(paths=TABLES)
@settings(deadline=None)  # a busy machine is not a finding
def test_both_shapes_load_to_the_same_version(paths: list[list[str]]) -> None:
    tree = load(paths)
    assert Hierarchy.from_rows(tree.to_rows()) == tree
    assert Hierarchy.from_rows(export.parent_rows(tree)) == tree


@given(rows=LOOK_ALIKES.filter(bool))
@settings(deadline=None)  # a busy machine is not a finding
def test_look_alike_companies_survive_the_round_trip(rows: list[tuple[str, str, str, str]]) -> None:
    """What was declared on a row of its own is written on one, so that it is not taken for a misspelling."""
    declared = [*rows, *((*row[:3], "") for row in rows)]
    tree = load([list(row) for row in declared])
    assert all(finding.code == "duplicate" for finding in tree.findings)
    again = Hierarchy.from_rows(tree.to_rows())
    assert again == tree
    assert again.findings == ()


def test_files_written_out_load_to_the_same_version(tmp_path: Path) -> None:
    tree = Hierarchy.bundled()
    aliases = tmp_path / "aliases.csv"
    aliases.write_text(export.to_alias_csv(tree), encoding="utf-8")
    for text in (export.to_csv(tree), export.to_parent_csv(tree)):
        path = tmp_path / "org.csv"
        path.write_text(text, encoding="utf-8")
        assert Hierarchy.from_csv(path, aliases=aliases) == tree


def test_json() -> None:
    tree = Hierarchy.bundled()
    content = json.loads(export.to_json(tree))
    assert content["version"] == tree.version
    assert content["organisations"][1] == {
        "id": "2",
        "parent_id": "1",
        "name": "东营",
        "level": "city",
        "path": ["山东省", "东营"],
    }
    assert len(content["organisations"]) == len(tree)
    assert {row["alias"] for row in content["aliases"]} == {alias.name for alias in tree.aliases}


OLD = [
    ["山东省", "莱芜", "莱城区供电公司", "口镇供电所"],
    ["山东省", "莱芜", "莱城区供电公司", "羊里供电所"],
    ["山东省", "济南", "章丘市供电公司", "刁镇供电所"],
    ["山东省", "济南", "章丘市供电公司", "明水供电所"],
    ["山东省", "济南", "历下供电中心", "城关供电所"],
    ["山东省", "菏泽", "曹县供电公司", "城关供电所"],
    ["山东省", "菏泽", "曹县供电公司", "古营集供电所"],
    ["山东省", "菏泽", "单县供电公司", "城关供电所"],
    ["山东省", "烟台", "长岛县供电公司", ""],
]
NEW = [
    ["山东省", "济南", "莱城区供电公司", "口镇供电所"],  # moved, with its substations
    ["山东省", "济南", "莱城区供电公司", "羊里供电所"],
    ["山东省", "济南", "章丘区供电公司", "刁镇供电所"],  # renamed: the substations are the same
    ["山东省", "济南", "章丘区供电公司", "明水供电所"],
    ["山东省", "济南", "历下供电中心", "城关供电所"],
    ["山东省", "菏泽", "曹县供电公司", "磐石供电所"],
    ["山东省", "菏泽", "单县供电公司", "古营集供电所"],  # moved from 曹县
    ["山东省", "烟台", "蓬莱区供电公司", ""],
]


def test_diff() -> None:
    """Moves and renames are told as such; where two tables leave a choice, as removed and added."""
    changes = diff(load(OLD), load(NEW))
    assert [str(change) for change in changes] == [
        "removed city: 山东省/莱芜",
        "renamed company: 山东省/济南/章丘市供电公司 → 山东省/济南/章丘区供电公司",
        "added company: 山东省/烟台/蓬莱区供电公司",
        "removed company: 山东省/烟台/长岛县供电公司",
        "moved company: 山东省/莱芜/莱城区供电公司 → 山东省/济南/莱城区供电公司",
        "removed substation: 山东省/菏泽/单县供电公司/城关供电所",
        "moved substation: 山东省/菏泽/曹县供电公司/古营集供电所 → 山东省/菏泽/单县供电公司/古营集供电所",
        "removed substation: 山东省/菏泽/曹县供电公司/城关供电所",
        "added substation: 山东省/菏泽/曹县供电公司/磐石供电所",
    ]
    assert changes[0].level is Level.CITY


def test_diff_takes_former_names_for_renames(tmp_path: Path) -> None:
    aliases = tmp_path / "aliases.csv"
    aliases.write_text(
        "alias,level,canonical,kind\n长岛县供电公司,company,蓬莱区供电公司,former\n蓬莱,company,蓬莱区供电公司,forbidden\n",
        encoding="utf-8",
    )
    new = Hierarchy.from_rows(load(NEW).to_rows(), aliases=aliases)
    told = [str(change) for change in diff(load(OLD), new)]
    assert "renamed company: 山东省/烟台/长岛县供电公司 → 山东省/烟台/蓬莱区供电公司" in told


def test_diff_below_a_removed_organisation() -> None:
    """What stood below it is told as well, unless it is found elsewhere."""
    old = load([["山东省", "莱芜", "莱城区供电公司", "口镇供电所"], ["山东省", "济南", "历下供电中心", ""]])
    new = load([["山东省", "济南", "历下供电中心", "口镇供电所"]])
    assert [change.kind for change in diff(old, new)] == ["removed", "removed", "moved"]
    assert [change.kind for change in diff(load([["山东省"]]), load([["河南省"]]))] == ["removed", "added"]


@given(old=TABLES, new=TABLES)
@settings(deadline=None)  # a busy machine is not a finding
def test_diff_accounts_for_every_organisation(old: list[list[str]], new: list[list[str]]) -> None:
    """As many are removed as the counts say, none is told twice, and equal tables have no changes."""
    before, after = load(old), load(new)
    changes = diff(before, after)
    kinds = [change.kind for change in changes]
    assert len(before) - kinds.count("removed") == len(after) - kinds.count("added")
    assert len({change.old for change in changes if change.old}) == sum(bool(change.old) for change in changes)
    assert len({change.new for change in changes if change.new}) == sum(bool(change.new) for change in changes)
    assert diff(before, before) == ()
    for change in changes:
        assert not change.old or before.find("/".join(change.old))
        assert not change.new or after.find("/".join(change.new))
