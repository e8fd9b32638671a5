"""Guesses: how many wrong secrets may come from an address, and from everywhere, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from watchband.apps.server.problems import Problem

LONG = 24
"""Nobody guesses a secret of so many characters, if it was drawn by chance: it is looked up whatever others try."""
FROM_ONE, FROM_ALL = 10, 100
"""Wrong secrets that may come at once."""
ONE_AGAIN_S, ALL_AGAIN_S = 6.0, 1.0
"""After so long one more may come."""
ADDRESSES_MAX = 10_000
GOOD_MAX = 1000


class Attempts:
    """Counts wrong secrets.

    Parameters
    ----------
    clock : callable, optional
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._full: OrderedDict[str, float] = OrderedDict()
        """When each address will have all its guesses back."""
        self._good: OrderedDict[str, None] = OrderedDict()
        self._all = 0.0
        self.total = 0
        self._untold: dict[str, int] = {}

    def check(self, address: str) -> None:
        """Whether one more guess may come from there.

        Who got in from an address before is not kept out by guesses from elsewhere.

        Raises
        ------
        Problem
            429: not now.
        """
        with self._lock:
            now = self._clock()
            wait = self._full.get(address, 0.0) - now - (FROM_ONE - 1) * ONE_AGAIN_S
            if address not in self._good:
                wait = max(wait, self._all - now - (FROM_ALL - 1) * ALL_AGAIN_S)
            if wait > 0:
                raise _too_many(wait)

    def failed(self, address: str) -> None:
        """Note a wrong secret.

        Raises
        ------
        Problem
            429: there were too many.
        """
        with self._lock:
            now = self._clock()
            self.total += 1
            if address in self._untold or len(self._untold) < ADDRESSES_MAX:
                self._untold[address] = self._untold.get(address, 0) + 1
            self._all = min(max(self._all, now) + ALL_AGAIN_S, now + FROM_ALL * ALL_AGAIN_S)
            full = min(max(self._full.pop(address, now), now) + ONE_AGAIN_S, now + FROM_ONE * ONE_AGAIN_S)
            self._full[address] = full
            while len(self._full) > ADDRESSES_MAX:
                self._full.popitem(last=False)
            if full - now >= FROM_ONE * ONE_AGAIN_S:
                raise _too_many(ONE_AGAIN_S)

    def succeeded(self, address: str) -> None:
        """Somebody got in from there."""
        with self._lock:
            self._good.pop(address, None)
            self._good[address] = None
            while len(self._good) > GOOD_MAX:
                self._good.popitem(last=False)

    def untold(self) -> tuple[int, int]:
        """Wrong secrets since this was last asked, and from how many addresses."""
        with self._lock:
            found = sum(self._untold.values()), len(self._untold)
            self._untold.clear()
            return found


def _too_many(wait: float) -> Problem:
    return Problem(429, "Too many secrets that were none came from there. Try again later.", retry_after=wait)
