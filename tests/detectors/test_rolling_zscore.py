"""Rolling z-score: equal to the slow version, clean after a spike, and the same as older tools where asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.reference.rolling_zscore import rolling_zscore
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors import RollingZscore
from watchband.testing import streams


def run(detector: RollingZscore, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize(("window", "ddof"), [(3, 1), (3, 0), (12, 1), (60, 0), (97, 1)])
def test_equals_the_reference(window: int, ddof: int, inclusive: bool) -> None:
    _, values = streams.awkward(600, 3)
    scores = run(RollingZscore(window=window, ddof=ddof, inclusive=inclusive), values)
    np.testing.assert_allclose(scores.score, rolling_zscore(values, window, ddof, inclusive), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("ddof", [0, 1])
def test_two_values_are_a_window_for_the_next_but_not_for_themselves(ddof: int) -> None:
    _, values = streams.awkward(600, 3)
    scores = run(RollingZscore(window=2, ddof=ddof), values)
    np.testing.assert_allclose(scores.score, rolling_zscore(values, 2, ddof, False), rtol=1e-9, atol=1e-9)
    with pytest.raises(InvalidParameterError, match="from 3 to 10000 with inclusive=true"):
        RollingZscore(window=2, ddof=ddof, inclusive=True)


@pytest.mark.parametrize("level", [0.0, 1e6, 1e9, -1e12])
def test_a_high_level_costs_no_digits(level: float) -> None:
    values = np.round(np.random.default_rng(4).normal(0, 8, 500)) / 8
    plain, high = (run(RollingZscore(window=30), v) for v in (values, values + level))
    np.testing.assert_allclose(high.scale, plain.scale, rtol=1e-10)
    # The expected value is a number near the level and has its resolution, no less.
    tolerance = np.spacing(abs(level)) / np.nanmin(plain.scale) + 1e-10
    np.testing.assert_allclose(high.score, plain.score, atol=tolerance, rtol=1e-10)


@pytest.mark.parametrize("spike", [1e6, -1e6, 1e15, 1e300])
@pytest.mark.parametrize("at", [40, 47, 59, 60, 61, 119, 120])
def test_a_spike_that_left_leaves_nothing(spike: float, at: int) -> None:
    values = streams.daily(400, 5)
    hurt = values.copy()
    hurt[at] = spike
    detector = RollingZscore(window=60)
    clean, seen = run(detector, values), run(detector, hurt)
    since = max(at, 60) + detector.memory_points
    np.testing.assert_array_equal(seen.score[since:], clean.score[since:])
    np.testing.assert_array_equal(seen.scale[since:], clean.scale[since:])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, -7.3e-5])
@pytest.mark.parametrize("inclusive", [False, True])
def test_a_constant_window_has_no_deviation(value: float, inclusive: bool) -> None:
    values = np.r_[1e15, -2.0, np.full(100, value)]
    scores = run(RollingZscore(window=12, inclusive=inclusive), values)
    assert (scores.scale[20:] == 0).all()
    assert (scores.score[20:] == 0).all()
    assert (scores.expected[20:] == value).all()


def test_a_change_after_a_constant_window_is_strange_and_finite() -> None:
    scores = run(RollingZscore(window=12), [*[5.0] * 12, 5.001, 1e308])
    assert scores.score[12] == 1e9
    assert scores.score[13] > 1e9
    assert np.isfinite(scores.score[12:]).all()


def test_the_inclusive_form_has_a_ceiling() -> None:
    """No value, however far out, scores more than (n - 1) / sqrt(n)."""
    detector = RollingZscore(window=12, ddof=1, inclusive=True)
    values = np.random.default_rng(6).normal(0, 1, 300)
    values[::29] = 10.0 ** np.arange(len(values[::29]))
    ceiling = 11 / np.sqrt(12)
    assert round(ceiling, 4) == 3.1754
    score = run(detector, values).score
    assert np.nanmax(score) <= ceiling + 1e-9
    assert np.nanmax(score) > ceiling - 1e-4
    assert np.nanmax(run(RollingZscore(window=12), values).score) > 1e6


def test_missing_values_keep_the_band() -> None:
    scores = run(RollingZscore(window=3), [1.0, 2.0, 3.0, np.nan, np.inf])
    assert np.isnan(scores.score[3:]).all()
    assert scores.expected[3:].tolist() == [2.0, 2.0]
    assert scores.scale[3:].tolist() == [1.0, 1.0]


@pytest.mark.data
@pytest.mark.parametrize(("inclusive", "rows"), [(True, 5), (False, 60)])
def test_rows_of_the_benchmark_series(nab: Path, inclusive: bool, rows: int) -> None:
    path = nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv"
    values = np.loadtxt(path, delimiter=",", skiprows=1, usecols=1)
    score = run(RollingZscore(window=12, ddof=1, inclusive=inclusive), values).score
    assert int((score > 3).sum()) == rows
