"""Residual: equals its slow reference; what it promises beyond the ten laws."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.residual import residual as reference
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors.residual import Residual
from watchband.testing import streams
from watchband.testing.streams import HOUR, MINUTE


def score(times: np.ndarray, values: np.ndarray, detector: Residual | None = None) -> Scores:
    detector = detector or Residual()
    return detector.step(detector.start(), Points.of(times, values))


def both(times: np.ndarray, values: np.ndarray, **parameters: float) -> None:
    fast = score(times, values, Residual(**parameters))  # type: ignore[arg-type]
    slow = reference(times, values, **parameters)  # type: ignore[arg-type]
    for name, mine, other in zip(
        ("score", "expected", "scale"), (fast.score, fast.expected, fast.scale), slow, strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("interval", [HOUR, 5 * MINUTE, 20_000_000_000])
def test_equals_the_reference(interval: int) -> None:
    times = streams.times(2500, interval)
    rng = np.random.default_rng(1)
    values = streams.daily(2500, 2, interval) * (1 + 0.1 * rng.standard_t(3, 2500))
    values[400:430] += 80
    values[rng.random(2500) < 0.02] = np.nan
    keep = np.ones(2500, bool)
    keep[1000:1100] = False
    both(times[keep], values[keep])


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_reference_on_awkward_streams(seed: int) -> None:
    both(*streams.awkward(600, seed), memory=300, huber=2.0)


def test_it_learns_the_day_and_its_noise() -> None:
    times = streams.times(12 * 288, 5 * MINUTE)
    hour = (times // HOUR) % 24
    busy = (hour >= 8) & (hour < 20)
    rng = np.random.default_rng(3)
    values = np.where(busy, 100.0, 20.0) + rng.normal(size=len(times)) * np.where(busy, 6.0, 1.0)
    scores = score(times, values)
    last = slice(8 * 288, None)
    assert np.median(scores.scale[last][busy[last]]) > 1.7 * np.median(scores.scale[last][~busy[last]])


def test_a_spike_stands_out_and_leaves_no_echo() -> None:
    values = streams.daily(2000, 4, 5 * MINUTE)
    clean = score(streams.times(2000, 5 * MINUTE), values)
    values[1500] += 200
    hurt = score(streams.times(2000, 5 * MINUTE), values)
    assert hurt.score[1500] > 100
    assert hurt.score[1501:1520].max() < clean.score[1501:1520].max() + 5


def test_a_new_level_is_reached_within_a_few_points() -> None:
    values = streams.daily(2000, 5, 5 * MINUTE)
    values[1500:] += 1e4
    scores = score(streams.times(2000, 5 * MINUTE), values)
    assert scores.score[1500] > 1000
    assert np.abs(scores.expected[1540:] - values[1540:]).max() < 400
    assert np.median(scores.score[1600:]) < 2


def test_expected_and_scale_are_known_where_the_value_is_not() -> None:
    values = streams.daily(600, 6)
    values[500:520] = np.nan
    scores = score(streams.times(600), values)
    assert np.isnan(scores.score[500:520]).all()
    assert np.isfinite(scores.expected[500:520]).all()
    assert (scores.scale[500:520] > 0).all()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(600),
        np.full(600, 1e300),
        np.r_[np.zeros(300), np.ones(300)],
        np.tile([1e308, -1e308], 300),
        np.tile([5e-324, 0.0, 1e150], 200),
        np.r_[np.random.default_rng(0).normal(size=300), np.full(300, 7.0)],
        np.arange(600) ** 4.0,
        2.0 ** np.arange(600),
    ],
    ids=["zero", "huge constant", "first step", "largest swings", "smallest", "falls silent", "growth", "explosion"],
)
def test_no_value_breaks_the_state(values: np.ndarray) -> None:
    detector = Residual()
    state = detector.start()
    scores = detector.step(state, Points.of(streams.times(600), values))
    for name, array in state.arrays.items():
        assert name == "week" or np.isfinite(array).all(), name
    assert np.isfinite(scores.score[8:]).all()
    assert np.isfinite(scores.expected[8:]).all()


def test_a_profile_that_was_silent_for_weeks_does_not_explode() -> None:
    """Unused directions of the covariance are held at their prior."""
    values = np.r_[np.full(20_000, 5.0), 5 + np.random.default_rng(7).normal(size=2000)]
    detector = Residual()
    state = detector.start()
    scores = detector.step(state, Points.of(streams.times(22_000, 5 * MINUTE), values))
    assert np.abs(scores.expected[20_100:] - 5).max() < 5
    assert state.arrays["cov"].max() <= 1


def test_steady_values_have_score_zero() -> None:
    assert (score(streams.times(100), np.full(100, 3.0)).score[8:] == 0).all()
