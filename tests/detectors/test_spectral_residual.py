"""Spectral residual: the same scores as the formulas of the paper, spikes through seasons, exact forgetting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.spectral_residual import spectral_residual
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.detectors import SpectralResidual
from watchband.testing import streams

PARAMETERS: list[dict[str, Any]] = [
    {"window": 64},
    {"window": 64, "extension": "slope", "local": 21},
    {"window": 128, "extension": "slope", "local": 0, "centre": False},
    {"window": 32, "ahead": 3, "back": 7, "local": 4},
    {"window": 16, "ahead": 0, "back": 1},
    {"window": 256, "ahead": 5, "local": 100, "centre": False},
]
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: SpectralResidual, values: object) -> np.ndarray:
    array = np.asarray(values, float)
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array))
    for silent in (scores.expected, scores.lower, scores.upper, scores.scale):
        assert np.isnan(silent).all()
    return scores.score


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_formulas_of_the_paper(parameters: dict[str, Any], seed: int) -> None:
    _, values = streams.awkward(700, seed)
    score = run(SpectralResidual(**parameters), values)
    assert np.isfinite(score).sum() > 250
    wanted = spectral_residual(values, **parameters)
    assert np.array_equal(np.isnan(score), np.isnan(wanted))
    np.testing.assert_allclose(score, wanted, rtol=2e-7, atol=1e-9)


@given(values=st.lists(st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float)), min_size=16, max_size=60))
@pytest.mark.parametrize("centre", [True, False])
def test_answers_to_any_numbers_are_honest(values: list[float], centre: bool) -> None:
    score = run(SpectralResidual(window=16, ahead=2, back=3, centre=centre), values)
    said = score[~np.isnan(score)]
    assert (np.isfinite(said) & (said >= 0)).all()
    assert np.isnan(score[~np.isfinite(np.array(values))]).all()


def test_a_spike_stands_out_of_seasons_it_was_never_told_of() -> None:
    at = np.arange(3000)
    rng = np.random.default_rng(3)
    values = 5 * np.sin(2 * np.pi * at / 41) + 3 * np.sin(2 * np.pi * at / 13) + rng.normal(0, 0.5, 3000)
    detector = SpectralResidual(extension="slope")
    score = []
    for size in (0.0, 5.0, 10.0):
        spiked = values.copy()
        spiked[2500] += size
        score.append(run(detector, spiked)[2500])
    usual = np.nanquantile(run(detector, values), 0.999)
    # Well inside of what the metric swings.
    assert score[0] < usual < score[1] < score[2]


def test_a_larger_spike_stands_out_more_whichever_way() -> None:
    values = streams.daily(400, 4)
    for side in (1.0, -1.0):
        score = []
        for size in (50.0, 500.0, 5e4, 5e8):
            spiked = values.copy()
            spiked[-1] += side * size
            score.append(run(SpectralResidual(), spiked)[-1])
        assert (np.diff(score) > 0).all(), score


def test_a_high_level_hides_nothing_if_it_is_taken_away() -> None:
    values = streams.daily(600, 5) + 1e6
    values[500] += 12
    plain, centred = run(SpectralResidual(centre=False), values), run(SpectralResidual(), values)
    assert centred[500] > 1.2 * np.nanquantile(centred[:500], 0.99)
    assert np.nanmax(plain) < 1.02


def test_what_left_the_window_is_forgotten_to_the_bit() -> None:
    detector = SpectralResidual(window=64)
    values = streams.daily(400, 6)
    hurt = values.copy()
    hurt[100] = 1e12
    plain, seen = run(detector, values), run(detector, hurt)
    since = 100 + detector.memory_points
    assert plain[since:].tobytes() == seen[since:].tobytes()
    assert plain[since - 1] != seen[since - 1]


def test_silent_until_the_window_is_full_and_where_half_is_missing() -> None:
    values = streams.daily(400, 7)
    values[150:230] = np.nan
    score = run(SpectralResidual(window=64, ahead=4), values)
    assert np.isnan(score[:59]).all()
    assert np.isfinite(score[59:150]).all()
    # Sixty points, of which thirty are known again.
    assert np.isnan(score[150:259]).all()
    assert np.isfinite(score[259:]).all()


def test_a_constant_is_not_strange_and_what_leaves_it_is() -> None:
    score = run(SpectralResidual(window=32), [*[0.1] * 60, 0.1000001])
    assert (score[27:60] == 0).all()
    assert score[60] > 10


@pytest.mark.parametrize("values", [{"window": 100}, {"window": 16, "local": 12}, {"window": 64, "back": 60}])
def test_parameters_that_do_not_fit_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=r"parameter of SpectralResidual must"):
        SpectralResidual(**values)


def test_bytes_are_known_before() -> None:
    detector = SpectralResidual()
    assert detector.state_bytes_max == detector.start().nbytes
