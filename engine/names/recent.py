"""Recent values, kept within a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, the latest ones: two generations, of which the older goes when the younger is full.

    Args:
        size: how much a generation may weigh; the last value put into it may go beyond that.
        weigh: how much a value weighs, in whatever unit `size` is.
    """

    def __init__(self, size: int, weigh: Callable[[K, V], int]) -> None:
        self._size = size
        self._weigh = weigh
        self._weight = 0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value of a key; None where it is not known any more."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value, which must not be None."""
        if self._weight >= self._size:
            self._old, self._young = self._young, {}
            self._weight = 0
        self._weight += self._weigh(key, value)
        self._young[key] = value
