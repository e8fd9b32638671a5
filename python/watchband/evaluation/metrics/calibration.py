"""Does it keep its word: alarms against the promised rate, bands against their nominal share, p-values against chance.

References
----------
Gneiting, Balabdaoui and Raftery, "Probabilistic forecasts, calibration and sharpness", JRSS B 69 (2007).
Marsaglia, Tsang and Wang, "Evaluating Kolmogorov's distribution", Journal of Statistical Software 8 (2003): the series
used here is its limit for many values, with Stephens' correction for few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import same_length
from watchband.evaluation.metrics.bootstrap import Interval, interval, ratio
from watchband.evaluation.metrics.forecast import inside
from watchband.evaluation.metrics.proportion import poisson, wilson


class Kept(NamedTuple):
    """A promise beside what came: ``ratio`` is observed over promised, 1 is kept to the letter."""

    promised: float
    observed: int
    ratio: Interval

    @property
    def within(self) -> bool:
        """Whether the interval of the ratio holds 1: the data do not contradict the promise."""
        return self.ratio.low <= 1 <= self.ratio.high


class Covered(NamedTuple):
    """A band's nominal share beside the observed one."""

    nominal: float
    observed: Interval


class Uniformity(NamedTuple):
    """How p-values of normal points differ from uniform ones.

    Parameters
    ----------
    distance : float
        Largest difference of the two distribution functions (Kolmogorov and Smirnov).
    p : float
        Probability of a distance as large by chance, if the values were independent.
    tails : dict of float to Interval
        Observed share of p-values at or below a over a itself, by a: 1 is right, above 1 alarms too often.
    """

    distance: float
    p: float
    tails: dict[float, Interval]


def alarm_rate(alerts: Int64, points: Int64, one_in: float, *, level: float = 0.95, seed: int = 0) -> Kept:
    """Alerts on series without incidents against a budget of one in so many points.

    Parameters
    ----------
    alerts, points : int64[series]
        Alerts opened in each series, and points judged.
    one_in : float
        The promise.

    Returns
    -------
    Kept
        The interval is the hull of the exact one of a count and of the bootstrap over series, as in
        ``alerts_per_week``.

    Examples
    --------
    >>> kept = alarm_rate(np.array([1, 0, 2]), np.full(3, 1440), 1440)
    >>> kept.promised, kept.observed, str(kept.ratio), kept.within
    (3.0, 3, '1.000 (0.000 to 2.922)', True)
    """
    same_length("alarm_rate", alerts=alerts, points=points)
    if not one_in > 0:
        raise InvalidParameterError(f"The 'one_in' of alarm_rate must be above 0 points. Got {one_in}.")
    counts, promised = np.asarray(alerts, np.float64), np.asarray(points, np.float64) / one_in
    exact = poisson(int(counts.sum()), float(promised.sum()), level=level)
    if len(counts) > 1 and promised.sum() > 0:
        drawn = interval(np.stack([counts, promised], axis=1), ratio(0, 1), level=level, seed=seed)
        exact = Interval(exact.value, min(exact.low, drawn.low), max(exact.high, drawn.high))
    return Kept(float(promised.sum()), int(counts.sum()), exact)


def band_coverage(
    actual: Float64, bands: Sequence[tuple[float, Float64, Float64]], *, level: float = 0.95
) -> list[Covered]:
    """Observed share inside each band beside its nominal one.

    Parameters
    ----------
    actual : float64[n]
        What came, judged before it was learned.
    bands : sequence of (nominal, lower, upper)
        The share that each band promises, and its sides, float64[n].

    Notes
    -----
    Wilson's intervals take points as independent. Where points outside come in runs, resample blocks of
    ``forecast.inside`` instead (``bootstrap.blocks``).

    Examples
    --------
    >>> y = np.arange(100.0)
    >>> [str(c.observed) for c in band_coverage(y, [(0.9, np.full(100, 5.0), np.full(100, 94.0))])]
    ['0.900 (0.826 to 0.945)']
    """
    found = []
    for nominal, lower, upper in bands:
        hits = inside(actual, lower, upper)
        known = ~np.isnan(hits)
        found.append(Covered(nominal, wilson(int(hits[known].sum()), int(known.sum()), level=level)))
    return found


def p_uniformity(p: Float64, *, at: Sequence[float] = (0.1, 0.01, 0.001), level: float = 0.95) -> Uniformity:
    """P-values of points without incident against the uniform law; NaN counts nowhere.

    Notes
    -----
    O(n log n). For alarms only the lower tail matters: read ``tails`` first. A calibration that is careful on purpose
    has tails below 1.

    Examples
    --------
    >>> found = p_uniformity((np.arange(1000) + 0.5) / 1000)
    >>> round(found.distance, 6), found.p > 0.99, found.tails[0.1].value
    (0.0005, True, 1.0)
    """
    some = np.sort(np.asarray(p, np.float64)[~np.isnan(p)])
    n = len(some)
    if not n:
        return Uniformity(np.nan, np.nan, {a: Interval(np.nan, np.nan, np.nan) for a in at})
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - some).max(), (some - steps[:-1]).max()))
    tails = {}
    for a in at:
        share = wilson(int(np.searchsorted(some, a, side="right")), n, level=level)
        tails[a] = Interval(share.value / a, share.low / a, share.high / a)
    return Uniformity(distance, _kolmogorov(distance * (np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n))), tails)


def _kolmogorov(x: float) -> float:
    """Probability that Kolmogorov's law exceeds x."""
    if x < 0.2:
        return 1.0
    k = np.arange(1, 101)
    terms = np.where(k % 2 == 1, 1.0, -1.0) * np.exp(-2 * (k * x) ** 2)
    return float(np.clip(2 * terms.sum(), 0, 1))
