"""Forecast residual: the same as its slow form, as scikit-learn's Ridge, and with the lags that carried a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.forecast_residual import forecast_residual
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors import ForecastResidual
from watchband.testing import streams

PARAMETERS: list[dict[str, Any]] = [
    {"lags": 6, "window": 100, "refit": 12.0, "spread": 60},
    {"lags": 24, "window": 200, "alpha": 10.0, "spread": 33},
    {"forecaster": "seasonal_naive", "spread": 50},
    {"forecaster": "seasonal_naive", "season": 168.0, "spread": 8},
    {"forecaster": "smoothing", "spread": 50},
    {"forecaster": "smoothing", "spread": 100, "season": 0.0, "level_rate": 0.7, "trend_rate": 0.1},
]
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: ForecastResidual, times: np.ndarray, values: object) -> Scores:
    return detector.step(detector.start(), Points.of(times, np.asarray(values, float)))


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_slow_form(parameters: dict[str, Any], seed: int) -> None:
    times, values = streams.awkward(500, seed)
    found = run(ForecastResidual(**parameters), times, values)
    score, expected = forecast_residual(times, values, **_told(parameters))
    assert np.isfinite(found.score).sum() > 200
    np.testing.assert_allclose(found.expected, expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.score, score, rtol=1e-5, atol=1e-6)


def _told(parameters: dict[str, Any]) -> dict[str, Any]:
    given = {k: v for k, v in parameters.items() if not k.endswith("_rate")}
    rates = (parameters.get("level_rate", 0.3), parameters.get("trend_rate", 0.02), parameters.get("season_rate", 0.2))
    return {**given, "rates": rates}


def test_the_ridge_is_that_of_scikit_learn_on_standardised_lags() -> None:
    from sklearn.linear_model import Ridge

    times, values = streams.times(500), streams.daily(500, 3)
    detector = ForecastResidual(lags=12, window=480, refit=24.0)
    found = run(detector, times, values)
    rows = np.lib.stride_tricks.sliding_window_view(values, 13)
    # The last fit was at point 480, when a day began, on all rows before it.
    lags, target = rows[:468, :-1], rows[:468, -1]
    model = Ridge(alpha=float(lags.var(axis=0).mean())).fit(lags, target)
    np.testing.assert_allclose(found.expected[480:], model.predict(rows[468:, :-1]), rtol=1e-9)


@given(values=st.lists(st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float)), min_size=10, max_size=60))
@pytest.mark.parametrize("forecaster", ["ridge", "seasonal_naive", "smoothing"])
def test_answers_to_any_numbers_are_honest(values: list[float], forecaster: str) -> None:
    detector = ForecastResidual(forecaster=forecaster, lags=2, window=48, spread=8)
    scores = run(detector, streams.times(len(values)), values)
    said = scores.score[~np.isnan(scores.score)]
    assert (np.isfinite(said) & (said >= 0)).all()
    assert np.isnan(scores.score[~np.isfinite(np.array(values))]).all()


def test_each_forecaster_knows_what_it_is_for() -> None:
    """A wave of a day: a season ago says it within the noise; the last values do, too; persistence would not."""
    times, values = streams.times(1500), streams.daily(1500, 4, noise=0.5)
    for forecaster, most in (("ridge", 0.65), ("seasonal_naive", 0.8), ("smoothing", 0.8)):
        expected = run(ForecastResidual(forecaster=forecaster), times, values).expected
        assert np.abs(values - expected)[800:].mean() < most, forecaster
    assert np.abs(np.diff(values)).mean() > 1.5


def test_where_nothing_came_a_season_ago_the_season_before_counts() -> None:
    times, values = streams.times(400), streams.daily(400, 5, noise=0.0)
    values[300:310] = np.nan
    expected = run(ForecastResidual(forecaster="seasonal_naive", spread=8), times, values).expected
    np.testing.assert_allclose(expected[324:334], values[276:286])


def test_a_constant_is_expected_to_the_bit() -> None:
    for forecaster in ("ridge", "seasonal_naive", "smoothing"):
        values = np.r_[np.full(400, 0.1), 0.2]
        scores = run(ForecastResidual(forecaster=forecaster), streams.times(401), values)
        assert (scores.score[200:400] == 0).all(), forecaster
        assert scores.score[400] > 1e6


def test_forgotten_to_the_bit_though_points_are_missing() -> None:
    """The clock says when the ridge is fitted, not the number of points."""
    detector = ForecastResidual(lags=6, window=60, spread=40)
    times, values = streams.times(900), streams.daily(900, 6)
    kept = np.r_[0:100, 107:900]
    whole, cut = run(detector, times, values), run(detector, times[kept], values[kept])
    since = 110 + detector.memory_points
    assert since < 800
    assert whole.score[since:].tobytes() == cut.score[since - 7 :].tobytes()


def test_names_the_lags_that_carry_the_forecast() -> None:
    rng = np.random.default_rng(7)
    values = np.zeros(600)
    for i in range(5, 600):
        values[i] = 0.9 * values[i - 5] + rng.normal()
    detector = ForecastResidual(lags=8, window=500)
    state = detector.start()
    assert detector.contributions(state) == {}
    scores = detector.step(state, Points.of(streams.times(600), values))
    values[-5] = 40.0
    parts = detector.contributions(state)
    assert list(parts) == [f"lag {k}" for k in range(1, 9)]
    state = detector.start()
    detector.step(state, Points.of(streams.times(600), values))
    told = detector.contributions(state)
    assert max(told, key=lambda name: abs(told[name])) == "lag 5"
    assert np.isfinite(scores.score[-1])


@pytest.mark.parametrize("values", [{"window": 50}, {"forecaster": "seasonal_naive", "season": 0.0}, {"lags": 0}])
def test_parameters_that_do_not_fit_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=r"parameter of ForecastResidual must"):
        ForecastResidual(**values)


@pytest.mark.parametrize("forecaster", ["ridge", "seasonal_naive", "smoothing"])
def test_bytes_are_known_before(forecaster: str) -> None:
    detector = ForecastResidual(forecaster=forecaster)
    assert detector.state_bytes_max == detector.start().nbytes


def test_the_leading_lag_is_named() -> None:
    # Every value goes with the one 20 before it; a spike that nothing follows is missed twenty points later.
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 1200)
    for i in range(20, 1200):
        values[i] += 0.9 * values[i - 20]
    values[1000] += 40
    detector = ForecastResidual(window=600)
    state = detector.start()
    points = Points.of(np.arange(1200) * 300_000_000_000, values)
    score = detector.step(state, points).score
    assert score[1000] > 9 < score[1020]
    (first, share), *_ = detector.leads(state, 0, 1000 * 300_000_000_000, 1000 * 300_000_000_000)
    assert (first, share > 0.9) == ("value", True)
    (first, share), *_ = detector.leads(state, 0, 1020 * 300_000_000_000, 1025 * 300_000_000_000)
    assert (first, share > 0.8) == ("lag 20", True)
    assert detector.leads(state, 0, 0, 20 * 300_000_000_000) == ()
    state.arrays["leads"][:] = 1e300
    assert detector.leads(state, 0, 1000 * 300_000_000_000, 1000 * 300_000_000_000) == ()
