"""What several answers are made of, found once for all that ask: over a large fleet at most once a second."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

from watchband.apps.service.changes import KINDS, Change, Changes

T = TypeVar("T")
LARGE = 2000
"""Series of a fleet of which an answer may be up to a second old. Of a smaller one it never is."""
REST_S = 1.0


class Shared:
    """Answers that are kept until something changes.

    Parameters
    ----------
    changes : Changes
        What changed: an answer holds as long as its number stands. Where one is given that no longer does, listeners
        are told again when another can be had, so that nobody who waits for news is left with it.
    monotonic : callable
        Seconds.

    Examples
    --------
    >>> shared, count = Shared(Changes("a")), iter(range(9))
    >>> one = [shared.found("n", 5, lambda: next(count)) for _ in range(3)]
    >>> shared.changes.note("series")
    >>> one, shared.found("n", 5, lambda: next(count))
    ([0, 0, 0], 1)
    """

    def __init__(self, changes: Changes, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.changes, self._monotonic = changes, monotonic
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._kept: dict[str, tuple[object, float, Any]] = {}
        self._told = threading.Lock()
        self._timer: threading.Timer | None = None

    def found(
        self,
        name: str,
        series: int,
        work: Callable[[], T],
        *,
        besides: object = None,
        kinds: Collection[Change] = KINDS,
    ) -> T:
        """What some work finds, or found.

        Parameters
        ----------
        name : str
            Of the work.
        series : int
            How large the fleet is.
        work : callable
            Cost proportional to the fleet.
        besides : object
            What the answer depends on besides what ``changes`` counts.
        kinds : collection of str
            The kinds of change that it depends on, by default all.
        """
        # Whoever asks while it is being found waits for that.
        with self._locks[name]:
            # Before the work: what changes during it makes the answer an old one.
            key = self.changes.number(*kinds), besides
            before = self._kept.get(name)
            if before is not None:
                if before[0] == key:
                    return cast(T, before[2])
                age = self._monotonic() - before[1]
                if series > LARGE and age < REST_S:
                    self._tell(REST_S - age)
                    return cast(T, before[2])
            found = work()
            self._kept[name] = key, self._monotonic(), found
            return found

    def _tell(self, after: float) -> None:
        with self._told:
            if self._timer is None:
                self._timer = threading.Timer(after, self._now)
                self._timer.daemon = True
                self._timer.start()

    def _now(self) -> None:
        with self._told:
            self._timer = None
        self.changes.note("series")
