"""A circuit breaker: a service that keeps failing is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Circuit:
    """Closed while calls succeed; open after some failures in a row; then one trial call at a time.

    Args:
        most_failures: failures in a row after which it opens.
        rest_s: how long it stays open before a trial call.
        clock: seconds, ever growing.
    """

    def __init__(
        self, *, most_failures: int = 5, rest_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_failures = most_failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, all but a trial call."""
        return self._opened_at is not None

    def admits(self) -> bool:
        """Whether a call may be made now; after True, `succeeded` or `failed` must follow."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._trying or self._clock() - self._opened_at < self._rest_s:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        """Note a call that worked: the circuit closes."""
        with self._lock:
            self._failures = 0
            self._opened_at = None
            self._trying = False

    def failed(self) -> None:
        """Note a call that failed: the circuit opens after too many, and again after a failed trial."""
        with self._lock:
            self._failures += 1
            if self._trying or self._failures >= self._most_failures:
                self._opened_at = self._clock()
            self._trying = False
