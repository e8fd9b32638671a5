"""Grid: a series by time, one place a step, nothing where nothing came."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchband.core.duration import DAY, WEEK, format_duration
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64

POINTS_MIN = 30
PLACES_MAX = 4_000_000
NEAR = 0.25
"""Share of a step by which a reading may be off its place."""
ON_GRID_MIN = 0.8
EMPTY_MAX = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Readings of one series at equal distances.

    Parameters
    ----------
    start, step : int
        Time of the first place and the distance of two, ns.
    values : float64[n]
        NaN where nothing came: a lag of 24 places is always 24 steps of time.
    """

    start: int
    step: int
    values: Float64

    def __len__(self) -> int:
        return len(self.values)

    @property
    def times(self) -> Int64:
        """int64[n], ns UTC."""
        return self.start + self.step * np.arange(len(self.values), dtype=np.int64)

    def ahead(self, horizon: int) -> Int64:
        """The times of the next ``horizon`` places."""
        return self.start + self.step * np.arange(len(self), len(self) + horizon, dtype=np.int64)

    def season(self) -> int:
        """Places of a season that such data may have: a day, or a week of days; 0 where two are not there."""
        for length in (DAY, WEEK):
            places = length / self.step
            if places >= 4 and abs(places - round(places)) < 1e-9 and len(self) >= 2 * round(places):
                return round(places)
        return 0


def grid_of(times: Int64, values: Float64, *, name: str = "the series", resample: int = 0) -> Grid:
    """A series on a grid of its usual distance.

    Parameters
    ----------
    times, values : int64[n], float64[n]
        ns UTC, in any order; of one time the first counts. NaN and infinite values are none.
    name : str
        For messages.
    resample : int, default 0
        Means of buckets this wide, ns; 0: the median distance of the readings is the step.

    Raises
    ------
    DataError
        Too few readings, one value only, or no distance that most readings keep.
    """
    known = np.isfinite(values)
    times, values = times[known], values[known]
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    first = np.r_[True, np.diff(times) > 0][: len(times)]
    if int(first.sum()) < POINTS_MIN:
        raise DataError(
            f"{name} has {int(first.sum())} readings with a value; a forecast needs {POINTS_MIN} at least. Give more "
            "of its past."
        )
    if values.min() == values.max():
        raise DataError(
            f"{name} never changes: all {int(first.sum())} readings are {values[0]:g}. There is nothing to learn from, "
            "and no way to say how sure a forecast is."
        )
    if resample:
        place = times // resample
        return _placed(place, values, int(place[0]) * resample, resample, name)
    times, values = times[first], values[first]
    gaps = np.diff(times)
    step = int(np.median(gaps))
    away = np.abs(gaps / step - np.maximum(np.round(gaps / step), 1))
    share = float((away <= NEAR).mean())
    if share < ON_GRID_MIN:
        raise DataError(
            f"{name} has no distance that its readings keep: {100 * share:.0f} % of the steps are multiples of the "
            f"median {format_duration(step)}, {100 * ON_GRID_MIN:.0f} % are needed. Gather them in buckets: --resample."
        )
    return _placed(np.round((times - times[0]) / step).astype(np.int64), values, int(times[0]), step, name)


def _placed(place: Int64, values: Float64, start: int, step: int, name: str) -> Grid:
    place = place - place[0]
    count = int(place[-1]) + 1
    if count > PLACES_MAX:
        raise DataError(
            f"{name} would be {count:,} steps of {format_duration(step)}; a forecast takes {PLACES_MAX:,}. Widen the "
            "steps with --resample, or give less of its past."
        )
    sums, counts = np.bincount(place, values, count), np.bincount(place, minlength=count)
    held = np.where(counts > 0, sums / np.maximum(counts, 1), math.nan)
    empty = float((counts == 0).mean())
    if int((counts > 0).sum()) < POINTS_MIN or empty > EMPTY_MAX:
        raise DataError(
            f"{name} has readings in {int((counts > 0).sum())} of {count} steps of {format_duration(step)}; at least "
            f"{POINTS_MIN} and {100 - 100 * EMPTY_MAX:.0f} % of them are needed. Widen the steps with --resample."
        )
    return Grid(start, step, held)
