"""What changed, told to whoever looks: kinds of change with a number that only grows, gathered to a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal, get_args

Change = Literal["alerts", "series", "sources", "configuration", "windows", "tasks"]
KINDS: tuple[Change, ...] = get_args(Change)


class Changes:
    """Numbers of the last change of each kind.

    One number counts all changes of the process's life, so that who was away can be told what changed meanwhile;
    ``run`` names that life, since another process counts anew.

    Parameters
    ----------
    run : str, optional
        A name for this process; its starting time otherwise.

    Examples
    --------
    >>> changes = Changes("a")
    >>> changes.note("alerts"), changes.since("a-0"), changes.since(changes.mark), changes.since("another-7")
    (None, ['alerts'], [], ['alerts', 'series', 'sources', 'configuration', 'windows', 'tasks'])
    """

    def __init__(self, run: str | None = None) -> None:
        self.run = run or f"{time.time_ns():x}"
        self._last: dict[Change, int] = dict.fromkeys(KINDS, 0)
        self._count = 0
        self._changed = threading.Condition()

    @property
    def mark(self) -> str:
        """Where it stands; give it back to ``since``."""
        return f"{self.run}-{self._count}"

    def note(self, *kinds: Change) -> None:
        """Something of these kinds changed."""
        with self._changed:
            self._count += 1
            for kind in kinds:
                self._last[kind] = self._count
            self._changed.notify_all()

    def number(self, *kinds: Change) -> int:
        """The number of the last change of any of these kinds."""
        return max(self._last[kind] for kind in kinds)

    def since(self, mark: str) -> list[Change]:
        """Kinds that changed after a mark; all of them where nobody knows it."""
        run, _, number = mark.rpartition("-")
        if run != self.run or not number.isdigit():
            return list(KINDS)
        last: Mapping[Change, int] = self._last
        return [kind for kind in KINDS if last[kind] > int(number)]

    def wait(self, mark: str, timeout: float, stop: Callable[[], bool] = lambda: False) -> list[Change]:
        """Like ``since``, after up to ``timeout`` seconds if there is nothing yet."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self.since(mark)) or stop(), timeout)
            return self.since(mark)
