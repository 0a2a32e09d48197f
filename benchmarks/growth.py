"""How something grows with size: the exponent of a power law through measured points."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """The k of y = c · x^k, by least squares over logarithms.

    1 is linear, 2 quadratic, 0 does not grow.

    Args:
        points: pairs of size and figure, all above 0, of two sizes or more.

    Raises: ValueError for anything else.
    """
    pairs = list(points)
    if any(not value > 0 for pair in pairs for value in pair) or len({x for x, _ in pairs}) < 2:
        raise ValueError(f"a growth exponent needs two sizes or more, and sizes and figures above 0: {pairs}")
    return statistics.linear_regression([math.log(x) for x, _ in pairs], [math.log(y) for _, y in pairs]).slope


def per_doubling(growth: float) -> float:
    """How many times as much for twice the size."""
    return float(2**growth)
