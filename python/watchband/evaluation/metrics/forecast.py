"""Errors of a forecast: of the expected value, of a quantile, of a band.

Points where anything is missing count nowhere.

References
----------
Hyndman and Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 22 (2006).
Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007).
"""

from __future__ import annotations

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64
from watchband.evaluation.metrics.arrays import same_length


def mae(actual: Float64, expected: Float64) -> float:
    """Mean absolute error, in units of the metric; NaN without a pair.

    Examples
    --------
    >>> mae(np.array([1.0, 2.0, np.nan]), np.array([2.0, 4.0, 0.0]))
    1.5
    """
    return _mean(np.abs(_error("mae", actual, expected)))


def rmse(actual: Float64, expected: Float64) -> float:
    """Root mean squared error, in units of the metric; NaN without a pair.

    Examples
    --------
    >>> rmse(np.array([0.0, 0.0]), np.array([1.0, 7.0]))
    5.0
    """
    return float(np.sqrt(_mean(_error("rmse", actual, expected) ** 2)))


def mase(actual: Float64, expected: Float64, history: Float64, *, season: int = 1) -> float:
    """Mean absolute error over that of the naive forecast within the history: below 1 is better than naive.

    Parameters
    ----------
    actual, expected : float64[n]
        What came, and what was expected.
    history : float64[m]
        What was known before; the naive forecast repeats the value ``season`` points earlier.
    season : int, default 1
        Points of a season; 1 repeats the last value.

    Returns
    -------
    float
        NaN without a pair, or where the naive forecast of the history is perfect.

    Examples
    --------
    >>> mase(np.array([5.0]), np.array([4.0]), np.array([1.0, 3.0, 5.0]))
    0.5
    """
    if season < 1:
        raise InvalidParameterError(f"The 'season' of mase must be at least 1 point. Got {season}.")
    past = np.asarray(history, np.float64)
    naive = _mean(np.abs(past[season:] - past[:-season]))
    return mae(actual, expected) / naive if naive > 0 else float("nan")


def pinball(actual: Float64, quantile: Float64, share: float) -> float:
    """Mean pinball loss of a forecast of one quantile: least where ``share`` of the values come to lie below it.

    Examples
    --------
    >>> pinball(np.array([10.0, 0.0]), np.array([8.0, 8.0]), 0.75)
    1.75
    """
    if not 0 < share < 1:
        raise InvalidParameterError(f"The 'share' of pinball must be between 0 and 1. Got {share}.")
    error = _error("pinball", actual, quantile)
    return _mean(np.maximum(share * error, (share - 1) * error))


def coverage(actual: Float64, lower: Float64, upper: Float64) -> float:
    """Share of the values inside the band, its edges included; NaN without any.

    A missing side of the band is no bound on that side.

    Examples
    --------
    >>> coverage(np.array([1.0, 5.0, 9.0]), np.zeros(3), np.array([4.0, 5.0, np.nan]))
    1.0
    """
    return _mean(inside(actual, lower, upper))


def inside(actual: Float64, lower: Float64, upper: Float64) -> Float64:
    """float64[n]: 1 inside the band, 0 outside, NaN where the value or both sides of the band are missing."""
    same_length("coverage", actual=actual, lower=lower, upper=upper)
    within = ~(actual < lower) & ~(actual > upper)
    return np.where(np.isnan(actual) | (np.isnan(lower) & np.isnan(upper)), np.nan, within)


def width(lower: Float64, upper: Float64) -> float:
    """Mean width of the band, in units of the metric: of two bands that cover alike the narrower is better.

    Examples
    --------
    >>> width(np.array([0.0, 1.0]), np.array([2.0, 5.0]))
    3.0
    """
    same_length("width", lower=lower, upper=upper)
    return _mean(upper - lower)


def interval_score(actual: Float64, lower: Float64, upper: Float64, level: float) -> float:
    """Width plus what the band missed by, times 2 / (1 - level): coverage and width in one proper figure.

    Examples
    --------
    >>> interval_score(np.array([1.0, 6.0]), np.array([0.0, 0.0]), np.array([4.0, 4.0]), 0.5)
    8.0
    """
    if not 0 < level < 1:
        raise InvalidParameterError(f"The 'level' of interval_score must be between 0 and 1. Got {level}.")
    same_length("interval_score", actual=actual, lower=lower, upper=upper)
    beyond = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return _mean((upper - lower) + 2 / (1 - level) * beyond)


def _error(metric: str, actual: Float64, expected: Float64) -> Float64:
    same_length(metric, actual=actual, expected=expected)
    return np.asarray(actual, np.float64) - np.asarray(expected, np.float64)


def _mean(values: Float64) -> float:
    some = values[~np.isnan(values)]
    return float(some.mean()) if len(some) else float("nan")
