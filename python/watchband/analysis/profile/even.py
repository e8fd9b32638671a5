"""A series at equal distances: what seasons, trend and far values are measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64, Int64

PLACES_MAX = 200_000
WIDEN = 4
"""Readings without an interval are gathered in buckets of so many median distances."""


@dataclass(frozen=True, slots=True, eq=False)
class Even:
    """Values at ``start + step * i`` (ns), NaN where nothing came."""

    start: int
    step: int
    values: Float64

    def __len__(self) -> int:
        return len(self.values)

    @property
    def times(self) -> Int64:
        """int64[n], ns UTC."""
        return self.start + self.step * np.arange(len(self.values), dtype=np.int64)

    @property
    def span(self) -> int:
        """Length of all places, ns."""
        return self.step * len(self.values)


def even_of(times: Int64, values: Float64, interval: int, *, regular: bool = True) -> Even:
    """Means of the finite values around each place.

    Parameters
    ----------
    times, values : int64[n], float64[n]
        Ascending, ns UTC.
    interval : int
        Distance of two readings, ns, > 0. Places are wider where readings keep none, or where there would be more
        than ``PLACES_MAX``.
    regular : bool
        Whether readings keep it.
    """
    known = np.isfinite(values)
    times, values = times[known], values[known]
    if not len(times):
        return Even(0, max(interval, 1), np.empty(0))
    step = interval if regular else WIDEN * interval
    span = int(times[-1] - times[0])
    if span // step >= PLACES_MAX:
        step *= -(-(span // step + 1) // PLACES_MAX)
    start = int(times[0]) - (step // 2 if regular and step == interval else 0)
    place = (times - start) // step
    count = int(place[-1]) + 1
    counts = np.bincount(place, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(place, values, count) / counts
    return Even(int(times[0]), step, means)
