"""From a file, database or rows in memory to a Hierarchy: read, recognise, place, add the aliases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from .aliases import load_aliases, with_aliases
from .bundled_data import ROOT, bundled_path
from .findings import HierarchyError, did_you_mean, listed
from .graph import Hierarchy, OnBadRow, StrPath, build, content_hash
from .organisations import read_organisations
from .tables import Table, read_csv, read_rows, read_sql, read_xlsx

Columns = Mapping[str, str] | None


def from_csv(
    path: StrPath, *, columns: Columns, aliases: StrPath | None, encoding: str | None, on_bad_row: OnBadRow
) -> Hierarchy:
    """See `Hierarchy.from_csv`; so for the others here."""
    return from_table(read_csv(path, encoding), columns, aliases, on_bad_row)


def from_xlsx(
    path: StrPath, sheet: str | None, *, columns: Columns, aliases: StrPath | None, on_bad_row: OnBadRow
) -> Hierarchy:
    return from_table(read_xlsx(path, sheet), columns, aliases, on_bad_row)


def from_sql(
    url: str, table_or_query: str | None, *, columns: Columns, aliases: StrPath | None, on_bad_row: OnBadRow
) -> Hierarchy:
    return from_table(read_sql(url, table_or_query), columns, aliases, on_bad_row)


def from_rows(
    rows: Iterable[Mapping[str, object]],
    *,
    columns: Columns,
    aliases: StrPath | None,
    on_bad_row: OnBadRow,
    source: str,
) -> Hierarchy:
    return from_table(read_rows(rows, source), columns, aliases, on_bad_row)


def load(
    path_or_url: StrPath,
    table: str | None,
    *,
    columns: Columns,
    aliases: StrPath | None,
    encoding: str | None,
    on_bad_row: OnBadRow,
) -> Hierarchy:
    return from_table(read_any(path_or_url, table, encoding), columns, aliases, on_bad_row)


def read_any(path_or_url: StrPath, table: str | None = None, encoding: str | None = None) -> Table:
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
    advice = {
        ".xls": "Open it in a spreadsheet program and save it as .xlsx.",
        ".db": f"Give it as a URL: sqlite:///{text}#table.",
        ".sqlite": f"Give it as a URL: sqlite:///{text}#table.",
        ".sqlite3": f"Give it as a URL: sqlite:///{text}#table.",
    }
    known = "Use .csv, .tsv, .txt, .xlsx, .xlsm or a database URL."
    raise HierarchyError(f"no table is known to end in '{suffix}'.", advice.get(suffix, known), text)


def from_table(
    table: Table, columns: Columns = None, aliases: StrPath | None = None, on_bad_row: OnBadRow = "quarantine"
) -> Hierarchy:
    """The tree of a table, with the aliases of a file.

    Raises: HierarchyError, when nothing usable is left; on the first bad row where `on_bad_row` is `refuse`.
    """
    if on_bad_row not in ("quarantine", "refuse"):
        raise ValueError(f"on_bad_row is {on_bad_row!r}; use 'quarantine' or 'refuse'")
    organisations = read_organisations(table, columns)
    hierarchy = build(organisations.rows, source=table.source, encoding=table.encoding, findings=organisations.findings)
    if aliases is not None:
        hierarchy = add_aliases(hierarchy, aliases)
    if on_bad_row == "refuse" and any(finding.severity == "error" for finding in hierarchy.findings):
        raise HierarchyError.from_findings(hierarchy.findings)
    return hierarchy


def add_aliases(hierarchy: Hierarchy, path: StrPath) -> Hierarchy:
    """The tree with the aliases of a file and their findings added, and the version that makes."""
    found = load_aliases(path, hierarchy)
    every = with_aliases(hierarchy, found.aliases)
    return replace(
        hierarchy,
        aliases=every,
        findings=(*hierarchy.findings, *found.findings),
        version=content_hash(hierarchy.names, hierarchy.levels, every),
    )


def bundled(name: str) -> Hierarchy:
    """See `Hierarchy.bundled`."""
    known = sorted(p.stem for p in (ROOT / "hierarchy").glob("*.csv") if not p.stem.endswith("_aliases"))
    if known and name not in known:
        raise HierarchyError(f"no bundled table '{name}'.", f"{did_you_mean(name, known)}There are {listed(known)}.")
    path = bundled_path(f"hierarchy/{name}.csv")
    aliases = path.with_name(f"{name}_aliases.csv")
    return from_table(read_csv(path), aliases=aliases if aliases.exists() else None)
