"""A NamedTuple made from a tuple, in a third of the constructor's time."""

from __future__ import annotations

quickly = tuple.__new__
