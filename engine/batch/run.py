"""A file or stream of questions to the same rows with their resolutions, on this machine. Start here.

    input ─ sources ─► rows of questions ─ pool, worker, arrow ─► part files ─ outputs ─► output

The part files lie in a folder beside the output. The output is written there too, and gets its name when it is whole.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from qilin.batch.counts import Counts
from qilin.batch.files.csv_files import CsvSource
from qilin.batch.files.formats import STREAM, Format
from qilin.batch.files.job_folder import job_folder
from qilin.batch.files.manifest import short_name
from qilin.batch.files.part_files import PartFiles
from qilin.batch.files.published import published
from qilin.batch.files.sinks import Append, encoding_of, open_output
from qilin.batch.files.sources import Source
from qilin.batch.job import Job, Progress, opened, parts_folder
from qilin.batch.workers.pool import Pool
from qilin.batch.workers.worker import WorkersFailed
from qilin.names.cache import packed


def run_job(job: Job, watch: Callable[[Progress], None] = lambda _: None) -> Counts:
    """Resolve every row of the input; the output has exactly one row for each, in the same order.

    Args:
        job: what is to be done.
        watch: told how far the job is, after each part.

    Returns: how many rows have each status.
    Raises: Unfinished, for earlier work that does not fit; OSError, when something cannot be read or
        written; ValueError, for an input that cannot be understood; WorkersFailed. There is then no
        output, or the one that was there before; finished parts are kept, unless the output is a stream.
    """
    _check_target(job)
    added = job.columns.added if job.source_format is job.target_format is Format.JSONL else None
    with opened(job, added) as given:
        source, schema = given.source, given.schema
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice and job.target_format is not Format.PARQUET:
            raise ValueError(
                f"the input has more than one column {twice[0]!r}, which {job.target_format} cannot hold; rename one of them."
            )
        delimiter = _delimiter(job, source)
        encoding = encoding_of(job.target_format, delimiter=delimiter, added=added)
        manifest = given.manifest | {"delimiter": delimiter}
        with _destination(job, manifest) as (folder, file):
            tables = folder / "tables"
            tables.write_bytes(packed(job.tables))
            parts = PartFiles(folder, short_name(manifest))
            pool = Pool(job.recipe(tables, given.today), parts, encoding, job.workers)
            mark = isinstance(source, CsvSource) and source.has_mark
            with open_output(file, encoding, schema, mark=mark, prefix=job.columns.prefix) as append:
                counts = _resolve(job, source, parts, append, pool, watch)
                given.check_unchanged(job, folder)
        return counts


def _check_target(job: Job) -> None:
    """Refuse an output that no file can replace: all work would be for nothing. Raises: ValueError."""
    target = Path(job.target)
    if job.target != STREAM and target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or a pipe"
        raise ValueError(f"{target}: this is {kind}, not a file; name a file, or - for standard output.")


def _delimiter(job: Job, source: Source) -> str:
    """Of a CSV output: a tab in .tsv, a comma for an input that was .tsv, else that of a CSV input."""
    was_tsv, is_tsv = (path.lower().endswith(".tsv") for path in (job.source, job.target))
    if is_tsv:
        return "\t"
    return source.delimiter if isinstance(source, CsvSource) and not was_tsv else ","


def _resolve(
    job: Job, source: Source, parts: PartFiles, append: Append, pool: Pool, watch: Callable[[Progress], None]
) -> Counts:
    """Have every unfinished part resolved, and join the parts in order as they are finished."""
    sizes: list[int] = []
    finished: set[int] = set()
    joined: list[Counts] = []
    done = earlier = 0

    def unfinished() -> Iterator[int]:
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
            append(parts.finished(number))
            joined.append(parts.counts(number))
            pa.default_memory_pool().release_unused()
            if job.target == STREAM:
                parts.drop(number)

    with pool:
        for number in pool.finish(unfinished()):
            finished.add(number)
            done += sizes[number]
            join()
            watch(Progress(done, earlier, source.share_read()))
    join()
    counts = Counts.sum(joined)
    if counts.rows != sum(sizes):
        raise WorkersFailed(f"{sum(sizes)} rows were read and {counts.rows} would be written; give --restart")
    return counts


@contextmanager
def _destination(job: Job, manifest: Mapping[str, Any]) -> Iterator[tuple[Path, IO[bytes]]]:
    """The folder for the part files, and the output: a file that gets its name when it is whole, or stdout."""
    if job.target == STREAM:
        with tempfile.TemporaryDirectory(prefix="qilin-") as name:
            yield Path(name), sys.stdout.buffer
        return
    folder = parts_folder(job.target)
    with (
        job_folder(folder, manifest, resume=job.resume, restart=job.restart),
        published(Path(os.path.realpath(job.target)), folder) as path,
        path.open("wb") as file,
    ):
        yield folder, file
