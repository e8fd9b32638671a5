"""Attribution: equals the slow version, sums up to the score, names the value that was changed, disturbs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.random_cut_forest import random_cut_forest
from watchband.core.points import Points
from watchband.detectors import RandomCutForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 4, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}


def points_of(values: np.ndarray) -> Points:
    return Points.of(np.arange(len(values)), values)


@pytest.mark.parametrize("dims", [1, 2])
def test_equals_the_reference(dims: int) -> None:
    values = np.random.default_rng(1).normal(size=(150, dims))
    values[70] = np.nan
    values[100:130] = np.round(values[100:130])
    shares = np.full((150, 2, 3 * dims), np.nan)
    random_cut_forest(values, **SMALL, shares=shares)
    detector = RandomCutForest(**SMALL, dims=dims)
    _, found = detector.attribute(detector.start(), points_of(values))
    np.testing.assert_allclose(found.high.reshape(150, -1), shares[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.low.reshape(150, -1), shares[:, 1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("above", [0.0, 0.9, 1e9])
def test_scores_and_state_are_those_of_step(above: float) -> None:
    values = streams.daily(400, 2)
    detector = RandomCutForest(**SMALL)
    plain, asked = detector.start(), detector.start()
    scores = detector.step(plain, points_of(values))
    found, shares = detector.attribute(asked, points_of(values), above=above)
    assert found.same_bits(scores)
    assert asked.same_bits(plain)
    told = np.isfinite(shares.high).all(axis=(1, 2))
    np.testing.assert_array_equal(told, scores.score >= above)
    whole = (shares.high + shares.low).sum(axis=(1, 2))
    np.testing.assert_allclose(whole[told], scores.score[told], rtol=1e-9)


@pytest.mark.parametrize(("size", "way"), [(12.0, "HIGH"), (-12.0, "LOW")])
def test_names_the_value_and_the_direction(size: float, way: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(800, 3))
    values[700, 1] += size
    detector = RandomCutForest(dims=3, shingle=4)
    _, shares = detector.attribute(detector.start(), points_of(values))
    for ago in (0, 2):
        back, dim, direction, share = shares.strongest(700 + ago)
        assert (back, dim, direction) == (ago, 1, way)
        assert 0.5 < share <= 1


def test_learning_only_says_nothing_and_learns_the_same() -> None:
    values = streams.daily(400, 4)
    detector, silent = RandomCutForest(**SMALL), RandomCutForest(**SMALL, measure="none")
    one, two = detector.start(), silent.start()
    detector.step(one, points_of(values))
    assert np.isnan(silent.step(two, points_of(values)).score).all()
    assert one.same_bits(two)
