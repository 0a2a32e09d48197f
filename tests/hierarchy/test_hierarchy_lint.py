"""Lint: what loading saw, and what only the whole tree shows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from qilin.hierarchy import Hierarchy, HierarchyError, bundled_path, lint

HEADER = "province,city,company,substation\n"

GOLDEN: dict[str, tuple[str, list[str]]] = {
    "clean": ("山东省,菏泽,曹县供电公司,古营集供电所\n", []),
    "name inside a name": (
        "山东省,菏泽,曹县供电公司,新城供电所\n山东省,菏泽,单县供电公司,城供电所\n山东省,菏泽,成武县供电公司,城供电所\n"
        "山东省,菏泽,定陶区供电公司,老城供电所\n",
        [
            "info nested-name 3: substation '城供电所' is contained in 新城供电所, 老城供电所. "
            "Nothing to correct; the longer name wins where both fit."
        ],
    ),
    "moved company": (
        "山东省,莱芜,莱城供电公司,口镇供电所\n山东省,莱芜,莱城供电公司,羊里供电所\n山东省,济南,莱城供电公司,口镇供电所\n"
        "山东省,济南,莱城供电公司,羊里供电所\n山东省,济南,莱城供电公司,雪野供电所\n山东省,济南,城关供电公司,\n山东省,莱芜,城关供电公司,\n",
        [
            "warning declared-twice 4: company '莱城供电公司' is declared under 莱芜 and under 济南, "
            "with 2 substation names "
            "alike (口镇供电所, 羊里供电所). If it moved from one to the other, remove the rows of the old place."
        ],
    ),
    "moved city": (
        "安徽省,巢湖,居巢供电公司,\n安徽省,合肥,肥西县供电公司,\n江苏省,巢湖,居巢供电公司,\n",
        [
            "warning declared-twice 4: city '巢湖' is declared under 安徽省 and under 江苏省, with 1 "
            "company names alike "
            "(居巢供电公司). If it moved from one to the other, remove the rows of the old place."
        ],
    ),
    "look-alikes": (
        "山东省,济南,历下供电中心,\n山东省,济南市,历下供电中心,\n新疆,伊犁,伊宁县供电公司,\n新疆,伊犁,伊宁市供电公司,\n"
        "山东省,菏泽,鉅野縣供电公司,龙堌供电所\n山东省,菏泽,巨野县供电公司,麒麟供电所\n"
        "山东省,菏泽,巨野县供电公司,麒麟镇供电所\n山东省,菏泽,巨野县供电公司,麒 麟供电所\n",
        [
            "warning look-alike 2: city '济南' stands beside '济南市' under the same parent. "
            "If they are one organisation, keep one name and make the other an alias.",
            "info nested-name 2: city '济南' is contained in 济南市. Nothing to correct; the longer "
            "name wins where both fit.",
            "warning look-alike 6: company '鉅野縣供电公司' stands beside '巨野县供电公司' under the same parent. "
            "If they are one organisation, keep one name and make the other an alias.",
            "warning look-alike 7: substation '麒麟供电所' stands beside '麒麟镇供电所', '麒 麟供电所' "
            "under the same parent. "
            "If they are one organisation, keep one name and make the other an alias.",
            "warning blank 9: substation '麒 麟供电所' has a blank inside. It is kept; remove it if it "
            "does not belong there.",
        ],
    ),
    "one character apart": (
        "山东省,菏泽,巨野县供电公司,a供电所\n山东省,菏泽,巨野县供电公司,b供电所\n山东省,菏泽,巨野县供电公司,c供电所\n"
        "山东省,菏泽,巨也县供电公司,d供电所\n山东省,菏泽,曹县供电公司,d供电所\n山东省,济南,巨也县供电公司,e供电所\n",
        [
            "warning look-alike 5: company '巨也县供电公司' "
            "is one character away from '巨野县供电公司' of the same city. "
            "If it is a misspelling, correct its rows."
        ],
    ),
    "odd characters": (
        "山东省,菏泽,曹县供电公司,⻄关供电所\n山东省,菏泽,曹县供电公司,Ａ供电所（东）\n山东省,菏泽,单县供电公司,⻄关供电所\n山东省,菏泽,ABC,\n",
        [
            "warning odd-character 2: substation '⻄关供电所' is written with '⻄' (U+2EC4). "
            "It only looks like the usual character, and the name is printed as it stands; retype it.",
            "warning odd-character 3: substation 'Ａ供电所（东）' is written with 'Ａ' (U+FF21). "
            "It only looks like the usual character, and the name is printed as it stands; retype it.",
        ],
    ),
    "bad rows and the rest": (
        "山东省,,曹县供电公司,\n山东省,菏泽 ,新城供电公司,\n山东省,菏泽,城供电公司,\n",
        [
            "error level-order 2: company '曹县供电公司' has an empty city. Fill in the cell (unmerge "
            "merged cells first).",
            "warning blank 3: city '菏泽' has blanks around it. Clean the cell; the name is used without them.",
            "info nested-name 4: company '城供电公司' is contained in 新城供电公司. "
            "Nothing to correct; the longer name wins where both fit.",
        ],
    ),
    "nothing but bad rows": (
        "山东省,,曹县供电公司,\n山东省,,单县供电公司,\n",
        [
            "error level-order 2: company '曹县供电公司' has an empty city. Fill in the cell (unmerge "
            "merged cells first).",
            "error level-order 3: company '单县供电公司' has an empty city. Fill in the cell (unmerge "
            "merged cells first).",
        ],
    ),
}


@pytest.mark.parametrize(("rows", "findings"), GOLDEN.values(), ids=GOLDEN.keys())
def test_lint(tmp_path: Path, rows: str, findings: list[str]) -> None:
    path = tmp_path / "org.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    told = [f"{f.severity} {f.code} {str(f).removeprefix(f'{path}:')}" for f in lint(path)]
    assert told == findings


def test_lint_of_a_loaded_tree_knows_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "org.csv"
    path.write_text(HEADER + GOLDEN["bad rows and the rest"][0], encoding="utf-8")
    findings = lint(Hierarchy.from_csv(path))
    assert [(finding.code, finding.row) for finding in findings] == [
        ("level-order", 2),
        ("blank", 3),
        ("nested-name", None),
    ]
    assert str(findings[2]).startswith(f"{path}: company '城供电公司' is contained in")


def test_lint_of_the_parent_shape_has_each_nodes_own_row(tmp_path: Path) -> None:
    path = tmp_path / "org.csv"
    path.write_text("id,parent_id,name\n4,2,城公司\n3,2,新城公司\n2,1,菏泽\n1,,山东省\n", encoding="utf-8")
    assert [(finding.code, finding.row) for finding in lint(path)] == [("nested-name", 2)]


def test_lint_with_aliases_and_of_unusable_tables(tmp_path: Path) -> None:
    path = bundled_path("hierarchy/shandong.csv")
    findings = lint(path, aliases=bundled_path("hierarchy/shandong_aliases.csv"))
    assert Counter(finding.code for finding in findings) == {"nested-name": 38, "alias-collision": 1}
    assert all(finding.severity == "info" for finding in findings)
    assert findings[-1].row == 6
    with pytest.raises(HierarchyError, match="there is no such file"):
        lint(tmp_path / "org.csv")
    (tmp_path / "org.csv").write_text(HEADER)
    with pytest.raises(HierarchyError, match="a header but no rows"):
        lint(tmp_path / "org.csv")


def test_bundled_china_is_clean_but_for_what_lies_in_the_names() -> None:
    """Real names of 40,000 townships: no false alarm about misspelt companies, moved ones or odd characters."""
    findings = lint(bundled_path("hierarchy/china.csv"))
    assert Counter(finding.code for finding in findings if finding.severity != "info") == {"look-alike": 5}
