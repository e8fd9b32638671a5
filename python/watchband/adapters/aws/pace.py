"""A pace: so many calls a second at most, fewer once AWS asks for patience, and a budget for coming again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from watchband.adapters.aws.failure import DeniedError, ThrottledError
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError

T = TypeVar("T")
FIRST_S, LONGEST_S = 0.5, 20.0
TRIES_MAX = 8
NAP_S = 0.25
SLOWEST = 0.2
"""Calls a second below which no throttling drives the pace."""
_RECOVER = 1.05


class Pace:
    """Calls, spread over time; may be used by several threads.

    Every call waits for its turn. A throttled one halves the pace and is repeated after a random wait that doubles
    each time (full jitter), as long as ``budget`` seconds of waiting are left; then its error goes to the caller. A
    call that succeeds lets the pace recover by a twentieth.

    Parameters
    ----------
    clock : Clock
        Who waits.
    per_second : float
        Calls a second at most.
    budget_s : float
        Seconds of waiting that the repeats of one call may take together.
    seed : str
        Of the jitter: two sources do not come in step.

    Attributes
    ----------
    throttled, repeats : int
        How often AWS asked for patience, and how often something was asked again.

    Examples
    --------
    >>> from watchband.core.clock import SystemClock
    >>> Pace(SystemClock(), 10).call(lambda: 7)
    7
    """

    def __init__(self, clock: Clock, per_second: float, budget_s: float = 60.0, seed: str = "") -> None:
        self._clock, self._most, self._budget = clock, per_second, budget_s
        self._rate = per_second
        self._next = 0
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._closed = threading.Event()
        self.throttled = 0
        self.repeats = 0

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        return self._rate

    def close(self) -> None:
        """End every wait."""
        self._closed.set()

    def call(self, work: Callable[[], T]) -> T:
        """The result of a call, with its turn, and its repeats where it was throttled or broke.

        Raises
        ------
        AdapterError
            It failed for good, or the budget is spent; ``retry_after`` as AWS said.
        """
        left, tries = self._budget, 0
        while True:
            self._turn()
            try:
                found = work()
            except AdapterError as error:
                wait = self._wait_after(error, tries)
                if wait is None or wait > left or self._closed.is_set():
                    raise
                left -= wait
                tries += 1
                self.repeats += 1
                self._sleep(wait)
            else:
                with self._lock:
                    self._rate = min(self._most, self._rate * _RECOVER)
                return found

    def _wait_after(self, error: AdapterError, tries: int) -> float | None:
        """Seconds until the next try; None where there is none."""
        if isinstance(error, PermanentError | DeniedError) or not isinstance(error, TransientError):
            return None
        if isinstance(error, ThrottledError):
            with self._lock:
                self.throttled += 1
                self._rate = max(SLOWEST, self._rate / 2)
        if tries + 1 >= TRIES_MAX:
            return None
        with self._lock:
            wait = self._random.uniform(0.0, min(LONGEST_S, FIRST_S * 2.0**tries))
        return max(wait, error.retry_after or 0.0)

    def _turn(self) -> None:
        with self._lock:
            now = self._clock.now()
            at = max(now, self._next)
            self._next = at + round(SECOND / self._rate)
        self._sleep((at - now) / SECOND)

    def _sleep(self, seconds: float) -> None:
        while seconds > 0 and not self._closed.is_set():
            self._clock.sleep(min(NAP_S, seconds))
            seconds -= NAP_S
