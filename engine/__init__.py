"""Resolves Chinese questions to organisations, indicators and dates. Start at engine.resolver."""

from engine.consistency import check
from engine.resolver import Engine, resolve
from engine.types import (
    Conflict,
    DateRange,
    Entity,
    OrgPath,
    QueryTooLong,
    Resolution,
    Unknown,
)

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
