"""Exponentially weighted mean: equal to the formula with explicit weights, robust, never stuck."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.reference.ewma import ewma
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors import Ewma
from watchband.testing import streams


def run(detector: Ewma, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


@pytest.mark.parametrize(
    ("half_life", "clip", "warm_up", "scale_min"),
    [(60.0, 3.0, 12, 0.0), (5.0, None, 3, 0.0), (0.5, 2.0, 4, 0.0), (200.0, 1.5, 30, 2.0)],
)
def test_equals_the_reference(half_life: float, clip: float | None, warm_up: int, scale_min: float) -> None:
    _, values = streams.awkward(400, 12)
    values[5] = 1e4
    detector = Ewma(half_life=half_life, clip=clip, warm_up=warm_up, scale_min=scale_min)
    scores = run(detector, values)
    mean, scale, score = ewma(values, half_life, clip, warm_up, scale_min)
    np.testing.assert_allclose(scores.expected, mean, rtol=1e-6)
    np.testing.assert_allclose(scores.scale, scale, rtol=1e-6)
    np.testing.assert_allclose(scores.score, score, rtol=1e-5, atol=1e-6)


def test_a_mostly_constant_start_equals_the_reference() -> None:
    values = np.r_[np.zeros(7), 4.0, 0.0, 0.0, 6.0, 0.0, np.random.default_rng(23).integers(0, 3, 50)]
    _, scale, score = ewma(values, 60.0, 3.0, 12, 0.0)
    scores = run(Ewma(), values)
    np.testing.assert_allclose(scores.scale, scale, rtol=1e-6)
    np.testing.assert_allclose(scores.score, score, rtol=1e-5)


def test_without_clip_it_is_the_mean_of_pandas() -> None:
    values = streams.daily(300, 13)
    scores = run(Ewma(half_life=20, clip=None), values)
    wanted = pd.Series(values).ewm(halflife=20, adjust=True).mean().shift().to_numpy()
    np.testing.assert_allclose(scores.expected[12:], wanted[12:], rtol=1e-12)


@pytest.mark.parametrize("clip", [1.5, 3.0, None])
def test_on_noise_the_score_has_unit_scale(clip: float | None) -> None:
    """Also while few points are known: the scale includes the error of the mean."""
    rng = np.random.default_rng(14)
    detector = Ewma(half_life=200, clip=clip, warm_up=24)
    points = Points.fleet([(np.arange(400), rng.normal(3, 5, 400)) for _ in range(400)])
    score = detector.step(detector.start(400), points).score.reshape(400, 400)
    for part in (score[:, 24:40], score[:, 300:]):
        assert np.sqrt((part**2).mean()) == pytest.approx(1, abs=0.1)


def test_an_outlier_in_the_warm_up_does_no_harm() -> None:
    values = np.random.default_rng(15).normal(50, 1, 60)
    values[0] = values[7] = 1e9
    scores = run(Ewma(), values)
    assert (np.abs(scores.expected[12:] - 50) < 3).all()
    assert (scores.scale[12:] < 5).all()


def test_a_spike_is_learned_clipped() -> None:
    values = streams.daily(300, 16)
    hurt = values.copy()
    hurt[200] = 1e6
    clean, seen = run(Ewma(), values), run(Ewma(), hurt)
    assert seen.score[200] > 1e4
    assert abs(seen.expected[201] - clean.expected[201]) < 0.05 * clean.scale[201]
    assert seen.scale[201] < 1.06 * clean.scale[201]


def test_a_level_that_stays_becomes_normal() -> None:
    """After about 0.36 half-lives for each factor e of its distance in scales, as its page says."""
    rng = np.random.default_rng(17)
    values = rng.normal(0, 1, 1500)
    values[500:] += 10_000
    scores = run(Ewma(half_life=60), values)
    normal = 500 + int(0.36 * 60 * np.log(10_000))
    assert (scores.score[500 : normal - 60] > 3).all()
    assert np.median(scores.score[normal + 30 : normal + 60]) < 3


def test_a_constant_stream_learns_again() -> None:
    """Neither at zero nor elsewhere does a scale of nothing keep what comes from being learned."""
    rng = np.random.default_rng(18)
    for level in (0.0, 0.1, 1e9):
        values = np.r_[np.full(300, level), level + rng.normal(0, 1, 1500)]
        scores = run(Ewma(half_life=60), values)
        assert (scores.score[12:300] == 0).all()
        assert (scores.expected[12:300] == level).all()
        assert scores.score[300] >= 1e-3 * 1e9 / max(1.0, level)
        assert np.isfinite(scores.score[300:]).all()
        assert np.sqrt((scores.score[-300:] ** 2).mean()) == pytest.approx(1, abs=0.2)


def test_the_floor_is_in_units_of_the_metric() -> None:
    scores = run(Ewma(scale_min=2.0), [*[7.0] * 100, 11.0])
    assert scores.scale[100] == pytest.approx(2.0, rel=0.01)
    assert scores.score[100] == pytest.approx(2.0, rel=0.01)


def test_huge_values_do_not_poison_the_state() -> None:
    values = streams.daily(400, 19)
    values[[3, 100, 101]] = 1.7e308, 1.7e308, -1.7e308
    for clip in (3.0, None):
        detector = Ewma(half_life=5, clip=clip)
        state = detector.start()
        detector.step(state, Points.of(np.arange(400), values))
        assert np.isfinite(state.arrays["level"]).all()


def test_what_fades_becomes_zero_and_not_slow() -> None:
    """Neither weights nor the variance of a constant stream linger among the smallest numbers."""
    detector = Ewma(half_life=0.5)
    state = detector.start()
    values = np.r_[streams.daily(20, 20), np.full(2000, 5.0)]
    detector.step(state, Points.of(np.arange(len(values)), values))
    _, variance, _, left = state.arrays["level"][0]
    assert (variance, left) == (0.0, 0.0)


def test_one_by_one_is_the_same() -> None:
    """``step_one`` gives the bits of ``step``, in scores and in state."""
    _, values = streams.awkward(120, 21)
    detector, other = Ewma(half_life=7), Ewma(half_life=7)
    whole, single = detector.start(), other.start()
    scores = detector.step(whole, Points.of(np.arange(120), values))
    ones = np.array([other.step_one(single, i, float(v)) for i, v in enumerate(values)])
    np.testing.assert_array_equal(ones, np.column_stack(scores.outputs()))
    assert single.same_bits(whole)
