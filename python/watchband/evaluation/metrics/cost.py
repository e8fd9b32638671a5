"""What judging a point costs: latency as its quantiles, throughput, and money at a price per core hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import same_length


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of a run.

    Parameters
    ----------
    points : int
        Points judged.
    seconds : float
        Time spent on them.
    p50, p95, p99, worst : float
        Latency in seconds: that of the call in which a point came, by points. The worst is what a user notices.
    """

    points: int
    seconds: float
    p50: float
    p95: float
    p99: float
    worst: float

    @property
    def seconds_per_point(self) -> float:
        """Mean time a point; NaN without points."""
        return self.seconds / self.points if self.points else float("nan")

    def per_million(self, core_hour: float) -> float:
        """Price of a million points at this price of a core hour.

        Examples
        --------
        >>> round(costs(np.full(100, 0.5)).per_million(0.036), 6)
        5.0
        """
        return self.seconds_per_point * 1e6 / 3600 * core_hour


def costs(seconds: Float64, points: Int64 | None = None) -> Cost:
    """Latency and cost of calls.

    Parameters
    ----------
    seconds : float64[calls]
        Time of each call, measured by the caller: CPU time for a cost, wall clock for a latency.
    points : int64[calls], optional
        Points that each call judged, default one. A point waits for its whole call.

    Raises
    ------
    InvalidParameterError
        A negative time.

    Examples
    --------
    >>> found = costs(np.array([0.002, 0.001, 0.010]), np.array([1, 98, 1]))
    >>> found.points, found.p50, found.p99, found.worst
    (100, 0.001, 0.002, 0.01)
    """
    taken = np.asarray(seconds, np.float64)
    counts = np.ones(len(taken), np.int64) if points is None else np.asarray(points, np.int64)
    same_length("costs", seconds=taken, points=counts)
    if len(taken) and taken.min() < 0:
        raise InvalidParameterError(f"costs wants times of at least 0 seconds. Got {taken.min()}.")
    total = int(counts.sum())
    if not total:
        return Cost(0, float(taken.sum()), np.nan, np.nan, np.nan, np.nan)
    order = np.argsort(taken, kind="stable")
    upto = np.cumsum(counts[order])
    p50, p95, p99 = (float(taken[order][np.searchsorted(upto, np.ceil(q * total))]) for q in (0.5, 0.95, 0.99))
    return Cost(total, float(taken.sum()), p50, p95, p99, float(taken[counts > 0].max()))
