"""Resolves Chinese power-grid questions to organisations, indicators and dates: the public surface, and nothing else.

qilin.resolver is where a question becomes an answer; qilin.hierarchy loads, checks and compares organisation tables.
"""

from qilin.answer.resolution import Resolution
from qilin.answer.values import (
    Conflict,
    DateRange,
    Entity,
    OrgPath,
    QueryTooLong,
    Unknown,
)
from qilin.check import check
from qilin.hierarchy import Hierarchy, HierarchyError
from qilin.resolver import Engine, resolve

__all__ = [
    "Conflict",
    "DateRange",
    "Engine",
    "Entity",
    "Hierarchy",
    "HierarchyError",
    "OrgPath",
    "QueryTooLong",
    "Resolution",
    "Unknown",
    "check",
    "resolve",
]
