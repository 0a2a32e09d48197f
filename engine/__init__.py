"""Resolves Chinese questions to organisations, indicators and dates. Start at qilin.resolver."""

from qilin.answer.values import (
    Conflict,
    DateRange,
    Entity,
    OrgPath,
    QueryTooLong,
    Resolution,
    Unknown,
)
from qilin.check import check
from qilin.resolver import Engine, resolve

__all__ = [
    "Conflict",
    "DateRange",
    "Engine",
    "Entity",
    "OrgPath",
    "QueryTooLong",
    "Resolution",
    "Unknown",
    "check",
    "resolve",
]
