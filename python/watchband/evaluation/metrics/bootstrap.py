"""Intervals by the bootstrap over series: how far a figure would move with other series of the same kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from watchband.core.points import Float64

Statistic = Callable[[Float64], Float64]
"""From float64[draws, columns], sums over the series of a draw, to float64[draws]."""


class Interval(NamedTuple):
    """A figure and the interval around it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def interval(
    columns: Float64, statistic: Statistic, *, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile interval of a statistic of sums over series.

    Parameters
    ----------
    columns : float64[series, columns]
        What each series contributes; a column of ones makes the number of series.
    statistic : callable
        From sums to the figure.
    draws, level, seed
        Number of resampled sets of series, coverage, and what makes them repeatable.

    Examples
    --------
    >>> one = np.column_stack([np.arange(100.0), np.ones(100)])
    >>> found = interval(one, lambda sums: sums[:, 0] / sums[:, 1])
    >>> found.value, 40 < found.low < 49.5 < found.high < 59
    (49.5, True)
    """
    return _interval(statistic, columns, None, draws, level, seed)


def paired(
    columns: Float64,
    others: Float64,
    statistic: Statistic,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of the difference of a statistic between two detectors on the same series, the first minus the second.

    ``columns`` and ``others`` are float64[series, columns], series by series the same.
    """
    return _interval(statistic, columns, others, draws, level, seed)


def ratio(top: int, bottom: int) -> Statistic:
    """The statistic sum of column ``top`` / sum of column ``bottom``; NaN where that is 0."""

    def of(sums: Float64) -> Float64:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[:, bottom] != 0, sums[:, top] / sums[:, bottom], np.nan)

    return of


def f1(sums: Float64) -> Float64:
    """The statistic F1 where the first three columns are found, missed and false."""
    whole = 2 * sums[:, 0] + sums[:, 1] + sums[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, 2 * sums[:, 0] / whole, np.nan)


def _interval(
    statistic: Statistic, columns: Float64, others: Float64 | None, draws: int, level: float, seed: int
) -> Interval:
    series = len(columns)
    if not series:
        return Interval(np.nan, np.nan, np.nan)
    times = np.random.default_rng(seed).multinomial(series, np.full(series, 1 / series), draws).astype(np.float64)
    times = np.concatenate([np.ones((1, series)), times])
    figures = statistic(times @ columns)
    if others is not None:
        figures = figures - statistic(times @ others)
    drawn = figures[1:][~np.isnan(figures[1:])]
    if not len(drawn):
        return Interval(float(figures[0]), np.nan, np.nan)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(figures[0]), float(low), float(high))
