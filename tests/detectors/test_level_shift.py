"""Level shift: equal to the slow version; names what spoke, holds on to its level and takes over a new one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.level_shift import level_shift
from watchband.core.points import Points
from watchband.core.scores import ADOPTED, HELD, WARMING, Scores
from watchband.detectors import LevelShift
from watchband.testing import streams

PARAMETERS = [
    {},
    {"half_life": 40.0, "mean_points": 4, "spread_points": 8, "usual_points": 200, "adopt": 6},
    {"half_life": 2.0, "mean_points": 2, "spread_points": 2, "usual_points": 50, "adopt": 1, "warm_up": 20},
    {"of": "level"},
    {"of": "spread", "half_life": 60.0},
]
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: LevelShift, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


def noise(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, n)


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", [3, 4])
def test_equals_the_reference(parameters: dict[str, Any], seed: int) -> None:
    _, values = streams.awkward(900, seed)
    values[500:] += 1000
    values[700] = 1e200
    detector = LevelShift(**parameters)
    scores = run(detector, values)
    score, spoke, flags = level_shift(values, **parameters)
    np.testing.assert_allclose(scores.score, score, rtol=1e-9, atol=1e-12)
    assert detector.spoke(scores).tolist() == spoke
    np.testing.assert_array_equal(scores.flags, flags)


@given(values=st.lists(st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float)), max_size=80))
def test_answers_are_honest(values: list[float]) -> None:
    scores = run(LevelShift(warm_up=20, adopt=3), values)
    assert np.isnan(scores.score[~np.isfinite(np.array(values, float))]).all()
    said = scores.score[~np.isnan(scores.score)]
    assert (np.isfinite(said) & (said >= 0)).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_level_that_moved_by_one_deviation_is_found_and_named(sign: int) -> None:
    values = noise(4000, 5)
    values[3000:3060] += sign * 1.2
    detector = LevelShift()
    scores = run(detector, values)
    assert scores.score[3000:3060].max() > scores.score[500:3000].max()
    at = 3000 + int(scores.score[3000:3060].argmax())
    assert detector.spoke(scores)[at] == "level"
    assert abs(scores.expected[at]) < 0.5


@pytest.mark.parametrize("factor", [2.5, 0.1])
def test_noise_that_grew_or_fell_silent_is_found_and_named(factor: float) -> None:
    values = noise(4000, 6)
    values[3000:3060] *= factor
    detector = LevelShift()
    scores = run(detector, values)
    assert scores.score[3000:3060].max() > scores.score[500:3000].max()
    at = 3000 + int(scores.score[3000:3060].argmax())
    assert detector.spoke(scores)[at] == "spread"
    assert np.isnan(scores.expected[at])


def test_a_spike_counts_less_than_a_shift() -> None:
    spike, shift = noise(3000, 7), noise(3000, 7)
    spike[2000] += 1e6
    shift[2000:2040] += 2
    assert run(LevelShift(), spike).score[2000:2040].max() < run(LevelShift(), shift).score[2000:2040].max() / 2


def test_a_large_shift_is_held_and_then_adopted_without_an_echo() -> None:
    values = noise(4000, 8)
    values[2000:] += 50
    scores = run(LevelShift(adopt=36), values)
    held = np.flatnonzero(scores.flags == HELD)
    adopted = np.flatnonzero(scores.flags == ADOPTED)
    assert len(adopted) == 1
    assert len(held) == 35
    assert 2000 < held[0] < held[-1] < adopted[0] < 2000 + 36 + 20
    quiet = scores.score[adopted[0] + 1 : adopted[0] + 300]
    assert quiet.max() <= scores.score[500:2000].max()


def test_warming_is_said_until_the_usual_is_known() -> None:
    flags = run(LevelShift(), noise(600, 9)).flags
    assert (flags[:60] == 0).all()
    assert (flags[60:380] == WARMING).all()
    assert (flags[380:] == 0).all()


def test_a_constant_is_as_usual_and_a_change_is_not() -> None:
    detector = LevelShift()
    scores = run(detector, [*[5.0] * 400, *[6.0] * 60])
    assert (scores.score[60:400] == 0).all()
    assert scores.score[400] > 5
    assert np.isfinite(scores.score[60:]).all()


def test_there_is_no_band() -> None:
    detector = LevelShift()
    scores = run(detector, [*noise(200, 11), np.nan])
    for column in (scores.lower, scores.upper, scores.scale):
        assert np.isnan(column).all()
    assert set(detector.spoke(scores)[60:200]) == {"level", "spread"}
    assert detector.spoke(scores)[-1] == ""


def test_the_spread_alone_tells_a_silence_and_no_shift() -> None:
    values = noise(4000, 12)
    values[2500:2560] += 1.2
    values[3000:3060] *= 0.05
    score = run(LevelShift(of="spread"), values).score
    usual = score[1000:2500].max()
    assert score[3000:3060].max() > 1.4 * usual
    assert score[2500:2560].max() < 1.4 * usual
    assert run(LevelShift(of="level"), values).score[2500:2560].max() > 1.4 * usual
