"""The organisations that a table declares, each as its path."""

from __future__ import annotations

from typing import NamedTuple

from .findings import Finding

Path = tuple[str, str, str, str]
"""Province, city, company, substation; "" below the level of the organisation."""

NO_PATH: Path = ("", "", "", "")


class Organisations(NamedTuple):
    """What a table declares: each path with the first row that names it, and what was seen on the way."""

    rows: dict[Path, int]
    findings: list[Finding]


def joined(path: Path) -> str:
    """The path as people write it: 山东省/菏泽/巨野县供电公司."""
    return "/".join(name for name in path if name)
