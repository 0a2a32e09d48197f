"""What the tests of batches share: a small table, rows to ask, and how a job is run."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("filelock")

import pyarrow as pa
import pyarrow.parquet as pq

from qilin import Engine
from qilin.batch.counts import Counts
from qilin.batch.files.formats import Format, format_of
from qilin.batch.job import Job, Progress
from qilin.batch.run import run_job
from qilin.names.compiled import Tables

Run = Callable[..., Counts]


@pytest.fixture(scope="session")
def small(engine_with: Callable[..., Engine]) -> Tables:
    """Compiled tables of a handful of organisations, quick to hand to a process."""
    return engine_with(
        "甲省,乙市,丙丁县供电公司,麒麟供电所",
        "甲省,乙市,丙丁县供电公司,城关供电所",
        "甲省,乙市,戊己县供电公司,城关供电所",
        "甲省,庚市,辛壬县供电公司,云台供电所",
    )._tables


@pytest.fixture
def run(small: Tables, today: date) -> Run:
    """Run a job on the small table; formats by the endings of the paths."""

    def go(
        source: Path | str, target: Path | str, watch: Callable[[Progress], None] = lambda _: None, **options: Any
    ) -> Counts:
        source, target = str(source), str(target)
        formats = format_of(source), format_of(target)
        given = {"tables": small, "today": today, "part_rows": 7, **options}
        return run_job(Job(source, target, *formats, **given), watch)

    return go


QUESTIONS = (
    "麒麟供电所昨日投诉",
    "城关供电所投诉数量",
    "乙市和庚市投诉",
    "除丙丁县外乙市各县投诉",
    "庚市麒麟供电所投诉",
    "不知道什么东西",
    "乙市5月1日到5月3日投诉",
)


def rows(count: int, repeats: int = 3) -> list[dict[str, str]]:
    """That many rows, most of them of questions that no other row asks."""
    return [
        {"编号": f"{i:03d}", "query": QUESTIONS[i % 7] + ("" if i % repeats else f"，第{i}次")} for i in range(count)
    ]


def write(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    """The rows in a file of the format that its ending says."""
    kind = format_of(str(path))
    if kind is Format.PARQUET:
        pq.write_table(pa.Table.from_pylist(list(records)), path)
    elif kind is Format.CSV:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(records[0]))
            writer.writeheader()
            writer.writerows(records)
    else:
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path | bytes, kind: Format | None = None) -> list[dict[str, Any]]:
    """The rows of a file; what CSV can only say as text, as the value it says."""
    if isinstance(path, Path):
        path, kind = path.read_bytes(), kind or format_of(str(path))
    if kind is Format.PARQUET:
        found: list[dict[str, Any]] = pq.read_table(pa.BufferReader(path)).to_pylist()
    elif kind is Format.JSONL:
        found = [json.loads(line) for line in path.decode("utf-8").splitlines()]
    else:
        found = list(csv.DictReader(path.decode("utf-8-sig").splitlines(keepends=True)))
        for row in found:
            row.update({name: _from_csv(text) for name, text in row.items()})
    for row in found:
        row.update({name: v.isoformat() for name, v in row.items() if isinstance(v, date)})
    return found


def _from_csv(text: str) -> Any:
    return json.loads(text) if text.startswith("[") else text or None
