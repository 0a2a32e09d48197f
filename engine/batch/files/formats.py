"""Which of the three file formats a path or stream is in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

STREAM = "-"


class Format(StrEnum):
    """A format that batches are read from and written to."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


_ENDINGS = {
    Format.PARQUET: (".parquet", ".pq"),
    Format.CSV: (".csv", ".tsv", ".txt"),
    Format.JSONL: (".jsonl", ".ndjson", ".json"),
}


def format_of(path: str, given: str | None = None) -> Format:
    """The format of a path by its ending, unless it is given; JSON lines for a stream.

    Raises: ValueError, for a format that is not supported, or an ending that does not tell.
    """
    if given is not None:
        if given not in set(Format):
            raise ValueError(f"{given!r} is no format that is read or written; there are {', '.join(Format)}.")
        return Format(given)
    if path == STREAM:
        return Format.JSONL
    found = next((kind for kind, endings in _ENDINGS.items() if Path(path).suffix.lower() in endings), None)
    if found is None:
        raise ValueError(f"{path}: the ending does not say the format; give parquet, csv or jsonl (--from, --to).")
    return found
