"""Resolves Chinese questions to organisations, indicators and dates. Start at qilin.resolver."""

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
from qilin.hierarchy import Hierarchy
from qilin.resolver import Engine, resolve

__all__ = [
    "Conflict",
    "DateRange",
    "Engine",
    "Entity",
    "Hierarchy",
    "OrgPath",
    "QueryTooLong",
    "Resolution",
    "Unknown",
    "check",
    "resolve",
]
