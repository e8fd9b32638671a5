"""Outcome: one series, its forecast, the trials behind it, and when a threshold is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from watchband.analysis.forecast.conformal import errors_needed, intervals
from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models import MODELS, Model
from watchband.analysis.forecast.rolling import BASELINES, Choice, Tell, tried
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.metrics.forecast import coverage
from watchband.pipeline.breach.passage import Passage, passage

HORIZON_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Aim:
    """A value that must not be reached: ``side`` 1 from below, -1 from above."""

    threshold: float
    side: int


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What comes next of one series.

    Parameters
    ----------
    key : SeriesKey
        Which.
    grid : Grid
        Its past.
    times : int64[h]
        ns UTC.
    expected, lower, upper : float64[h]
        In units of the metric; the ends NaN where too few errors are known.
    baselines : dict of str to float64[h]
        What persistence and the seasonal naive model say, as far as they can.
    choice : Choice
        The trials of the past and the model that was taken.
    level : float
        Share of what comes that the interval is to contain.
    covered : float
        Share that intervals out of the earlier half of the trials contained of the later half; NaN for too few.
    season : int
        Steps of the season, 0 where there is none.
    passages : list of Passage
        When each threshold is reached.
    """

    key: SeriesKey
    grid: Grid
    times: Int64
    expected: Float64
    lower: Float64
    upper: Float64
    baselines: dict[str, Float64]
    choice: Choice
    level: float
    covered: float
    season: int
    passages: list[Passage] = field(default_factory=list)

    @property
    def model(self) -> str:
        """The model that was taken."""
        return self.choice.chosen


def forecast_grid(
    key: SeriesKey,
    grid: Grid,
    horizon: int,
    *,
    models: list[str],
    level: float = 0.9,
    season: int | None = None,
    aims: list[Aim] | None = None,
    limits: tuple[float, float] = (-np.inf, np.inf),
    tell: Tell = lambda _: None,
) -> Forecast:
    """Forecast one series.

    Parameters
    ----------
    key, grid : SeriesKey, Grid
        Which, and its past.
    horizon : int
        Steps ahead.
    models : list of str
        Which may be taken; the best by rolling origins is.
    level : float, default 0.9
        Share of what comes that the interval is to contain.
    season : int, optional
        Steps; a day, or a week of days, if None.
    aims : list of Aim, optional
        Thresholds to tell the time of.
    limits : (float, float), default infinite
        Lowest and highest value there can be: nothing is drawn beyond them.
    tell : callable, optional
        Hears what is tried.

    Raises
    ------
    DataError
        The series is too short.
    InvalidParameterError
        Horizon, level or season out of range.
    """
    length = grid.season() if season is None else season
    _check(grid, horizon, level, length)
    choice = tried(grid, models, horizon, length, tell)
    now = np.array([len(grid) - 1])
    told = {
        name: _told(MODELS[name](), grid, now, horizon, length)
        for name in (*BASELINES, choice.chosen)
        if _can(choice, name)
    }
    expected = told[choice.chosen]
    errors = choice.trials[choice.chosen].errors
    low, high = intervals(errors, level)
    found = [passage(expected, errors, aim.threshold, aim.side, level) for aim in aims or []]
    return Forecast(
        key,
        grid,
        grid.ahead(horizon),
        np.clip(expected, *limits),
        np.clip(expected + low, *limits),
        np.clip(expected + high, *limits),
        {name: np.clip(told[name], *limits) for name in BASELINES if name in told},
        choice,
        level,
        _covered(errors, level),
        length,
        [p for p in found if p is not None],
    )


def _check(grid: Grid, horizon: int, level: float, season: int) -> None:
    if not 1 <= horizon <= HORIZON_MAX:
        raise InvalidParameterError(f"A forecast reaches from 1 to {HORIZON_MAX} steps. Got {horizon}.")
    if not 0.5 <= level <= 0.99:
        raise InvalidParameterError(f"The 'level' of an interval is between 0.5 and 0.99. Got {level:g}.")
    if season < 0 or season > len(grid) // 2 or season == 1:
        raise InvalidParameterError(f"A 'season' has 2 to {len(grid) // 2} steps here, or 0 for none. Got {season}.")


def _can(choice: Choice, name: str) -> bool:
    return len(choice.trials[name].errors) > 0


def _told(model: Model, grid: Grid, now: Int64, horizon: int, season: int) -> Float64:
    return np.asarray(model.fit(grid, len(grid), season).ahead(grid, now, horizon)[0])


def _covered(errors: Float64, level: float) -> float:
    """What intervals made of the earlier half would have contained of the later half."""
    half = len(errors) // 2
    if half < errors_needed(level):
        return float("nan")
    low, high = intervals(errors[:half], level)
    later = errors[half:]
    shape = later.shape
    return coverage(later.ravel(), np.broadcast_to(low, shape).ravel(), np.broadcast_to(high, shape).ravel())
