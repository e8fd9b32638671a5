"""The last point of a series under a watch: what sinks that pass on bands are given."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core.series import SeriesKey


@dataclass(frozen=True, slots=True)
class Latest:
    """Its time (ns UTC), what it was and what was expected; NaN where there is none.

    Examples
    --------
    >>> Latest("all", SeriesKey("cpu"), 0, 7.0, 5.0, 4.0, 6.0, 1.5).yhat_upper
    6.0
    """

    watch: str
    key: SeriesKey
    time: int
    y: float
    yhat: float
    yhat_lower: float
    yhat_upper: float
    anomaly_score: float
