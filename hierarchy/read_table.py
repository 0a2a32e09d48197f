"""A table from wherever its path or URL says."""

from __future__ import annotations

from pathlib import Path

from .databases import read_sql
from .files import read_csv, read_xlsx
from .findings import HierarchyError
from .table import StrPath, Table


def read_table(path_or_url: StrPath, table: str | None = None, encoding: str | None = None) -> Table:
    """Read a table by extension or URL scheme; `table` is the worksheet, SQL table or query.

    Raises: HierarchyError, as the readers do, and for an extension that is not known.
    """
    text = str(path_or_url)
    if "://" in text:
        url, _, fragment = text.rpartition("#")
        if not url or "@" in fragment:  # no fragment, or the # of a password
            url, fragment = text, ""
        return read_sql(url, table or fragment or None)
    suffix = Path(text).suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        return read_xlsx(path_or_url, table)
    if suffix in (".csv", ".tsv", ".txt", "") or Path(text).is_dir():
        return read_csv(path_or_url, encoding)
    if suffix == ".xls":
        advice = "Open it in a spreadsheet program and save it as .xlsx."
    elif suffix in (".db", ".sqlite", ".sqlite3"):
        advice = f"Give it as a URL: sqlite:///{text}#table."
    else:
        advice = "Use .csv, .tsv, .txt, .xlsx, .xlsm or a database URL."
    raise HierarchyError(f"no table is known to end in '{suffix}'.", advice, text)
