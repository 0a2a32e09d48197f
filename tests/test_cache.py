"""Compiled tables on disk: the same answers, and no trust in an entry that is stale, damaged or not ours."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from qilin import Engine
from qilin.hierarchy import HierarchyError, suffixes
from qilin.names.cache import cache_folder, load_tables

ROWS = "province,city,company,substation\n山东省,菏泽,巨野县供电公司,麒麟供电所\n山东省,菏泽,曹县供电公司,庄寨供电所\n"
QUERIES = (
    "菏泽麒麟投诉数量",
    "曹县供电公司麒麟供电所",
    "麒鳞供电所投诉",
    "国网菏泽供电公司2024年5月投诉",
    "火星供电所投诉",
)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QILIN_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "org.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def entries() -> list[Path]:
    folder = cache_folder()
    assert folder is not None
    return sorted(folder.glob("*.pickle"))


def answers(table: Path) -> list[str]:
    engine = Engine(load_tables(table))
    return [engine.resolve(query, today=date(2024, 5, 13)).model_dump_json() for query in QUERIES]


def test_the_second_start_reads_the_entry_and_answers_the_same(table: Path) -> None:
    first = answers(table)
    (entry,) = entries()
    written = entry.stat().st_mtime_ns
    assert answers(table) == first
    assert [e.stat().st_mtime_ns for e in entries()] == [written]


def test_a_changed_table_is_another_entry(table: Path) -> None:
    answers(table)
    table.write_text(ROWS.replace("麒麟", "凤凰"), encoding="utf-8")
    assert Engine(load_tables(table)).resolve("凤凰供电所投诉").substation == "凤凰供电所"
    assert len(entries()) == 2


def test_another_edition_of_the_suffix_words_is_another_entry(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_tables(table)
    edited = table.with_name("suffixes.py")
    edited.write_text("# one word more\n", encoding="utf-8")
    monkeypatch.setattr(suffixes, "__file__", str(edited))
    load_tables(table)
    assert len(entries()) == 2


@pytest.mark.parametrize("damage", [b"", b"not a pickle", b"\x80\x05N."])
def test_a_damaged_entry_is_made_again(table: Path, damage: bytes) -> None:
    first = answers(table)
    (entry,) = entries()
    entry.write_bytes(damage)
    assert answers(table) == first
    assert entry.read_bytes() != damage


def test_an_entry_of_another_user_is_not_read(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = answers(table)
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    monkeypatch.setattr("pickle.loads", lambda _: pytest.fail("a foreign pickle was loaded"))
    assert answers(table) == first


def test_a_folder_that_cannot_be_written_is_no_error(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = table.parent / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("QILIN_CACHE_DIR", str(blocked / "below"))
    assert Engine(load_tables(table)).resolve("麒麟投诉").company == "巨野县供电公司"


def test_caching_can_be_switched_off_and_moved(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QILIN_CACHE_DIR", "")
    assert cache_folder() is None
    assert Engine(load_tables(table)).resolve("麒麟投诉").company == "巨野县供电公司"
    monkeypatch.delenv("QILIN_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(table.parent / "xdg"))
    assert cache_folder() == table.parent / "xdg" / "qilin"


def test_old_entries_are_dropped(table: Path) -> None:
    for i in range(20):
        table.write_text(ROWS + f"山东省,菏泽,曹县供电公司,第{i}供电所\n", encoding="utf-8")
        load_tables(table)
    assert len(entries()) == 16


def test_a_bad_table_says_so(table: Path) -> None:
    with pytest.raises(HierarchyError, match="missing"):
        load_tables(table.with_name("missing.csv"))
