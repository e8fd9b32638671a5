"""Points gathered to hours, days or weeks, from what is kept with bands and from the store's roll-ups alike."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.stores.scored.block import Scored
from watchband.core.duration import DAY, HOUR, WEEK
from watchband.core.keeping import Rollups
from watchband.core.points import Float64, Int64

WIDTHS = {"hourly": HOUR, "daily": DAY, "weekly": WEEK, "monthly": 4 * WEEK}
"""Resolutions by the length of their buckets, which begin at multiples of it since 1970."""


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """One row a bucket, in order of time; arrays of [n], NaN where nothing is known.

    Parameters
    ----------
    time : int64[n]
        Of its strangest point where it is anomalous, else its beginning; ns UTC.
    y, yhat, yhat_lower, yhat_upper : float64[n]
        Of its strangest point where it is anomalous, else the mean.
    anomaly_score : float64[n]
        The highest.
    y_min, y_max : float64[n]
        Lowest and highest value.
    anomalies : int64[n]
        Points that were anomalous.
    count : int64[n]
        Points with a value.
    """

    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    y_min: Float64
    y_max: Float64
    anomalies: Int64
    count: Int64

    def __len__(self) -> int:
        return len(self.time)

    def at(self, picked: NDArray[np.bool_] | slice) -> Buckets:
        """Some of them."""
        return Buckets(**{f.name: getattr(self, f.name)[picked] for f in fields(self)})

    def gathered(self, width: int) -> Buckets:
        """The same in wider buckets. Of anomalous ones the strangest stays, so that no anomaly is lost.

        Examples
        --------
        >>> n = np.arange(120)
        >>> score = np.where(n == 70, 3.0, 0.1)
        >>> one = np.ones(120)
        >>> points = Scored(n * 60_000_000_000, n * 1.0, one, one, one, score, one, np.zeros(120, np.uint8))
        >>> hours = of_points(points).gathered(HOUR)
        >>> hours.y.tolist(), hours.y_max.tolist(), hours.anomaly_score.tolist(), hours.anomalies.tolist()
        ([29.5, 70.0], [59.0, 119.0], [0.1, 3.0], [0, 1])
        """
        if not len(self):
            return self
        which = self.time // width
        starts = np.flatnonzero(np.r_[True, which[1:] != which[:-1]])
        group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(which)]))
        score = np.nan_to_num(self.anomaly_score, nan=-1.0)
        # The first of the strangest of each; of the store's roll-ups, which have no score, the first with an anomaly.
        score = np.where((score < 0) & (self.anomalies > 0), 1.0 + 1e-9, score)
        peak = np.lexsort((np.arange(len(score)), -score, group))[starts]
        hot = score[peak] > 1
        weight = np.maximum(self.count, 1)

        def mean(values: Float64) -> Float64:
            known = np.isfinite(values)
            total = np.bincount(group, np.where(known, values, 0.0) * weight, len(starts))
            n = np.bincount(group, known * weight, len(starts))
            return np.where(n > 0, total / np.maximum(n, 1), np.nan)

        def picked(values: Float64) -> Float64:
            return np.where(hot, values[peak], mean(values))

        highest = self.anomaly_score[peak]
        return Buckets(
            np.where(hot, self.time[peak], which[starts] * width),
            picked(self.y),
            picked(self.yhat),
            picked(self.yhat_lower),
            picked(self.yhat_upper),
            highest,
            np.fmin.reduceat(self.y_min, starts),
            np.fmax.reduceat(self.y_max, starts),
            np.add.reduceat(self.anomalies, starts),
            np.add.reduceat(self.count, starts),
        )


def of_points(points: Scored) -> Buckets:
    """Every point as a bucket of its own."""
    hot = (np.nan_to_num(points.anomaly_score, nan=0.0) > 1).astype(np.int64)
    return Buckets(
        points.time,
        points.y,
        points.yhat,
        points.yhat_lower,
        points.yhat_upper,
        points.anomaly_score,
        points.y,
        points.y,
        hot,
        np.isfinite(points.y).astype(np.int64),
    )


def of_rollups(hours: Rollups) -> Buckets:
    """Hours of the store: values without band. Of anomalous ones the value is that which is farther from the mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(hours.count > 0, hours.total / np.maximum(hours.count, 1), np.nan)
        farther = np.where(hours.high - mean >= mean - hours.low, hours.high, hours.low)
    unknown = np.full(len(hours), np.nan)
    y = np.where(hours.anomalies > 0, farther, mean)
    return Buckets(
        hours.hour, y, unknown, unknown, unknown, unknown, hours.low, hours.high, hours.anomalies, hours.count
    )


def behind(old: Buckets, new: Buckets, width: int) -> Buckets:
    """Buckets of two sources in one order; where both have one of a time, the new."""
    kept = ~np.isin(old.time // width, np.unique(new.time // width))
    both = {f.name: np.concatenate([getattr(old, f.name)[kept], getattr(new, f.name)]) for f in fields(Buckets)}
    order = np.argsort(both["time"], kind="stable")
    return Buckets(**{name: column[order] for name, column in both.items()})
