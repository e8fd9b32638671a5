"""Shape novelty: the same scores as every shape against every other, exact forgetting, sizes that count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.shape_novelty import shape_novelty
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.detectors import ShapeNovelty
from watchband.testing import streams

PARAMETERS = [
    {"block": 8, "memory": 300, "stride": 4, "warm_up": 60},
    {"block": 8, "memory": 400, "stride": 8, "warm_up": 8},
    {"block": 3, "memory": 131, "stride": 1, "warm_up": 20},
    {"block": 6, "memory": 97, "stride": 3, "warm_up": 30},
    {"block": 1, "memory": 16, "stride": 1, "warm_up": 1},
]
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: ShapeNovelty, values: object) -> np.ndarray:
    array = np.asarray(values, float)
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array))
    for silent in (scores.expected, scores.lower, scores.upper, scores.scale):
        assert np.isnan(silent).all()
    return scores.score


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", [1])
def test_equals_the_reference(parameters: dict[str, int], seed: int) -> None:
    _, values = streams.awkward(800, seed)
    score = run(ShapeNovelty(**parameters), values)
    assert np.isfinite(score).sum() > 150
    np.testing.assert_allclose(score, shape_novelty(values, **parameters), rtol=1e-9, atol=1e-9)


@given(values=st.lists(st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float)), min_size=30, max_size=80))
def test_answers_to_any_numbers_are_honest(values: list[float]) -> None:
    score = run(ShapeNovelty(block=1, memory=20, stride=1, warm_up=1), values)
    said = score[~np.isnan(score)]
    assert (np.isfinite(said) & (said >= 0)).all()
    assert np.isnan(score[~np.isfinite(np.array(values))]).all()


def test_after_a_long_stream_it_still_equals_the_reference() -> None:
    """Nothing drifts, whatever came before: a level of a million, two huge spikes."""
    rng = np.random.default_rng(3)
    values = 1e6 + np.cumsum(rng.normal(0, 1, 20_000))
    values[[10_000, 10_070]] = 1e14
    parameters = {"block": 4, "memory": 300, "stride": 2, "warm_up": 10}
    detector = ShapeNovelty(**parameters)
    state = detector.start()
    detector.step(state, Points.of(np.arange(19_400), values[:19_400]))
    score = detector.step(state, Points.of(np.arange(19_400, 20_000), values[19_400:])).score
    slow = shape_novelty(values[19_400:], **parameters)
    # The running scale of the reference begins anew; shapes compare as they did.
    ratio = score[340:] / slow[340:]
    assert np.corrcoef(score[340:], slow[340:])[0, 1] > 0.99
    assert 0.2 < ratio.min() <= ratio.max() < 5


def test_what_has_left_the_memory_is_forgotten_to_the_bit() -> None:
    detector = ShapeNovelty(block=4, memory=200, stride=2, warm_up=40)
    values = streams.daily(1400, 4)
    hurt = values.copy()
    hurt[300] = 1e12
    plain, seen = run(detector, values), run(detector, hurt)
    since = 301 + detector.memory_points
    np.testing.assert_allclose(seen[since:], plain[since:], rtol=1e-5)
    states = [detector.start(), detector.start()]
    for state, stream in zip(states, (values, hurt), strict=True):
        detector.step(state, Points.of(np.arange(len(stream)), stream))
    assert states[0].arrays["past"].tobytes() == states[1].arrays["past"].tobytes()


def test_a_repetition_scores_nothing_and_a_lower_peak_does() -> None:
    values = np.tile(np.r_[np.zeros(60), np.arange(20.0), np.zeros(16)], 30)
    score = run(ShapeNovelty(), values)
    assert (score[340:] == 0).all()
    values[96 * 20 : 96 * 21] *= 0.5
    score = run(ShapeNovelty(), values)
    assert score[96 * 20 : 96 * 21].max() > 0.1
    assert (score[96 * 22 :] == 0).all()


def test_sizes_count() -> None:
    """The same form, ten times smaller, is news to a z-normalised distance only if nothing flat came; here it scores
    by its size."""
    rng = np.random.default_rng(5)
    values = 10 * np.sin(2 * np.pi * np.arange(3000) / 96) + rng.normal(0, 0.2, 3000)
    scores = []
    for size in (1.1, 1.5, 2.0):
        grown = values.copy()
        grown[2400:2496] *= size
        scores.append(run(ShapeNovelty(), grown)[2400:2496].max())
    assert scores[0] < scores[1] < scores[2]


def test_a_slow_level_is_no_shape() -> None:
    values = np.tile(np.sin(2 * np.pi * np.arange(48) / 48), 60)
    moved = values + 1e-4 * np.arange(len(values))
    assert np.nanmax(run(ShapeNovelty(), moved)[500:]) < 0.01


def test_half_a_block_is_enough() -> None:
    values = streams.daily(700, 6)
    detector = ShapeNovelty(block=8, memory=400, stride=4, warm_up=40)
    values[500:504] = np.nan
    score = run(detector, values)
    assert np.isnan(score[500:504]).all()
    assert np.isfinite(score[504:]).all()
    values[504] = np.nan
    # A point is blind while one of its eight blocks is.
    blind = np.isnan(run(detector, values)[504:600])
    assert blind.tolist() == [i < 4 or (i % 8 < 4 and i < 64) for i in range(96)]


def test_a_long_outage_is_a_new_warm_up() -> None:
    values = np.r_[streams.daily(400, 7), np.full(420, np.nan), streams.daily(300, 8)]
    detector = ShapeNovelty(block=4, memory=300, stride=2, warm_up=40)
    score = run(detector, values)
    first = int(np.flatnonzero(np.isfinite(score[820:]))[0])
    assert 31 + 32 + 40 - 4 <= first <= 31 + 32 + 40 + 4


def test_a_constant_is_never_new_and_what_follows_is() -> None:
    score = run(ShapeNovelty(), [*[5.0] * 400, *[5.5] * 40])
    assert (score[330:400] == 0).all()
    assert score[400] > 1e9
    assert run(ShapeNovelty(), [*[0.0] * 400, 1e-9])[400] == 1e9


@pytest.mark.parametrize("values", [{"stride": 3}, {"memory": 120}, {"memory": 200, "warm_up": 140}, {"block": 300}])
def test_parameters_that_do_not_fit_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=r"parameter of ShapeNovelty must"):
        ShapeNovelty(**values)


def test_bytes_are_known_before() -> None:
    detector = ShapeNovelty()
    assert detector.state_bytes_max == detector.start().nbytes
