"""Anything at all as a table: a tree or a HierarchyError, and no row without an account of it."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from qilin.hierarchy import Hierarchy, HierarchyError, lint
from qilin.hierarchy.cells import read_cell

CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "",
            "山东省",
            "菏泽",
            "巨野县供电公司",
            "巨野供电公司",
            "麒麟供电所",
            " 麒麟供电所",
            "曹县（作废）",
            "无",
            "a/b",
            "1",
            "2",
        ]
    ),
    st.text(max_size=5),
)
LEVELS = ("province", "city", "company", "substation")


def account(tree: Hierarchy) -> set[int]:
    return {finding.row for finding in tree.findings if finding.row is not None}


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=12))
@settings(deadline=None)
def test_every_path_row_is_in_the_tree_or_told(rows: list[tuple[str, str, str, str]]) -> None:
    try:
        tree = Hierarchy.from_rows(dict(zip(LEVELS, row, strict=True)) for row in rows)
    except HierarchyError:
        return
    told = account(tree)
    refused = {finding.row for finding in tree.findings if finding.severity == "error"}
    found = {tree.path_names(i) for i in range(len(tree))}
    for number, row in enumerate(rows, 1):
        path = tuple(read_cell(cell).name or None for cell in row)
        if any(cell.strip() for cell in row):
            assert number in told or path in found
            assert number in refused or path in found or path == (None,) * 4
    allowed = {read_cell(cell).name for row in rows for cell in row}
    assert set(tree.names) <= allowed  # nothing is invented


@given(rows=st.lists(st.tuples(*[st.sampled_from(["1", "2", "3", "4", "5", "", "0"])] * 2, CELLS), max_size=12))
@example(rows=[("1", "2", "a"), ("2", "3", "b"), ("3", "2", "c"), ("4", "", "山东省")])
@settings(deadline=None)
def test_every_parent_row_is_in_the_tree_or_told(rows: list[tuple[str, str, str]]) -> None:
    try:
        tree = Hierarchy.from_rows({"id": i, "parent_id": parent, "name": name} for i, parent, name in rows)
    except HierarchyError:
        return
    silent = [row for number, row in enumerate(rows, 1) if any(row) and number not in account(tree)]
    names = [tree.names[i] for i in range(len(tree))]
    for _, _, name in silent:
        assert read_cell(name).name in names or not name.strip()
    assert len(silent) <= len(tree) <= len(rows)


@given(
    content=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
)
@example(content=b'province,city,company,substation\n"')
@example(content=b"province,city,company,substation\n" + b"x" * 200_000)
@settings(deadline=None)
def test_any_bytes_give_a_tree_or_a_told_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("org.csv", "org.xlsx"):
            path = Path(folder) / name
            for head in (b"", b"province,city,company,substation\n", b"id,parent_id,name,level\n"):
                path.write_bytes(head + content)
                for read in (Hierarchy.load, lint):
                    try:
                        read(path)
                    except HierarchyError as error:
                        assert str(error).startswith(str(path))
                        assert error.advice


def test_a_huge_cell_is_told(tmp_path: Path) -> None:
    path = tmp_path / "org.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([LEVELS, ["山" * 10_000, "", "", ""], ["山东省", "", "", ""]])
    (finding,) = Hierarchy.from_csv(path).findings
    assert len(str(finding)) < 300
