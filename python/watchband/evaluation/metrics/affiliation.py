"""Affiliation: how near what was said is to the event it belongs to, against a point thrown at random.

Each event owns the zone that is nearer to it than to any other. Within its zone a predicted point earns the
probability that a random point of the zone is farther from the event; a point of the event earns the probability that
a random point is farther from it than the nearest prediction is. Means over zones, so that long events weigh as much
as short ones; precision leaves out zones without predictions, recall counts them 0.

References
----------
Huet, Navarro and Rossi, "Local Evaluation of Time Series Anomaly Detection Algorithms", KDD (2022),
doi:10.1145/3534678.3539339. A point here is the unit of time from it to the next, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import disjoint


@dataclass(frozen=True, slots=True, eq=False)
class Affiliation:
    """Figures of all events and of each.

    Parameters
    ----------
    precision, recall : float
        Means over the events; precision NaN where nothing was said, both NaN without events. Chance is about 0.5 and
        above, not 0.
    each : float64[w, 2]
        Precision (NaN where nothing was said in the zone) and recall of each event.
    """

    precision: float
    recall: float
    each: Float64

    @property
    def f1(self) -> float:
        """Harmonic mean; NaN where either is."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def affiliation(predicted: Int64, windows: Int64, n: int) -> Affiliation:
    """Affiliation precision and recall.

    Parameters
    ----------
    predicted : int64[k, 2]
        First and last point of every range that was said to be abnormal (``windows_of(flags)``).
    windows : int64[w, 2]
        First and last point of every event; what touches is one.
    n : int
        Length of the series: the zones of the first and last event end there.

    Notes
    -----
    O((k + w) log (k + w)).

    Examples
    --------
    >>> found = affiliation(np.array([[4, 4], [8, 8]]), np.array([[3, 3], [7, 9]]), 10)
    >>> round(found.precision, 6), round(found.recall, 6)
    (0.818182, 0.844276)
    """
    said = disjoint("affiliation", predicted) + np.array([0, 1])
    true = disjoint("affiliation", windows) + np.array([0, 1])
    count = len(true)
    if not count:
        return Affiliation(np.nan, np.nan, np.empty((0, 2)))
    zones = np.r_[0.0, (true[:-1, 1] + true[1:, 0]) / 2, float(n)]
    if not len(said):
        return Affiliation(np.nan, 0.0, np.stack([np.full(count, np.nan), np.zeros(count)], axis=1))
    # Between two neighbouring edges every point has one zone, one event side and one nearest prediction.
    between = (said[:-1, 1] + said[1:, 0]) / 2
    edges = np.unique(np.r_[zones, said.ravel(), true.ravel(), between])
    a, b = edges[:-1], edges[1:]
    middle = (a + b) / 2
    zone = np.clip(np.searchsorted(zones, middle) - 1, 0, count - 1)
    low, high = zones[zone], zones[zone + 1]
    in_event = _covers(true, middle)
    in_said = _covers(said, middle)
    near = _nearness(a, b, low, high, true[zone].astype(np.float64), in_event)
    reach = _reach(a, b, low, high, said.astype(np.float64), in_said)
    length = b - a
    said_length, earned = (np.bincount(zone[in_said], v[in_said], count) for v in (length, near))
    recall = np.bincount(zone[in_event], reach[in_event], count) / (true[:, 1] - true[:, 0])
    with np.errstate(invalid="ignore"):
        precision = earned / said_length
    return Affiliation(float(np.nanmean(precision)), float(recall.mean()), np.stack([precision, recall], axis=1))


def _covers(ranges: Int64, at: Float64) -> np.ndarray:
    before = np.searchsorted(ranges[:, 0], at) - 1
    return np.asarray((before >= 0) & (at < ranges[np.maximum(before, 0), 1]))


def _nearness(a: Float64, b: Float64, low: Float64, high: Float64, event: Float64, inside: np.ndarray) -> Float64:
    """Integral from a to b of the probability that a random point of the zone is farther from the event."""
    left, right = event[:, 0], event[:, 1]
    nearer = np.where(inside, 0, np.where(b <= left, left - b, a - right))
    farther = np.where(inside, 0, np.where(b <= left, left - a, b - right))
    narrow = np.minimum(left - low, high - right)

    def taken(d: Float64) -> Float64:
        # Integral of the length of the zone within x of the event, x from 0 to d.
        short = np.minimum(d, narrow)
        return np.asarray(d * d / 2 + short * short / 2 + narrow * (d - short) + (right - left) * d)

    return np.asarray((b - a) - (taken(farther) - taken(nearer)) / (high - low))


def _reach(a: Float64, b: Float64, low: Float64, high: Float64, said: Float64, inside: np.ndarray) -> Float64:
    """Integral from a to b of the probability that the nearest prediction of the zone is nearer than a random point."""
    middle = (a + b) / 2
    following = np.searchsorted(said[:, 0], middle)
    last = len(said) - 1
    before = np.where(following > 0, said[np.maximum(following - 1, 0), 1], -np.inf)
    after = np.where(following <= last, said[np.minimum(following, last), 0], np.inf)
    before = np.where(before > low, before, -np.inf)
    after = np.where(after < high, after, np.inf)
    forward = after - middle < middle - before
    pivot = np.where(forward, after, before)
    alone = ~np.isfinite(pivot) & ~inside
    pivot = np.where(np.isfinite(pivot), pivot, middle)
    # Seen from the pivot both directions are one: the far side of the ball ends at the zone's edge behind the point.
    near = np.where(forward, pivot - b, a - pivot)
    far = np.where(forward, pivot - a, b - pivot)
    wall = np.where(forward, pivot - low, high - pivot)

    def ball(d: Float64) -> Float64:
        # Integral of min(2 x, wall), x from 0 to d.
        short = np.minimum(d, wall / 2)
        return np.asarray(short * short + wall * (d - short))

    whole = (b - a) - (ball(far) - ball(near)) / (high - low)
    return np.where(inside, b - a, np.where(alone, 0.0, whole))
