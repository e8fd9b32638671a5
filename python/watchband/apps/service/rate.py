"""How many a second, lately."""

from __future__ import annotations

import threading
from collections import deque

from watchband.core.duration import SECOND

WINDOW = 60 * SECOND
STEP = SECOND


class Rate:
    """Counts by the second over the last minute.

    Examples
    --------
    >>> rate = Rate(0)
    >>> rate.add(30, 1 * SECOND), rate.add(30, 2 * SECOND)
    (None, None)
    >>> rate.per_second(10 * SECOND), rate.per_second(120 * SECOND)
    (6.0, 0.0)
    """

    def __init__(self, began: int) -> None:
        self._began, self._lock = began, threading.Lock()
        self._counts: deque[tuple[int, int]] = deque(maxlen=WINDOW // STEP + 1)

    def add(self, count: int, now: int) -> None:
        """So many more."""
        second = now // STEP
        with self._lock:
            if self._counts and self._counts[-1][0] == second:
                self._counts[-1] = second, self._counts[-1][1] + count
            else:
                self._counts.append((second, count))

    def per_second(self, now: int) -> float:
        """The mean of the last minute, or of the time since the beginning if that is shorter."""
        with self._lock:
            total = sum(n for second, n in self._counts if now - second * STEP < WINDOW)
        return total / max(min(WINDOW, now - self._began) / SECOND, 1.0)
