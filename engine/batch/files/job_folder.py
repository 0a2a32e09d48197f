"""The folder in which a job keeps its finished rows, so that an interrupted job can go on."""

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

from qilin.batch.files.published import TEMPORARY, published

_MANIFEST = "manifest.json"
_LOCK = "lock"
_OURS = re.compile(
    r"\d{9}\.[0-9a-f]{12}\.\w+|[0-9a-f]{32}\.tmp|manifest\.json|lock|tables"
    r"|rows|tries|input\.parquet"  # of a job on a cluster
    r"|output|([0-9a-f]{32}|input|manifest\.json)\.draft"  # of version 0.2
)
_HASH = re.compile("[0-9a-f]{16,}")


class Unfinished(ValueError):
    """There is earlier work that does not fit this job."""


@contextmanager
def job_folder(folder: Path, manifest: Mapping[str, Any], *, resume: bool, restart: bool) -> Iterator[None]:
    """Hold the folder of a job, new or from an earlier run, as long as the job runs; no other process may.

    When the job has finished, the folder is removed.

    Args:
        folder: beside the output.
        manifest: everything that the bytes of the output depend on.
        resume: go on with earlier work, if it is of the same job.
        restart: throw earlier work away.

    Raises: Unfinished, where there is earlier work and neither option is given, or it is of another job, or
        another process is writing it; OSError, where the folder cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as ours:  # workers read a pickle from the folder, which can run code
        if os.fstat(ours.fileno()).st_uid != folder.stat().st_uid:
            raise Unfinished(f"{folder}: this folder belongs to another user. Remove it, or name another OUT.")
    foreign = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if foreign:
        raise Unfinished(
            f"{folder}: {foreign[0]!r} in this folder is no file of a batch. Move it, or name another OUT."
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
                    f"{folder}: the earlier work does not fit this job, because {'; '.join(changed)}. "
                    "Undo the change, or give --restart to begin anew."
                )
            for path in folder.glob(TEMPORARY):
                path.unlink(missing_ok=True)
        else:
            discard(folder)
            with published(folder / _MANIFEST, folder) as path:
                path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        yield
        with suppress(OSError):  # now, as long as no other run can be in it
            discard(folder)
            (folder / _LOCK).unlink()
            folder.rmdir()
    finally:
        lock.release()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an earlier run; None where there is none. Raises: Unfinished, where it cannot be read."""
    path = folder / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise Unfinished(f"{path}: this file is damaged. Give --restart to begin anew.")
    return manifest


def differing(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The differences between two manifests, a sentence each."""
    names = [*now, *(name for name in earlier if name not in now)]
    return [_difference(name, earlier.get(name), now.get(name)) for name in names if earlier.get(name) != now.get(name)]


def _difference(name: str, earlier: Any, now: Any) -> str:
    if _HASH.fullmatch(str(earlier)) and _HASH.fullmatch(str(now)):
        return f"the {name} changed"
    then, today = ("not given" if value is None else value for value in (earlier, now))
    return f"{name}: {then} then, {today} now"


def discard(folder: Path) -> None:
    """Remove everything but the lock, the manifest first: without it nothing counts as earlier work."""
    for path in sorted(folder.iterdir(), key=lambda each: each.name != _MANIFEST):
        if path.is_dir():  # of a job on a cluster
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink(missing_ok=True)
