"""Workers die: no row is lost or doubled, only the row that kills is failed, and chance is not blamed on a row."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from qilin import Engine
from qilin.batch import RESULT
from qilin.batch.counts import Counts
from qilin.batch.files.job_folder import Unfinished, differing, job_folder
from qilin.batch.files.parquet import AsRows
from qilin.batch.files.part_files import PartFiles
from qilin.batch.input_columns import Columns
from qilin.batch.recipe import Maker, Recipe
from qilin.batch.workers import pool
from qilin.batch.workers.pool import Pool
from qilin.batch.workers.worker import WorkersFailed
from qilin.llm.options import GapOptions
from qilin.names.cache import packed
from qilin.names.compiled import Tables
from tests.batch.conftest import rows
from tests.batch.expected import expected
from tests.batch.makers import DyingEverywhere, DyingOnce, Killing, LastWords, Stillborn

SIZE = 5
RECORDS = rows(31, repeats=2)
PARTS = [RECORDS[at : at + SIZE] for at in range(0, len(RECORDS), SIZE)]


@pytest.fixture(scope="module")
def recipe(small: Tables) -> Recipe:
    return Recipe(packed(small), Columns(), date(2024, 5, 13))


@pytest.fixture
def parts(tmp_path: Path) -> PartFiles:
    folder = tmp_path / "parts"
    folder.mkdir()
    return PartFiles(folder, "0123456789ab")


@pytest.fixture
def graves(tmp_path: Path) -> Path:
    folder = tmp_path / "graves"
    folder.mkdir()
    return folder


def resolved(
    parts: PartFiles, maker: Maker, workers: int, encoding: Any = None, before: Callable[[Pool], None] = lambda _: None
) -> list[dict[str, Any]]:
    """All rows, joined in order, after each part was finished exactly once."""

    def numbers() -> Any:
        for number, some in enumerate(PARTS):
            parts.put_questions(number, pa.RecordBatch.from_pylist(some))
            yield number

    finished = []
    with Pool(maker, parts, encoding or AsRows(), workers) as working:
        for number in working.finish(numbers()):
            before(working)
            finished.append(number)
    assert sorted(finished) == list(range(len(PARTS)))
    assert not list(parts.folder.glob("*.questions"))
    counts = Counts.sum(parts.counts(number) for number in range(len(PARTS)))
    found = [row for number in range(len(PARTS)) for row in parts.finished(number).to_pylist()]
    assert counts.rows == len(found)
    assert counts.failed == sum(row["status"] == "failed" for row in found)
    return found


@pytest.fixture(scope="module")
def want(small: Tables) -> list[dict[str, Any]]:
    engine = Engine(small, gap_filler=None)
    return [{**row, **expected(engine.resolve(row["query"], today=date(2024, 5, 13)))} for row in RECORDS]


def with_failed(want: Sequence[dict[str, Any]], *queries: str) -> list[dict[str, Any]]:
    failed = {"status": "failed", "error": "resolving this question ended its worker process twice; please report it"}
    nothing: dict[str, Any] = {f.name: [] if pa.types.is_list(f.type) else None for f in RESULT}
    return [{**row, **nothing, **failed} if row["query"] in queries else row for row in want]


@pytest.mark.parametrize("workers", [1, 4])
def test_undisturbed(parts: PartFiles, recipe: Recipe, want: list[dict[str, Any]], workers: int) -> None:
    assert resolved(parts, recipe, workers) == want


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_that_kill(parts: PartFiles, recipe: Recipe, want: list[dict[str, Any]], workers: int) -> None:
    """One stands in many parts; two stand in one part; one is the last row of all."""
    queries = (RECORDS[1]["query"], RECORDS[10]["query"], RECORDS[12]["query"], RECORDS[30]["query"])
    assert sum(row["query"] == queries[0] for row in RECORDS) > 1
    assert resolved(parts, Killing(recipe, queries), workers) == with_failed(want, *queries)


@pytest.mark.parametrize("workers", [2])
def test_deaths_by_chance_are_blamed_on_no_row(
    parts: PartFiles, recipe: Recipe, want: list[dict[str, Any]], workers: int, graves: Path
) -> None:
    queries = tuple(RECORDS[i]["query"] for i in (0, 2, 4, 5, 16, 30))
    assert resolved(parts, DyingOnce(recipe, queries, graves), workers) == want
    assert len(list(graves.iterdir())) == len(queries)


def test_deaths_behind_the_last_row_are_blamed_on_no_row(
    parts: PartFiles, recipe: Recipe, want: list[dict[str, Any]], graves: Path
) -> None:
    assert resolved(parts, recipe, 1, LastWords(AsRows(), graves, 2)) == want
    assert len(list(graves.iterdir())) == 2


def test_deaths_that_go_on_end_the_job(parts: PartFiles, recipe: Recipe, graves: Path) -> None:
    with pytest.raises(WorkersFailed, match="keep dying outside any row"):
        resolved(parts, recipe, 1, LastWords(AsRows(), graves, 99))


def test_deaths_at_no_row_in_particular_end_the_job(
    parts: PartFiles, recipe: Recipe, graves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MAX_DEATHS_IN_A_PART", 3)
    with pytest.raises(WorkersFailed, match="at no row in particular"):
        resolved(parts, DyingEverywhere(recipe, graves), 1)


def test_one_row_after_the_other_ends_the_job(
    parts: PartFiles, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MAX_KILLERS", 2)
    with pytest.raises(WorkersFailed, match="at one row after the other"):
        resolved(parts, Killing(recipe, tuple(row["query"] for row in RECORDS)), 1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_kill_9_of_workers(parts: PartFiles, recipe: Recipe, want: list[dict[str, Any]]) -> None:
    killed: set[int] = set()
    disturbed: set[int] = set()  # parts at which a worker was killed: the second time might be at the same row

    def kill(working: Pool) -> None:
        for worker in working._workers:
            at = {task.number for task in worker.tasks}
            if worker.ready and at and not at & disturbed:
                assert worker.process.pid is not None
                os.kill(worker.process.pid, signal.SIGKILL)
                killed.add(worker.process.pid)
                disturbed.update(at)

    assert resolved(parts, recipe, 2, before=kill) == want
    assert len(killed) > 1


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("die", r"before they resolve anything \((killed|exit code)"),
        ("exit", r"before they resolve anything \(exit code 3"),
        ("raise", "RuntimeError: no engine today"),
    ],
)
def test_workers_that_cannot_start(parts: PartFiles, how: str, reason: str) -> None:
    with pytest.raises(WorkersFailed, match=reason):
        resolved(parts, Stillborn(how), 2)


def test_a_gap_filler_in_every_worker(parts: PartFiles, small: Tables) -> None:
    """A server that is not there leaves the answers of the rules, and says so."""
    pytest.importorskip("httpx")
    gaps = GapOptions("server:http://127.0.0.1:1/v1", timeout_s=0.5)
    recipe = Recipe(packed(small), Columns(), date(2024, 5, 13), gaps=gaps)
    found = resolved(parts, recipe, 2)
    rules = Engine(small, gap_filler=None)
    for row, record in zip(found, RECORDS, strict=True):
        bare = expected(rules.resolve(record["query"], today=date(2024, 5, 13)))
        assert {name: row[name] for name in bare if name != "degraded"} == {
            name: value for name, value in bare.items() if name != "degraded"
        }
        assert bool(row["degraded"]) >= (bare["status"] == "ambiguous")
    assert any(row["degraded"] for row in found)


# ── parts and their folder ───────────────────────────────────────────────────────────────────────

BATCH = pa.record_batch({"n": [1, 2, 3]})


def test_a_part_is_whole_or_not_there(parts: PartFiles) -> None:
    assert not parts.has(0, 3)
    parts.finish(0, BATCH, Counts({"resolved": 2, "failed": 1}))
    assert parts.has(0, 3)
    assert not parts.has(0, 4)
    assert not parts.has(1, 3)
    assert parts.finished(0) == BATCH
    (path,) = parts.folder.iterdir()
    whole = path.read_bytes()
    for size in (0, 1, 8, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert not parts.has(0, 3)
    path.write_bytes(b"x" * len(whole))
    assert not parts.has(0, 3)


def test_a_part_of_another_job_is_never_taken(parts: PartFiles) -> None:
    parts.finish(0, BATCH, Counts({"resolved": 3}))
    assert not PartFiles(parts.folder, "ba9876543210").has(0, 3)


def test_a_part_that_cannot_be_written_leaves_nothing(parts: PartFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        parts.finish(0, BATCH, Counts({"resolved": 3}))
    assert not list(parts.folder.iterdir())


def test_a_damaged_part_is_named(parts: PartFiles) -> None:
    parts.finish(0, BATCH, Counts({"resolved": 3}))
    (path,) = parts.folder.iterdir()
    content = path.read_bytes()
    frame = content.index(b"\x04\x22\x4d\x18")  # where LZ4 begins
    path.write_bytes(content[:frame] + b"\0\0\0\0" + content[frame + 4 :])
    assert parts.has(0, 3)
    with pytest.raises(ValueError, match=f"{path.name}: this part file is damaged"):
        parts.finished(0)


MANIFEST = {"input": "a", "table": "b"}


def begun(folder: Path, manifest: Any = None, finished: bool = True, **how: bool) -> None:
    """A run that dies, after it has finished a part or not."""
    with (
        pytest.raises(KeyboardInterrupt),
        job_folder(folder, manifest or MANIFEST, **{"resume": False, "restart": False, **how}),
    ):
        if finished:
            PartFiles(folder, "0123456789ab").finish(0, BATCH, Counts({"resolved": 3}))
        raise KeyboardInterrupt


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out.csv.parts"


def test_a_folder_is_gone_when_the_job_is_done(folder: Path) -> None:
    with job_folder(folder, MANIFEST, resume=False, restart=False):
        assert folder.is_dir()
    assert not folder.exists()


def test_earlier_work_wants_a_decision(folder: Path) -> None:
    begun(folder)
    with pytest.raises(Unfinished, match=r"did not finish.*--resume.*--restart"):
        begun(folder)
    begun(folder, resume=True)
    assert PartFiles(folder, "0123456789ab").has(0, 3)
    begun(folder, finished=False, restart=True)
    assert not PartFiles(folder, "0123456789ab").has(0, 3)


def test_files_of_interrupted_writers_go(folder: Path) -> None:
    begun(folder)
    (folder / f"{'0' * 32}.tmp").write_bytes(b"half")
    begun(folder, finished=False, resume=True)
    assert not list(folder.glob("*.tmp")) and PartFiles(folder, "0123456789ab").has(0, 3)


def test_earlier_work_of_which_nothing_is_finished_is_in_nobodys_way(folder: Path) -> None:
    begun(folder, finished=False)
    begun(folder, {"input": "c"}, finished=False)
    with job_folder(folder, {"input": "d"}, resume=True, restart=False):
        pass
    assert not folder.exists()


def test_what_has_changed_is_named(folder: Path) -> None:
    begun(folder)
    with pytest.raises(Unfinished, match=r"because table: b then, c now; scope: not given then, 乙市 now\."):
        begun(folder, {"input": "a", "table": "c", "scope": "乙市"}, resume=True)
    assert differing({"a": 1}, {"a": 1}) == []


def test_a_folder_with_other_things_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    for how in ({}, {"resume": True}, {"restart": True}):
        with pytest.raises(Unfinished, match=r"'thesis.tex' in this folder is no file of a batch"):
            begun(folder, **how)
    assert [p.name for p in folder.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["", "{", "[1]", "\udcff"])
def test_a_damaged_manifest(folder: Path, content: str) -> None:
    begun(folder)
    (folder / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(Unfinished, match=r"manifest.json: this file is damaged. Give --restart"):
        begun(folder, resume=True)
    begun(folder, restart=True)


def test_two_at_once(folder: Path) -> None:
    with job_folder(folder, MANIFEST, resume=False, restart=False):
        for how in ({}, {"resume": True}, {"restart": True}):
            with pytest.raises(Unfinished, match="another process is writing this output now"):
                begun(folder, **how)
    begun(folder)
