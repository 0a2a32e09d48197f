"""How the way of a question makes its values: a NamedTuple from a tuple, in a third of the constructor's time."""

from __future__ import annotations

quickly = tuple.__new__
