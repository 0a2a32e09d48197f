"""A file or stream of questions to the same rows with their resolutions, on this machine. Start here.

    input ─ sources ─► parts of questions ─ pool, worker, arrow ─► finished parts ─ sinks ─► output

The parts lie in a folder beside the output. The output is written there too, and gets its name when it is whole.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa

from qilin.batch.counts import Counts
from qilin.batch.files.formats import STREAM, Format
from qilin.batch.files.manifest import file_hash, gaps_of, indicators_hash, rules_hash, short_name
from qilin.batch.files.parts import Parts, discard, job_folder, publish, read_manifest
from qilin.batch.files.sinks import Sink, encoding_of
from qilin.batch.files.sources import CsvSource, Source, local_file, open_source
from qilin.batch.questions import Columns
from qilin.batch.workers.pool import Pool, WorkersFailed
from qilin.batch.workers.worker import Recipe
from qilin.llm.options import GapOptions
from qilin.names.cache import packed
from qilin.names.compiled import Tables
from qilin.resolver import Engine, today_in_shanghai

PART_ROWS = 32768


class Job(NamedTuple):
    """What is to be done, and how.

    Args:
        source, target: paths, or "-" for standard input and output.
        source_format, target_format: of these.
        tables: the compiled organisation table and indicators.
        columns: which columns are read, and how those that are added are called.
        today: the day that relative dates count from; None: today in Shanghai, or when the job that is
            resumed began.
        scope, default_date, max_length: as for `Engine` and `ArrowResolver`.
        gaps: the gap filler; "auto" is not settled here.
        workers: how many processes.
        encoding: of a CSV input; None: recognised.
        part_rows: rows of one part, and of a row group of a Parquet output.
        resume, restart: as for `parts.job_folder`.
    """

    source: str
    target: str
    source_format: Format
    target_format: Format
    tables: Tables
    columns: Columns = Columns()
    today: date | None = None
    scope: str | None = None
    default_date: str | None = None
    max_length: int = 2000
    gaps: GapOptions = GapOptions(None)
    workers: int = 1
    encoding: str | None = None
    part_rows: int = PART_ROWS
    resume: bool = False
    restart: bool = False


class Progress(NamedTuple):
    """How far a job is: rows finished, those of them that an earlier run had finished, share of the input read."""

    rows: int
    earlier: int
    share: float


def run_job(job: Job, watch: Callable[[Progress], None] = lambda _: None) -> Counts:
    """Resolve every row of the input; the output has exactly one row for each, in the same order.

    Args:
        job: what is to be done.
        watch: told how far the job is, after each part.

    Returns: how many rows came out how.
    Raises: Unfinished, for earlier work that does not fit; OSError, when something cannot be read or
        written; ValueError, for an input that cannot be understood; WorkersFailed. There is then no
        output, or the one that was there before; what was finished is kept, unless the output is a stream.
    """
    _check_target(job)
    check_options(job)
    with local_file(job.source) as path:
        both_lines = job.source_format is job.target_format is Format.JSONL
        added = job.columns.added if both_lines else None
        state = state_of(path)
        source = open_source(path, job.source_format, job.columns.texts, added=added, encoding=job.encoding)
        schema = job.columns.output_schema(source.schema)
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice and job.target_format is not Format.PARQUET:
            raise ValueError(
                f"the input has more than one column {twice[0]!r}, which {job.target_format} cannot hold; rename one of them."
            )
        delimiter = _delimiter(job, source)
        encoding = encoding_of(job.target_format, delimiter=delimiter, added=added)
        manifest = manifest_of(job, path) | {"delimiter": delimiter}
        with _folder(job, manifest) as folder, _output(job, folder) as file:
            tables = folder / "tables"
            tables.write_bytes(packed(job.tables))
            recipe = Recipe(
                tables,
                job.columns,
                date.fromisoformat(manifest["today"]),
                job.scope,
                job.default_date,
                job.max_length,
                job.gaps,
            )
            parts = Parts(folder, short_name(manifest))
            mark = isinstance(source, CsvSource) and source.has_mark
            sink = Sink(file, encoding, schema, mark=mark, prefix=job.columns.prefix)
            try:
                counts = _resolve(job, source, parts, sink, Pool(recipe, parts, encoding, job.workers), watch)
                if state_of(path) != state:
                    discard(folder)
                    raise ValueError(f"{job.source}: the file was changed while it was read. Begin anew.")
                sink.close()
            except BaseException:
                sink.abandon()
                raise
        return counts


def state_of(path: str) -> tuple[int, int, int]:
    """What changes with the content of a file."""
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _delimiter(job: Job, source: Source) -> str:
    """Between the cells of a CSV output: that of a CSV input, but a tab in .tsv, and a comma for what was .tsv before."""
    was, is_now = (path.lower().endswith(".tsv") for path in (job.source, job.target))
    if is_now:
        return "\t"
    return source.delimiter if isinstance(source, CsvSource) and not was else ","


def check_options(job: Job) -> None:
    """Refuse now what would else fail in every worker. Raises: ValueError, for a default date or scope that is none."""
    Engine(job.tables, default_date=job.default_date, gap_filler=None)
    if job.scope is not None:
        job.tables.scope_node(job.scope)


def _check_target(job: Job) -> None:
    """Refuse an output that no file could be put in the place of: all work would be for nothing.

    Raises: ValueError.
    """
    target = Path(job.target)
    if job.target != STREAM and target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or a pipe"
        raise ValueError(f"{target}: this is {kind}, not a file; name a file, or - for standard output.")


def _resolve(
    job: Job, source: Source, parts: Parts, sink: Sink, pool: Pool, watch: Callable[[Progress], None]
) -> Counts:
    """Have every part resolved that is not yet, and join them in order as they come."""
    sizes: list[int] = []
    finished: set[int] = set()
    joined: list[Counts] = []
    done = earlier = 0

    def missing() -> Iterator[int]:
        nonlocal done, earlier
        for number, rows in enumerate(source.batches(job.part_rows)):
            sizes.append(rows.num_rows)
            if parts.has(number, rows.num_rows):
                earlier += rows.num_rows
                done += rows.num_rows
                finished.add(number)
            else:
                parts.put_questions(number, rows)
                yield number

    def join() -> None:
        while len(joined) in finished:
            number = len(joined)
            sink.append(parts.finished(number))
            joined.append(parts.counts(number))
            pa.default_memory_pool().release_unused()
            if job.target == STREAM:
                parts.drop(number)

    with pool:
        for number in pool.finish(missing()):
            finished.add(number)
            done += sizes[number]
            join()
            watch(Progress(done, earlier, source.share_read()))
    join()
    counts = Counts.sum(joined)
    if counts.rows != sum(sizes):
        raise WorkersFailed(f"{sum(sizes)} rows were read and {counts.rows} are to be written; give --restart")
    return counts


def manifest_of(job: Job, path: str) -> dict[str, Any]:
    """Everything that the bytes of the output depend on, under names that people know."""
    earlier = read_manifest(parts_folder(job.target)) if job.resume and job.target != STREAM else None
    pinned = (earlier or {}).get("today")  # a job that goes on after midnight still counts from the day it began
    today = job.today.isoformat() if job.today is not None else pinned or today_in_shanghai().isoformat()
    return {
        "input": file_hash(path),
        "table": job.tables.hierarchy.version,
        "indicators": indicators_hash(job.tables.gazetteer.indicators),
        "rules": rules_hash(),
        "model": gaps_of(job.gaps),
        "time for the model": job.gaps.timeout_s if job.gaps.kind is not None else None,
        "today": today,
        "columns": list(job.columns),
        "scope": job.scope,
        "default date": job.default_date,
        "longest question": job.max_length,
        "formats": [job.source_format.value, job.target_format.value],
        "encoding": job.encoding,
        "rows of a part": job.part_rows,
    }


def parts_folder(target: str) -> Path:
    """Where the parts of an output lie until it is whole: beside it, also where a link stands for it."""
    path = Path(os.path.realpath(target)) if os.path.islink(target) else Path(target)
    return path.with_name(f"{path.name}.parts")


@contextmanager
def _folder(job: Job, manifest: dict[str, Any]) -> Iterator[Path]:
    """The folder for the parts; gone afterwards if the output is whole, or a stream."""
    if job.target == STREAM:
        with tempfile.TemporaryDirectory(prefix="qilin-") as passing:
            yield Path(passing)
        return
    folder = parts_folder(job.target)
    with job_folder(folder, manifest, resume=job.resume, restart=job.restart):
        yield folder


@contextmanager
def _output(job: Job, folder: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole; or standard output."""
    if job.target == STREAM:
        yield sys.stdout.buffer
        return
    draft = folder / "output"
    with draft.open("wb") as file:
        yield file
    publish(draft, Path(os.path.realpath(job.target)))
