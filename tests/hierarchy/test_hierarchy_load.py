"""Every way in: encodings, CSV dialects, XLSX, databases, rows, URLs; the same content gives the same version."""

from __future__ import annotations

import builtins
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy

from qilin.hierarchy import Hierarchy, HierarchyError, bundled_path, export
from qilin.hierarchy import bundled_data as bundled_module
from qilin.hierarchy.databases import hide_password

TABLE = """province,city,company,substation
山东省,菏泽,巨野县供电公司,大义供电所
山东省,菏泽,巨野县供电公司,麒麟供电所
山东省,菏泽,曹县供电公司,
山东省,济南,,
河南省,,,
"""
ROWS = [dict(zip(TABLE.split("\n")[0].split(","), line.split(","), strict=True)) for line in TABLE.split("\n")[1:-1]]


@pytest.fixture
def expected() -> Hierarchy:
    return Hierarchy.from_rows(ROWS)


def write_csv(folder: Path, text: str = TABLE, encoding: str = "utf-8") -> Path:
    path = folder / "org.csv"
    path.write_bytes(text.encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[list[Any]], title: str = "组织机构", before: bool = False) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if before:
        sheet.append(["说明"])
        sheet = book.create_sheet()
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    book.close()
    return path


def write_sqlite(folder: Path, rows: list[dict[str, Any]], table: str = "org") -> str:
    url = f"sqlite:///{folder / 'org.db'}"
    engine = sqlalchemy.create_engine(url)
    columns = [
        sqlalchemy.Column(name, sqlalchemy.Integer() if name.endswith("id") else sqlalchemy.Text()) for name in rows[0]
    ]
    metadata = sqlalchemy.MetaData()
    made = sqlalchemy.Table(table, metadata, *columns)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(made.insert(), rows)
    engine.dispose()
    return url


# Encodings and dialects -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_encodings_are_recognised_and_told(tmp_path: Path, expected: Hierarchy, encoding: str, told: str) -> None:
    tree = Hierarchy.from_csv(write_csv(tmp_path, encoding=encoding))
    assert tree.encoding == told
    assert tree == expected
    assert tree.findings == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace("大义供电所", '"大义供电所"'),
        lambda text: "\n\n" + text + "\n\n",
        lambda text: text.rstrip(),
    ],
    ids=["crlf", "cr", "tab", "semicolon", "quotes", "blank lines", "no last newline"],
)
def test_dialects(tmp_path: Path, expected: Hierarchy, change: Callable[[str], str]) -> None:
    assert Hierarchy.from_csv(write_csv(tmp_path, change(TABLE))) == expected


def test_rows_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    """Blank lines and line breaks inside quotes count; the finding has the row's first line."""
    text = '\nprovince,city,company,substation,"re\nmark"\n山东省,,x,,"a\nb"\n\n山东省,,y,,\n山东省,,,,\n'
    findings = Hierarchy.from_csv(write_csv(tmp_path, text)).findings
    assert [finding.row for finding in findings] == [4, 7]


def test_an_encoding_may_be_named(tmp_path: Path, expected: Hierarchy) -> None:
    big5 = TABLE.replace("麒麟", "龍門").replace("山东省", "山東省")
    big5 = "".join(character for character in big5 if character.encode("big5", "ignore"))
    path = write_csv(tmp_path, big5, "big5")
    with pytest.raises(HierarchyError) as raised:
        Hierarchy.from_csv(path)
    assert f"{path}:2: this is not UTF-8, and GB18030 reads it as" in str(raised.value)
    assert Hierarchy.from_csv(path, encoding="big5").encoding == "big5"
    assert Hierarchy.from_csv(write_csv(tmp_path, encoding="utf-8-sig"), encoding="utf-8") == expected
    with pytest.raises(HierarchyError, match=r"org\.csv: 'utf-9' is no known encoding\. Try utf-8 or gb18030\."):
        Hierarchy.from_csv(path, encoding="utf-9")
    with pytest.raises(
        HierarchyError, match=r"org\.csv:1: byte 0xef is not ascii\. Leave the encoding out to have UTF-8"
    ):
        Hierarchy.from_csv(path, encoding="ascii")


def damaged(text: str) -> bytes:
    content = bytearray(text.encode())
    content[content.index("大".encode()) + 1] = 0xFF
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (damaged(TABLE), ":2: this is UTF-8 but for byte 0xe5: the file is damaged here."),
        (TABLE.encode()[:-8], ":6: this is UTF-8 but for byte 0xe5: the file is damaged here."),
        (
            bytes(range(1, 256)),
            ":2: the bytes are neither UTF-8 (fails in line 2) nor GB18030 (fails in line 2).",
        ),
        (b"PK\x03\x04 and so on", ": this is an XLSX or ZIP file, not text."),
        (b"province,city\n\x00", ":2: this is no text file: it holds NUL characters."),
    ],
)
def test_undecodable_bytes(tmp_path: Path, content: bytes, message: str) -> None:
    """Damaged UTF-8 is never read as GB18030 nonsense; the message says what was tried and where it failed."""
    path = tmp_path / "org.csv"
    path.write_bytes(content)
    with pytest.raises(HierarchyError) as raised:
        Hierarchy.from_csv(path)
    assert str(raised.value).startswith(f"{path}{message} ")


def test_missing_files_and_directories(tmp_path: Path) -> None:
    write_csv(tmp_path)
    for path, message in [
        (tmp_path / "orgs.csv", "there is no such file. Did you mean 'org.csv'? Correct the path."),
        (tmp_path / "no" / "x.csv", "there is no such file. Correct the path."),
        (tmp_path, "this is a directory. Give a file inside it."),
        (
            tmp_path / "org.csv" / "x",
            "the file cannot be read (Not a directory). Check its path and permissions.",
        ),
        (Path("a\0b"), "the file cannot be read (embedded null byte). Check its path and permissions."),
    ]:
        with pytest.raises(HierarchyError) as raised:
            Hierarchy.from_csv(path)
        assert str(raised.value) == f"{path}: {message}"


# XLSX -------------------------------------------------------------------------------------------


def test_xlsx(tmp_path: Path, expected: Hierarchy) -> None:
    rows: list[list[Any]] = [line.split(",") for line in TABLE.split("\n")[:-1]]
    empty_as_none = [[cell or None for cell in row] for row in rows]
    tree = Hierarchy.from_xlsx(write_xlsx(tmp_path / "org.xlsx", empty_as_none))
    assert tree == expected
    assert tree.encoding is None
    later = write_xlsx(tmp_path / "later.xlsx", rows, before=True)
    assert Hierarchy.from_xlsx(later, "组织机构") == expected
    assert Hierarchy.load(later, "组织机构") == expected
    with pytest.raises(HierarchyError, match=r"no worksheet '组织'; the workbook has Sheet, 组织机构\. Did you mean"):
        Hierarchy.from_xlsx(later, "组织")
    with pytest.raises(HierarchyError, match=r"later\.xlsx:1: the header \(说明\) lacks province"):
        Hierarchy.from_xlsx(later)


def test_xlsx_numbers_and_rows(tmp_path: Path) -> None:
    """Ids may be numbers, 2.0 is 2, and a finding has the row of the sheet."""
    rows: list[list[Any]] = [
        ["id", "parent_id", "name"],
        [1, None, "山东省"],
        [],
        [2.0, 1, "菏泽"],
        [3, 9, "曹县供电公司"],
        [4, 2.5, 7],
    ]
    tree = Hierarchy.from_xlsx(write_xlsx(tmp_path / "org.xlsx", rows))
    assert tree.names == ("山东省", "菏泽")
    assert [(finding.code, finding.row) for finding in tree.findings] == [
        ("missing-parent", 5),
        ("missing-parent", 6),
    ]


def test_broken_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "org.xlsx"
    path.write_text("province,city,company,substation\n")
    with pytest.raises(HierarchyError, match=r"org\.xlsx: this is no readable XLSX workbook \(BadZipFile"):
        Hierarchy.from_xlsx(path)


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = builtins.__import__

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        level = kwargs.get("level", args[3] if len(args) > 3 else 0)
        if level == 0 and name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)


def test_missing_packages_are_told_with_the_install_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "org.xlsx", [["a"]])
    without(monkeypatch, "openpyxl")
    with pytest.raises(HierarchyError, match=r"needs openpyxl\. Run pip install 'qilin-grid\[xlsx\]'"):
        Hierarchy.from_xlsx(path)
    without(monkeypatch, "sqlalchemy")
    with pytest.raises(
        HierarchyError, match=r"u:\*\*\*@h/x: .* needs SQLAlchemy\. Run pip install 'qilin-grid\[sql\]'"
    ):
        Hierarchy.from_sql("postgresql://u:secret@h/x", "org")


# Databases --------------------------------------------------------------------------------------


def test_sqlite(tmp_path: Path, expected: Hierarchy) -> None:
    url = write_sqlite(tmp_path, ROWS)
    assert Hierarchy.from_sql(url, "org") == expected
    assert Hierarchy.from_sql(url, "main.org") == expected
    assert Hierarchy.from_sql(url) == expected  # the only table
    assert Hierarchy.from_sql(url, "SELECT * FROM org WHERE province = '河南省'").names == ("河南省",)
    query = "SELECT ':x' AS province, '100%' AS city, 'a:b::c' AS company, 'd' AS substation"
    assert Hierarchy.from_sql(url, query).names == (":x", "100%", "a:b::c", "d")
    assert Hierarchy.load(f"{url}#org") == expected
    assert Hierarchy.load(url, table="org") == expected
    assert Hierarchy.from_sql(url, "org").source == f"{url}#org"


def test_sqlite_numbers_and_nulls(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "parent_id": None, "name": "山东省"},
        {"id": 2, "parent_id": 1, "name": "菏泽"},
        {"id": 3, "parent_id": 8, "name": "曹县供电公司"},
    ]
    tree = Hierarchy.from_sql(write_sqlite(tmp_path, rows), "org")
    assert tree.names == ("山东省", "菏泽")
    assert [finding.row for finding in tree.findings] == [3]


def test_database_errors(tmp_path: Path) -> None:
    """No table, no database, no query: told with what there is; nothing is created or changed."""
    url = write_sqlite(tmp_path, ROWS)
    for table, message in [
        (
            "orgs",
            "no table 'orgs'; the database has org. Did you mean 'org'? Name one of them, or give a SELECT.",
        ),
        ("x.org", "the database says: no such table: x.org. Correct the URL, the table or the query."),
        (
            "SELECT x FROM org",
            "the database says: no such column: x. Correct the URL, the table or the query.",
        ),
        ("DELETE FROM org", "this is neither a table nor a query. Give a table name or a SELECT."),
        ("SELECT 1 AS id", "org.db: the header (id) lacks parent_id, name."),
    ]:
        with pytest.raises(HierarchyError) as raised:
            Hierarchy.from_sql(url, table)
        assert message in str(raised.value)
    assert len(Hierarchy.from_sql(url, "org")) == 8
    write_sqlite(tmp_path, ROWS, "backup")
    with pytest.raises(HierarchyError, match=r"which table\? The database has backup, org\."):
        Hierarchy.from_sql(url)
    (tmp_path / "empty.db").touch()
    for name in (None, "org"):
        with pytest.raises(HierarchyError, match=r"[Tt]he database has none\."):
            Hierarchy.from_sql(f"sqlite:///{tmp_path / 'empty.db'}", name)
    missing = tmp_path / "new.db"
    with pytest.raises(HierarchyError, match="there is no SQLite file"):
        Hierarchy.load(f"sqlite:///{missing}#org")
    assert not missing.exists()


def test_database_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HierarchyError, match=r"Can't load plugin: sqlalchemy\.dialects:foo"):
        Hierarchy.load("foo://u:secret@host/x")
    with pytest.raises(HierarchyError, match=r"^nonsense: this is no database URL"):
        Hierarchy.from_sql("nonsense", "org")
    without(monkeypatch, "psycopg2")
    with pytest.raises(HierarchyError) as raised:  # the # of a password begins no table
        Hierarchy.load("postgresql+psycopg2://u:secret#1@127.0.0.1/x")
    assert str(raised.value).startswith(
        "postgresql+psycopg2://u:***@127.0.0.1/x: the driver of postgresql+psycopg2 is not installed"
    )
    assert "secret" not in str(raised.value)
    with pytest.raises(HierarchyError) as raised:
        Hierarchy.from_sql("postgresql+psycopg2://u@127.0.0.1/x?password=secret", "org")
    assert "secret" not in str(raised.value)
    assert hide_password("postgresql://u:se:c@ret@h:1/x") == "postgresql://u:***@h:1/x"


@pytest.mark.skipif("QILIN_TEST_POSTGRES" not in os.environ, reason="QILIN_TEST_POSTGRES holds no URL")
def test_postgresql(expected: Hierarchy) -> None:
    """Needs a server of its own: QILIN_TEST_POSTGRES=postgresql+psycopg://user@127.0.0.1:5432/database."""
    url = os.environ["QILIN_TEST_POSTGRES"]
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE SCHEMA IF NOT EXISTS qilin_test"))
        connection.execute(sqlalchemy.text("DROP TABLE IF EXISTS qilin_test.org"))
        connection.execute(
            sqlalchemy.text("CREATE TABLE qilin_test.org (province text, city text, company text, substation char(20))")
        )
        insert = "INSERT INTO qilin_test.org VALUES (:province, :city, :company, :substation)"
        connection.execute(sqlalchemy.text(insert), [{key: row[key] or None for key in row} for row in ROWS])
    engine.dispose()
    tree = Hierarchy.from_sql(url, "qilin_test.org")
    assert tree == expected
    assert {finding.code for finding in tree.findings} == {"blank"}  # char(20) pads
    assert Hierarchy.load(f"{url}#qilin_test.org") == expected
    query = "SELECT province, city, company, trim(substation) AS substation FROM qilin_test.org"
    assert Hierarchy.from_sql(url, query).findings == ()
    query = "SELECT ':x' AS province, '100%' AS city, 'a:b'::text AS company, NULL::text AS substation"
    assert Hierarchy.from_sql(url, query).names == (":x", "100%", "a:b")
    deleting = "WITH gone AS (DELETE FROM qilin_test.org RETURNING *) SELECT * FROM gone"
    assert Hierarchy.from_sql(url, deleting) == expected
    assert Hierarchy.from_sql(url, "qilin_test.org") == expected  # rolled back
    with pytest.raises(HierarchyError, match=r'the database says: relation "qilin_test\.none" does not exist'):
        Hierarchy.from_sql(url, "qilin_test.none")


# Rows, load, versions ---------------------------------------------------------------------------


def test_rows_may_lack_keys_and_hold_anything() -> None:
    tree = Hierarchy.from_rows(
        [
            {"province": "山东省", "city": None},
            {"city": "菏泽", "province": "山东省", "company": "", "substation": None},
        ],
        source="register",
    )
    assert tree.names == ("山东省", "菏泽")
    assert repr(tree) == f"Hierarchy('register', 2 organisations, version {tree.version})"
    with pytest.raises(HierarchyError, match=r"^rows: the table is empty\."):
        Hierarchy.from_rows([])


def test_a_lone_surrogate_is_refused() -> None:
    """It could be neither hashed nor written."""
    rows = [{"province": "山东省", "city": "", "company": "", "substation": ""}]
    tree = Hierarchy.from_rows([*rows, {"province": "\ud800省"}])
    assert tree.names == ("山东省",)
    assert str(tree.findings[0]) == "rows:2: province '\ufffd省' contains the character U+D800. Correct the name."


def test_load_goes_by_extension(tmp_path: Path, expected: Hierarchy) -> None:
    for name in ("org.csv", "org.TSV", "org.txt", "org"):
        path = tmp_path / name
        path.write_text(TABLE.replace(",", "\t" if name.endswith("TSV") else ","), encoding="utf-8")
        assert Hierarchy.load(path) == expected
    assert Hierarchy.load(str(tmp_path / "org.csv"), encoding="utf-8") == expected
    for name, advice in [
        ("org.xls", "save it as .xlsx"),
        ("org.db", "sqlite:///org.db#table"),
        ("org.json", "Use .csv, .tsv, .txt, .xlsx, .xlsm or a database URL"),
    ]:
        with pytest.raises(HierarchyError, match="no table is known to end in") as raised:
            Hierarchy.load(name)
        assert advice in str(raised.value)
    with pytest.raises(HierarchyError, match="this is a directory"):
        Hierarchy.load(tmp_path)


def test_version_is_that_of_the_content(tmp_path: Path) -> None:
    """CSV, GB18030, XLSX, SQL and the parent shape of the bundled table, shuffled, have one version."""
    tree = Hierarchy.from_csv(bundled_path("hierarchy/shandong.csv"))
    shuffler = random.Random(20240513)
    rows, parents = tree.to_rows(), export.parent_rows(tree)
    shuffler.shuffle(rows)
    shuffler.shuffle(parents)
    head = list(rows[0])
    lines = [",".join(row.values()) for row in rows]
    xlsx: list[list[Any]] = [head, *(list(row.values()) for row in rows)]
    no_levels = [{key: row[key] for key in ("id", "parent_id", "name")} for row in parents]
    above = [{**row, "parent_id": row["parent_id"] or "root"} for row in no_levels]
    above.append({"id": "root", "parent_id": "", "name": "国家电网"})
    others = [
        Hierarchy.from_csv(write_csv(tmp_path, "\n".join([",".join(head), *lines]), "gb18030")),
        Hierarchy.from_xlsx(write_xlsx(tmp_path / "org.xlsx", xlsx)),
        Hierarchy.from_sql(write_sqlite(tmp_path, rows), "org"),
        Hierarchy.from_rows(parents),
        Hierarchy.from_rows(no_levels),
        Hierarchy.from_rows(above),
    ]
    for other in others:
        assert other.version == tree.version
        assert (other.names, other.parents, other.last, other.paths) == (
            tree.names,
            tree.parents,
            tree.last,
            tree.paths,
        )
    assert Hierarchy.from_rows(rows[1:]).version != tree.version
    assert Hierarchy.bundled().version != tree.version  # its aliases count


# Bundled data -----------------------------------------------------------------------------------


def test_bundled_tables() -> None:
    shandong, china = Hierarchy.bundled(), Hierarchy.bundled("china")
    assert len(shandong) == 1 + 16 + 153 + 1835
    _, *rows = bundled_path("hierarchy/shandong_aliases.csv").read_text(encoding="utf-8").splitlines()
    assert len(shandong.aliases) == len(rows) > 20
    assert len(china) == 31 + 332 + 2938 + 40562
    assert china.findings == ()
    assert china.subset("山东省").version == Hierarchy.from_csv(bundled_path("hierarchy/shandong.csv")).version
    with pytest.raises(HierarchyError, match=r"no bundled table 'shangdong'\. Did you mean 'shandong'\?"):
        Hierarchy.bundled("shangdong")


def test_bundled_data_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data is a package beside the others; when a file is missing, the message says where it was looked for."""
    assert bundled_path("hierarchy/shandong.csv").exists()
    monkeypatch.setattr(bundled_module, "ROOT", tmp_path)
    with pytest.raises(HierarchyError, match=r"the bundled file 'x\.csv' is not in .*\. Reinstall"):
        bundled_path("x.csv")
