"""Rolling median: bit for bit the slow version, whatever the window."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.rolling_median import rolling_median
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors import RollingMedian
from watchband.testing import streams


def run(detector: RollingMedian, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


def assert_equals_reference(values: np.ndarray, window: int, inclusive: bool) -> None:
    scores = run(RollingMedian(window=window, inclusive=inclusive), values)
    median, scale, score = rolling_median(values, window, inclusive)
    np.testing.assert_array_equal(scores.expected, median)
    np.testing.assert_allclose(scores.scale, scale, rtol=1e-13)
    np.testing.assert_allclose(scores.score, score, rtol=1e-13)


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("window", [3, 4, 12, 61, 100])
def test_equals_the_reference(window: int, inclusive: bool) -> None:
    _, values = streams.awkward(600, 7)
    assert_equals_reference(values, window, inclusive)


def test_two_values_are_a_window_for_the_next_but_not_for_themselves() -> None:
    assert_equals_reference(streams.awkward(600, 7)[1], 2, False)
    with pytest.raises(InvalidParameterError, match="from 3 to 10000 with inclusive=true"):
        RollingMedian(window=2, inclusive=True)


@pytest.mark.parametrize("window", [5, 24, 48])
def test_ties_equal_the_reference(window: int) -> None:
    """Few distinct values: medians on a tie, deviations of zero, windows that are constant."""
    rng = np.random.default_rng(8)
    values = np.where(rng.random(800) < 0.2, rng.integers(-2, 3, 800), 0) * rng.choice([0.0, 1.0, 0.1], 800)
    values[300:400] = -0.0
    assert_equals_reference(values, window, False)


@pytest.mark.parametrize("window", [2048, 2049, 2176, 5000])
def test_large_windows_equal_the_reference(window: int) -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(0, 1, window + 1500)
    values[window : window + 700] += np.linspace(0, 8, 700)
    values[window + 900 :] = np.round(values[window + 900 :], 1)
    scores = run(RollingMedian(window=window), values)
    for i in [*range(window, len(values), 61), len(values) - 1]:
        last = values[i - window : i]
        assert scores.expected[i] == np.median(last)
        assert scores.scale[i] == 1.4826 * np.median(np.abs(last - np.median(last)))


def test_half_a_window_of_outliers_moves_little() -> None:
    values = np.random.default_rng(10).normal(50, 1, 200)
    values[150:175] = 1e12
    scores = run(RollingMedian(window=60), values)
    assert (scores.score[150:175] > 1e9).all()
    assert abs(scores.expected[176] - 50) < 2


def test_mostly_constant_windows_have_the_mean_deviation() -> None:
    values = [*[5.0] * 8, 7.0, 6.0, 5.0, 9.0]
    scores = run(RollingMedian(window=10), values)
    assert scores.expected[10] == 5
    assert scores.scale[10] == pytest.approx(np.sqrt(np.pi / 2) * 0.3)
    assert scores.score[11] == pytest.approx(4 / scores.scale[11])


def test_a_constant_window_has_no_scale() -> None:
    scores = run(RollingMedian(window=5), [*[0.1] * 6, 0.2])
    assert scores.scale[5:].tolist() == [0.0, 0.0]
    assert scores.score[5:].tolist() == [0.0, 1e9]


def test_huge_values_are_no_opinion_and_pass() -> None:
    values = np.r_[np.tile([1.7e308, -1.7e308], 5), streams.daily(20, 11)]
    scores = run(RollingMedian(window=6), values)
    assert np.isnan(scores.score[6:10]).all()
    np.testing.assert_array_equal(scores.score[16:], run(RollingMedian(window=6), values[10:]).score[6:])


def test_missing_values_keep_the_band() -> None:
    scores = run(RollingMedian(window=3), [1.0, 2.0, 4.0, np.nan, np.inf])
    assert np.isnan(scores.score[3:]).all()
    assert scores.expected[3:].tolist() == [2.0, 2.0]
    assert scores.scale[3:].tolist() == [1.4826, 1.4826]


def in_parts(detector: RollingMedian, values: np.ndarray, part: int) -> tuple[State, list[Scores]]:
    state, scores = detector.start(), []
    for start in range(0, len(values), part):
        times = np.arange(start, min(start + part, len(values)))
        scores.append(detector.step(state, Points.of(times, values[times])))
    return state, scores


def walk_with_ties_and_holes(n: int) -> np.ndarray:
    rng = np.random.default_rng(12)
    values = rng.normal(0, 1, n) + 3 * np.sin(np.arange(n) / 40)
    values[n // 2 :] = np.where(rng.random(n - n // 2) < 0.3, np.round(values[n // 2 :]), -0.0)
    values[rng.random(n) < 0.05] = np.nan
    # Numbers that differ in their last digits only, and some beyond what a band can hold.
    values[n // 4 : n // 4 + 300] = 1e12 + rng.integers(0, 9, 300) / 8192
    values[n // 3 :: 97] *= 1e307
    return values


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize(("window", "part"), [(7, 5), (48, 63), (288, 40), (2500, 600)])
def test_points_ranked_together_equal_points_that_come_singly(window: int, part: int, inclusive: bool) -> None:
    """Few points a batch move the sorted window, many are ranked together: the same bits, in scores and state."""
    values = walk_with_ties_and_holes(6000)
    detector = RollingMedian(window=window, inclusive=inclusive)
    alone, few = in_parts(detector, values, part)
    together, many = in_parts(detector, values, 4000)
    assert Scores.joined(few).same_bits(Scores.joined(many))
    assert all(alone.arrays[name].tobytes() == array.tobytes() for name, array in together.arrays.items())


@pytest.mark.parametrize("part", [1, 300])
def test_a_state_in_blocks_is_read(part: int) -> None:
    """Windows above 2,048 were once sorted in blocks of 128 that each begin at a head of their own."""
    values = np.random.default_rng(13).normal(0, 1, 3000)
    detector = RollingMedian(window=2500)
    state, _ = in_parts(detector, values[:2700], 2700)
    old = state.copy()
    old.arrays["sorted"][0, 128:256] = np.roll(old.arrays["sorted"][0, 128:256], 5)
    old.arrays["heads"][0, 1] = 5
    later = [Points.of(np.arange(i, i + part), values[i : i + part]) for i in range(2700, 3000, part)]
    for points in later:
        assert detector.step(state, points).same_bits(detector.step(old, points))
    assert old.arrays["sorted"].tobytes() == state.arrays["sorted"].tobytes()
    assert not old.arrays["heads"].any()
