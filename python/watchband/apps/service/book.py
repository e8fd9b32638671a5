"""The book of alerts: the last ones, which are open, and how many there were; kept so that nobody asks the store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from watchband.core.alert import Alert
from watchband.core.clock import Clock
from watchband.core.ports import StoreSettings

KEPT_MAX = 20_000
"""Alerts in memory, some 30 MB; pages that look further back ask the store."""


class AlertBook:
    """The last alerts in memory, the open ones among them always, and counts since the process started.

    Parameters
    ----------
    most : int
        Alerts that are kept, beside those that are open.

    Attributes
    ----------
    version : int
        Grows with every change.
    whole : bool
        Whether every alert of the store is here.

    Examples
    --------
    >>> from watchband.testing.contracts.store import an_alert
    >>> book = AlertBook()
    >>> book.took([an_alert()])
    >>> len(book.open()), len(book.every()), sum(book.opened.values()), book.whole
    (1, 1, 1, True)
    """

    def __init__(self, most: int = KEPT_MAX) -> None:
        self.most, self.version, self.whole = most, 0, True
        self._open: dict[str, Alert] = {}
        self._all: dict[str, Alert] = {}
        self._lock = threading.Lock()
        self.opened: Counter[tuple[str, str]] = Counter()
        self.closed: Counter[str] = Counter()

    def load(self, alerts: Sequence[Alert], watches: Collection[str] | None = None) -> None:
        """Begin with what the store has, in its order; open are those of these watches, by default of any."""
        with self._lock:
            self._all = {alert.id: alert for alert in alerts}
            self.whole = True
            mine = (a for a in alerts if a.closed is None and (watches is None or a.watch in watches))
            self._open = {alert.id: alert for alert in mine}
            self._shrink()

    def took(self, alerts: Sequence[Alert]) -> None:
        """Alerts that changed."""
        if not alerts:
            return
        with self._lock:
            for alert in alerts:
                self._all[alert.id] = alert
                if alert.closed is None:
                    if alert.id not in self._open:
                        self.opened[alert.watch, alert.kind] += 1
                    self._open[alert.id] = alert
                elif self._open.pop(alert.id, None) is not None:
                    self.closed[alert.watch] += 1
                else:
                    # It opened and closed within one entry.
                    self.opened[alert.watch, alert.kind] += 1
                    self.closed[alert.watch] += 1
            self._shrink()

    def _shrink(self) -> None:
        self.version += 1
        over = len(self._all) - self.most
        if over > 0:
            # Some more at a time, so that it is seldom.
            ended = [name for name in self._all if name not in self._open][: over + self.most // 10]
            for name in ended:
                del self._all[name]
            self.whole = self.whole and not ended

    def open(self) -> list[Alert]:
        """Those that are open, the oldest first."""
        with self._lock:
            return sorted(self._open.values(), key=lambda a: a.opened)

    def every(self) -> list[Alert]:
        """All that are here, in order of opening."""
        with self._lock:
            return sorted(self._all.values(), key=lambda a: a.opened)

    def forget(self, before: int) -> None:
        """Those that ended before a time (ns UTC) are no longer kept."""
        with self._lock:
            for name in [n for n, a in self._all.items() if a.closed is not None and a.closed < before]:
                del self._all[name]
                self.version += 1


def forgetting(book: AlertBook, settings: StoreSettings, clock: Clock) -> Callable[[], None]:
    """Lets the book forget what the store no longer keeps."""
    kept = getattr(settings, "retention", None)
    age = None if kept is None else kept.alerts

    def forget() -> None:
        if age is not None:
            book.forget(clock.now() - age)

    return forget
