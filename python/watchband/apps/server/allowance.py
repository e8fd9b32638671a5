"""How much somebody may do in a time: so many a second, on average over ten seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from watchband.apps.server.problems import Problem

WINDOW_S = 10.0
NAMES_MAX = 10_000


class Allowance:
    """What may be done: so much a second, on average over ten seconds.

    Parameters
    ----------
    clock : callable, optional
        Seconds that only go forward.
    what, setting : str
        What is counted, and the setting that says how much.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        what: str = "points a second",
        setting: str = "max_points_per_second",
    ) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._what, self._setting = what, setting
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
                raise Problem(
                    429, f"More than {rate:,} {self._what} ('{self._setting}' of 'server').", retry_after=wait
                )
            self._spent += points


class Allowances:
    """An allowance for each of many names; of those that were not heard of for longest none is remembered.

    Parameters
    ----------
    what, setting : str
        What is counted, and the setting that says how much.
    clock : callable, optional
        Seconds that only go forward.
    """

    def __init__(self, what: str, setting: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._setting, self._clock = what, setting, clock
        self._lock = threading.Lock()
        self._each: OrderedDict[str, Allowance] = OrderedDict()

    def spend(self, name: str, count: int, rate: int | None) -> None:
        """Take from one's allowance.

        Raises
        ------
        Problem
            429: nothing was taken.
        """
        with self._lock:
            found = self._each.pop(name, None) or Allowance(self._clock, self._what, self._setting)
            self._each[name] = found
            if len(self._each) > NAMES_MAX:
                self._each.popitem(last=False)
        found.spend(count, rate)
