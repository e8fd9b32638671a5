"""Intervals by the bootstrap: how far a figure would move with other data of the same kind.

What is drawn again must be what is independent: whole series (``interval``, ``paired``), blocks of one series
(``blocks``), or, where points really are independent, the cells of a table of counts (``cells``). ``resampled`` does
the first two for statistics that are no function of sums, a median or a VUS.

References
----------
Efron and Tibshirani, "An Introduction to the Bootstrap" (1993). Politis and Romano, "A circular block-resampling
procedure for stationary data" (1992).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64, Int64

_AT_ONCE = 20_000_000
"""Draws times series that are held at a time."""

_OUTCOMES_MAX = 600_000
"""Tables with no more outcomes than this, counted generously, are not drawn but gone through."""

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


def blocks(
    columns: Float64,
    statistic: Statistic,
    *,
    block: int | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of a statistic of sums over the points of one series, whose neighbours resemble each other.

    Parameters
    ----------
    columns : float64[n, columns]
        What each point contributes, in order of time.
    statistic : callable
        From sums to the figure.
    block : int, optional
        Points that are drawn together, in a circle: longer than anything that hangs together, an incident or the memory
        of the noise. Default 2 n^(1/3), enough for noise that remembers a few points.

    Notes
    -----
    O(n + draws n / block).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> calm = np.repeat(rng.normal(size=200), 50)
    >>> one = np.column_stack([calm, np.ones(10_000)])
    >>> narrow, wide = (blocks(one, ratio(0, 1), block=b) for b in (1, 200))
    >>> 4 < (wide.high - wide.low) / (narrow.high - narrow.low) < 9
    True
    """
    n = len(columns)
    if not n:
        return Interval(np.nan, np.nan, np.nan)
    length = _block(block, n)
    rng = np.random.default_rng(seed)
    upto = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(np.concatenate([columns, columns]), axis=0)])
    whole, rest = divmod(n, length)
    sums = np.empty((draws + 1, columns.shape[1]))
    sums[0] = columns.sum(axis=0)
    for i in range(1, draws + 1):
        starts = rng.integers(n, size=whole + (rest > 0))
        ends = starts + length
        if rest:
            ends[-1] = starts[-1] + rest
        sums[i] = (upto[ends] - upto[starts]).sum(axis=0)
    return _percentiles(statistic(sums), level)


def cells(counts: Int64, statistic: Statistic, *, draws: int = 100_000, level: float = 0.95, seed: int = 0) -> Interval:
    """Interval of a statistic of a table of counts whose entries are independent.

    Parameters
    ----------
    counts : int64[cells]
        How many points fell in each cell.
    statistic : callable
        From float64[draws, cells], counts, to the figure.
    draws, level, seed
        As in ``interval``. A table with few outcomes, as 80 points in four cells, needs no draws: each outcome is taken
        with its probability, and the seed is nothing to it.

    Examples
    --------
    >>> str(cells(np.array([5, 4, 2, 24]), f1))
    '0.625 (0.267 to 0.870)'
    """
    table = np.asarray(counts, np.int64)
    total = int(table.sum())
    if not total:
        return Interval(np.nan, np.nan, np.nan)
    if (total + 1) ** (len(table) - 1) > _OUTCOMES_MAX:
        drawn = np.random.default_rng(seed).multinomial(total, table / total, draws)
        return _percentiles(statistic(np.concatenate([table[None], drawn]).astype(np.float64)), level)
    value = float(statistic(table[None].astype(np.float64))[0])
    some = np.indices((total + 1,) * (len(table) - 1)).reshape(len(table) - 1, -1).T
    outcomes = np.column_stack([some, total - some.sum(axis=1)])
    outcomes = outcomes[outcomes[:, -1] >= 0]
    outcomes = outcomes[(outcomes[:, table == 0] == 0).all(axis=1)]
    logs = np.r_[0.0, np.cumsum(np.log(np.arange(1, total + 1)))]
    chance = np.exp(logs[total] - logs[outcomes].sum(axis=1) + outcomes @ np.log(np.maximum(table, 1) / total))
    figures = statistic(outcomes.astype(np.float64))
    known = ~np.isnan(figures)
    if not known.any():
        return Interval(value, np.nan, np.nan)
    order = np.argsort(figures[known], kind="stable")
    upto = np.cumsum(chance[known][order]) / chance[known].sum()
    at = np.minimum(np.searchsorted(upto, [(1 - level) / 2, (1 + level) / 2]), len(upto) - 1)
    low, high = figures[known][order][at].tolist()
    return Interval(value, low, high)


def resampled(
    count: int,
    statistic: Callable[[Int64], float],
    *,
    block: int | None = 1,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of any statistic, which is computed anew for each draw.

    Parameters
    ----------
    count : int
        Series, or points of one series.
    statistic : callable
        From int64[count], which ones are drawn, to the figure. The difference of two detectors on the same draw is a
        paired interval.
    block : int, optional
        1 draws each by itself; more draws so many neighbours together, in a circle; None as in ``blocks``.

    Examples
    --------
    >>> values = np.random.default_rng(1).normal(5, 1, 200)
    >>> found = resampled(200, lambda drawn: float(np.median(values[drawn])))
    >>> 4.7 < found.low < found.value < found.high < 5.3
    True
    """
    if not count:
        return Interval(np.nan, np.nan, np.nan)
    length = _block(block, count)
    rng = np.random.default_rng(seed)
    figures = [statistic(np.arange(count))]
    for _ in range(draws):
        starts = rng.integers(count, size=-(-count // length))
        drawn = (starts[:, None] + np.arange(length)).ravel()[:count] % count
        figures.append(statistic(drawn))
    return _percentiles(np.array(figures), level)


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
    rng = np.random.default_rng(seed)
    at_once = draws if draws * series <= _AT_ONCE else max(_AT_ONCE // series, 1)
    figures = []
    for begin in range(0, draws, at_once):
        count = min(at_once, draws - begin)
        times = rng.multinomial(series, np.full(series, 1 / series), count).astype(np.float64)
        if not begin:
            times = np.concatenate([np.ones((1, series)), times])
        found = statistic(times @ columns)
        figures.append(found if others is None else found - statistic(times @ others))
    return _percentiles(np.concatenate(figures), level)


def _percentiles(figures: Float64, level: float) -> Interval:
    """The first is the figure itself, the others are drawn."""
    drawn = figures[1:][~np.isnan(figures[1:])]
    if not len(drawn):
        return Interval(float(figures[0]), np.nan, np.nan)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(figures[0]), float(low), float(high))


def _block(block: int | None, n: int) -> int:
    if block is None:
        return min(max(int(2 * np.cbrt(n)), 1), n)
    if block < 1:
        raise InvalidParameterError(f"A block must be at least 1 point. Got {block}.")
    return min(block, n)
