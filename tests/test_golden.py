"""Golden tables: one meaning a line with its phrasings, negatives beside them.

Keys of a line: `queries`; `want`, the targets (paths without the province; null and [] are none);
`status` (resolved unless given). Checked where given: `indicators`, `dates`, `first` (candidate),
`contains` and `candidates` (some and all of them), `unknown` (the kind of one), `xml`; `excluded` and
`group_by` are none unless given. `scope`, `context` (the query before this one) and `table` (a province)
say how to ask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from qilin import Engine, OrgPath

GOLDEN = Path(__file__).parent / "golden"
TABLES = ("seed", "names", "words", "targets", "status", "typos", "tables")
KEYS = {"queries", "want", "status", "indicators", "dates", "first", "contains", "candidates", "unknown", "xml",
        "excluded", "group_by", "scope", "context", "table", "comment"}  # fmt: skip


def golden(table: str) -> list[dict[str, Any]]:
    lines = (GOLDEN / f"{table}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def cases() -> list[Any]:
    return list(_cases())


def _cases() -> Iterator[Any]:
    for table in TABLES:
        for row in golden(table):
            for query in row["queries"]:
                asked = "|".join(filter(None, (row.get("table"), row.get("scope"), row.get("context"), query)))
                yield pytest.param(row, query, id=f"{table}:{asked}")


def listed(want: str | list[str] | None) -> list[str]:
    return [want] if isinstance(want, str) else want or []


@pytest.mark.parametrize(("row", "query"), cases())
def test_golden(
    row: dict[str, Any],
    query: str,
    engine_of: Callable[[str], Engine],
    short: Callable[[OrgPath], str],
    today: date,
) -> None:
    """Every phrasing of a line means what the line says."""
    engine = engine_of(row.get("table", "山东省"))
    context = engine.resolve(row["context"], today=today) if "context" in row else None
    found = engine.resolve(query, today=today, scope=row.get("scope"), context=context)
    assert found.status == row.get("status", "resolved"), found
    assert [short(path) for path in found.targets] == listed(row["want"])
    assert [short(path) for path in found.excluded] == row.get("excluded", [])
    assert found.group_by == row.get("group_by")
    candidates = [short(path) for path in found.candidates]
    assert candidates[:1] == ([row["first"]] if "first" in row else candidates[:1])
    assert set(row.get("contains", [])) <= set(candidates)
    assert sorted(candidates) == sorted(row.get("candidates", candidates))
    assert list(found.indicators) == row.get("indicators", list(found.indicators))
    dates = [[d.start.isoformat(), d.end.isoformat()] for d in found.dates]
    assert dates == row.get("dates", dates)
    assert "unknown" not in row or row["unknown"] in {unknown.kind for unknown in found.unknown}
    assert found.to_xml() == row.get("xml", found.to_xml())


def test_tables_are_well_formed() -> None:
    """Every key is one that is read, and every table has lines with and without a target."""
    for table in TABLES:
        rows = golden(table)
        assert all(set(row) <= KEYS and {"queries", "want"} <= set(row) and row["queries"] for row in rows), table
        assert all(row["want"] is not None or "status" in row for row in rows), table
    everything = [row for table in TABLES for row in golden(table)]
    assert sum(not row["want"] for row in everything) >= 28
    assert sum(bool(row["want"]) for row in everything) >= 60


def test_no_query_is_asked_twice() -> None:
    asked = [(row.get("table"), row.get("scope"), row.get("context"), query)
             for table in TABLES for row in golden(table) for query in row["queries"]]  # fmt: skip
    assert sorted(map(str, asked)) == sorted(map(str, set(asked)))
