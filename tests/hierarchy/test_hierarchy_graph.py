"""The tree itself: ids, intervals, paths, names. Any table, compared with networkx and with itself shuffled."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qilin.hierarchy import Alias, Hierarchy, HierarchyError, Level

LEVELS = ("province", "city", "company", "substation")
NAMES = st.sampled_from(["安阳", "曹县", "城关", "麒麟", "新城", "a b", "Z", "东", "东关"])
PATHS = st.lists(NAMES, min_size=1, max_size=4)
TABLES = st.lists(PATHS, min_size=1, max_size=40)


def load(paths: list[list[str]]) -> Hierarchy:
    """Every company has a row of its own too, so that none is taken for a misspelling."""
    declared = [*paths, *(path[:3] for path in paths if len(path) == 4)]
    return Hierarchy.from_rows(dict(zip(LEVELS, [*path, "", "", ""], strict=False)) for path in declared)


@pytest.fixture(scope="module")
def shandong() -> Hierarchy:
    return Hierarchy.bundled()


def test_levels() -> None:
    assert [(level.tag, level.column, level.chinese) for level in Level] == [
        ("Province", "province", "省"),
        ("City", "city", "地市"),
        ("Company", "company", "县公司"),
        ("Substation", "substation", "供电所"),
    ]


def test_the_one_qilin_under_heze(shandong: Hierarchy) -> None:
    (node,) = shandong.find("菏泽/麒麟供电所")
    assert shandong.path_names(node) == ("山东省", "菏泽", "巨野县供电公司", "麒麟供电所")
    assert shandong.levels[node] == Level.SUBSTATION
    assert shandong.paths[node] == (*shandong.ancestors(node), node)
    (company,) = shandong.find("山东省 → 巨野县供电公司")
    assert node in shandong.children(company)
    assert shandong.path_names(company) == ("山东省", "菏泽", "巨野县供电公司", None)
    assert shandong.find("济南>麒麟供电所") == shandong.find("麒麟/菏泽") == shandong.find("火星供电所") == ()
    assert shandong.find("") == shandong.find("/") == shandong.find("菏泽/") == ()


def test_aliases_find_todays_organisation(shandong: Hierarchy) -> None:
    """A former name finds the node and says that it is former; one name may find several nodes."""
    (node,) = shandong.find("定陶县供电公司")
    assert shandong.names[node] == "定陶区供电公司"
    assert shandong.aliases_of(node) == (Alias("定陶县供电公司", node, "former", None, 2016),)
    assert shandong.find("牡丹之都/定陶县供电公司") == (node,)
    assert shandong.aliases_of(0)[0].kind == "nickname"
    assert shandong.aliases_of(1) == ()
    assert [shandong.path_names(i)[1:3] for i in shandong.find("市中区供电公司")] == [
        ("枣庄", "市中区供电公司"),
        ("济南", "市中供电中心"),
    ]


def test_every_node_is_found_by_its_path(shandong: Hierarchy) -> None:
    for node in range(len(shandong)):
        names = [name for name in shandong.path_names(node) if name]
        assert shandong.find("/".join(names)) == (node,)
        assert node in shandong.find(f"{names[0]}/{names[-1]}" if len(names) > 1 else names[0])


@given(paths=TABLES, seed=st.randoms(use_true_random=False))
@settings(deadline=None)  # a busy machine is not a finding
def test_row_order_changes_nothing(paths: list[list[str]], seed: random.Random) -> None:
    shuffled = paths[:]
    seed.shuffle(shuffled)
    tree, other = load(paths), load(shuffled)
    assert (tree.names, tree.parents, tree.version) == (other.names, other.parents, other.version)
    assert tree == other
    assert hash(tree) == hash(other)


@given(paths=TABLES)
@settings(deadline=None)  # a busy machine is not a finding
def test_intervals_agree_with_networkx(paths: list[list[str]]) -> None:
    tree = load(paths)
    graph = tree.graph
    assert networkx.is_branching(graph)
    assert set(tree.provinces) == {i for i in graph if graph.in_degree(i) == 0}
    assert {tuple(tree.names[i] for i in path) for path in tree.paths} == {
        tuple(path[:depth]) for path in paths for depth in range(1, len(path) + 1)
    }
    for i in graph:
        below = networkx.descendants(graph, i)
        assert below == set(range(i + 1, tree.last[i] + 1))
        assert {j for j in graph if tree.is_ancestor(i, j)} == below | {i}
        assert set(tree.ancestors(i)) == networkx.ancestors(graph, i)
        assert list(tree.children(i)) == sorted(graph.successors(i))
        assert [tree.names[j] for j in tree.children(i)] == sorted(tree.names[j] for j in graph.successors(i))
        assert graph.nodes[i] == {"name": tree.names[i], "level": len(tree.paths[i]) - 1}
        assert tree.levels[i] == len(tree.paths[i]) - 1


@given(paths=TABLES)
@settings(deadline=None)  # a busy machine is not a finding
def test_find_is_every_node_whose_path_has_these_names_in_order(paths: list[list[str]]) -> None:
    tree = load(paths)
    for path in paths:
        for wanted in (path, path[-1:], path[::2], [path[0], path[-1]]):
            expected = []
            for i in range(len(tree)):
                names = [tree.names[j] for j in tree.paths[i]]
                rest = iter(names)
                if names[-1] == wanted[-1] and all(any(name == other for other in rest) for name in wanted):
                    expected.append(i)
            assert list(tree.find(" / ".join(wanted))) == expected


@given(paths=TABLES)
@settings(deadline=None)  # a busy machine is not a finding
def test_subset_is_the_table_of_one_province(paths: list[list[str]]) -> None:
    tree = load(paths)
    for province in {path[0] for path in paths}:
        alone = load([path for path in paths if path[0] == province])
        subset = tree.subset(province)
        assert subset == alone
        assert (subset.names, subset.levels, subset.parents) == (alone.names, alone.levels, alone.parents)
        assert (subset.last, subset.paths) == (alone.last, alone.paths)


def test_subset_takes_its_aliases_along(shandong: Hierarchy) -> None:
    assert shandong.subset("齐鲁") == shandong
    with pytest.raises(HierarchyError, match=r"no province of the table named '山西省'\. Did you mean '山东省'\?"):
        shandong.subset("山西省")
    two = load([["安阳"], ["曹县", "安阳"]])
    assert two.subset("曹县").names == ("曹县", "安阳")
    assert two.subset("安阳").names == ("安阳",)
    with pytest.raises(HierarchyError, match="no province"):
        shandong.subset("菏泽")


def test_pickles_without_graph_and_index(shandong: Hierarchy) -> None:
    tree = Hierarchy.bundled()
    before = pickle.dumps(tree)
    assert tree.graph.number_of_nodes() == len(tree)
    assert tree.find("菏泽") and tree.aliases_of(0)
    after = pickle.dumps(tree)
    assert len(after) == len(before)
    copy = pickle.loads(after)
    assert copy == tree == shandong
    assert (copy.names, copy.paths, copy.aliases, copy.findings, copy.source) == (
        tree.names,
        tree.paths,
        tree.aliases,
        tree.findings,
        tree.source,
    )
    assert copy.find("泉城") == copy.find("济南")
    error = HierarchyError("wrong.", "Right it.", "org.csv", 3)
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "org.csv:3: wrong. Right it."


def test_is_immutable(shandong: Hierarchy) -> None:
    with pytest.raises(FrozenInstanceError):
        shandong.names = ()  # type: ignore[misc]
    assert shandong != "shandong"


def test_clean_tables_load_without_networkx(tmp_path: Path) -> None:
    """The cold start: neither importing nor loading a clean table of either shape may pull networkx in."""
    parents = tmp_path / "parents.csv"
    parents.write_text("id,parent_id,name\n1,,山东省\n2,1,菏泽\n", encoding="utf-8")
    program = (
        "import sys; from qilin.hierarchy import Hierarchy; Hierarchy.bundled(); "
        f"Hierarchy.from_csv({str(parents)!r}); "
        "sys.exit(any(name in sys.modules for name in ('networkx', 'openpyxl', 'sqlalchemy')))"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == 0
