"""Files of text, in and out: what CSV and JSON lines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

_TEXT = pa.schema([("text", pa.large_binary())])


class TextSource:
    """A file of text, open while it is read from its beginning to its end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = Path(path).stat().st_size
        self._file: IO[bytes] | None = None

    def share_read(self) -> float:
        if self._file is None or self._file.closed or not self._size:
            return 1.0
        return self._file.tell() / self._size


def text_batch(text: bytes) -> pa.RecordBatch:
    """Text as it is kept in a part file."""
    return pa.record_batch([pa.array([text], pa.large_binary())], schema=_TEXT)


@contextmanager
def text_output(file: IO[bytes], start: bytes = b"") -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that writes the next text of a file; `start`: its first bytes."""

    def append(encoded: pa.RecordBatch) -> None:
        for text in encoded.column(0):
            file.write(text.as_buffer())

    file.write(start)
    yield append
    file.flush()
