"""Damaged tables, kind by kind: the exact message, and what is left of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from qilin.hierarchy import Hierarchy, HierarchyError

PATHS = "province,city,company,substation\n"
PARENTS = "id,parent_id,name\n"
LEVELS = "id,parent_id,name,level\n"
JUYE = "山东省,菏泽,巨野县供电公司,大义供电所\n"
LISTED = (
    "山东省,菏泽,巨野县供电公司,\n山东省,菏泽,曹县供电公司,\n山东省,菏泽,单县供电公司,\n"
    "山东省,菏泽,曹县供电公司,古营集供电所\n山东省,菏泽,单县供电公司,李田楼供电所\n"
)
HEZE = "1,,山东省\n2,1,菏泽\n"

# name: (table, "severity code row: message advice" for every finding, paths without children that are left)
GOLDEN: dict[str, tuple[str, list[str], list[str]]] = {
    "clean": (PATHS + JUYE, [], ["山东省/菏泽/巨野县供电公司/大义供电所"]),
    "company misspelt": (
        PATHS + JUYE + "山东省,菏泽,巨野县供电公司,龙堌供电所\n山东省,菏泽,巨野供电公司,麒麟供电所\n",
        [
            "error orphan 4: substation '麒麟供电所' has company '巨野供电公司', which no row of its "
            "city 菏泽 declares. "
            "Did you mean '巨野县供电公司'? Correct the row, or add the company on a row of its own."
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所", "山东省/菏泽/巨野县供电公司/龙堌供电所"],
    ),
    "company misspelt in more rows than not, but the right one is declared": (
        PATHS + "山东省,菏泽,巨野县供电公司,\n山东省,菏泽,巨野供电公司,麒麟供电所\n",
        [
            "error orphan 3: substation '麒麟供电所' has company '巨野供电公司', which no row of its "
            "city 菏泽 declares. "
            "Did you mean '巨野县供电公司'? Correct the row, or add the company on a row of its own."
        ],
        ["山东省/菏泽/巨野县供电公司"],
    ),
    "a tie goes to the name that has its 县": (
        PATHS + JUYE + "山东省,菏泽,巨野供电公司,麒麟供电所\n",
        [
            "error orphan 3: substation '麒麟供电所' has company '巨野供电公司', "
            "which no row of its city 菏泽 declares. "
            "Did you mean '巨野县供电公司'? Correct the row, or add the company on a row of its own."
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "the advice followed, no other finding comes of it": (
        PATHS + JUYE + "山东省,菏泽,巨野供电公司,\n山东省,菏泽,巨野供电公司,麒麟供电所\n",
        [],
        ["山东省/菏泽/巨野供电公司/麒麟供电所", "山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "a city that lists its companies, but for one": (
        PATHS + JUYE + LISTED + "山东省,菏泽,巨也县供电公司,麒麟供电所\n河南省,安阳,滑县供电公司,城关供电所\n",
        [
            "error orphan 8: substation '麒麟供电所' has company '巨也县供电公司', "
            "which no row of its city 菏泽 declares. "
            "Did you mean '巨野县供电公司'? Correct the row, or add the company on a row of its own."
        ],
        [
            "山东省/菏泽/单县供电公司/李田楼供电所",
            "山东省/菏泽/巨野县供电公司/大义供电所",
            "山东省/菏泽/曹县供电公司/古营集供电所",
            "河南省/安阳/滑县供电公司/城关供电所",
        ],
    ),
    "a company without substations obliges no other": (
        PATHS + "山东省,菏泽,曹县供电公司,\n" + JUYE,
        [],
        ["山东省/菏泽/巨野县供电公司/大义供电所", "山东省/菏泽/曹县供电公司"],
    ),
    "both look-alikes declared": (
        PATHS + "山东省,菏泽,巨野供电公司,\n山东省,菏泽,巨野县供电公司,\n" + JUYE,
        [],
        ["山东省/菏泽/巨野供电公司", "山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "empty levels": (
        PATHS + JUYE + "山东省,菏泽,,麒麟供电所\n,菏泽,曹县供电公司,\n,,,\n\n",
        [
            "error level-order 3: substation '麒麟供电所' has an empty company. Fill in the cell "
            "(unmerge merged cells first).",
            "error level-order 4: company '曹县供电公司' has an empty province. Fill in the cell "
            "(unmerge merged cells first).",
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "names in the wrong column": (
        PATHS + JUYE + "山东省,菏泽,麒麟供电所,巨野县供电公司\n菏泽,山东省,曹县供电公司,\n麒麟供电所,,,\n",
        [
            "error level-order 3: the column company holds '麒麟供电所', which is named like a substation. "
            "Put each name in the column of its own level.",
            "error level-order 3: the column substation holds '巨野县供电公司', which is named like a company. "
            "Put each name in the column of its own level.",
            "error level-order 4: the column city holds '山东省', which is named like a province. "
            "Put each name in the column of its own level.",
            "error level-order 5: the column province holds '麒麟供电所', which is named like a substation. "
            "Put each name in the column of its own level.",
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "void rows": (
        PATHS + JUYE + "山东省,菏泽,巨野县供电公司,麒麟供电所（作废）\n"
        "山东省,菏泽,曹县供电公司(测试),古营集供电所\n山东省,菏泽,单县供电公司【已撤销】,\n",
        [
            "error void-row 3: substation '麒麟供电所（作废）' is marked （作废）. "
            "Remove the row, or the mark if the organisation is in service.",
            "error void-row 4: company '曹县供电公司(测试)' is marked (测试). "
            "Remove the row, or the mark if the organisation is in service.",
            "error void-row 5: company '单县供电公司【已撤销】' is marked 【已撤销】. "
            "Remove the row, or the mark if the organisation is in service.",
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "blanks and duplicates": (
        PATHS
        + "山东省,菏泽 ,巨野县供电公司,大义供电所\u3000\n山东省,菏泽,巨野县供电公司,麒\u200b麟供电所\n"
        + JUYE
        + "山东省,菏泽,巨野县供电公司,田 桥供电所\n",
        [
            "warning blank 2: city '菏泽' has blanks around it. Clean the cell; the name is used without them.",
            "warning blank 2: substation '大义供电所' has blanks around it. "
            "Clean the cell; the name is used without them.",
            "warning blank 3: substation '麒麟供电所' has invisible characters in it. "
            "Clean the cell; the name is used without them.",
            "warning duplicate 4: '山东省/菏泽/巨野县供电公司/大义供电所' was declared in row 2 already. "
            "Remove one of the rows.",
            "warning blank 5: substation '田 桥供电所' has a blank inside. "
            "It is kept; remove it if it does not belong there.",
        ],
        [
            "山东省/菏泽/巨野县供电公司/大义供电所",
            "山东省/菏泽/巨野县供电公司/田 桥供电所",
            "山东省/菏泽/巨野县供电公司/麒麟供电所",
        ],
    ),
    "no names": (
        PATHS
        + JUYE
        + '山东省,菏泽,巨野县供电公司,"大\n义供电所"\n山东省,菏泽,巨野县供电公司,a/b\n山东省,菏泽,巨野县供电公司,无\n'
        + f"山东省,菏泽,巨野县供电公司,{'长' * 120}\n山东省,菏泽,巨野县供电公司,a\x07b\n",
        [
            "error bad-row 3: substation '大\ufffd义供电所' contains a line break. "
            "Remove the break, or the quotation mark that swallows the lines after it.",
            "error bad-row 5: substation 'a/b' contains '/', which separates the names of a path. Correct the name.",
            "error bad-row 6: substation '无' is a placeholder, not a name. Correct the name.",
            f"error bad-row 7: substation '{'长' * 40}…' has 120 characters, more than 100. Correct the name.",
            "error bad-row 8: substation 'a\ufffdb' contains the character U+0007. Correct the name.",
        ],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "cells missing or too many": (
        PATHS + JUYE + "山东省,菏泽,巨野县供电公司,大义,供电所\n山东省,济南\n山东省,菏泽,巨野县供电公司,大义供电所,\n",
        [
            "error bad-row 3: the row has 5 cells, its header 4. Put a cell that holds a comma in quotes.",
            "warning bad-row 4: the row has 2 cells, its header 4; the others are read as empty. Add the commas.",
            "warning duplicate 5: '山东省/菏泽/巨野县供电公司/大义供电所' was declared in row 2 already. "
            "Remove one of the rows.",
        ],
        ["山东省/济南", "山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
    "cycle of three, and what hangs on it": (
        PARENTS + HEZE + "3,4,曹县供电公司\n4,5,单县供电公司\n5,3,成武县供电公司\n6,5,麒麟供电所\n7,6,一班\n",
        [
            *(
                f"error cycle {row}: '{name}' is its own ancestor: 曹县供电公司 (id 3, row 4) → "
                f"单县供电公司 (id 4, row 5)"
                " → 成武县供电公司 (id 5, row 6) → 曹县供电公司 (id 3, row 4). Correct the parent_id of one of them."
                for row, name in ((4, "曹县供电公司"), (5, "单县供电公司"), (6, "成武县供电公司"))
            ),
            "error orphan 7: '麒麟供电所' stands below row 6, which is refused. "
            "Correct that row, or give this one another parent.",
            "error orphan 8: '一班' stands below row 7, which is refused. "
            "Correct that row, or give this one another parent.",
        ],
        ["山东省/菏泽"],
    ),
    "its own parent": (
        PARENTS + HEZE + "3,3,曹县供电公司\n",
        [
            "error cycle 4: '曹县供电公司' is its own ancestor: 曹县供电公司 (id 3, row 4) → "
            "曹县供电公司 (id 3, row 4). "
            "Correct the parent_id of one of them."
        ],
        ["山东省/菏泽"],
    ),
    "parents that are not there": (
        PARENTS + "01,,山东省\n02,01,菏泽\n3,99,曹县供电公司\n4,2,巨野县供电公司\n5,3,麒麟供电所\n",
        [
            "error missing-parent 4: '曹县供电公司' has parent_id '99', which is no row's id. "
            "Correct it, or add the parent's row.",
            "error missing-parent 5: '巨野县供电公司' has parent_id '2', which is no row's id. "
            "Did you mean '02'? Correct it, or add the parent's row.",
            "error orphan 6: '麒麟供电所' stands below row 4, which is refused. "
            "Correct that row, or give this one another parent.",
        ],
        ["山东省/菏泽"],
    ),
    "ids": (
        PARENTS
        + "1,,山东省\n2,1,菏泽\n2,1,济南\n3,2,曹县供电公司\n4,1,济宁\n4,1,济宁\n,1,枣庄\n6,1,\n7,1,泰安（作废）\n"
        + "8,7,宁阳县供电公司\n9,1,济宁\n10,9,邹城市供电公司\n11,1,烟 台\n",
        [
            "error duplicate 3: '菏泽': id '2' is given to different organisations in rows 3, 4. "
            "Give each an id of its own.",
            "error duplicate 4: '济南': id '2' is given to different organisations in rows 3, 4. "
            "Give each an id of its own.",
            "error orphan 5: '曹县供电公司' stands below row 4, which is refused. "
            "Correct that row, or give this one another parent.",
            "warning duplicate 7: id '4' was declared in row 6 already, with the same content. Remove one of the rows.",
            "error bad-row 8: '枣庄' has no id. Give the row an id.",
            "error bad-row 9: id '6' has no name. Fill in the name, or remove the row.",
            "error void-row 10: name '泰安（作废）' is marked （作废）. "
            "Remove the row, or the mark if the organisation is in service.",
            "error orphan 11: '宁阳县供电公司' stands below row 10, which is refused. "
            "Correct that row, or give this one another parent.",
            "warning duplicate 12: '山东省/济宁' was declared in row 6 already, with another id. "
            "The two are read as one organisation; remove one, or give it its own name.",
            "warning blank 14: name '烟 台' has a blank inside. It is kept; remove it if it does not belong there.",
        ],
        ["山东省/济宁/邹城市供电公司", "山东省/烟 台"],
    ),
    "levels that the parents contradict": (
        LEVELS
        + "0,,国家电网,\n1,0,山东省,province\n2,1,菏泽,City\n3,2,麒麟供电所,substation\n4,2,曹县供电公司,县公司\n"
        + "5,4,大集供电所,班组\n6,4,古营集供电所,\n7,6,一班,\n8,,济南,city\n9,8,市中供电中心,\n",
        [
            "info extra-root 2: '国家电网' stands above the provinces and is left out of the tree. "
            "Give it the level province if it is one.",
            "error level-order 5: substation '麒麟供电所' stands below city '菏泽', where a company belongs. "
            "Correct its level or its parent_id.",
            "error level-order 7: '大集供电所' has level '班组', which is none of province (省), city (地市), "
            "company (县公司), substation (供电所). Correct it, or leave it empty: depth decides then.",
            "error level-order 9: '一班' stands below substation '古营集供电所'; the tree has four levels. "
            "Remove the row, or correct its parent_id.",
            "error level-order 10: city '济南' stands without a parent, where a province belongs. "
            "Correct its level or its parent_id.",
            "error orphan 11: '市中供电中心' stands below row 10, which is refused. "
            "Correct that row, or give this one another parent.",
        ],
        ["山东省/菏泽/曹县供电公司/古营集供电所"],
    ),
    "a register without cities": (
        PARENTS + "1,,山东省\n2,1,菏泽\n3,1,曹县供电公司\n4,3,古营集供电所\n",
        [
            "error level-order 4: '曹县供电公司' stands where a city belongs, but is named like a company. "
            "Correct its parent_id, or add a level column.",
            "error orphan 5: '古营集供电所' stands below row 4, which is refused. "
            "Correct that row, or give this one another parent.",
        ],
        ["山东省/菏泽"],
    ),
    "head office above the provinces": (
        PARENTS + "1,0,国家电网有限公司\n2,1,山东省\n3,2,菏泽\n",
        [
            "info extra-root 2: '国家电网有限公司' stands above the provinces and is left out of the tree. "
            "Give it the level province if it is one."
        ],
        ["山东省/菏泽"],
    ),
    "five levels below a root that is no province": (
        PARENTS + "1,-1,集团\n2,1,山东省\n3,2,菏泽\n4,3,曹县供电公司\n5,4,古营集供电所\n",
        [
            "info extra-root 2: '集团' stands above the provinces and is left out of the tree. "
            "Give it the level province if it is one."
        ],
        ["山东省/菏泽/曹县供电公司/古营集供电所"],
    ),
    "five levels below a province": (
        PARENTS + "1,NULL,国网山东省电力公司\n2,1,菏泽\n3,2,曹县供电公司\n4,3,古营集供电所\n5,4,一班\n",
        [
            "error level-order 6: '一班' stands below substation '古营集供电所'; the tree has four levels. "
            "Remove the row, or correct its parent_id."
        ],
        ["国网山东省电力公司/菏泽/曹县供电公司/古营集供电所"],
    ),
    "several roots are provinces": (PARENTS + "1,,山东省\n2,,国家电网\n", [], ["国家电网", "山东省"]),
    "id 0 is a row": (PARENTS + "0,,山东省\n1,0,菏泽\n", [], ["山东省/菏泽"]),
    "Chinese headers, another order, columns of no concern": (
        " 供电所 ,备注,县公司,地市,省\n大义供电所,x,巨野县供电公司,菏泽,山东省\n",
        [],
        ["山东省/菏泽/巨野县供电公司/大义供电所"],
    ),
}


@pytest.mark.parametrize(("table", "findings", "left"), GOLDEN.values(), ids=GOLDEN.keys())
def test_damaged_table(tmp_path: Path, table: str, findings: list[str], left: list[str]) -> None:
    """Each bad row is told with its row and what to do, and everything else is loaded."""
    path = tmp_path / "org.csv"
    path.write_text(table, encoding="utf-8", newline="")
    tree = Hierarchy.from_csv(path)
    assert [f"{f.severity} {f.code} {str(f).removeprefix(f'{path}:')}" for f in tree.findings] == findings
    leaves = ["/".join(name for name in tree.path_names(i) if name) for i in range(len(tree)) if tree.last[i] == i]
    assert leaves == left


@pytest.mark.parametrize(("table", "findings", "left"), GOLDEN.values(), ids=GOLDEN.keys())
def test_refuse_raises_on_the_first_bad_row(tmp_path: Path, table: str, findings: list[str], left: list[str]) -> None:
    """With on_bad_row="refuse" the first error is raised, the others counted; warnings do not stop a load."""
    path = tmp_path / "org.csv"
    path.write_text(table, encoding="utf-8", newline="")
    errors = [finding.split(" ", 2)[2] for finding in findings if finding.startswith("error")]
    if not errors:
        assert len(Hierarchy.from_csv(path, on_bad_row="refuse")) >= len(left)
        return
    with pytest.raises(HierarchyError) as raised:
        Hierarchy.from_csv(path, on_bad_row="refuse")
    assert str(raised.value).startswith(f"{path}:{errors[0]}")
    assert (f"({len(errors) - 1} more row" in str(raised.value)) == (len(errors) > 1)
    assert len([finding for finding in raised.value.findings if finding.severity == "error"]) == len(errors)


UNUSABLE = {
    "all bad": (
        PATHS + "山东省,,巨野县供电公司,\n山东省,,曹县供电公司,\n",
        ":2: company '巨野县供电公司' has an empty city. Fill in the cell (unmerge merged cells first). "
        "(1 more row refused; lint lists them.)",
    ),
    "empty": ("", ": the table is empty. It needs a header and at least one organisation."),
    "blank lines": ("\n,,\n \n", ": the table is empty. It needs a header and at least one organisation."),
    "only a header": (PATHS, ":1: the table has a header but no rows. Add at least one organisation."),
    "no header": (
        JUYE,
        ":1: the header (山东省, 菏泽, 巨野县供电公司, 大义供电所) lacks province, city, company, substation. "
        "Begin the table with province,city,company,substation or id,parent_id,name, "
        "or say with columns what these are called.",
    ),
    "no substation column": (
        "province,city,company\n山东省,菏泽,曹县供电公司\n",
        ":1: the header (province, city, company) lacks substation. "
        "Begin the table with province,city,company,substation or id,parent_id,name, "
        "or say with columns what these are called.",
    ),
    "no parent column": (
        "id,parent,name\n1,,山东省\n",
        ":1: the header (id, parent, name) lacks parent_id. "
        "Begin the table with province,city,company,substation or id,parent_id,name, "
        "or say with columns what these are called.",
    ),
    "a column twice": (
        "province,city,城市,City,company,substation\na,b,c,d,e,f\n",
        ":1: the header has 2 columns for city: city, City. Rename or remove all but one.",
    ),
    "open quote": (
        PATHS + JUYE + '山东省,菏泽,巨野县供电公司,"麒麟供电所\n山东省,济南,,\n',
        ":3: the row that begins here cannot be read (unexpected end of data). "
        "Close or remove its stray quotation mark.",
    ),
    "only a cycle": (
        PARENTS + "1,2,山东省\n2,1,菏泽\n",
        ":2: '山东省' is its own ancestor: 山东省 (id 1, row 2) → 菏泽 (id 2, row 3) → 山东省 (id 1, row 2). "
        "Correct the parent_id of one of them. (1 more row refused; lint lists them.)",
    ),
}


@pytest.mark.parametrize(("table", "message"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_table(tmp_path: Path, table: str, message: str) -> None:
    """A table that nothing can be made of raises, with file, row, what is wrong and what to do."""
    path = tmp_path / "org.csv"
    path.write_text(table, encoding="utf-8", newline="")
    with pytest.raises(HierarchyError) as raised:
        Hierarchy.from_csv(path)
    assert str(raised.value) == f"{path}{message}"
    assert isinstance(raised.value, ValueError)


def test_long_cycle_is_cut(tmp_path: Path) -> None:
    """A cycle of hundreds does not repeat all its members in each of their findings."""
    path = tmp_path / "org.csv"
    ring = "".join(f"{i},{i % 300 + 1},供{i}\n" for i in range(1, 301))
    path.write_text(PARENTS + "a,,山东省\n" + ring, encoding="utf-8")
    findings = Hierarchy.from_csv(path).findings
    assert [finding.code for finding in findings] == ["cycle"] * 300
    assert "(288 members between the last two left out)" in findings[0].message
    assert len(findings[0].message) < 600


def test_deep_chain_needs_no_recursion(tmp_path: Path) -> None:
    """A chain of parents thousands deep is refused below the fourth level, row by row."""
    path = tmp_path / "org.csv"
    path.write_text(PARENTS + "0,,山东省\n" + "".join(f"{i},{i - 1},n{i}\n" for i in range(1, 5001)))
    tree = Hierarchy.from_csv(path)
    assert len(tree) == 4
    assert len(tree.findings) == 5001 - 4


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    """`columns` maps our names to the file's, for both shapes, and says when it is the wrong way round."""
    path = tmp_path / "org.csv"
    path.write_text("省公司,市公司,company,班所\n山东省,菏泽,曹县供电公司,古营集供电所\n", encoding="utf-8")
    names = {"province": "省公司", "city": "市公司", "substation": "班所"}
    by_path = Hierarchy.from_csv(path, columns=names)
    path.write_text("ORG_ID,PID,ORG_NAME\n1,,山东省\n2,1,菏泽\n3,2,曹县供电公司\n4,3,古营集供电所\n", encoding="utf-8")
    by_parent = Hierarchy.from_csv(path, columns={"id": "org_id", "parent_id": "pid", "name": "org_name"})
    assert by_path == by_parent
    with pytest.raises(HierarchyError, match="It maps our names to the file's, not the other way round"):
        Hierarchy.from_csv(path, columns={"ORG_ID": "id"})
    with pytest.raises(HierarchyError, match=r"columns names 'ident', which is no column of ours\. Use province"):
        Hierarchy.from_csv(path, columns={"ident": "x"})
    with pytest.raises(HierarchyError, match="lacks 上级"):
        Hierarchy.from_csv(path, columns={"id": "ORG_ID", "name": "ORG_NAME", "parent_id": "上级"})


def test_on_bad_row_is_one_of_two(tmp_path: Path) -> None:
    """A misspelt on_bad_row is the caller's mistake, not the table's."""
    path = tmp_path / "org.csv"
    path.write_text(PATHS + JUYE, encoding="utf-8")
    with pytest.raises(ValueError, match="'ignore'; use 'quarantine' or 'refuse'"):
        Hierarchy.from_csv(path, on_bad_row="ignore")  # type: ignore[arg-type]
