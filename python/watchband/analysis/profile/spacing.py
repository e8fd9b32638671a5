"""How readings lie in time: the interval, where it breaks, what came twice or late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Int64

NEAR = 0.25
"""Share of an interval by which a reading may be off its place."""
REGULAR_MIN = 0.8
"""Share of steps that keep the interval, from which it is one."""
LISTED_MAX = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without readings: the last before it, the first after it (ns), the intervals that are absent."""

    start: int
    end: int
    absent: int


@dataclass(frozen=True, slots=True)
class Spacing:
    """How readings lie in time.

    Parameters
    ----------
    first, last : int
        Time of the first and the last reading, ns UTC.
    interval : int
        Median distance of two readings, ns; 0 where there are fewer than two times.
    regular : float
        Share of steps that are a multiple of the interval, within a quarter of it.
    gaps : int
        Steps longer than one and a half intervals.
    absent : int
        Intervals in them.
    longest : tuple of Gap
        The longest ten, longest first.
    duplicates : int
        Readings at the time of another one.
    backwards : int
        Places of the input where time runs backwards.
    """

    first: int
    last: int
    interval: int
    regular: float
    gaps: int
    absent: int
    longest: tuple[Gap, ...]
    duplicates: int
    backwards: int

    @property
    def span(self) -> int:
        """From the first to the last reading, ns."""
        return self.last - self.first

    @property
    def even(self) -> bool:
        """Whether the interval is one that most readings keep."""
        return self.interval > 0 and self.regular >= REGULAR_MIN

    @property
    def absent_share(self) -> float:
        """Absent intervals of all from first to last; 0 where readings keep none."""
        places = self.span // self.interval + 1 if self.even else 0
        return self.absent / places if places else 0.0


def spacing_of(times: Int64, backwards: int = 0) -> Spacing:
    """How sorted times lie.

    Parameters
    ----------
    times : int64[n]
        ns UTC, ascending; equal ones are counted as duplicates. At least one.
    backwards : int
        What the reader counted before it sorted.

    Examples
    --------
    >>> found = spacing_of(np.array([0, 60, 120, 120, 300]) * 10**9)
    >>> found.interval // 10**9, found.gaps, found.absent, found.duplicates
    (60, 1, 2, 1)
    """
    steps = np.diff(times)
    duplicates = int((steps == 0).sum())
    at = np.flatnonzero(steps > 0)
    steps = steps[at]
    if not len(steps):
        return Spacing(int(times[0]), int(times[-1]), 0, 0.0, 0, 0, (), duplicates, backwards)
    # Of an even number the lower middle, so that the interval is one that occurs.
    interval = int(np.partition(steps, (len(steps) - 1) // 2)[(len(steps) - 1) // 2])
    multiples = np.maximum(np.round(steps / interval), 1)
    regular = float((np.abs(steps / interval - multiples) <= NEAR).mean())
    wide = np.flatnonzero(steps > 1.5 * interval)
    absent = multiples[wide].astype(np.int64) - 1
    order = np.argsort(-steps[wide], kind="stable")[:LISTED_MAX]
    longest = tuple(
        Gap(int(times[at[wide[i]]]), int(times[at[wide[i]] + 1]), max(int(absent[i]), 1)) for i in order.tolist()
    )
    return Spacing(
        int(times[0]), int(times[-1]), interval, regular, len(wide), int(absent.sum()), longest, duplicates, backwards
    )
