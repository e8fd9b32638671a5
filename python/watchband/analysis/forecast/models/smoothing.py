"""Smoothing: level, damped trend and season, each following with a rate of its own (Holt-Winters)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models.model import Fitted, Model
from watchband.core.points import Float64, Int64

LEARNED_MAX = 20_000
"""Steps over which the rates are chosen, the latest."""
LEVELS = (0.02, 0.1, 0.3, 0.7)
TRENDS = (0.0, 0.02, 0.1)
SEASONS = (0.05, 0.2, 0.5)
DAMPING = 0.98
FAR = 4.0
"""Errors count up to so many usual ones, and move level, trend and season by no more."""


@dataclass(frozen=True)
class Smoothing(Model):
    """Exponential smoothing with a damped trend and an additive season; rates by the errors one step ahead.

    Where a value is missing, level and trend go on and nothing is learned.

    References
    ----------
    P. R. Winters, "Forecasting Sales by Exponentially Weighted Moving Averages", Management Science 6 (1960).
    E. S. Gardner and E. McKenzie, "Forecasting Trends in Time Series", Management Science 31 (1985).

    Examples
    --------
    >>> at = np.arange(600)
    >>> grid = Grid(0, 60, 10 + 0.05 * at + np.sin(2 * np.pi * at / 24))
    >>> told = Smoothing().fit(grid, 500, 24).ahead(grid, np.array([500]), 24)
    >>> bool(np.abs(told[0] - grid.values[501:525]).max() < 0.6)
    True
    """

    name: ClassVar[str] = "smoothing"
    says: ClassVar[str] = "exponential smoothing of level, trend and season"

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        rates = np.array(list(product(LEVELS, TRENDS, SEASONS if season else (0.0,)))).T
        start = max(0, until - LEARNED_MAX)
        values = grid.values[start:until]
        course = _Course(values, rates, season)
        cost = np.zeros(rates.shape[1])
        for at in range(len(values)):
            error = course.step(values[at], at)
            if at >= max(season, len(values) // 4):
                cost += np.minimum(np.abs(error), FAR * course.usual)
        best = int(np.argmin(cost))
        return _Smoothed(rates[:, best : best + 1], season, start)


class _Course:
    """Level, trend and season of several rates side by side, moved on value by value."""

    def __init__(self, values: Float64, rates: Float64, season: int) -> None:
        first = values[: max(season, 12)]
        known = first[np.isfinite(first)]
        n = rates.shape[1]
        begin = float(known.mean()) if len(known) else float(values[np.isfinite(values)][0])
        self.alpha, self.beta, self.gamma = rates
        self.level, self.trend = np.full(n, begin), np.zeros(n)
        self.season = np.zeros((max(season, 1), n))
        if season:
            # What grows over the first season is no part of it.
            later = values[season : 2 * season]
            later = later[np.isfinite(later)]
            slope = (float(later.mean()) - begin) / season if len(later) and len(known) else 0.0
            middle = begin + slope * (np.arange(season) - (season - 1) / 2)
            away = np.where(np.isfinite(first), first - middle, 0.0)
            self.season[:] = away[:, None]
            self.level -= slope * (season + 1) / 2
        steps = np.diff(values[np.isfinite(values)])
        self.usual = float(np.median(np.abs(steps))) or float(np.abs(steps).mean())

    def step(self, value: float, at: int) -> Float64:
        """Move on by a value, NaN for none; the errors."""
        place = at % len(self.season)
        ahead = self.level + DAMPING * self.trend
        if value != value:
            self.level, self.trend = ahead, DAMPING * self.trend
            return np.zeros(len(ahead))
        error = value - ahead - self.season[place]
        # What is far off is learned over time, not at once: a level that stays comes again and again.
        moved = np.clip(error, -FAR * 4 * self.usual, FAR * 4 * self.usual)
        self.level = ahead + self.alpha * moved
        self.trend = DAMPING * self.trend + self.alpha * self.beta * moved
        self.season[place] += self.gamma * (1 - self.alpha) * moved
        return np.asarray(error)


@dataclass(frozen=True, eq=False)
class _Smoothed(Fitted):
    rates: Float64
    length: int
    start: int

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        values = grid.values[self.start :]
        course = _Course(values[: int(origins[0]) - self.start + 1], self.rates, self.length)
        found = np.empty((len(origins), horizon))
        damped = np.cumsum(DAMPING ** np.arange(1, horizon + 1))
        done = 0
        for row, origin in enumerate((origins - self.start).tolist()):
            for at in range(done, origin + 1):
                course.step(float(values[at]), at)
            done = origin + 1
            places = (origin + np.arange(1, horizon + 1)) % len(course.season)
            found[row] = course.level[0] + damped * course.trend[0] + course.season[places, 0]
        return found
