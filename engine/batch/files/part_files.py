"""Part files: the rows of a job that are to be resolved, and those that are finished."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.ipc as ipc

from qilin.batch.counts import Counts
from qilin.batch.files.published import published

_COUNTS = b"qilin.counts"
_PACKED = ipc.IpcWriteOptions(compression="lz4")


class PartFiles(NamedTuple):
    """The part files of one job, by number from 0. A finished one is whole or not there.

    A file's name carries the job, so a part file of another job, even one that a stray process still writes,
    is never taken for one of this job. `job`: a short name of the job, from its manifest.
    """

    folder: Path
    job: str

    def put_questions(self, number: int, rows: pa.RecordBatch) -> None:
        """Write the rows of a part for a worker."""
        with pa.OSFile(str(self._path(number, "questions")), "wb") as file, ipc.new_file(file, rows.schema) as writer:
            writer.write_batch(rows)

    def questions(self, number: int) -> pa.RecordBatch:
        """The rows of a part as `put_questions` wrote them."""
        with pa.memory_map(str(self._path(number, "questions"))) as file:
            return ipc.open_file(file).get_batch(0)

    def drop_questions(self, number: int) -> None:
        """Remove the questions of a part that no worker needs any more."""
        with suppress(OSError):  # they go with the folder at the latest
            self._path(number, "questions").unlink()

    def finish(self, number: int, encoded: pa.RecordBatch, counts: Counts) -> None:
        """Keep a finished part: its rows as an `Encoding` gave them, and the counts of its rows."""
        metadata = {**(encoded.schema.metadata or {}), _COUNTS: json.dumps(counts._asdict()).encode()}
        with (
            published(self._path(number, "done"), self.folder) as path,
            pa.OSFile(str(path), "wb") as file,
            ipc.new_file(file, encoded.schema.with_metadata(metadata), options=_PACKED) as writer,
        ):
            writer.write_batch(encoded)

    def has(self, number: int, rows: int) -> bool:
        """Whether a part is finished and holds that many rows; False where it cannot be read."""
        try:
            return self.counts(number).rows == rows
        except (OSError, ValueError, KeyError, TypeError):  # ArrowInvalid is a ValueError
            return False

    def counts(self, number: int) -> Counts:
        """How many rows of a finished part have each status."""
        with pa.memory_map(str(self._path(number, "done"))) as file:
            return Counts(**json.loads(ipc.open_file(file).schema.metadata[_COUNTS]))

    def finished(self, number: int) -> pa.RecordBatch:
        """The encoded rows of a finished part. Raises: ValueError, where they cannot be read."""
        path = self._path(number, "done")
        try:
            with pa.memory_map(str(path)) as file:
                batch = ipc.open_file(file).get_batch(0)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(f"{path}: this part file is damaged ({error}). Remove it and give --resume.") from None
        metadata = {key: value for key, value in (batch.schema.metadata or {}).items() if key != _COUNTS}
        return batch.replace_schema_metadata(metadata)

    def drop(self, number: int) -> None:
        """Remove a finished part that is not needed any more."""
        self._path(number, "done").unlink(missing_ok=True)

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:09d}.{self.job}.{kind}"
