"""Alias files: who an alias belongs to, what is wrong with its row, and which names collide."""

from __future__ import annotations

from pathlib import Path

import pytest

from qilin.hierarchy import Alias, Hierarchy, HierarchyError, load_aliases

ORGANISATIONS = """province,city,company,substation
山东省,济南,市中供电中心,城关供电所
山东省,济南,历下供电中心,城关供电所
山东省,枣庄,市中区供电公司,城关供电所
山东省,枣庄,滕州市供电公司,
河南省,安阳,安阳县供电公司,水冶供电所
吉林省,吉林,市中区供电公司,
"""
HEADER = "alias,level,canonical,city,kind,valid_from,valid_to\n"


@pytest.fixture
def tree(tmp_path: Path) -> Hierarchy:
    path = tmp_path / "org.csv"
    path.write_text(ORGANISATIONS, encoding="utf-8")
    return Hierarchy.from_csv(path)


def write(folder: Path, text: str) -> Path:
    path = folder / "aliases.csv"
    path.write_text(text, encoding="utf-8")
    return path


def node(tree: Hierarchy, path: str) -> int:
    (found,) = tree.find(path)
    return found


def test_aliases_are_placed(tmp_path: Path, tree: Hierarchy) -> None:
    text = (
        HEADER.strip()
        + ",company,province\n"
        + "滕县供电公司,company,滕州市供电公司,枣庄,former,,1988年,,\n"
        + "泉城,城市,济南,,nickname,,,,\n"
        + "东关供电所,substation,城关供电所,济南,former,2001,2019,历下供电中心,\n"
        + "吉林市中供电,company,市中区供电公司,,,,,,吉林省\n"
        + "历下,company,历下供电中心,济南,forbidden,,,,\n"
    )
    found = load_aliases(write(tmp_path, text), tree)
    assert found.findings == ()
    assert set(found.aliases) == {
        Alias("滕县供电公司", node(tree, "滕州市供电公司"), "former", None, 1988),
        Alias("泉城", node(tree, "济南"), "nickname", None, None),
        Alias("东关供电所", node(tree, "历下供电中心/城关供电所"), "former", 2001, 2019),
        Alias("吉林市中供电", node(tree, "吉林省/市中区供电公司"), "variant", None, None),
        Alias("历下", node(tree, "历下供电中心"), "forbidden", None, None),
    }
    assert list(found.aliases) == sorted(found.aliases, key=lambda alias: alias.node)
    loaded = Hierarchy.from_csv(tmp_path / "org.csv", aliases=tmp_path / "aliases.csv")
    assert loaded.aliases == found.aliases
    assert loaded.version != tree.version
    assert loaded.find("历下") == ()  # a forbidden form finds nothing
    assert loaded.find("泉城/东关供电所") == tree.find("济南/历下供电中心/城关供电所")
    henan = loaded.subset("山东省")
    assert henan.find("滕县供电公司") == henan.find("滕州市供电公司")


GOLDEN = {
    "unknown": (
        "旧滕州,company,滕洲市供电公司,枣庄,former,,\n",
        "error unknown-organisation 2: alias '旧滕州' is of company '滕洲市供电公司' in city "
        "'枣庄', which the table lacks. "
        "Did you mean '滕州市供电公司'? Correct the row, or remove it.",
    ),
    "in another city": (
        "旧滕州,company,滕州市供电公司,济南,former,,\n",
        "error unknown-organisation 2: alias '旧滕州' is of company '滕州市供电公司' in city "
        "'济南', which the table lacks. "
        "The table has it in 山东省/枣庄. Correct the row, or remove it.",
    ),
    "nothing near": (
        "x,province,火星,,,,\n",
        "error unknown-organisation 2: alias 'x' is of province '火星', which the table lacks. "
        "Correct the row, or remove it.",
    ),
    "ambiguous": (
        "市中,company,市中区供电公司,,variant,,\n",
        "error ambiguous-alias 2: company '市中区供电公司' is ambiguous: 吉林省/吉林/市中区供电公司, "
        "山东省/枣庄/市中区供电公司. Fill in province and city.",
    ),
    "ambiguous substation": (
        "旧城关,substation,城关供电所,济南,former,,\n",
        "error ambiguous-alias 2: substation '城关供电所' in city '济南' is ambiguous: "
        "山东省/济南/历下供电中心/城关供电所, 山东省/济南/市中供电中心/城关供电所. Fill in province and company.",
    ),
    "level": (
        "x,区县,济南,,,,\n",
        "error bad-row 2: level '区县' is none of province, city, company, substation. Correct it.",
    ),
    "year": (
        "x,city,济南,,former,,98\n",
        "error bad-row 2: valid_to '98' is no year. Write four digits, or leave it empty.",
    ),
    "years": (
        "x,city,济南,,former,2010,2005\n",
        "error bad-row 2: valid_from 2010 is after valid_to 2005. Exchange or correct them.",
    ),
    "no alias": (
        ",city,济南,,former,,\n",
        "error bad-row 2: the row has no alias. Fill it in, or remove the row.",
    ),
    "void": (
        "泉城（作废）,city,济南,,former,,\n",
        "error void-row 2: alias '泉城（作废）' is marked （作废）. "
        "Remove the row, or the mark if the organisation is in service.",
    ),
    "blank": (
        "泉城 ,city,济南,,nickname,,\n",
        "warning blank 2: alias '泉城' has blanks around it. Clean the cell; the name is used without them.",
    ),
    "twice": (
        "泉城,city,济南,,nickname,,\n泉城,city,济南,济南,nickname,,\n",
        "warning duplicate 3: alias '泉城' was declared in row 2 already. Remove the row.",
    ),
    "its own name": (
        "济南,city,济南,,variant,,\n",
        "warning alias-collision 2: alias '济南' is the canonical name itself. "
        "Remove the row; it adds nothing and is left out.",
    ),
    "a canonical name elsewhere": (
        "市中区供电公司,company,市中供电中心,,variant,,\n",
        "info alias-collision 2: alias '市中区供电公司' of 山东省/济南/市中供电中心 is the canonical name of "
        "吉林省/吉林/市中区供电公司 too. Kept: only the organisation above it tells which is meant.\n"
        "info alias-collision 2: alias '市中区供电公司' of 山东省/济南/市中供电中心 is the canonical name of "
        "山东省/枣庄/市中区供电公司 too. Kept: only the organisation above it tells which is meant.",
    ),
    "a sibling's canonical name": (
        "历下供电中心,company,市中供电中心,,variant,,\n",
        "error alias-collision 2: alias '历下供电中心' of 山东省/济南/市中供电中心 is the canonical name of "
        "山东省/济南/历下供电中心 too. Nothing could tell the two apart; correct or remove the row.",
    ),
    "a canonical name of another level": (
        "枣庄,company,滕州市供电公司,,variant,,\n",
        "warning alias-collision 2: alias '枣庄' of 山东省/枣庄/滕州市供电公司 is the canonical "
        "name of 山东省/枣庄 too. "
        "Kept, but ambiguous; remove the row if not meant.",
    ),
    "another's alias": (
        "泉城,city,济南,,nickname,,\n泉城,city,枣庄,,nickname,,\n泉城,province,山东省,,forbidden,,\n",
        "error alias-collision 3: alias '泉城' of 山东省/枣庄 is a nickname alias of 山东省/济南 too. "
        "Nothing could tell the two apart; correct or remove the row.",
    ),
    "short row, blank line": ("泉城,city,济南\n,,,\n", ""),
}


@pytest.mark.parametrize(("rows", "findings"), GOLDEN.values(), ids=GOLDEN.keys())
def test_alias_rows(tmp_path: Path, tree: Hierarchy, rows: str, findings: str) -> None:
    path = write(tmp_path, HEADER + rows)
    found = load_aliases(path, tree)
    told = [f"{f.severity} {f.code} {str(f).removeprefix(f'{path}:')}" for f in found.findings]
    assert told == (findings.split("\n") if findings else [])
    errors = [finding for finding in found.findings if finding.severity == "error"]
    if errors:
        with pytest.raises(HierarchyError) as raised:
            Hierarchy.from_csv(tmp_path / "org.csv", aliases=path, on_bad_row="refuse")
        assert str(raised.value) == str(errors[0])


def test_row_order_of_aliases_changes_nothing_but_the_findings(tmp_path: Path, tree: Hierarchy) -> None:
    rows = [
        "泉城,city,济南,,nickname,,\n",
        "齐鲁,province,山东省,,nickname,,\n",
        "鲁,province,山东省,,nickname,,\n",
    ]
    versions = {
        Hierarchy.from_csv(tmp_path / "org.csv", aliases=write(tmp_path, HEADER + "".join(order))).version
        for order in (rows, rows[::-1])
    }
    assert len(versions) == 1


def test_aliases_come_on_top_of_those_there_are(tmp_path: Path, tree: Hierarchy) -> None:
    path = write(tmp_path, HEADER + "泉城,city,济南,,nickname,,\n")
    first = Hierarchy.from_csv(tmp_path / "org.csv", aliases=path)
    path = write(tmp_path, HEADER + "泉城,city,济南,,nickname,,\n泉城,city,枣庄,,nickname,,\n鲁,province,山东省,,,,\n")
    found = load_aliases(path, first)
    assert [alias.name for alias in found.aliases] == ["鲁"]
    assert [finding.code for finding in found.findings] == ["duplicate", "alias-collision"]
    assert found.findings[0].message == "alias '泉城' was declared already."


def test_alias_file_without_its_columns(tmp_path: Path, tree: Hierarchy) -> None:
    path = write(tmp_path, "name,canonical\nx,y\n")
    with pytest.raises(HierarchyError) as raised:
        load_aliases(path, tree)
    assert str(raised.value) == (
        f"{path}:1: the header (name, canonical) lacks alias, level. "
        "An alias file has the columns alias,level,canonical,city,kind,valid_from,valid_to."
    )
