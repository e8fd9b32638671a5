"""A clock that tests move: nothing waits, and what happens outside happens when its time has come."""

from __future__ import annotations

import threading
from collections.abc import Callable

from watchband.core.duration import SECOND


class VirtualClock:
    """Time passes by sleeping, at once.

    Parameters
    ----------
    start : int, default 1 February 2026
        ns UTC.

    Attributes
    ----------
    sleeps : list of float
        Seconds that were slept, in order.

    Examples
    --------
    >>> clock, seen = VirtualClock(0), []
    >>> clock.at(5 * SECOND, lambda: seen.append(clock.now()))
    >>> clock.sleep(60)
    >>> clock.now() // SECOND, [t // SECOND for t in seen]
    (60, [5])
    """

    def __init__(self, start: int = 1_769_904_000 * SECOND) -> None:
        self._now, self._due = start, list[tuple[int, int, Callable[[], object]]]()
        self._lock, self._number = threading.RLock(), 0
        self.sleeps: list[float] = []

    def now(self) -> int:
        """Nanoseconds since 1970 in UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on, and let what is due by then happen at its time."""
        with self._lock:
            self.sleeps.append(seconds)
            until = self._now + max(0, round(seconds * SECOND))
            while self._due and self._due[0][0] <= until:
                moment, _, happen = self._due.pop(0)
                self._now = max(self._now, moment)
                happen()
            self._now = max(self._now, until)

    def at(self, moment: int, happen: Callable[[], object]) -> None:
        """Let something happen once, when the clock gets there."""
        with self._lock:
            self._number += 1
            self._due.append((moment, self._number, happen))
            self._due.sort(key=lambda due: due[:2])
