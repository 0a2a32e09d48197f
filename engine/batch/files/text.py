"""Files of text, in and out: what CSV and JSON lines share."""

from __future__ import annotations

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


class TextOutput:
    """A file of text, to which texts are joined; it begins with `start`."""

    def __init__(self, file: IO[bytes], start: bytes = b"") -> None:
        self._file = file
        file.write(start)

    def append(self, encoded: pa.RecordBatch) -> None:
        """Join the next texts. Raises: OSError, when the disk is full or the reader of a pipe went away."""
        for text in encoded.column(0):
            self._file.write(text.as_buffer())

    def close(self) -> None:
        """Write what is buffered."""
        self._file.flush()

    def abandon(self) -> None:
        """Give up a file that nobody will read."""
