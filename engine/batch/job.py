"""A job: what is to be resolved, and all that its answers depend on. Run by `qilin.batch.run`, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from qilin.batch.files.formats import STREAM, Format
from qilin.batch.files.job_folder import discard, read_manifest
from qilin.batch.files.manifest import file_hash, gaps_of, indicators_hash, rules_hash
from qilin.batch.files.sources import Source, local_file, open_source
from qilin.batch.input_columns import Columns
from qilin.batch.recipe import Recipe
from qilin.llm.options import GapOptions
from qilin.names.compiled import Tables
from qilin.resolver import Engine, today_in_shanghai

PART_ROWS = 32768


class Job(NamedTuple):
    """What is to be done, and how.

    Args:
        source, target: paths, or "-" for standard input and output.
        source_format, target_format: of these.
        tables: the compiled organisation table and indicators.
        columns: which columns are read, and the names of the added ones.
        today: the day that relative dates count from; None: today in Shanghai, or the day on which a job that
            is resumed began.
        scope, default_date, max_length: as for `Engine` and `ArrowResolver`.
        gaps: the gap filler; "auto" is not settled here.
        workers: how many processes.
        encoding: of a CSV input; None: recognised.
        part_rows: rows of a part file, and of a row group of a Parquet output.
        resume, restart: as for `job_folder`.
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

    def recipe(self, tables: bytes | Path, today: date) -> Recipe:
        """How a process makes the resolver of this job; the arguments are as for `Recipe`."""
        return Recipe(tables, self.columns, today, self.scope, self.default_date, self.max_length, self.gaps)


class Progress(NamedTuple):
    """How far a job is: rows finished, those of them that an earlier run finished, share of the input read."""

    rows: int
    earlier: int
    share: float


class Input(NamedTuple):
    """The input of a job, opened.

    `path`: a file that can be read more than once; `state`: what changes with its content; `schema`: of the
    output; `manifest`: everything that the bytes of the output depend on, under names for people.
    """

    path: str
    state: tuple[int, int, int]
    source: Source
    schema: pa.Schema
    manifest: dict[str, Any]

    @property
    def today(self) -> date:
        """The day that relative dates count from."""
        return date.fromisoformat(self.manifest["today"])

    def check_unchanged(self, job: Job, folder: Path) -> None:
        """Throw the content of the job's folder away if the input is not what it was.

        Raises: ValueError.
        """
        if _state_of(self.path) != self.state:
            discard(folder)
            raise ValueError(f"{job.source}: the file was changed while it was read. Begin anew.")


@contextmanager
def opened(job: Job, added: Sequence[str] | None = None) -> Iterator[Input]:
    """The input of a job whose options have been checked; `added`: as for `JsonLinesSource`.

    Raises: Unfinished, for earlier work that cannot be read; OSError; ValueError, for an input, or for a scope
        or default date with which every worker would fail.
    """
    Engine(job.tables, default_date=job.default_date, gap_filler=None)
    if job.scope is not None:
        job.tables.scope_node(job.scope)
    with local_file(job.source) as path:
        state = _state_of(path)
        source = open_source(path, job.source_format, job.columns.texts, added=added, encoding=job.encoding)
        yield Input(path, state, source, job.columns.output_schema(source.schema), _manifest(job, path))


def _state_of(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _manifest(job: Job, path: str) -> dict[str, Any]:
    earlier = read_manifest(parts_folder(job.target)) if job.resume and job.target != STREAM else None
    begun = (earlier or {}).get("today")  # a job that goes on after midnight still counts from the day it began
    today = job.today.isoformat() if job.today is not None else begun or today_in_shanghai().isoformat()
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
    """Where the part files of an output lie: beside it, or beside the file that a link under its name leads to."""
    path = Path(os.path.realpath(target)) if os.path.islink(target) else Path(target)
    return path.with_name(f"{path.name}.parts")
