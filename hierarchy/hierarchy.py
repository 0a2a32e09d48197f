"""The tree as users have it: loaded from a file, a database or rows, and turned into rows again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from .aliases import load_aliases
from .bundled_data import ROOT, bundled_path
from .companies import look_alikes
from .databases import read_sql
from .did_you_mean import did_you_mean
from .files import read_csv, read_xlsx
from .findings import HierarchyError, listed
from .levels import COLUMNS, Level
from .read_table import read_table
from .shapes import read_organisations
from .table import StrPath, Table, read_rows
from .tree import Tree

OnBadRow = Literal["quarantine", "refuse"]
Columns = Mapping[str, str] | None


@dataclass(frozen=True, eq=False, repr=False)
class Hierarchy(Tree):
    """Province → City → Company → Substation, immutable; made by `load` and the `from_…` methods."""

    @classmethod
    def load(
        cls,
        path_or_url: StrPath,
        table: str | None = None,
        *,
        columns: Columns = None,
        aliases: StrPath | None = None,
        encoding: str | None = None,
        on_bad_row: OnBadRow = "quarantine",
    ) -> Self:
        """Load by extension (.csv .tsv .txt .xlsx .xlsm) or URL scheme (`sqlite:///org.db#table`).

        Args:
            table: The worksheet, or the SQL table or query; a URL may give the table after `#` instead.
            columns: Our column name to the file's, where they differ: {"company": "县公司名称"}.
            aliases: An alias CSV.
            encoding: Of a text file; only if UTF-8 (with or without BOM), UTF-16 with BOM and GB18030 would all
                guess wrong.
            on_bad_row: `quarantine` leaves bad rows out and tells in `findings`; `refuse` raises instead.

        Raises: HierarchyError, when no usable table comes out.
        """
        return cls._from_table(read_table(path_or_url, table, encoding), columns, aliases, on_bad_row)

    @classmethod
    def from_csv(
        cls,
        path: StrPath,
        *,
        columns: Columns = None,
        aliases: StrPath | None = None,
        encoding: str | None = None,
        on_bad_row: OnBadRow = "quarantine",
    ) -> Self:
        """Load a CSV of either shape (docs/tables.md); otherwise as `load`."""
        return cls._from_table(read_csv(path, encoding), columns, aliases, on_bad_row)

    @classmethod
    def from_xlsx(
        cls,
        path: StrPath,
        sheet: str | None = None,
        *,
        columns: Columns = None,
        aliases: StrPath | None = None,
        on_bad_row: OnBadRow = "quarantine",
    ) -> Self:
        """Load a worksheet (the first, unless named) of either shape; otherwise as `load`."""
        return cls._from_table(read_xlsx(path, sheet), columns, aliases, on_bad_row)

    @classmethod
    def from_sql(
        cls,
        url: str,
        table_or_query: str | None = None,
        *,
        columns: Columns = None,
        aliases: StrPath | None = None,
        on_bad_row: OnBadRow = "quarantine",
    ) -> Self:
        """Load a table (`org`, `schema.org`) or a SELECT through SQLAlchemy; otherwise as `load`."""
        return cls._from_table(read_sql(url, table_or_query), columns, aliases, on_bad_row)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, object]],
        *,
        columns: Columns = None,
        aliases: StrPath | None = None,
        on_bad_row: OnBadRow = "quarantine",
        source: str = "rows",
    ) -> Self:
        """Load rows already in memory; findings count them from 1. Otherwise as `load`."""
        return cls._from_table(read_rows(rows, source), columns, aliases, on_bad_row)

    @classmethod
    def bundled(cls, name: str = "shandong") -> Self:
        """A bundled table ("shandong", "china") with its aliases. Derived from administrative divisions."""
        known = sorted(p.stem for p in (ROOT / "hierarchy").glob("*.csv") if not p.stem.endswith("_aliases"))
        if known and name not in known:
            raise HierarchyError(
                f"no bundled table '{name}'.", f"{did_you_mean(name, known)}There are {listed(known)}."
            )
        path = bundled_path(f"hierarchy/{name}.csv")
        aliases = path.with_name(f"{name}_aliases.csv")
        return cls.from_csv(path, aliases=aliases if aliases.exists() else None)

    @classmethod
    def _from_table(cls, table: Table, columns: Columns, aliases: StrPath | None, on_bad_row: OnBadRow) -> Self:
        if on_bad_row not in ("quarantine", "refuse"):
            raise ValueError(f"on_bad_row is {on_bad_row!r}; use 'quarantine' or 'refuse'")
        rows, findings = read_organisations(table, columns)
        hierarchy = cls.of_paths(rows, source=table.source, encoding=table.encoding, findings=findings)
        if aliases is not None:
            hierarchy = hierarchy.with_aliases(*load_aliases(aliases, hierarchy))
        if on_bad_row == "refuse" and any(finding.severity == "error" for finding in hierarchy.findings):
            raise HierarchyError.from_findings(hierarchy.findings)
        return hierarchy

    def to_rows(self) -> list[dict[str, str]]:
        """Path-shaped rows that load to the same version: one for each node without children.

        Where one company looks like a misspelling of its neighbour, every company has a row of its own too.
        """
        cities = (i for i, level in enumerate(self.levels) if level == Level.CITY)
        ambiguous = any(look_alikes([self.names[i] for i in self.children(city)]) for city in cities)
        return [
            dict(zip(COLUMNS, (name or "" for name in self.path_names(i)), strict=True))
            for i in range(len(self))
            if self.last[i] == i or (ambiguous and self.levels[i] == Level.COMPANY)
        ]
