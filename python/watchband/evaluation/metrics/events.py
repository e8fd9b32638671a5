"""Events and alerts: which labelled windows an alert opened in, how late, and how many alerts opened elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Int64


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Counts of one series; they add up over series.

    Parameters
    ----------
    found : int
        Events in which an alert opened.
    missed : int
        Events without one.
    false : int
        Alerts that opened outside all events.
    delay : int
        Points from the start of each found event to its first alert, summed.
    points : int
        Points that counted.
    """

    found: int = 0
    missed: int = 0
    false: int = 0
    delay: int = 0
    points: int = 0

    def __add__(self, other: EventCounts) -> EventCounts:
        return EventCounts(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.delay + other.delay,
            self.points + other.points,
        )

    @property
    def precision(self) -> float:
        """Found events among found events and false alerts; NaN without either."""
        return _ratio(self.found, self.found + self.false)

    @property
    def recall(self) -> float:
        """Found events among all events; NaN without events."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN without events and alerts."""
        return _ratio(2 * self.found, 2 * self.found + self.missed + self.false)

    @property
    def mean_delay(self) -> float:
        """Points from the start of an event to its alert, mean over found events; NaN without any."""
        return _ratio(self.delay, self.found)


def count_events(opened: Int64, windows: Int64, points: int, *, start: int = 0) -> EventCounts:
    """Labelled windows against the points at which alerts opened.

    An event is found when an alert opens within it; a further alert within it is neither a hit nor a false alarm. An
    alert outside is a false alarm. What opens or ends before ``start`` counts nowhere.

    Parameters
    ----------
    opened : int64[k]
        Points at which alerts opened, ascending.
    windows : int64[w, 2] or int64[w, 3]
        First and last point of each event; the third column, where given, is the last point of its aftermath, in
        which an alert is neither a hit nor a false alarm.
    points : int
        Length of the series.
    start : int, default 0
        First point that counts.

    Notes
    -----
    O((k + w) log (k + w)).

    Examples
    --------
    >>> count_events(np.array([5, 21, 23, 70]), np.array([[20, 29], [40, 49]]), 100)
    EventCounts(found=1, missed=1, false=2, delay=1, points=100)
    """
    opened = np.asarray(opened, np.int64)
    opened = opened[np.searchsorted(opened, start) :]
    windows = np.asarray(windows, np.int64)
    windows = windows.reshape(-1, windows.shape[-1] if windows.size else 2)
    windows = windows[windows[:, 1] >= start]
    windows = windows[np.argsort(windows[:, 0], kind="stable")]
    # The first alert from the start of an event on finds it, if it is not beyond its end.
    first = np.r_[opened, np.iinfo(np.int64).max][np.searchsorted(opened, windows[:, 0])]
    hit = first <= windows[:, 1]
    delay = int((first - np.maximum(windows[:, 0], start))[hit].sum())
    # An alert is excused when of the events that began before it one, or its aftermath, still lasts.
    reach = np.r_[np.iinfo(np.int64).min, np.maximum.accumulate(windows[:, -1])]
    excused = reach[np.searchsorted(windows[:, 0], opened, side="right")] >= opened
    return EventCounts(int(hit.sum()), int((~hit).sum()), int((~excused).sum()), delay, max(points - start, 0))


def windows_of(labels: Int64) -> Int64:
    """First and last point of every run of labelled points: int64[w, 2].

    Examples
    --------
    >>> windows_of(np.array([0, 1, 1, 0, 1])).tolist()
    [[1, 2], [4, 4]]
    """
    edges = np.diff(np.asarray(labels) != 0, prepend=False, append=False).nonzero()[0]
    return np.stack([edges[::2], edges[1::2] - 1], axis=1)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
