"""A table as text, from whatever source: a header and numbered rows. Nothing here knows what a row means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from .findings import HierarchyError

StrPath = str | PathLike[str]


@dataclass(frozen=True)
class Table:
    """Rows as text, not yet interpreted. `numbers[k]` is the line (or record) number of `rows[k]`."""

    source: str
    encoding: str | None
    header: tuple[str, ...]
    header_row: int | None
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]


def read_rows(rows: Iterable[Mapping[str, object]], source: str = "rows") -> Table:
    """Rows in memory; the header is every key any row has, in order of appearance."""
    mappings = list(rows)
    header = tuple(dict.fromkeys(key for row in mappings for key in row))
    texts = [[as_text(row.get(key)) for key in header] for row in mappings]
    return Table(source, None, header, None, texts, range(1, len(texts) + 1))


def with_header(source: str, encoding: str | None, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Table:
    """The table that begins with the first row that is not blank.

    Raises: HierarchyError, when there is none.
    """
    for index, row in enumerate(rows):
        if any(cell.strip() for cell in row):
            header = tuple(row)
            return Table(source, encoding, header, numbers[index], rows[index + 1 :], numbers[index + 1 :])
    raise HierarchyError("the table is empty.", "It needs a header and at least one organisation.", source)


def as_text(cell: object) -> str:
    """A value of a workbook, a database or a mapping as the text that a CSV would have."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet's id 12 may arrive as 12.0
    return str(cell)
