"""Kill a batch at random moments, let it go on, and hold the output against that of an undisturbed run.

    python -m benchmarks.batch_kill --rows 100000 --kills 20 --seed 1

Prints one line a kill. Exit code 1, when a row was lost or doubled, or a byte is not the same.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.internals import Tables
from benchmarks.oracle import Table
from benchmarks.questions import TODAY, questions
from qilin.batch.files.formats import Format
from qilin.batch.files.manifest import file_hash
from qilin.batch.job import Job
from qilin.batch.run import run_job
from qilin.hierarchy import Hierarchy

_ROOT = Path(__file__).resolve().parent.parent
_CHUNK = 100_000


class Kill(NamedTuple):
    """One kill. `at`: seconds after the start; `parts`: finished by then."""

    number: int
    at: float
    parts: int
    rows: int
    same_ids: bool
    same_bytes: bool


def write_questions(path: Path, rows: int, seed: int) -> None:
    """A Parquet file of that many rows: an id, and a question that hardly any other row asks."""
    table = Table.read(_ROOT / "data/hierarchy/china.csv", "山东省")
    asked = [q.query for q in questions(table, per_kind=300, seed=seed)]
    schema = pa.schema([("id", pa.int64()), ("query", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, _CHUNK):
            ids = range(start, min(start + _CHUNK, rows))
            texts = [f"{asked[i % len(asked)]}（第{i // len(asked)}次）" for i in ids]
            writer.write_table(pa.table({"id": list(ids), "query": texts}, schema=schema))


def job(source: str, target: str, workers: str, part_rows: str) -> None:
    """One run, which goes on with what is there; in small parts, so that a short one has many."""
    tables = Tables.build(Hierarchy.bundled(), None)
    formats = Format.PARQUET, Format.PARQUET
    run_job(
        Job(source, target, *formats, tables, today=TODAY, workers=int(workers), part_rows=int(part_rows), resume=True)
    )


def run(arguments: list[str], seconds: float | None = None) -> float | None:
    """Run to the end, or until it is killed after that many seconds; how long it ran, None if it ended by itself."""
    begin = time.monotonic()
    process = subprocess.Popen(arguments, cwd=_ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()  # the job alone: its workers must find out by themselves
        process.wait()
        return time.monotonic() - begin
    if process.returncode:
        raise SystemExit(f"the run failed with {process.returncode}")
    return None


def kills(folder: Path, source: Path, workers: int, part_rows: int, count: int, seed: int) -> Iterator[Kill]:
    """Kill at `count` moments spread over the time that an undisturbed run takes, and finish after each."""
    want, target = folder / "want.parquet", folder / "out.parquet"

    def command(out: Path, processes: int) -> list[str]:
        words = ["--job", str(source), str(out), str(processes), str(part_rows)]
        return [sys.executable, "-m", "benchmarks.batch_kill", *words]

    run(command(want, 1))  # another number of workers than below: the bytes must not depend on it
    begin = time.monotonic()
    run(command(target, workers))
    whole = time.monotonic() - begin
    digest = file_hash(want)
    ids = pq.read_table(want, columns=["id"]).column("id")
    rng = random.Random(seed)
    for number in range(1, count + 1):
        at: float | None = None
        while at is None:  # a run that ends before it is killed counts for nothing
            target.unlink(missing_ok=True)
            at = run(command(target, workers), rng.uniform(0, whole))
        parts = len(list((folder / "out.parquet.parts").glob("*.done")))
        if target.exists() and file_hash(target) != digest:  # it may have been killed when all was done
            raise SystemExit("there is half an output")
        run(command(target, workers))
        found = pq.read_table(target, columns=["id"]).column("id")
        yield Kill(number, at, parts, len(found), found.equals(ids), file_hash(target) == digest)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--part-rows", type=int, default=4096)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--job", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        job(*options.job)
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="batch-kill-") as name:
        folder = Path(name)
        source = folder / "in.parquet"
        write_questions(source, options.rows, options.seed)
        print(
            f"{options.rows:,} rows, {options.workers} workers, seed {options.seed}, killed with {signal.SIGKILL.name}"
        )
        print("kill  after s  finished parts  rows out  same ids  same bytes")
        for kill in kills(folder, source, options.workers, options.part_rows, options.kills, options.seed):
            good = kill.rows == options.rows and kill.same_ids and kill.same_bytes
            failed += not good
            print(
                f"{kill.number:4}  {kill.at:7.2f}  {kill.parts:14}  {kill.rows:8}  {kill.same_ids!s:>8}  {kill.same_bytes!s:>10}",
                flush=True,
            )
    print("every row once, the same bytes, every time" if not failed else f"{failed} kills did harm")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
