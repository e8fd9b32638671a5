"""Forest forecast: equals the slow version, and its intervals contain what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.forest_forecast import forest_forecast
from tests.reference.random_cut_forest import Forest
from watchband.core.errors import InvalidParameterError, PointsShapeError
from watchband.core.points import Points
from watchband.detectors import ForestForecast, RandomCutForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 4, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}
MADE: dict[str, Any] = {"horizon": 4, "errors": 30, "level": 0.8}


@pytest.mark.parametrize("which", ["awkward", "ties", "several"])
def test_equals_the_reference(which: str) -> None:
    rng = np.random.default_rng(4)
    _, awkward = streams.awkward(260, 5)
    values = {
        "awkward": awkward[:, None],
        "ties": np.round(rng.normal(size=(260, 1))),
        "several": np.where(rng.random((260, 2)) < 0.03, np.nan, rng.normal(size=(260, 2)).cumsum(axis=0)),
    }[which]
    values[0] = 1.0
    wanted, last = forest_forecast(values, Forest(**SMALL), MADE["horizon"], MADE["errors"], MADE["level"])
    detector = ForestForecast(**SMALL, **MADE, dims=values.shape[1])
    state = detector.start()
    scores = detector.step(state, Points.of(np.arange(260), values))
    for found, part in zip((scores.score, scores.expected, scores.lower, scores.upper), wanted, strict=True):
        np.testing.assert_allclose(found, part, rtol=1e-9, atol=1e-9)
    assert np.isfinite(wanted).any(axis=1).all()
    told = detector.forecast(state)
    for found, part in zip((told.values, told.lower, told.upper), last, strict=True):
        np.testing.assert_allclose(found[0], part, rtol=1e-9, atol=1e-9)


def process(kind: str, n: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n)
    if kind == "sine":
        return np.sin(np.arange(n) / 10) + 0.1 * noise
    if kind == "walk":
        return noise.cumsum()
    values = noise
    for i in range(1, n):
        values[i] += 0.9 * values[i - 1]
    return values


@pytest.mark.parametrize("level", [0.8, 0.9])
@pytest.mark.parametrize("kind", ["sine", "autoregression", "walk"])
def test_intervals_contain_what_they_promise(kind: str, level: float) -> None:
    """The next point within one in a hundred; over some 600 origins twelve steps ahead within two, each within five."""
    inside_one, inside = [], np.zeros(12)
    origins = 0
    for seed in range(2):
        values = process(kind, 3000, seed)
        detector = ForestForecast(trees=10, samples=128, level=level)
        state = detector.start()
        for begin in range(0, 2980, 7):
            here = values[begin : begin + 7]
            scores = detector.step(state, Points.of(np.arange(begin, begin + len(here)), here))
            if begin < 800:
                continue
            inside_one.append((here >= scores.lower) & (here <= scores.upper))
            told = detector.forecast(state)
            truth = values[begin + 7 : begin + 19]
            if len(truth) == 12:
                inside += (truth >= told.lower[0, :, 0]) & (truth <= told.upper[0, :, 0])
                origins += 1
    assert abs(np.concatenate(inside_one).mean() - level) < 0.01
    assert abs((inside / origins).mean() - level) < 0.02
    assert np.abs(inside / origins - level).max() < 0.05


def test_intervals_widen_after_the_noise_has_grown() -> None:
    values = process("sine", 4000, 3)
    values[2000:] += np.random.default_rng(5).normal(0, 0.5, 2000)
    detector = ForestForecast(trees=20, samples=128)
    scores = detector.step(detector.start(), Points.of(np.arange(4000), values))
    inside = (values >= scores.lower) & (values <= scores.upper)
    assert inside[2000:2100].mean() < 0.8
    assert inside[2500:].mean() > 0.87


def test_the_scores_are_those_of_the_forest() -> None:
    _, values = streams.awkward(500, 6)
    points = Points.of(np.arange(500), values)
    forest, caster = RandomCutForest(**SMALL), ForestForecast(**SMALL, **MADE)
    one, two = forest.start(), caster.start()
    assert np.array_equal(forest.step(one, points).score, caster.step(two, points).score, equal_nan=True)
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)


def test_a_forecast_reaches_no_further_than_it_was_built_for() -> None:
    detector = ForestForecast(**SMALL, **MADE)
    state = detector.start(2)
    assert np.isnan(detector.forecast(state).values).all()
    with pytest.raises(InvalidParameterError, match="build it with a longer 'horizon'"):
        detector.forecast(state, 5)
    with pytest.raises(PointsShapeError, match="This ForestForecast reads 1"):
        detector.step(state, Points.of([1, 2], np.zeros((2, 2))))
