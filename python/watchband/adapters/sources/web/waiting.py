"""Waiting that another thread can end, and for how long after failures."""

from __future__ import annotations

import hashlib
import threading

from watchband.core.clock import Clock

LOOK_S = 1.0
"""How long a wait goes on after it was ended."""
LONGEST_S = 60.0


class Waiting:
    """Waits by a clock, and no longer than until ``end``."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._ended = threading.Event()

    def end(self) -> None:
        """From here on nothing waits."""
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether it was ended."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long; False if it was ended."""
        # Counted down, since the clock itself may be set back meanwhile.
        while not self.ended and seconds > 0:
            self.clock.sleep(min(seconds, LOOK_S))
            seconds -= LOOK_S
        return not self.ended


def pause_s(name: str, failures: int, first: float, longest: float = LONGEST_S) -> float:
    """Seconds before another try: twice as long after each failure, spread by half so that many do not come at once.

    Examples
    --------
    >>> [round(pause_s("a", k, 3.0)) for k in range(6)]
    [3, 4, 17, 18, 64, 80]
    """
    digest = hashlib.blake2b(f"{name} {failures}".encode(), digest_size=4).digest()
    spread = 0.5 + int.from_bytes(digest) / 2**32
    return min(first * 2.0 ** min(failures, 30), longest) * spread
