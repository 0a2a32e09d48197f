"""What one job makes of what an earlier one left, and what it tells meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from qilin import Engine
from qilin.batch import job as job_module
from qilin.batch.counts import Counts
from qilin.batch.files.job_folder import Unfinished
from qilin.batch.input_columns import Columns
from qilin.batch.job import Progress
from qilin.batch.recipe import Recipe
from qilin.llm.options import GapOptions
from qilin.names.compiled import Tables
from tests.batch.conftest import QUESTIONS, Run, read, rows, write
from tests.batch.makers import Killing

COUNT = 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.csv", rows(COUNT))


def stop(progress: Progress) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def begun(run: Run, source: Path, tmp_path: Path) -> Path:
    """The output of a job that was stopped when its first part was finished."""
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out.csv", stop)
    return tmp_path / "out.csv"


def test_progress(run: Run, source: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    run(source, tmp_path / "out.csv", told.append)
    assert [progress.rows for progress in told[:-1]] == sorted({progress.rows for progress in told[:-1]})
    assert told[-1] == Progress(COUNT, 0, 1.0)
    assert all(0 <= progress.share <= 1 for progress in told)


def test_progress_of_a_job_that_goes_on(run: Run, source: Path, begun: Path) -> None:
    told: list[Progress] = []
    run(source, begun, told.append, resume=True)
    assert told[-1].rows == COUNT
    assert told[-1].earlier >= 7
    assert all(progress.rows > progress.earlier for progress in told)
    assert [row["编号"] for row in read(begun)] == [f"{i:03d}" for i in range(COUNT)]


def tables_with(engine_with: Callable[..., Engine], *rows: str, aliases: tuple[str, ...] = ()) -> Tables:
    return engine_with(
        "甲省,乙市,丙丁县供电公司,麒麟供电所",
        "甲省,乙市,丙丁县供电公司,城关供电所",
        "甲省,乙市,戊己县供电公司,城关供电所",
        "甲省,庚市,辛壬县供电公司,云台供电所",
        *rows,
        aliases=aliases,
    )._tables


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"columns": Columns(prefix="r_")}, "columns: .* then, .* now"),
        ({"columns": Columns(query="编号")}, "columns: .* then, .* now"),
        ({"today": date(2024, 5, 14)}, "today: 2024-05-13 then, 2024-05-14 now"),
        ({"scope": "乙市"}, "scope: not given then, 乙市 now"),
        ({"default_date": "本月"}, "default date: not given then, 本月 now"),
        ({"max_length": 99}, "longest question: 2000 then, 99 now"),
        ({"gaps": GapOptions("server:http://127.0.0.1:1/v1")}, "model: none then, server:http"),
        ({"encoding": "utf-8"}, "encoding: not given then, utf-8 now"),
        ({"part_rows": 8}, "rows of a part: 7 then, 8 now"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, dict) else "",
)
def test_resume_with_other_options(run: Run, source: Path, begun: Path, options: dict[str, Any], named: str) -> None:
    with pytest.raises(Unfinished, match=named):
        run(source, begun, resume=True, **options)
    assert not begun.exists()
    assert list(begun.with_name("out.csv.parts").glob("*.done"))


def test_resume_over_another_input(run: Run, source: Path, begun: Path) -> None:
    write(source, rows(COUNT, repeats=4))
    with pytest.raises(Unfinished, match="the input changed"):
        run(source, begun, resume=True)


def test_resume_over_another_table(run: Run, source: Path, begun: Path, engine_with: Callable[..., Engine]) -> None:
    more = tables_with(engine_with, "甲省,庚市,辛壬县供电公司,新供电所")
    named = tables_with(engine_with, aliases=("小乙,city,乙市,,alias,,",))
    for tables in (more, named):
        with pytest.raises(Unfinished, match="the table changed"):
            run_with(run, source, begun, tables, resume=True)
    run_with(run, source, begun, tables_with(engine_with), resume=True)
    assert len(read(begun)) == COUNT


def run_with(run: Run, source: Path, target: Path, tables: Tables, **options: Any) -> Counts:
    return run(source, target, tables=tables, **options)


def test_resume_over_other_indicators(run: Run, source: Path, begun: Path, small: Tables, tmp_path: Path) -> None:
    indicators = tmp_path / "indicators.csv"
    indicators.write_text("name,aliases\n投诉,\n", encoding="utf-8")
    other = Tables.build(small.hierarchy, indicators)
    with pytest.raises(Unfinished, match="the indicators changed"):
        run(source, begun, tables=other, resume=True)


def test_resume_with_other_rules(run: Run, source: Path, begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "rules_hash", lambda: "other rules")
    with pytest.raises(Unfinished, match=r"rules: .* then, other rules now"):
        run(source, begun, resume=True)


def test_resume_after_midnight(run: Run, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative dates count from the day on which the job began, in all of its rows."""
    out = tmp_path / "out.csv"
    monkeypatch.setattr(job_module, "today_in_shanghai", lambda: date(2024, 5, 13))
    with pytest.raises(KeyboardInterrupt):
        run(source, out, stop, today=None)
    monkeypatch.setattr(job_module, "today_in_shanghai", lambda: date(2024, 5, 14))
    run(source, out, today=None, resume=True)
    assert {row["date_start"] for row in read(out) if row["query"].startswith("麒麟")} == {"2024-05-12"}


def test_parts_of_another_job_are_not_taken(run: Run, source: Path, begun: Path, tmp_path: Path) -> None:
    """Though they lie in the folder under the same numbers, as a stray process could have left them."""
    (part, *_) = begun.with_name("out.csv.parts").glob("*.done")
    stray = (part.name, part.read_bytes())
    write(source, [{**row, "query": "庚市投诉"} for row in rows(COUNT)])

    def drop(progress: Progress) -> None:
        (begun.with_name("out.csv.parts") / stray[0]).write_bytes(stray[1])

    run(source, begun, drop, restart=True)
    assert {row["city"] for row in read(begun)} == {"庚市"}


def test_a_damaged_part_is_made_again(run: Run, source: Path, begun: Path) -> None:
    for part in begun.with_name("out.csv.parts").glob("*.done"):
        part.write_bytes(part.read_bytes()[:-9])
    run(source, begun, resume=True)
    assert len(read(begun)) == COUNT


def test_an_error_late_in_the_input_leaves_no_output(run: Run, source: Path, tmp_path: Path) -> None:
    with source.open("a", encoding="utf-8") as file:
        file.write("too,many,cells\n")
    with pytest.raises(ValueError, match="csv:42: this row has 3 cells, the header 2"):
        run(source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ending", ["parquet"])
def test_the_same_bytes_whatever_the_workers_and_whoever_dies(
    run: Run, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = rows(24)
    source = write(tmp_path / f"in.{ending}", records)
    monkeypatch.setattr(job_module, "Recipe", lambda *given: Killing(Recipe(*given), (QUESTIONS[3],)))
    outs = [tmp_path / f"{workers}.{ending}" for workers in (1, 3)]
    counts = [run(source, out, workers=workers, part_rows=12) for out, workers in zip(outs, (1, 3), strict=True)]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    failed = [row["编号"] for row in read(outs[0]) if row["status"] == "failed"]
    assert failed == [row["编号"] for row in records if row["query"] == QUESTIONS[3]]
    assert counts[0] == counts[1]
    assert counts[0].failed == len(failed) > 1


def test_a_scope_that_is_not_in_the_table(run: Run, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="无此单位"):
        run(source, tmp_path / "out.csv", scope="无此单位")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_a_default_date_that_is_none(run: Run, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="default_date 'gestern' is no date"):
        run(source, tmp_path / "out.csv", default_date="gestern")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
