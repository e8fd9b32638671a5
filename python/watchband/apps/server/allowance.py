"""How much somebody may do in a time: so many a second, on average over ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from watchband.apps.server.problems import Problem

WINDOW_S = 10.0


class Allowance:
    """Points that may be pushed: so many a second, on average over ten seconds.

    Parameters
    ----------
    clock : callable, optional
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._spent, self._at = 0.0, clock()

    def spend(self, points: int, rate: int | None) -> None:
        """Take points from it.

        Raises
        ------
        Problem
            429: nothing was taken; come again in ``Retry-After`` seconds.
        """
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            self._spent = max(0.0, self._spent - (now - self._at) * rate)
            self._at = now
            # One large batch must not wait for ever.
            if self._spent and self._spent + points > rate * WINDOW_S:
                wait = min((self._spent + points - rate * WINDOW_S) / rate, 60.0)
                raise Problem(429, f"More than {rate:,} points a second ('max_points_per_second').", retry_after=wait)
            self._spent += points
