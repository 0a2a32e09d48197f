"""The folder in which a batch keeps what is finished, so that one that was killed can go on."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import pyarrow as pa
import pyarrow.ipc as ipc

from qilin.batch.counts import Counts

MANIFEST = "manifest.json"
_LOCK = "lock"
_OURS = re.compile(
    r"\d{9}\.[0-9a-f]{12}\.\w+|manifest\.json(\.draft)?|lock|tables|output"
    r"|rows|tries|input\.parquet|\w+\.draft"  # of a run on a cluster
)
_HASH = re.compile("[0-9a-f]{16,}")
_COUNTS = b"qilin.counts"
_PACKED = ipc.IpcWriteOptions(compression="lz4")


class Parts:
    """Finished parts of one job, by number; each is one file that is either whole or not there.

    A file's name carries the job, so a part of another job, even one that a stray process still writes,
    is never taken for one of this. Used by worker processes too.

    Args:
        folder: where they lie.
        job: a short name of the job, from its manifest.
    """

    def __init__(self, folder: Path, job: str) -> None:
        self.folder = folder
        self._job = job

    def put_questions(self, number: int, rows: pa.RecordBatch) -> Path:
        """Lay the rows of a part out for a worker."""
        path = self._path(number, "questions")
        with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, rows.schema) as writer:
            writer.write_batch(rows)
        return path

    def questions(self, number: int) -> pa.RecordBatch:
        """The rows of a part as they were laid out."""
        with pa.memory_map(str(self._path(number, "questions"))) as file:
            return ipc.open_file(file).get_batch(0)

    def finish(self, number: int, encoded: pa.RecordBatch, counts: Counts) -> None:
        """Keep a finished part.

        Args:
            number: of the part, from 0.
            encoded: what the output will be joined from.
            counts: of its rows.
        """
        path = self._path(number, "done")
        draft = path.with_suffix(f".{os.getpid()}")
        schema = encoded.schema.with_metadata(
            {**(encoded.schema.metadata or {}), _COUNTS: json.dumps(counts._asdict()).encode()}
        )
        try:
            with pa.OSFile(str(draft), "wb") as file, ipc.new_file(file, schema, options=_PACKED) as writer:
                writer.write_batch(encoded)
            publish(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def drop_questions(self, number: int) -> None:
        """Remove the questions of a part that nobody works on any more."""
        with suppress(OSError):  # they go with the folder at the latest
            self._path(number, "questions").unlink()

    def has(self, number: int, rows: int) -> bool:
        """Whether a part is finished and holds that many rows; one that cannot be read is made again."""
        try:
            return self.counts(number).rows == rows
        except (OSError, ValueError, KeyError, TypeError):  # ArrowInvalid is a ValueError
            return False

    def counts(self, number: int) -> Counts:
        """How the rows of a finished part came out."""
        with pa.memory_map(str(self._path(number, "done"))) as file:
            return Counts(**json.loads(ipc.open_file(file).schema.metadata[_COUNTS]))

    def finished(self, number: int) -> pa.RecordBatch:
        """A finished part. Raises: ValueError, where it cannot be read."""
        path = self._path(number, "done")
        try:
            with pa.memory_map(str(path)) as file:
                batch = ipc.open_file(file).get_batch(0)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(f"{path}: this finished part is damaged ({error}). Remove it and give --resume.") from None
        metadata = {key: value for key, value in (batch.schema.metadata or {}).items() if key != _COUNTS}
        return batch.replace_schema_metadata(metadata)

    def drop(self, number: int) -> None:
        """Remove a finished part that is not needed any more."""
        self._path(number, "done").unlink(missing_ok=True)

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:09d}.{self._job}.{kind}"


class Unfinished(ValueError):
    """There is earlier work that does not fit what is asked now."""


@contextmanager
def job_folder(folder: Path, manifest: Mapping[str, Any], *, resume: bool, restart: bool) -> Iterator[None]:
    """Hold the folder of a job, made or found, as long as the job runs; no other process may.

    When the job has finished, the folder is removed.

    Args:
        folder: beside the output.
        manifest: everything that the bytes of the output depend on.
        resume: go on with what is there, if it is the same job.
        restart: throw away what is there.

    Raises: Unfinished, where there is earlier work and neither is asked for, or it is of another job, or
        another process is at it; OSError, where the folder cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as ours:  # workers read a pickle from the folder, which can run code
        if os.fstat(ours.fileno()).st_uid != folder.stat().st_uid:
            raise Unfinished(f"{folder}: this folder belongs to another user. Remove it, or name another OUT.")
    foreign = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if foreign:
        raise Unfinished(
            f"{folder}: {foreign[0]!r} in this folder is no part of a batch. Move it, or name another OUT."
        )
    lock = filelock.FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Unfinished(f"{folder}: another process is writing this output now. Wait for it, or stop it.") from None
    try:
        earlier = None if restart else read_manifest(folder)
        if earlier is not None and any((*folder.glob("*.done"), *folder.glob("rows/*"))):
            if not resume:
                raise Unfinished(
                    f"{folder}: an earlier run did not finish. Give --resume to go on, or --restart to begin anew."
                )
            changed = differing(earlier, manifest)
            if changed:
                raise Unfinished(
                    f"{folder}: what was done before does not fit, because {'; '.join(changed)}. "
                    "Restore what has changed, or give --restart to begin anew."
                )
        else:
            discard(folder)
            draft = folder / f"{MANIFEST}.draft"
            draft.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            publish(draft, folder / MANIFEST)
        yield
        _remove(folder)  # as long as no other run can be in it
    finally:
        lock.release()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What an earlier run wrote down; None where there is nothing to go on with.

    Raises: Unfinished, where it cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise Unfinished(f"{path}: this is damaged. Give --restart to begin anew.")
    return manifest


def differing(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not the same in two manifests, a sentence each."""
    names = [*now, *(name for name in earlier if name not in now)]
    return [_difference(name, earlier.get(name), now.get(name)) for name in names if earlier.get(name) != now.get(name)]


def _difference(name: str, earlier: Any, now: Any) -> str:
    if _HASH.fullmatch(str(earlier)) and _HASH.fullmatch(str(now)):
        return f"the {name} changed"
    return f"{name}: {_shown(earlier)} then, {_shown(now)} now"


def discard(folder: Path) -> None:
    """Remove everything but the lock, the manifest first: without it nothing is taken for earlier work."""
    for path in sorted(folder.iterdir(), key=lambda each: each.name != MANIFEST):
        if path.is_dir():  # of a run on a cluster
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove the folder of a job that is finished, as far as that is possible."""
    with suppress(OSError):
        discard(folder)
        (folder / _LOCK).unlink()
        folder.rmdir()


def publish(draft: Path, path: Path) -> None:
    """Give a file that is whole its name, so that a power cut leaves the one or the other, and nothing in between."""
    _sync(draft, os.O_RDWR)
    os.replace(draft, path)
    with suppress(OSError):  # not every system can, and the content is safe
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
