"""Random Cut Forest: equals the slow version number by number; its state is small, its caches never show."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

from tests.reference.random_cut_forest import random_cut_forest
from watchband.core.errors import InvalidParameterError, PointsShapeError, StateCorruptError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors import RandomCutForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 4, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}


def run(detector: RandomCutForest, values: np.ndarray, state: State | None = None, start: int = 0) -> Scores:
    moments = np.arange(start, start + len(values))
    return detector.step(state or detector.start(), Points.of(moments, values))


def assert_equals_reference(values: np.ndarray, **changed: int | str) -> None:
    sizes: dict[str, Any] = {**SMALL, **changed}
    values = np.asarray(values, float).reshape(len(values), -1)
    scores = run(RandomCutForest(**sizes, dims=values.shape[1]), values)
    expected = random_cut_forest(values, **sizes)
    assert np.isfinite(expected).sum() > len(values) / 2
    np.testing.assert_allclose(scores.score, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 9])
def test_equals_the_reference(seed: int) -> None:
    """Long enough for points to expire: 6 * memory is 120."""
    _, values = streams.awkward(300, 7)
    assert_equals_reference(values, seed=seed)


@pytest.mark.parametrize(("shingle", "samples"), [(1, 8), (5, 30), (8, 12)])
def test_other_sizes_equal_the_reference(shingle: int, samples: int) -> None:
    assert_equals_reference(streams.daily(160, 8), shingle=shingle, samples=samples)


def test_ties_equal_the_reference() -> None:
    """Few distinct values: equal points in one leaf, leaves that outlive the entry they stand for."""
    rng = np.random.default_rng(9)
    assert_equals_reference(rng.integers(0, 2, 400) * rng.choice([-0.0, 1.0], 400), shingle=2)


def test_several_values_equal_the_reference() -> None:
    rng = np.random.default_rng(10)
    values = rng.normal(size=(160, 3))
    values[50, 1] = np.nan
    values[100:] *= 1e4
    assert_equals_reference(values, shingle=4)


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_displacement_equals_the_reference(step: float) -> None:
    """With every value its own, and with few distinct ones."""
    values = streams.daily(200, 18)
    assert_equals_reference(np.round(values / step / 4) if step else values, measure="displacement", shingle=2)


def test_displacement_does_not_change_what_is_learned() -> None:
    values = streams.daily(300, 19)
    one, two = RandomCutForest(**SMALL), RandomCutForest(**SMALL, measure="displacement")
    first, second = one.start(), two.start()
    run(one, values, first)
    run(two, values, second)
    assert first.same_bits(second)


def test_a_constant_series_has_one_leaf_and_low_scores() -> None:
    scores = run(RandomCutForest(**SMALL), np.r_[np.full(200, 5.0), 6.0])
    # One leaf of all sixteen samples: damp 1/2, depth 0, and the logarithms cancel.
    assert scores.score[199] == pytest.approx(0.5)
    assert scores.score[200] > 3


def test_a_change_of_shape_is_strange() -> None:
    values = np.sin(np.arange(2000) / 8) + np.random.default_rng(11).normal(0, 0.02, 2000)
    values[1500:1510] = values[1500]
    score = run(RandomCutForest(), values).score
    assert np.nanmax(score[1500:1512]) > 1.5 * np.nanquantile(score[500:1500], 0.999)


def test_written_it_fits_into_200_kilobytes_and_in_memory_into_one_megabyte() -> None:
    detector = RandomCutForest()
    state = detector.start()
    run(detector, streams.daily(600, 12), state)
    assert state.nbytes <= detector.state_bytes_max <= 1_000_000
    assert len(state.to_bytes()) <= 200_000


def test_caches_never_show() -> None:
    """Thrown away at every cut or kept: the same bits, over expiry, ties and a spike."""
    values = np.round(streams.daily(700, 13), 1)
    values[300] = 1e9
    detector = RandomCutForest(trees=6, samples=64, memory=40)
    kept, bare = detector.start(), detector.start()
    for at in range(0, 700, 50):
        one = run(detector, values[at : at + 50], kept, at)
        bare.derived.clear()
        assert run(detector, values[at : at + 50], bare, at).same_bits(one)
        assert bare.same_bits(kept)


def test_a_frozen_forest_scores_and_stays_as_it_is() -> None:
    values = streams.daily(1200, 14)
    learning, frozen = RandomCutForest(**SMALL), RandomCutForest(**SMALL, frozen=True)
    state = learning.start()
    run(learning, values[:300], state)
    before = {k: state.arrays[k].copy() for k in ("roots", "nodes", "refs", "ring")}
    scores = run(frozen, values[300:900], state, 300)
    assert np.isfinite(scores.score).all()
    assert all(np.array_equal(state.arrays[k], a) for k, a in before.items())
    after = run(learning, values[900:], state, 900)
    assert np.isfinite(after.score).all()
    assert not np.array_equal(state.arrays["roots"], before["roots"])


def test_a_point_leaves_every_tree_after_its_span() -> None:
    detector = RandomCutForest(trees=20, samples=32, shingle=2, memory=16)
    values = streams.daily(400, 15)
    values[50] = 1e6
    state = detector.start()
    run(detector, values[: 50 + detector.span], state)
    cuts = (state.arrays["nodes"].view(np.uint64) >> 32).astype(np.uint32).view(np.float32)
    assert np.nanmax(np.abs(cuts)) > 1000
    run(detector, values[50 + detector.span :], state, 50 + detector.span)
    cuts = (state.arrays["nodes"].view(np.uint64) >> 32).astype(np.uint32).view(np.float32)
    assert np.nanmax(np.abs(cuts)) < 1000


def test_huge_and_tiny_values_stay_finite() -> None:
    rng = np.random.default_rng(16)
    values = rng.normal(size=400) * rng.choice([1e-300, 1e-40, 1.0, 1e38, 1e307], 400)
    scores = run(RandomCutForest(**SMALL), values)
    assert np.isfinite(scores.score[10:]).all()


def test_seeds_differ() -> None:
    values = streams.daily(200, 17)
    one, two = (run(RandomCutForest(trees=5, seed=s), values).score for s in (0, 1))
    assert not np.array_equal(one, two)


def test_too_many_values_are_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidParameterError, match="take a shorter shingle"):
        RandomCutForest(dims=64, shingle=8)
    with pytest.raises(PointsShapeError, match="build it with dims=2"):
        run(RandomCutForest(), np.zeros((5, 2)))


def test_damaged_trees_are_refused_never_followed_for_ever() -> None:
    """Bytes changed at random in each of the arrays: most are refused, the others are other forests."""
    detector = RandomCutForest(**SMALL)
    values = streams.daily(100, 20)
    good = detector.start()
    run(detector, values, good)
    refused = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        state = detector.load(good.to_bytes())
        flat = state.arrays[("nodes", "roots", "refs", "ring", "head")[seed % 5]].reshape(-1)
        flat.view(np.uint8)[rng.integers(0, flat.nbytes, 4)] = rng.integers(0, 256, 4)
        with contextlib.suppress(StateCorruptError):
            refused += 1
            run(detector, values, state, 100)
            refused -= 1
    assert refused > 20
