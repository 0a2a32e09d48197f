"""A file of questions resolved on a Ray cluster. Start here.

    Parquet ─ read ─► repartition ─► resolve: rules, tasks ─► fill: gap filler, actors ─► write ─► a folder of Parquet files

`qilin.batch.cluster.ray_stages` is what the nodes do. This is the driver: it decides what is to be read, has Ray Data do
it, and holds the result against the input before the folder gets its name.
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
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import ray

from qilin.batch.cluster import ray_stages
from qilin.batch.cluster.ray_stages import (
    OUTPUT,
    TRIES,
    Filler,
    NodeError,
    Piece,
    Place,
    first_row,
    no_rows,
    write_part,
)
from qilin.batch.cluster.shipment import Shipment
from qilin.batch.counts import Counts
from qilin.batch.files.formats import Format
from qilin.batch.files.parts import MANIFEST, job_folder, publish
from qilin.batch.files.sinks import AsRows, Sink
from qilin.batch.files.sources import Source, local_file, open_source
from qilin.batch.run import Job, Progress, check_options, manifest_of, parts_folder, state_of
from qilin.batch.workers.pool import WorkersFailed
from qilin.batch.workers.worker import Recipe
from qilin.llm.options import GapOptions
from qilin.names.cache import packed

_PIECE_PARTS = 16  # parts that one task reads: few enough to begin everywhere soon, enough for 10^10 rows
_READER_CPUS = 0.25  # readers mostly wait for those who resolve; another figure than theirs also keeps the two apart
_PATIENCE_S = 10
_CORES_OF_A_FILLER = 4  # without a GPU: a model computes on several cores, and a server has other clients too


class Part(NamedTuple):
    """A file of the output: its first row, how many, how they came out."""

    first: int
    rows: int
    counts: Counts


def run_on_ray(job: Job, address: str, watch: Callable[[Progress], None] = lambda _: None) -> Counts:
    """Resolve every row of the input on a cluster; the output is a folder of Parquet files, the rows in order.

    Args:
        job: as for `run_job`, except that the target is a folder, never a stream, and must not hold
            anything yet. `workers`: rows are resolved by so many processes at a time; 0: as many as there are CPUs.
            The folder beside the target, and a Parquet input, must be reachable from every node by the same path.
        address: of the cluster: "auto", "local" (one of its own, on this machine) or HOST:PORT. Where Ray is
            connected already, that connection is used.
        watch: told how far the job is, after each part.

    Returns: how many rows came out how.
    Raises: as `run_job`.
    """
    job = job._replace(target=os.path.abspath(job.target))
    _check_target(Path(job.target))
    check_options(job)
    with local_file(job.source) as path:
        state = state_of(path)
        source = open_source(path, job.source_format, job.columns.texts, added=None, encoding=job.encoding)
        schema = job.columns.output_schema(source.schema)
        manifest = manifest_of(job, path) | {"runs on": "Ray"}
        folder = parts_folder(job.target)
        with _connected(address), job_folder(folder, manifest, resume=job.resume, restart=job.restart):
            place = Place(folder, schema, job.columns.prefix)
            _prepare(folder)
            as_it_is = job.source_format is Format.PARQUET and path == job.source
            input_file = os.path.abspath(path) if as_it_is else _as_parquet(source, job, folder)
            rows = pq.read_metadata(input_file).num_rows
            earlier = list(_finished(place))
            begun = done = sum(part.rows for part in earlier)
            parts = list(earlier)
            watch(Progress(done, begun, done / rows if rows else 1.0))
            pieces = list(_pieces(input_file, _missing(earlier, rows), job.part_rows))
            for part in _resolved(job, date.fromisoformat(manifest["today"]), pieces, place):
                parts.append(part)
                done += part.rows
                watch(Progress(done, begun, done / rows))
            if not rows:
                write_part(place, 0, no_rows(schema))  # so that the folder says which columns there are
            _check_whole(place, rows)
            if state_of(path) != state:
                (folder / MANIFEST).unlink()  # what is finished is of another input
                raise ValueError(f"{job.source}: the file was changed while it was read. Begin anew.")
            os.rename(folder / OUTPUT, job.target)
    return Counts.sum(part.counts for part in parts)


def _resolved(job: Job, today: date, pieces: list[Piece], place: Place) -> Iterator[Part]:
    """Have Ray Data resolve the pieces; gives each file when it is written."""
    if not pieces:
        return
    recipe = Recipe(
        packed(job.tables), job.columns, today, job.scope, job.default_date, job.max_length, job.gaps
    )  # fmt: skip
    rules = ray.put(Shipment.of(recipe._replace(gaps=GapOptions(None))))  # workers of the rules load no model
    blocks: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow"}
    cores: dict[str, Any] = {**blocks, "concurrency": job.workers or None}
    rows = ray.data.from_items([piece._asdict() for piece in pieces], override_num_blocks=len(pieces))
    rows = rows.map_batches(ray_stages.read, fn_args=(job.part_rows, place), num_cpus=_READER_CPUS, **blocks)
    rows = rows.repartition(target_num_rows_per_block=job.part_rows)  # else a row group is one block, whatever its size
    rows = rows.map_batches(ray_stages.resolve, fn_args=(rules, place), **cores)
    if job.gaps.kind is not None:
        full = ray.put(Shipment.of(recipe))
        rows = rows.map_batches(Filler, fn_constructor_args=(full, place), **blocks, **_filler_resources(job.gaps))
    rows = rows.map_batches(ray_stages.write, fn_args=(place,), **cores)
    for table in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for written in table.to_pylist():
            yield Part(written["first"], written["rows"], Counts(**json.loads(written["counts"])))


def _filler_resources(gaps: GapOptions) -> dict[str, Any]:
    """What the actors of the gap filler take, and how many there may be.

    No CPU is set aside for them: on a small cluster, or on what is left of one, they would wait for the tasks
    of the rules, and these for them.
    """
    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0))
    if gaps.kind == "local" and gpus:
        return {"num_cpus": 0, "num_gpus": 1, "concurrency": (1, gpus)}
    most = max(1, int(there.get("CPU", 1)) // _CORES_OF_A_FILLER)
    return {"num_cpus": 0, "concurrency": (1, most)}


# ── input ────────────────────────────────────────────────────────────────────────────────────────


def _as_parquet(source: Source, job: Job, folder: Path) -> str:
    """The input as a Parquet file that every node can read from anywhere; as an earlier run left it, if it did."""
    path = folder / "input.parquet"
    if not path.exists():
        draft = folder / "input.draft"
        with draft.open("wb") as file:
            sink = Sink(file, AsRows(), source.schema)
            for rows in source.batches(job.part_rows):
                sink.append(rows)
            sink.close()
        publish(draft, path)
    return str(path)


def _pieces(path: str, missing: list[tuple[int, int]], part_rows: int) -> Iterator[Piece]:
    """The rows that are missing as pieces of whole row groups, where these are not begun already.

    Args:
        path: a Parquet file.
        missing: stretches of rows, from the first to the one after the last.
        part_rows: rows of a part.
    """
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
            if stop > start and (stop - start >= part_rows * _PIECE_PARTS or stop == end):
                yield Piece(path, size, groups, start - begins[groups[0]], start, stop - start)
                groups = []
                if stop == end:
                    break


# ── output ───────────────────────────────────────────────────────────────────────────────────────


def _check_target(target: Path) -> None:
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ValueError(f"{target} is there already. On Ray OUT becomes a folder; name another one, or remove it.")


def _prepare(folder: Path) -> None:
    """The folders within that of the job; what interrupted writers left in it goes."""
    (folder / OUTPUT).mkdir(exist_ok=True)
    (folder / TRIES).mkdir(exist_ok=True)
    for path in [*folder.glob("*.draft"), *(folder / TRIES).iterdir()]:
        path.unlink(missing_ok=True)


def _finished(place: Place) -> Iterator[Part]:
    """The files that an earlier run has written."""
    for path in sorted((place.folder / OUTPUT).iterdir()):
        rows = pq.read_table(path, columns=[place.prefix + "status", place.prefix + "degraded"])
        yield Part(first_row(path), rows.num_rows, Counts.of(rows, place.prefix))


def _missing(parts: list[Part], rows: int) -> list[tuple[int, int]]:
    """Stretches of rows that no part holds, from the first to the one after the last."""
    ends = [0, *(part.first + part.rows for part in parts)]
    firsts = [*(part.first for part in parts), rows]
    return [(end, first) for end, first in zip(ends, firsts, strict=True) if end < first]


def _check_whole(place: Place, rows: int) -> None:
    """Hold what lies on the disk against the input: every row is in one file, and in one only.

    Raises: WorkersFailed, where it is not.
    """
    number = 0
    for path in sorted((place.folder / OUTPUT).iterdir()):
        if first_row(path) != number:
            break
        number += pq.read_metadata(path).num_rows
    else:
        if number == rows:
            return
    raise WorkersFailed(f"of {rows} rows only those before {number} are in {place.folder} once; give --restart")


# ── cluster ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """A connection to the cluster, quiet; errors of the nodes come out as what they were there.

    Raises: ValueError, for an address that leads nowhere; OSError; WorkersFailed.
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
        if colon:  # Ray itself would go on asking for many minutes
            socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **alone)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"no Ray cluster answers at {address!r} ({error}). Start one with 'ray start --head', or give --ray local."
        ) from None


def _plain(error: BaseException) -> Exception:
    """What went wrong on a node, without the way that it took."""
    inner = error.error if isinstance(error, NodeError) else getattr(error, "cause", None)
    if isinstance(inner, Exception):
        return _plain(inner)
    if isinstance(error, (OSError, ValueError, WorkersFailed)) and not isinstance(error, ray.exceptions.RayError):
        return error
    return WorkersFailed(f"the cluster could not finish ({type(error).__name__}: {error}); --resume goes on")
