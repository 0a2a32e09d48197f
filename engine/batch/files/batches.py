"""Rows in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

BATCH_BYTES = 32 << 20  # or characters: a batch that holds so much is full, however few rows it has

T = TypeVar("T")


def in_batches(items: Iterable[T], most: int, size: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in lists of at most `most`; a list also ends at the item with which it reaches `BATCH_BYTES`."""
    batch: list[T] = []
    held = 0
    for item in items:
        batch.append(item)
        held += size(item)
        if len(batch) == most or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
