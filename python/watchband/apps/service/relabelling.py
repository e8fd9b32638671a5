"""Relabelling at intake: every series that comes in gets the name the configuration wants, or is dropped."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from watchband.core.ports import Readings
from watchband.core.relabel import Relabel, relabelled
from watchband.core.series import SeriesKey

KEPT_MAX = 200_000
"""Series whose new name is remembered; rules run once a series, not once a reading."""


class Relabeller:
    """Applies rules to readings.

    Parameters
    ----------
    rules : sequence of Relabel
        In their order.
    """

    def __init__(self, rules: Sequence[Relabel] = ()) -> None:
        self.rules = tuple(rules)
        self.dropped = 0
        self._known: dict[SeriesKey, SeriesKey | None] = {}
        self._lock = threading.Lock()

    def apply(self, readings: Sequence[Readings]) -> Sequence[Readings]:
        """The readings that are kept, by their new names; the same ones where there are no rules."""
        if not self.rules:
            return readings
        kept = []
        for one in readings:
            key = self.renamed(one.key)
            if key is None:
                self.dropped += len(one.times)
            else:
                kept.append(one if key is one.key else Readings(key, one.times, one.values))
        return kept

    def renamed(self, key: SeriesKey) -> SeriesKey | None:
        """A series by its new name; None where it is dropped."""
        if not self.rules:
            return key
        with self._lock:
            if key not in self._known:
                if len(self._known) >= KEPT_MAX:
                    self._known.clear()
                self._known[key] = relabelled(key, self.rules)
            return self._known[key]
