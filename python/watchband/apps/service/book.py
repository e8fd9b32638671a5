"""The book of alerts: which are open, and how many there were; kept beside the store so that nobody has to ask it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from watchband.core.alert import Alert


class AlertBook:
    """Open alerts in memory, and counts since the process started.

    Examples
    --------
    >>> from watchband.testing.contracts.store import an_alert
    >>> book = AlertBook()
    >>> book.took([an_alert()])
    >>> len(book.open()), sum(book.opened.values())
    (1, 1)
    """

    def __init__(self) -> None:
        self._open: dict[str, Alert] = {}
        self._lock = threading.Lock()
        self.opened: Counter[tuple[str, str]] = Counter()
        self.closed: Counter[str] = Counter()

    def load(self, alerts: Sequence[Alert]) -> None:
        """Begin with what the store has."""
        with self._lock:
            self._open = {alert.id: alert for alert in alerts if alert.closed is None}

    def took(self, alerts: Sequence[Alert]) -> None:
        """Alerts that changed."""
        with self._lock:
            for alert in alerts:
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

    def open(self) -> list[Alert]:
        """Those that are open, the oldest first."""
        with self._lock:
            return sorted(self._open.values(), key=lambda a: a.opened)
