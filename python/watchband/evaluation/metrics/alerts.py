"""Alerts per series per week: the figure that decides whether anybody keeps reading them."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import same_length
from watchband.evaluation.metrics.bootstrap import Interval, interval, ratio
from watchband.evaluation.metrics.proportion import poisson

WEEK_NS = 7 * 86_400 * 1_000_000_000


def alerts_per_week(
    alerts: Int64, span_ns: Int64, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> Interval:
    """Alerts per series per week over many series, with an interval.

    The interval is the hull of two: the exact one of a Poisson count, which alone knows how little no alert in a short
    time proves, and the bootstrap over series, which alone knows that a few series may bring most of the alerts.

    Parameters
    ----------
    alerts : int64[series]
        Alerts that opened in each.
    span_ns : int64[series]
        Time that each was watched; alerts and span should both leave out warming up.

    Raises
    ------
    PointsShapeError
        The lengths differ.

    Examples
    --------
    >>> str(alerts_per_week(np.array([0, 0, 3]), np.full(3, 2 * WEEK_NS)))
    '0.500 (0.000 to 1.500)'
    """
    same_length("alerts_per_week", alerts=alerts, span_ns=span_ns)
    counts = np.asarray(alerts, np.float64)
    weeks: Float64 = np.asarray(span_ns, np.float64) / WEEK_NS
    exact = poisson(int(counts.sum()), float(weeks.sum()), level=level)
    if len(counts) < 2 or np.isnan(exact.value):
        return exact
    drawn = interval(np.stack([counts, weeks], axis=1), ratio(0, 1), draws=draws, level=level, seed=seed)
    return Interval(exact.value, min(exact.low, drawn.low), max(exact.high, drawn.high))
