"""What every forecast has to beat: that all stays, that it is as a season ago, that it goes on as it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models.model import Fitted, Model, last_known
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.pipeline.breach.trend import BLOCKS, slopes

SEASONS_BACK = 4
"""Where a season ago nothing came, the one before counts, up to so many."""


@dataclass(frozen=True)
class Persistence(Model, Fitted):
    """The last value stays.

    Examples
    --------
    >>> Persistence().ahead(Grid(0, 60, np.array([1.0, 5.0, np.nan])), np.array([0, 2]), 2).tolist()
    [[1.0, 1.0], [5.0, 5.0]]
    """

    name: ClassVar[str] = "persistence"
    says: ClassVar[str] = "the last value stays"

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        return self

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        return np.repeat(last_known(grid.values)[origins][:, None], horizon, axis=1)


@dataclass(frozen=True)
class SeasonalNaive(Model):
    """As it was one season ago.

    Examples
    --------
    >>> grid = Grid(0, 60, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    >>> SeasonalNaive().fit(grid, 6, 3).ahead(grid, np.array([5]), 4).tolist()
    [[4.0, 5.0, 6.0, 4.0]]
    """

    name: ClassVar[str] = "seasonal_naive"
    says: ClassVar[str] = "as a season ago"

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        if not season:
            raise DataError("There are no two seasons to compare.")
        return _SeasonAgo(season)


@dataclass(frozen=True)
class _SeasonAgo(Fitted):
    season: int

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        steps = np.arange(1, horizon + 1)
        back = -(-steps // self.season) * self.season
        place = origins[:, None] + (steps - back)[None, :]
        found = np.full(place.shape, np.nan)
        for _ in range(SEASONS_BACK):
            usable = np.isnan(found) & (place >= 0)
            found[usable] = grid.values[place[usable]]
            place = place - self.season
        stays = last_known(grid.values)[origins][:, None]
        return np.where(np.isnan(found), stays, found)


@dataclass(frozen=True)
class Trend(Model, Fitted):
    """The last level and the slope of the time before, as long as what is looked ahead, doubled.

    The slope is the median over pairs of block medians (Theil-Sen), so that spikes do not turn it.
    """

    name: ClassVar[str] = "trend"
    says: ClassVar[str] = "it goes on as it went"

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        return self

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        length = max(2 * horizon, BLOCKS)
        stays = last_known(grid.values)
        padded = np.concatenate([np.full(length, np.nan), grid.values])
        rows = np.stack([padded[at + 1 : at + 1 + length] for at in origins.tolist()])
        slope = slopes(rows)
        return stays[origins][:, None] + slope[:, None] * np.arange(1, horizon + 1)
