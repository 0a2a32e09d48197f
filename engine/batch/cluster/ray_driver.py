"""A file of questions resolved on a Ray cluster. Start here.

    Parquet ─ read ─► repartition ─► resolve: rules, tasks ─► fill: gap filler, actors ─► write ─► a folder of Parquet files

`qilin.batch.cluster.ray_stages` runs on the nodes. This is the driver: it decides which rows are to be read, has Ray
Data resolve them, and compares the output with the input before the folder gets its name.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import ray

from qilin.batch.cluster import ray_stages
from qilin.batch.cluster.ray_output import Destination, PartFile, missing_rows, no_rows
from qilin.batch.cluster.ray_stages import GapFillerActor, NodeError, ReadTask
from qilin.batch.counts import Counts
from qilin.batch.files.formats import Format
from qilin.batch.files.job_folder import job_folder
from qilin.batch.files.parquet import parquet_output
from qilin.batch.files.published import published
from qilin.batch.files.sources import Source
from qilin.batch.job import Job, Progress, opened, parts_folder
from qilin.batch.workers.worker import WorkersFailed
from qilin.llm.options import GapOptions
from qilin.names.cache import packed

_READ_PARTS = 16  # parts that one task reads: few enough to begin everywhere soon, enough for 10^10 rows
_READER_CPUS = 0.25  # readers mostly wait for resolvers; a figure of their own also keeps the two stages apart
_PATIENCE_S = 10
_CORES_OF_A_GAP_FILLER = 4  # without a GPU: a model computes on several cores, and a server has other clients too


def run_on_ray(job: Job, address: str, watch: Callable[[Progress], None] = lambda _: None) -> Counts:
    """Resolve every row of the input on a cluster; the output is a folder of Parquet files, the rows in order.

    Args:
        job: as for `run_job`, except that the target is a folder, never a stream, and must not hold
            anything yet. `workers`: how many processes resolve rows at a time; 0: as many as there are CPUs.
            The folder beside the target, and a Parquet input, must be reachable from every node by the same path.
        address: of the cluster: "auto", "local" (a new one, on this machine) or HOST:PORT. Where Ray is
            connected already, that connection is used.
        watch: told how far the job is, after each part.

    Returns: how many rows have each status.
    Raises: as `run_job`.
    """
    job = job._replace(target=os.path.abspath(job.target))
    _check_target(Path(job.target))
    with opened(job) as given:
        manifest = given.manifest | {"runs on": "Ray"}
        folder = parts_folder(job.target)
        with _connected(address), job_folder(folder, manifest, resume=job.resume, restart=job.restart):
            destination = Destination(folder, given.schema, job.columns.prefix)
            destination.prepare()
            as_it_is = job.source_format is Format.PARQUET and given.path == job.source
            path = os.path.abspath(given.path) if as_it_is else _as_parquet(given.source, job, folder)
            rows = pq.read_metadata(path).num_rows
            files = list(destination.finished())
            tasks = list(_read_tasks(path, missing_rows(files, rows), job.part_rows))
            earlier = done = sum(file.rows for file in files)
            watch(Progress(done, earlier, done / rows if rows else 1.0))
            for file in _resolved(job, given.today, tasks, destination):
                files.append(file)
                done += file.rows
                watch(Progress(done, earlier, done / rows))
            if not rows:
                destination.write(0, no_rows(given.schema))  # so that the folder says which columns there are
            destination.check_whole(rows)
            given.check_unchanged(job, folder)
            os.rename(destination.output, job.target)
    return Counts.sum(file.counts for file in files)


def _check_target(target: Path) -> None:
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ValueError(f"{target} is there already. On Ray OUT becomes a folder; name another one, or remove it.")


def _resolved(job: Job, today: date, tasks: list[ReadTask], destination: Destination) -> Iterator[PartFile]:
    """Have Ray Data resolve the rows of the read tasks; gives each file when it is written."""
    if not tasks:
        return
    recipe = job.recipe(packed(job.tables), today)
    rules = ray.put(recipe._replace(gaps=GapOptions(None)).pinned())  # workers of the rules load no model
    blocks: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow"}
    cores: dict[str, Any] = {**blocks, "concurrency": job.workers or None}
    rows = ray.data.from_items([task._asdict() for task in tasks], override_num_blocks=len(tasks))
    rows = rows.map_batches(ray_stages.read, fn_args=(job.part_rows, destination), num_cpus=_READER_CPUS, **blocks)
    rows = rows.repartition(target_num_rows_per_block=job.part_rows)  # else a row group is one block, whatever its size
    rows = rows.map_batches(ray_stages.resolve, fn_args=(rules, destination), **cores)
    if job.gaps.kind is not None:
        arguments = (ray.put(recipe.pinned()), destination)
        actors = _gap_filler_resources(job.gaps)
        rows = rows.map_batches(GapFillerActor, fn_constructor_args=arguments, **blocks, **actors)
    rows = rows.map_batches(ray_stages.write, fn_args=(destination,), **cores)
    for table in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for written in table.to_pylist():
            yield PartFile(written["first"], written["rows"], Counts(**json.loads(written["counts"])))


def _gap_filler_resources(gaps: GapOptions) -> dict[str, Any]:
    """The resources of a gap filler's actors, and how many there may be.

    No CPU is reserved for them: on a small cluster, or on the rest of a busy one, they would wait for the tasks
    of the rules, and these for them.
    """
    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0))
    if gaps.kind == "local" and gpus:
        return {"num_cpus": 0, "num_gpus": 1, "concurrency": (1, gpus)}
    most = max(1, int(there.get("CPU", 1)) // _CORES_OF_A_GAP_FILLER)
    return {"num_cpus": 0, "concurrency": (1, most)}


# ── input ────────────────────────────────────────────────────────────────────────────────────────


def _as_parquet(source: Source, job: Job, folder: Path) -> str:
    """The input as a Parquet file that every node can read from anywhere; an earlier run may have left it."""
    path = folder / "input.parquet"
    if not path.exists():
        with (
            published(path, folder) as temporary,
            temporary.open("wb") as file,
            parquet_output(file, source.schema) as append,
        ):
            for rows in source.batches(job.part_rows):
                append(rows)
    return str(path)


def _read_tasks(path: str, missing: list[tuple[int, int]], part_rows: int) -> Iterator[ReadTask]:
    """Tasks that read the missing rows of a Parquet file, by whole row groups where no row of these is finished."""
    metadata = pq.read_metadata(path)
    size = os.stat(path).st_size
    begins = [0]
    for group in range(metadata.num_row_groups):
        begins.append(begins[-1] + metadata.row_group(group).num_rows)
    for first, end in missing:
        groups: list[int] = []
        for group in range(metadata.num_row_groups):
            if begins[group] < end and begins[group + 1] > first:
                groups.append(group)
            stop = min(begins[group + 1], end)
            start = max(begins[groups[0]], first) if groups else stop
            if stop > start and (stop - start >= part_rows * _READ_PARTS or stop == end):
                yield ReadTask(path, size, groups, start - begins[groups[0]], start, stop - start)
                groups = []
                if stop == end:
                    break


# ── cluster ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """A quiet connection to the cluster; errors of the nodes are raised here as they were there.

    Raises: ValueError, for an address at which there is no cluster; OSError; WorkersFailed.
    """
    ours = not ray.is_initialized()
    if ours:
        _connect(address)
    context, log = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, context.raise_original_map_exception, log.level
    context.enable_progress_bars, context.raise_original_map_exception = False, True
    log.setLevel(logging.CRITICAL)
    try:
        yield
    except (ray.exceptions.RayError, NodeError) as error:
        raise _plain(error) from None
    finally:
        context.enable_progress_bars, context.raise_original_map_exception = before[:2]
        log.setLevel(before[2])
        if ours:
            ray.shutdown()


def _connect(address: str) -> None:
    if "://" in address:
        raise ValueError(f"{address} is not supported; run this on a machine of the cluster, with --ray auto.")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    alone: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    try:
        host, colon, port = address.rpartition(":")
        if colon:  # Ray itself would try for many minutes
            socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **alone)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"no Ray cluster answers at {address!r} ({error}). Start one with 'ray start --head', or give --ray local."
        ) from None


def _plain(error: BaseException) -> Exception:
    """The error of a node without the errors of Ray around it."""
    inner = error.error if isinstance(error, NodeError) else getattr(error, "cause", None)
    if isinstance(inner, Exception):
        return _plain(inner)
    if isinstance(error, (OSError, ValueError, WorkersFailed)) and not isinstance(error, ray.exceptions.RayError):
        return error
    return WorkersFailed(f"the cluster could not finish ({type(error).__name__}: {error}); --resume goes on")
