"""Ridge: a linear model of the last values, and with the calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models.model import Fitted, Model, last_known
from watchband.core.duration import DAY, WEEK
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64

ROWS_MAX = 50_000
"""Rows that are learned from, the latest."""
KNOWN_LAGS = 0.75


@dataclass(frozen=True)
class Ridge(Model):
    """A linear model of the last ``lags`` values, iterated: each step reads the ones before it.

    Lags are distances in time, not in rows. Where nothing came, the last value before it stands; a place is learned
    from if it has a value and three quarters of its lags do.

    Examples
    --------
    >>> grid = Grid(0, 60, np.sin(np.arange(400) / 7))
    >>> told = Ridge(alpha=1e-6).fit(grid, 300, 0).ahead(grid, np.array([300]), 50)
    >>> bool(np.abs(told[0] - grid.values[301:351]).max() < 0.01)
    True
    """

    name: ClassVar[str] = "ridge"
    says: ClassVar[str] = "a linear model of the last values"

    alpha: float = 1.0
    lags: int = 24

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        values = grid.values[:until]
        if len(values) <= 2 * self.lags:
            raise DataError(f"A model of {self.lags} lags needs more than {2 * self.lags} steps. Got {len(values)}.")
        usable = _learnable(values, self.lags)[-ROWS_MAX:]
        if len(usable) <= self.lags:
            raise DataError(
                f"Only {len(usable)} steps have a value and most of the {self.lags} before them; "
                f"a model of {self.lags} lags needs more than {self.lags}."
            )
        table = sliding_window_view(last_known(values), self.lags + 1)[usable - self.lags]
        weights, intercept = solve(table[:, :-1], table[:, -1], self.alpha)
        return Linear(weights, intercept)


def _learnable(values: Float64, lags: int) -> Int64:
    """Places with a value whose lags mostly have one, and that are known back to the first lag."""
    known = np.isfinite(values)
    before = np.concatenate([[0], np.cumsum(known)])
    places = np.arange(lags, len(values))
    enough = before[places] - before[places - lags] >= KNOWN_LAGS * lags
    started = np.isfinite(last_known(values)[places - lags])
    return np.asarray(places[known[places] & enough & started], np.int64)


def solve(rows: Float64, target: Float64, alpha: float) -> tuple[Float64, float]:
    """Ridge regression with an intercept that is not shrunk: weights and intercept."""
    middle, level = rows.mean(axis=0), float(target.mean())
    centred = rows - middle
    gram = centred.T @ centred + alpha * np.eye(rows.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (target - level))
    return weights, level - float(middle @ weights)


@dataclass(frozen=True, eq=False)
class Linear(Fitted):
    """What ``Ridge`` fits: a weight for each lag, the oldest first, and an intercept."""

    weights: Float64
    intercept: float

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        lags = len(self.weights)
        path = _before(grid.values, origins, lags, horizon)
        for k in range(horizon):
            path[:, lags + k] = self.intercept + path[:, k : lags + k] @ self.weights
        return path[:, lags:]


def _before(values: Float64, origins: Int64, lags: int, horizon: int) -> Float64:
    """What is known at each origin, oldest first, with room for what is told; a gap holds the last value before it."""
    filled = last_known(values)
    first = filled[np.isfinite(filled)][0]
    padded = np.concatenate([np.full(lags, first), np.where(np.isfinite(filled), filled, first)])
    path = np.empty((len(origins), lags + horizon))
    for row, at in enumerate(origins.tolist()):
        path[row, :lags] = padded[at + 1 : at + 1 + lags]
    return path


@dataclass(frozen=True)
class RidgeCalendar(Model):
    """A linear model of the last values, those around this time a season ago, and the hour and weekday.

    Lags are those of ``Ridge``; of the season before the same place and its two neighbours, and the mean of the last
    ``SEASONS`` there; waves of the day, and of the week where two weeks are known. Features are brought to one scale.
    """

    name: ClassVar[str] = "ridge_calendar"
    says: ClassVar[str] = "a linear model of the last values, the season before, hour and weekday"

    alpha: float = 1.0
    lags: int = 24

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        if not season:
            raise DataError("There are no two seasons to learn from.")
        reach = max(self.lags, SEASONS * season + 1)
        if until < 2 * season + self.lags:
            raise DataError(f"It needs two seasons and {self.lags} steps, {2 * season + self.lags}. Got {until}.")
        weekly = until * grid.step >= 2 * WEEK
        shape = _Shape(self.lags, season, reach, weekly)
        places = _learnable(grid.values[:until], self.lags)
        places = places[places > season][-ROWS_MAX:]
        filled = np.concatenate([np.full(reach, np.nan), last_known(grid.values[:until])])
        rows = shape.rows(filled, places + reach, grid.start + grid.step * places)
        usable = np.isfinite(rows).all(axis=1)
        if int(usable.sum()) <= rows.shape[1]:
            raise DataError(f"Only {int(usable.sum())} steps have all that {rows.shape[1]} features need.")
        rows, target = rows[usable], grid.values[places][usable]
        scale = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
        weights, intercept = solve(rows / scale, target, self.alpha)
        return _Seasonal(shape, weights / scale, intercept)


SEASONS = 3
WAVES = 3


@dataclass(frozen=True)
class _Shape:
    """Which features there are."""

    lags: int
    season: int
    reach: int
    weekly: bool

    def rows(self, padded: Float64, places: Int64, times: Int64) -> Float64:
        """Features at places of an array that begins ``reach`` places before the grid: float64[n, p]."""
        parts = [padded[places - k] for k in range(1, self.lags + 1)]
        return np.stack([*parts, *self.around(lambda k: padded[places - k]), *self.calendar(times)], axis=1)

    def around(self, at: Callable[[int], Float64]) -> list[Float64]:
        """What was there a season ago and around it; ``at(k)`` is the value ``k`` steps before."""
        around = [at(self.season - 1), at(self.season), at(self.season + 1)]
        several = np.stack([at(k * self.season) for k in range(1, SEASONS + 1)])
        known = np.isfinite(several)
        mean = np.where(known, several, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return [*around, np.where(known.any(axis=0), mean, np.nan)]

    def calendar(self, times: Int64) -> list[Float64]:
        """Waves of the day and of the week."""
        found: list[Float64] = []
        for length in (DAY, WEEK) if self.weekly else (DAY,):
            phase = 2 * np.pi * (times % length) / length
            found += [wave(k * phase) for k in range(1, WAVES + 1) for wave in (np.sin, np.cos)]
        return found


@dataclass(frozen=True, eq=False)
class _Seasonal(Fitted):
    shape: _Shape
    weights: Float64
    intercept: float

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        shape = self.shape
        path = _before(grid.values, origins, shape.reach, horizon)
        times = grid.start + grid.step * (origins + 1)
        for k in range(horizon):
            here = shape.reach + k
            parts = [path[:, here - j] for j in range(1, shape.lags + 1)]
            seasonal = shape.around(_back(path, here))
            rows = np.stack([*parts, *seasonal, *shape.calendar(times + grid.step * k)], axis=1)
            path[:, here] = self.intercept + rows @ self.weights
        return path[:, shape.reach :]


def _back(path: Float64, here: int) -> Callable[[int], Float64]:
    return lambda k: path[:, here - k]
