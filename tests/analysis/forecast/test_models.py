"""Models of forecasts: causal, aware of gaps by time, and right where they can be."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.forecast.grid import Grid, grid_of
from watchband.analysis.forecast.models import MODELS, Persistence, Ridge, SeasonalNaive, Smoothing
from watchband.analysis.forecast.models.ridge import solve
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import DataError

STEP = 30 * MINUTE
SEASON = 48


def course(n: int, seed: int = 1) -> Grid:
    at = np.arange(n)
    noise = np.random.default_rng(seed).normal(0, 1, n)
    return Grid(0, STEP, 50 + 0.01 * at + 10 * np.sin(2 * np.pi * at / SEASON) + noise)


@pytest.mark.parametrize("name", MODELS)
def test_what_comes_later_changes_nothing_of_what_was_told(name: str) -> None:
    grid, model = course(600), MODELS[name]()
    origins, seen = np.array([400, 437, 480]), 401
    told = model.fit(grid, seen, SEASON).ahead(grid, origins, 30)
    assert told.shape == (3, 30)
    assert np.isfinite(told).all()
    other = Grid(0, STEP, grid.values.copy())
    other.values[481:] = 1e9
    again = model.fit(other, seen, SEASON).ahead(other, origins, 30)
    assert np.array_equal(told, again)
    other.values[438:] = -1e9
    assert np.array_equal(told[:2], model.fit(other, seen, SEASON).ahead(other, origins[:2], 30))


@pytest.mark.parametrize("name", MODELS)
def test_from_one_place_it_says_the_same_as_among_others(name: str) -> None:
    grid, model = course(600), MODELS[name]()
    fitted = model.fit(grid, 300, SEASON)
    many = fitted.ahead(grid, np.array([350, 420, 555]), 20)
    assert np.allclose(fitted.ahead(grid, np.array([420]), 20)[0], many[1], rtol=1e-9)


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("persistence", "trend")])
def test_a_season_is_found(name: str) -> None:
    grid = course(1000)
    origins = np.arange(700, 900, 9)
    if name == "ridge":
        origins = origins[:5]
    actual = np.stack([grid.values[o + 1 : o + 49] for o in origins])
    told = MODELS[name]().fit(grid, 700, SEASON).ahead(grid, origins, 48)
    stays = Persistence().ahead(grid, origins, 48)
    assert np.abs(told - actual).mean() < 0.5 * np.abs(stays - actual).mean()


@pytest.mark.parametrize("name", MODELS)
def test_gaps_are_time(name: str) -> None:
    """A day that is missing leaves the season where it was; rows without it would be half a day off."""
    grid = course(1200)
    values = grid.values.copy()
    values[600:636] = np.nan
    values[::17] = np.nan
    holed = Grid(0, STEP, values)
    origins = np.array([1000, 1051, 1102])
    told = MODELS[name]().fit(holed, 900, SEASON).ahead(holed, origins, 48)
    assert np.isfinite(told).all()
    whole = MODELS[name]().fit(grid, 900, SEASON).ahead(grid, origins, 48)
    assert np.abs(told - whole).mean() < 2.5


def test_the_seasonal_naive_reaches_back_where_nothing_came() -> None:
    grid = Grid(0, STEP, np.array([1.0, 2.0, np.nan, 4.0, 5.0, np.nan, np.nan]))
    told = SeasonalNaive().fit(grid, 7, 3).ahead(grid, np.array([6]), 3)[0]
    assert told.tolist() == [5.0, 5.0, 4.0], "a season ago; the last value, where no season has one; two seasons ago"


def test_the_linear_model_is_that_of_scikit_learn() -> None:
    from sklearn import linear_model

    rng = np.random.default_rng(3)
    rows, target = rng.normal(size=(200, 7)), rng.normal(size=200)
    weights, intercept = solve(rows, target, 1.0)
    other = linear_model.Ridge(alpha=1.0).fit(rows, target)
    assert np.allclose(weights, other.coef_, rtol=1e-10)
    assert intercept == pytest.approx(other.intercept_, rel=1e-10)


def test_smoothing_follows_a_trend_and_damps_it() -> None:
    grid = Grid(0, STEP, 3.0 * np.arange(400.0))
    told = Smoothing().fit(grid, 400, 0).ahead(grid, np.array([399]), 10)[0]
    assert told[0] == pytest.approx(1200, abs=4)
    assert np.diff(told)[0] > np.diff(told)[-1] > 0


@pytest.mark.parametrize(
    ("name", "until", "season", "says"),
    [
        ("ridge", 40, 0, "24 lags needs more than 48 steps. Got 40"),
        ("seasonal_naive", 100, 0, "no two seasons"),
        ("ridge_calendar", 90, 48, "two seasons and 24 steps, 120. Got 90"),
    ],
)
def test_what_cannot_be_fitted_says_what_it_needs(name: str, until: int, season: int, says: str) -> None:
    with pytest.raises(DataError, match=says):
        MODELS[name]().fit(course(200), until, season)


def test_a_model_of_lags_says_that_gaps_leave_nothing_to_learn_from() -> None:
    grid = course(300)
    grid.values[::3] = np.nan
    with pytest.raises(DataError, match="Only 0 steps have a value and most of the 24 before them"):
        Ridge().fit(grid, 300, 0)


def test_readings_are_put_where_their_time_is() -> None:
    times = np.arange(60) * HOUR
    keep = np.r_[0:20, 23:60]
    grid = grid_of(times[keep][::-1] + 60_000_000_000, np.arange(60.0)[keep][::-1])
    assert (grid.step, len(grid)) == (HOUR, 60)
    assert np.flatnonzero(np.isnan(grid.values)).tolist() == [20, 21, 22]
    assert grid.ahead(2).tolist() == [grid.start + 60 * HOUR, grid.start + 61 * HOUR]
    assert grid.season() == 24
    hours = grid_of(np.arange(600) * 7 * MINUTE, np.arange(600.0), resample=HOUR)
    assert hours.step == HOUR
    assert hours.values[0] == np.arange(9).mean()
    assert Grid(0, DAY, np.zeros(20)).season() == 7


@pytest.mark.parametrize(
    ("times", "values", "says"),
    [
        (np.arange(29) * HOUR, np.arange(29.0), "cpu has 29 readings with a value; a forecast needs 30"),
        (np.arange(99) * HOUR, np.full(99, 4.5), "cpu never changes: all 99 readings are 4.5"),
        (
            np.cumsum(np.arange(1, 99) ** 2 % 37 * MINUTE + MINUTE),
            np.arange(98.0),
            "no distance that its readings keep",
        ),
        (np.r_[np.arange(31), 10**8] * MINUTE, np.arange(32.0), "would be 100,000,001 steps of 1m"),
        (np.r_[np.arange(31), 1000] * HOUR, np.arange(32.0), "has readings in 32 of 1001 steps"),
        (np.arange(99) * HOUR, np.full(99, np.nan), "cpu has 0 readings with a value"),
    ],
)
def test_what_cannot_be_forecast_says_why(times: np.ndarray, values: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match=says):
        grid_of(times, values, name="cpu")
