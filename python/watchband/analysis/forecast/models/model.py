"""What a model of forecasts is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband.analysis.forecast.grid import Grid
from watchband.core.points import Float64, Int64


class Fitted(ABC):
    """A model that was fitted: looks ahead from places of the grid, each time knowing what came up to there only."""

    @abstractmethod
    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        """Forecasts from several places: float64[m, horizon].

        Parameters
        ----------
        grid : Grid
            Row ``i`` of the answer has seen ``values[: origins[i] + 1]`` and no more.
        origins : int64[m]
            Ascending places.
        horizon : int
            Steps ahead.
        """


@dataclass(frozen=True)
class Model(ABC):
    """How a forecast is made. A frozen dataclass: its fields are its parameters."""

    name: ClassVar[str]
    says: ClassVar[str]
    """What it is, in a clause for people."""

    @abstractmethod
    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        """Learn from the first ``until`` places.

        Parameters
        ----------
        grid : Grid
            Only ``values[:until]`` is looked at.
        until : int
            Places to learn from.
        season : int
            Places of a season, 0 where there is none.

        Raises
        ------
        DataError
            Too little to learn from; the message says how much is needed.
        """


def last_known(values: Float64) -> Float64:
    """At every place the last value up to it, NaN before the first: float64[n].

    Examples
    --------
    >>> last_known(np.array([np.nan, 1.0, np.nan, 3.0])).tolist()
    [nan, 1.0, 1.0, 3.0]
    """
    at = np.where(np.isfinite(values), np.arange(len(values)), -1)
    at = np.maximum.accumulate(at)
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
