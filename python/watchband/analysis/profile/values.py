"""What values there are: range, quantiles, shape, resolution, and what kind of metric that looks like."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64, Int64

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 40
ROOM = 3.0
"""Inner ranges (1 % to 99 %) that a histogram reaches beyond them; what lies further out is counted at its ends."""
SPARSE_MIN = 0.6
COUNTER_RISES_MIN = 0.5
COUNTER_FALLS_MAX = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of values in bins of one width; what lies below and above them is counted apart."""

    low: float
    high: float
    counts: Int64
    below: int
    above: int


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What values there are.

    Parameters
    ----------
    count : int
        Finite ones.
    missing, infinite : int
        NaN and ±∞.
    distinct : int
        Different finite values.
    low, high, mean, deviation : float
        Of the finite ones; NaN where there are none.
    quantiles : tuple of float
        At ``QUANTILES``.
    zeros, negative, whole : float
        Share of zeros, of values below 0, of whole numbers.
    resolution : float
        The usual least distance of two different values; 0 where there are fewer than two.
    skew : float
        (q95 + q5 − 2 median) / (q95 − q5): 0 is even, 1 is a tail upwards only.
    kind : str
        ``empty``, ``constant``, ``counter``, ``sparse``, ``whole``, ``share`` or ``measure``.
    histogram : Histogram or None
        None where nothing changes.
    """

    count: int
    missing: int
    infinite: int
    distinct: int
    low: float
    high: float
    mean: float
    deviation: float
    quantiles: tuple[float, ...]
    zeros: float
    negative: float
    whole: float
    resolution: float
    skew: float
    kind: str
    histogram: Histogram | None

    @property
    def median(self) -> float:
        """The middle value."""
        return self.quantiles[3]


def values_of(values: Float64, metric: str = "") -> Values:
    """What values there are, in the order of time.

    Examples
    --------
    >>> found = values_of(np.array([0.0, 1.0, 2.0, np.nan, 5.0]))
    >>> found.count, found.missing, found.kind, found.resolution
    (4, 1, 'counter', 1.0)
    """
    known = values[np.isfinite(values)]
    infinite = int(np.isinf(values).sum())
    missing = len(values) - len(known) - infinite
    if not len(known):
        nan = math.nan
        none = (nan,) * len(QUANTILES)
        return Values(0, missing, infinite, 0, nan, nan, nan, nan, none, nan, nan, nan, 0.0, 0.0, "empty", None)
    different = np.unique(known)
    low, high = float(different[0]), float(different[-1])
    quantiles = tuple(float(q) for q in np.quantile(known, QUANTILES))
    zeros, whole = float((known == 0).mean()), float((known == np.round(known)).mean())
    width = quantiles[5] - quantiles[1]
    skew = (quantiles[5] + quantiles[1] - 2 * quantiles[3]) / width if width > 0 else 0.0
    return Values(
        len(known),
        missing,
        infinite,
        len(different),
        low,
        high,
        float(known.mean()),
        float(known.std()),
        quantiles,
        zeros,
        float((known < 0).mean()),
        whole,
        float(np.quantile(np.diff(different), 0.05)) if len(different) > 1 else 0.0,
        skew,
        _kind(known, different, zeros, whole, metric),
        _histogram(known, different, quantiles),
    )


def _kind(known: Float64, different: Float64, zeros: float, whole: float, metric: str) -> str:
    if len(different) == 1:
        return "constant"
    steps = np.diff(known)
    rises, falls = float((steps > 0).mean()), float((steps < 0).mean())
    if different[0] >= 0 and rises >= COUNTER_RISES_MIN and falls <= COUNTER_FALLS_MAX:
        return "counter"
    if zeros >= SPARSE_MIN:
        return "sparse"
    if whole == 1.0:
        return "whole"
    named = any(word in metric.lower() for word in ("percent", "ratio", "utilization", "utilisation"))
    if different[0] >= 0 and (different[-1] <= 1 or (named and different[-1] <= 100)):
        return "share"
    return "measure"


def _histogram(known: Float64, different: Float64, quantiles: tuple[float, ...]) -> Histogram | None:
    if len(different) < 2:
        return None
    inner = quantiles[-1] - quantiles[0]
    low, high = float(different[0]), float(different[-1])
    if inner > 0:
        low, high = max(low, quantiles[0] - ROOM * inner), min(high, quantiles[-1] + ROOM * inner)
    counts, _ = np.histogram(known, min(BINS, max(8, len(different))), (low, high))
    return Histogram(low, high, counts.astype(np.int64), int((known < low).sum()), int((known > high).sum()))
