"""`qilin batch`: streams, exit codes, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from qilin import resolve
from qilin.batch.files.formats import Format
from qilin.cli.app import app
from tests.batch.conftest import read, write
from tests.batch.expected import expected

ROOT = Path(__file__).parents[2]
OPTIONS = ("--today", "2024-05-13", "--gap-filler", "none", "--workers", "1")
RECORDS = [{"编号": "007", "text": "菏泽昨日投诉"}, {"编号": "008", "text": "城关供电所投诉"}]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the cache of the person who runs it."""
    monkeypatch.setenv("QILIN_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "qilin-cache"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.jsonl", RECORDS)


def batch(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["batch", *map(str, arguments), *OPTIONS])


@pytest.mark.parametrize("kind", list(Format))
def test_from_stdin_to_stdout(tmp_path: Path, kind: Format) -> None:
    content = write(tmp_path / f"in.{kind}", RECORDS).read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "qilin", "batch", "-", "-", "--from", kind, "--to", kind, "-c", "text", *OPTIONS],
        cwd=ROOT,
        input=content,
        capture_output=True,
        check=True,
    )
    found = read(done.stdout, kind)
    assert [row["编号"] for row in found] == ["007", "008"]
    for row, record in zip(found, RECORDS, strict=True):
        want = expected(resolve(record["text"], today=date(2024, 5, 13)))
        assert {name: str(row[name]) for name in want} == {name: str(value) for name, value in want.items()}
    assert done.stderr.decode("utf-8").startswith("2 行：")


def test_what_it_says(source: Path, tmp_path: Path) -> None:
    done = batch(source, tmp_path / "out.csv", "--column", "text")
    assert done.exit_code == 0
    assert done.stdout == f"{tmp_path}/out.csv: 2 行：已解析 1 行，有歧义 1 行\n"


def test_a_row_that_failed(source: Path, tmp_path: Path) -> None:
    with source.open("a", encoding="utf-8") as file:
        file.write('{"编号":"009"}\n')
    done = batch(source, tmp_path / "out.jsonl", "-c", "text", "--prefix", "r_")
    assert done.exit_code == 1
    assert "失败 1 行" in done.stdout
    last = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["r_status"], last["r_error"]) == ("failed", "there is no question in this row")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("{in}", "{out}"), "no line has the key 'query'; the last one has '编号', 'text'"),
        (("{in}", "{out}", "-c", "text", "--today-column", "asked"), "no line has the key 'asked'"),
        (("{in}", "{in}", "-c", "text"), "IN and OUT are the same file"),
        (("{in}", "{out}", "--resume", "--restart"), "give --resume or --restart, not both"),
        (("{in}", "out.xlsx"), "the ending does not say the format"),
        (("{in}", "{out}", "--to", "xlsx"), "'xlsx' is no format"),
        (("{in}", "{out}", "--from", "parquet"), "no readable Parquet file"),
        (("nowhere.csv", "{out}"), "nowhere.csv: No such file or directory"),
        (("{in}", "{out}", "-c", "text", "--scope", "无此单位"), "无此单位"),
        (("{in}", "{out}", "-c", "text", "--default-date", "x"), "no date that is understood"),
    ],
)
def test_wrong_use(source: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    names = {"{in}": str(source), "{out}": str(tmp_path / "out.csv")}
    done = subprocess.run(
        [sys.executable, "-m", "qilin", "batch", *(names.get(each, each) for each in arguments), *OPTIONS],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert reason in " ".join(done.stderr.decode("utf-8").replace("│", " ").split())
    assert "Traceback" not in done.stderr.decode("utf-8")
    assert not (tmp_path / "out.csv").exists()
