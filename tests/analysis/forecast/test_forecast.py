"""Choice, intervals and thresholds: what is promised holds on worlds whose future is known."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import data_folder
from watchband.analysis.forecast.conformal import errors_needed, intervals
from watchband.analysis.forecast.grid import Grid, grid_of
from watchband.analysis.forecast.models import MODELS, Persistence, Ridge, SeasonalNaive
from watchband.analysis.forecast.outcome import Aim, forecast_grid
from watchband.analysis.forecast.rolling import known_models, origins_of, tried
from watchband.core.duration import MINUTE
from watchband.core.errors import DataError, InvalidParameterError
from watchband.core.points import Float64
from watchband.core.series import SeriesKey
from watchband.evaluation.metrics.forecast import mae, rmse

KEY, STEP, SEASON = SeriesKey("cpu_percent"), 30 * MINUTE, 48
QUICK = ["persistence", "seasonal_naive", "trend", "ridge"]


def world(kind: str, seed: int, n: int) -> Float64:
    rng, at = np.random.default_rng(seed), np.arange(n)
    fresh, lingers = rng.normal(0, 1, n), np.zeros(n)
    for i in range(1, n):
        lingers[i] = 0.8 * lingers[i - 1] + fresh[i]
    if kind == "season":
        return np.asarray(50 + 10 * np.sin(2 * np.pi * at / SEASON) + lingers)
    if kind == "walk":
        return np.cumsum(rng.normal(0.05, 1, n))
    if kind == "heavy":
        return 5 + rng.standard_t(3, n)
    return np.asarray(0.05 * at + lingers)


@pytest.mark.parametrize("kind", ["season", "walk", "heavy", "trend"])
def test_intervals_contain_what_they_promise(kind: str) -> None:
    """Nine tenths, over 40 worlds and every step of a day. Steps of one world hang together: hence the bounds."""
    inside, tried_inside = [], []
    for seed in range(40):
        values = world(kind, seed, 1048)
        found = forecast_grid(KEY, Grid(0, STEP, values[:1000]), 48, models=QUICK, level=0.9)
        inside.append((values[1000:] >= found.lower) & (values[1000:] <= found.upper))
        tried_inside.append(found.covered)
    assert 0.82 < np.mean(inside) < 0.97
    # At the first step worlds are 40 independent throws: standard error 0.05.
    assert 0.78 < np.mean(inside, axis=0)[0] <= 1
    assert 0.82 < np.mean(tried_inside) < 0.97


def test_ranks_keep_the_promise_with_few_errors() -> None:
    """Exactly: the share of the next errors inside, for errors that are exchangeable."""
    rng = np.random.default_rng(1)
    for n in (10, 15, 25, 80):
        hits = []
        for _ in range(600):
            errors = rng.standard_exponential((n + 1, 1)) - 1
            low, high = intervals(errors[:n], 0.9)
            hits.append(low[0] <= errors[n, 0] <= high[0])
        assert np.mean(hits) > 0.9 - 0.035, n
    assert np.isnan(intervals(rng.normal(size=(9, 3)), 0.9)[0]).all(), "nine errors know nothing of the tenth"
    assert errors_needed(0.9) == 10


def test_the_best_on_the_past_is_taken_and_ties_go_to_the_simpler() -> None:
    season = Grid(0, STEP, world("season", 1, 1000))
    choice = tried(season, list(MODELS), 48, SEASON)
    assert choice.chosen in ("ridge_calendar", "seasonal_band", "smoothing")
    assert choice.trials[choice.chosen].mae < 0.7 * choice.trials["persistence"].mae
    walk = Grid(0, STEP, np.cumsum(np.random.default_rng(2).normal(0, 1, 1000)))
    assert tried(walk, ["persistence", "ridge"], 5, 0).chosen == "persistence"
    exact = Grid(0, STEP, np.tile(np.arange(48.0), 20))
    assert tried(exact, ["seasonal_naive", "ridge_calendar"], 24, SEASON).chosen == "seasonal_naive"


def test_baselines_are_beside_whatever_is_taken() -> None:
    found = forecast_grid(KEY, Grid(0, STEP, world("season", 3, 600)), 24, models=["ridge"])
    assert found.model == "ridge"
    assert set(found.choice.trials) == {"persistence", "seasonal_naive", "ridge"}
    assert set(found.baselines) == {"persistence", "seasonal_naive"}
    assert found.choice.why == "It was asked for."
    short = forecast_grid(KEY, Grid(0, MINUTE, world("walk", 3, 300)), 10, models=["persistence", "ridge"])
    assert "no two seasons" in short.choice.trials["seasonal_naive"].says


def test_a_disk_that_fills_is_full_when_it_is_said_to_be() -> None:
    hits, ahead = 0, 96
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = 40 + np.cumsum(rng.normal(0.05, 0.15, 1000 + ahead))
        past = Grid(0, STEP, values[:1000])
        threshold = float(values[999] + 2.5)
        found = forecast_grid(KEY, past, ahead, models=["trend", "persistence"], aims=[Aim(threshold, 1)])
        came = np.flatnonzero(values[1000:] >= threshold)
        when = came[0] + 1 if len(came) else math.inf
        (told,) = found.passages
        hits += told.low <= when <= told.high
    # Promised 0.9; standard error 0.04, and origins of one past hang together.
    assert 0.78 < hits / 60 <= 1


def test_what_is_not_reached_is_said_to_be_not() -> None:
    grid = Grid(0, STEP, world("season", 5, 900))
    found = forecast_grid(KEY, grid, 48, models=QUICK, aims=[Aim(500.0, 1), Aim(-500.0, -1), Aim(10.0, 1)])
    far, under, already = found.passages
    assert (far.chance, under.chance) == (0, 0)
    assert math.isinf(far.steps)
    assert (already.steps, already.low) == (1, 1)


def test_nothing_is_drawn_beyond_the_range() -> None:
    grid = Grid(0, STEP, np.clip(world("trend", 1, 800), 0, 100))
    found = forecast_grid(KEY, grid, 90, models=["trend"], limits=(0.0, 41.0))
    assert found.upper.max() <= 41
    assert found.expected.max() <= 41


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"horizon": 0}, InvalidParameterError, "from 1 to 5000 steps. Got 0"),
        ({"horizon": 10, "level": 1.0}, InvalidParameterError, "between 0.5 and 0.99. Got 1"),
        ({"horizon": 10, "season": 400}, InvalidParameterError, "2 to 100 steps here"),
        ({"horizon": 150}, DataError, "too few to try a forecast of 3d3h on.*up to 1d16h ahead"),
    ],
)
def test_what_cannot_be_asked(given: dict[str, float], error: type[Exception], says: str) -> None:
    grid = Grid(0, STEP, world("season", 1, 200))
    with pytest.raises(error, match=says):
        forecast_grid(KEY, grid, **given, models=QUICK)  # type: ignore[arg-type]


def test_names_of_models_that_nobody_knows() -> None:
    assert known_models("auto") == list(MODELS)
    with pytest.raises(InvalidParameterError, match=r"persistence, seasonal_naive, trend.*Got 'prophet'"):
        known_models("prophet")


def test_origins_have_as_much_before_as_they_need_and_the_horizon_behind() -> None:
    grid = Grid(0, STEP, world("season", 1, 600))
    origins = origins_of(grid, 100, SEASON)
    assert origins[0] >= 250
    assert origins[-1] == 499
    grid.values[400:450] = np.nan
    assert not np.isin(np.arange(400, 450), origins_of(grid, 100, SEASON)).any()


@pytest.mark.data
def test_the_figures_of_the_cloudwatch_series() -> None:
    """NAB ec2_cpu_utilization_53ea38: Ridge(1.0) on 24 lags, the first 80 % of its rows to learn from."""
    path = next(iter(sorted(Path(data_folder()).glob("**/ec2_cpu_utilization_53ea38.csv"))))
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    times = np.array([r["timestamp"] for r in rows], "M8[ns]").astype(np.int64)
    grid = grid_of(times, np.array([float(r["value"]) for r in rows]))
    assert (len(grid), grid.step, grid.season()) == (4032, 5 * MINUTE, 288)
    first = 24 + int(0.8 * (len(grid) - 24))
    origins = np.arange(first - 1, len(grid) - 1)
    actual = grid.values[origins + 1]
    assert len(actual) == 802
    expected = {
        "ridge": (Ridge(alpha=1.0, lags=24), 0.0449, 0.0676),
        "persistence": (Persistence(), 0.1150, 0.1516),
        "seasonal_naive": (SeasonalNaive(), 0.0573, 0.0812),
    }
    for name, (model, error, root) in expected.items():
        told = model.fit(grid, first, 288).ahead(grid, origins, 1)[:, 0]
        assert mae(actual, told) == pytest.approx(error, abs=0.00005), name
        assert rmse(actual, told) == pytest.approx(root, abs=0.00005), name
