from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import forecast as slow
from watchband.core.errors import InvalidParameterError, PointsShapeError
from watchband.evaluation.metrics.forecast import coverage, interval_score, mae, mase, pinball, rmse, width

NUMBER = st.floats(-100, 100) | st.just(math.nan)
ROWS = st.lists(st.tuples(NUMBER, NUMBER, st.floats(0, 50)), min_size=3, max_size=30).filter(
    lambda rows: any(not (math.isnan(a) or math.isnan(e)) for a, e, _ in rows)
)


@given(ROWS)
def test_the_slow_reference_agrees(rows: list[tuple[float, float, float]]) -> None:
    y, e, half = np.array(rows).T
    lower, upper = e - half, e + half
    a, b, low, high = y.tolist(), e.tolist(), lower.tolist(), upper.tolist()
    history = [1.0, 4.0, 2.0, 8.0, 3.0]
    assert mae(y, e) == pytest.approx(slow.mae(a, b))
    assert rmse(y, e) == pytest.approx(slow.rmse(a, b))
    assert mase(y, e, np.array(history), season=2) == pytest.approx(slow.mase(a, b, history, 2))
    assert pinball(y, e, 0.9) == pytest.approx(slow.pinball(a, b, 0.9))
    assert coverage(y, lower, upper) == pytest.approx(slow.coverage(a, low, high))
    assert interval_score(y, lower, upper, 0.8) == pytest.approx(slow.interval_score(a, low, high, 0.8))


def test_by_hand() -> None:
    y, e = np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0])
    assert mae(y, e) == pytest.approx(4 / 3)
    assert rmse(y, e) == pytest.approx(math.sqrt(10 / 3))
    assert mase(y, e, np.array([0.0, 2.0, 4.0])) == pytest.approx(2 / 3)
    assert pinball(y, e, 0.9) == pytest.approx((0.1 * 1 + 0.9 * 3) / 3)
    assert interval_score(y, e - 1, e + 1, 0.9) == pytest.approx(2 + 20 * 2 / 3)
    assert width(e - 1, e + 3) == 4


def test_losses_are_least_at_what_they_ask_for() -> None:
    y = np.random.default_rng(1).exponential(size=4000)
    grid = np.linspace(0, 4, 81)
    at = grid[np.argmin([pinball(y, np.full(4000, g), 0.9) for g in grid])]
    assert at == pytest.approx(np.quantile(y, 0.9), abs=0.06)
    low, high = np.quantile(y, [0.1, 0.9])
    best = interval_score(y, np.full(4000, low), np.full(4000, high), 0.8)
    for factor in (0.7, 1.4):
        assert interval_score(y, np.full(4000, low), np.full(4000, high * factor), 0.8) > best


def test_a_missing_side_is_no_bound_and_a_missing_band_no_band() -> None:
    y, none = np.array([5.0, -5.0, 5.0]), np.full(3, np.nan)
    assert coverage(y, np.zeros(3), none) == pytest.approx(2 / 3)
    assert math.isnan(coverage(y, none, none))
    assert coverage(np.array([np.nan, 1.0]), np.zeros(2), np.ones(2)) == 1


def test_mase_is_against_the_naive_forecast_of_the_season() -> None:
    season = np.tile([0.0, 10.0], 20)
    assert mase(np.array([3.0]), np.array([2.0]), season) == 0.1
    assert math.isnan(mase(np.array([3.0]), np.array([2.0]), season, season=2))


def test_what_cannot_be_is_refused() -> None:
    one = np.ones(1)
    with pytest.raises(InvalidParameterError, match="'share'"):
        pinball(one, one, 1.0)
    with pytest.raises(InvalidParameterError, match="'level'"):
        interval_score(one, one, one, 0.0)
    with pytest.raises(InvalidParameterError, match="'season'"):
        mase(one, one, one, season=0)
    with pytest.raises(PointsShapeError, match="mae wants"):
        mae(one, np.ones(2))
