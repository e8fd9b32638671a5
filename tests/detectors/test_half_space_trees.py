"""Half-space trees: equal to trees made of nodes, forgetful after three windows, and able in a wide space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.half_space_trees import half_space_trees
from watchband.core.errors import PointsShapeError
from watchband.core.points import Points
from watchband.detectors import HalfSpaceTrees
from watchband.testing import streams

extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: HalfSpaceTrees, values: object) -> np.ndarray:
    array = np.asarray(values, float)
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array))
    for silent in (scores.expected, scores.lower, scores.upper, scores.scale):
        assert np.isnan(silent).all()
    return scores.score


@pytest.mark.parametrize(
    ("dims", "trees", "height", "window", "limit", "seed"),
    [(1, 5, 6, 60, 0.1, 0), (3, 4, 5, 40, 0.1, 7), (3, 3, 9, 50, 0.0, 1), (40, 3, 7, 50, 0.2, 2**63 - 1)],
)
def test_equals_the_reference(dims: int, trees: int, height: int, window: int, limit: float, seed: int) -> None:
    rng = np.random.default_rng(dims)
    values = rng.normal(size=(400, dims))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[rng.random(values.shape) < 0.01] = np.inf
    values[200] = 50
    values[250:300, 0] = 3
    values[:, dims - 1] = np.where(np.arange(400) < 300, values[:, dims - 1], -2.5)
    detector = HalfSpaceTrees(dims=dims, trees=trees, height=height, window=window, limit=limit, seed=seed)
    score = half_space_trees(values, trees, height, window, limit, seed)
    np.testing.assert_allclose(run(detector, values), score, rtol=1e-12, atol=1e-12)
    assert np.isfinite(score).sum() > 200


@given(values=st.lists(st.tuples(*2 * [st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float))]), max_size=60))
def test_equals_the_reference_on_any_numbers(values: list[tuple[float, float]]) -> None:
    array = np.array(values, float).reshape(-1, 2)
    score = run(HalfSpaceTrees(dims=2, trees=3, height=4, window=10), array)
    np.testing.assert_allclose(score, half_space_trees(array, 3, 4, 10), rtol=1e-9)
    said = score[~np.isnan(score)]
    assert (np.isfinite(said) & (said >= 0)).all()


def test_a_wound_is_forgotten_to_the_bit() -> None:
    detector = HalfSpaceTrees(dims=4, window=50)
    values = np.random.default_rng(3).random((600, 4))
    for wound in (1e6, np.nan):
        hurt = values.copy()
        hurt[223] = wound
        clean, seen = run(detector, values), run(detector, hurt)
        since = 224 + detector.memory_points
        np.testing.assert_array_equal(seen[since:], clean[since:])
        assert (seen[224:since] != clean[224:since]).any()


def test_silent_until_ranges_and_masses_are_known() -> None:
    score = run(HalfSpaceTrees(window=100), streams.daily(200, 4))
    assert np.isnan(score[:120]).all()
    assert np.isfinite(score[120:]).all()


@pytest.mark.parametrize("dims", [200, 4096])
def test_an_odd_mixture_in_a_wide_space_is_found(dims: int) -> None:
    """Two modes in which all values go together; the odd points have half of their values from each."""
    rng = np.random.default_rng(5)
    modes = np.repeat((rng.random((700, 1)) < 0.5) * 4.0, dims, axis=1)
    odd = [450, 520, 690]
    modes[odd, : dims // 2] = 4 - modes[odd, : dims // 2]
    score = run(HalfSpaceTrees(dims=dims, trees=200), modes + rng.normal(size=modes.shape))
    assert sorted(np.argsort(np.nan_to_num(score))[-3:].tolist()) == odd


def test_a_value_that_never_changed_is_watched() -> None:
    """Where every point had the same value, another one is in a place of its own, on either side."""
    values = np.random.default_rng(6).random((700, 3))
    values[:, 1] = 7.0
    for other in (7.0 + 1e-6, 7.0 - 1e-6):
        changed = values.copy()
        changed[600, 1] = other
        score, plain = run(HalfSpaceTrees(dims=3), changed), run(HalfSpaceTrees(dims=3), values)
        assert score[600] > plain[600] + 1


def test_one_value_far_out_makes_no_range() -> None:
    values = np.random.default_rng(7).random((800, 2))
    values[250, 0] = 1e9
    values[650, 0] = 1.5
    score = run(HalfSpaceTrees(dims=2), values)
    assert int(np.nanargmax(score[560:])) == 90


def test_a_point_without_any_value_has_no_score() -> None:
    values = np.random.default_rng(8).random((400, 2))
    values[350] = np.nan
    values[360, 0] = np.nan
    score = run(HalfSpaceTrees(dims=2), values)
    assert np.isnan(score[350])
    assert np.isfinite(score[360])


def test_half_as_dense_is_one_more() -> None:
    rng = np.random.default_rng(9)
    values = np.where(rng.random(6000) < 0.8, rng.random(6000) / 2, 0.5 + rng.random(6000) / 2)
    score = run(HalfSpaceTrees(trees=200, window=2000), values)
    dense, sparse = (np.median(score[2400:][(values[2400:] > low) & (values[2400:] < low + 0.3)]) for low in (0.1, 0.6))
    assert sparse - dense == pytest.approx(2, abs=0.4)


def test_other_dims_are_refused() -> None:
    detector = HalfSpaceTrees(dims=3)
    with pytest.raises(PointsShapeError, match="reads 3 value"):
        detector.step(detector.start(), Points.of(np.arange(5), np.zeros((5, 2))))


def test_bytes_are_known_before() -> None:
    detector = HalfSpaceTrees(dims=5)
    assert detector.state_bytes_max == detector.start().nbytes == 25 * 2 * 512 * 2 + 64 * 5 + 16 + 16
