"""What the tests share: engines made once, one fixed day, and a deterministic Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from qilin import Engine, OrgPath, Resolution
from qilin.hierarchy import Hierarchy

settings.register_profile("qilin", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("qilin")

Ask = Callable[..., Resolution]


@pytest.fixture(scope="session")
def today() -> date:
    """The day every question is asked on, a Monday."""
    return date(2024, 5, 13)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of the bundled Shandong table with its aliases."""
    return Engine(gap_filler=None)


@pytest.fixture(scope="session")
def ask(engine: Engine, today: date) -> Ask:
    """Ask the Shandong table a question."""

    def resolve(query: str, **options: Any) -> Resolution:
        return engine.resolve(query, today=today, **options)

    return resolve


@pytest.fixture(scope="session")
def china() -> Hierarchy:
    """The organisations of all provinces."""
    return Hierarchy.bundled("china")


@pytest.fixture(scope="session")
def engine_of(china: Hierarchy, engine: Engine) -> Callable[[str], Engine]:
    """The engine of one province; for Shandong the bundled one."""

    @lru_cache(maxsize=6)
    def build(province: str) -> Engine:
        return engine if province == "山东省" else Engine(china.subset(province), gap_filler=None)

    return build


@pytest.fixture(scope="session")
def short() -> Callable[[OrgPath], str]:
    """A path as the tests write it, the province left out: 菏泽/巨野县供电公司."""

    def text(path: OrgPath) -> str:
        below = "/".join(filter(None, (path.city, path.company, path.substation)))
        return below or str(path.province)

    return text


@pytest.fixture(scope="session")
def write_table(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write an organisation CSV (rows such as 山东省,菏泽,巨野县供电公司,麒麟供电所) and tell where it is."""

    def write(*rows: str, header: str = "province,city,company,substation") -> Path:
        path = tmp_path_factory.mktemp("table") / "org.csv"
        path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def engine_with(write_table: Callable[..., Path]) -> Callable[..., Engine]:
    """The engine of a small table; `aliases` are rows of its alias file."""

    def build(*rows: str, aliases: tuple[str, ...] = (), **options: Any) -> Engine:
        declared = None
        if aliases:
            declared = write_table(*aliases, header="alias,level,canonical,city,kind,valid_from,valid_to")
        return Engine(Hierarchy.from_csv(write_table(*rows), aliases=declared), **{"gap_filler": None, **options})

    return build
