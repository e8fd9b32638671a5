"""Time from outside. Nothing inside the fold reads a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the edges of the program get the time from."""

    def now(self) -> int:
        """Nanoseconds since 1970 in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, at least this long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
