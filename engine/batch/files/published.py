"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

TEMPORARY = "*.tmp"  # what interrupted writers leave


@contextmanager
def published(path: Path, folder: Path) -> Iterator[Path]:
    """A temporary path in `folder`, on the same file system; at the end of the block the file gets the name `path`.

    A power cut leaves the old file or the new one. Where the block fails, `path` stays as it was.
    """
    temporary = folder / f"{uuid4().hex}.tmp"
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # some systems cannot sync a folder, and the content is safe
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
