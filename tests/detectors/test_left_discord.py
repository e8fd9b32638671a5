"""Left discord: the same scores as every window against every other, through spikes, gaps and flat stretches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.left_discord import left_discord
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.detectors import LeftDiscord
from watchband.testing import streams
from watchband.testing.contracts.detector import CHECKS


def run(detector: LeftDiscord, values: object) -> np.ndarray:
    array = np.asarray(values, float)
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array))
    for silent in (scores.expected, scores.lower, scores.upper, scores.scale):
        assert np.isnan(silent).all()
    return scores.score


def assert_equals_reference(
    values: np.ndarray, length: int, window: int, exclusion: int, warm_up: int, atol: float = 1e-9
) -> np.ndarray:
    detector = LeftDiscord(length=length, window=window, exclusion=exclusion, warm_up=warm_up)
    score = run(detector, values)
    np.testing.assert_allclose(score, left_discord(values, length, window, exclusion, warm_up), rtol=1e-9, atol=atol)
    return score


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("length", "window", "exclusion", "warm_up"),
    [(8, 60, 8, 13), (5, 40, 2, 1), (7, 33, 33, 1), (3, 3, 1, 1), (20, 47, 1, 30), (17, 128, 17, 5)],
)
def test_equals_the_reference(length: int, window: int, exclusion: int, warm_up: int, seed: int) -> None:
    _, values = streams.awkward(500, seed)
    score = assert_equals_reference(values, length, window, exclusion, warm_up)
    assert np.isfinite(score).any()


def test_flat_windows_have_distances_by_convention() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(5, 1, 200)
    values[60:80] = 7.7
    values[120:140] = 0.1
    score = assert_equals_reference(values, 8, 100, 8, 10)
    assert score[67] == pytest.approx(np.sqrt(0.5))
    assert score[130] == 0
    assert (score[100:127] <= np.sqrt(0.5)).all()
    # The last digit of a value is no shape.
    values[120:140] = 1e6 / 3 * (1 + np.finfo(float).eps * (np.arange(20) % 2))
    assert run(LeftDiscord(length=8, window=100, warm_up=10), values)[130] == 0


def test_all_flat() -> None:
    assert run(LeftDiscord(length=5, window=20, warm_up=1), np.full(40, 3.0))[9:].tolist() == [0.0] * 31


@pytest.mark.parametrize("missing", [np.nan, np.inf, -1e200])
def test_windows_with_a_missing_value_have_no_opinion_and_are_no_neighbours(missing: float) -> None:
    values = streams.daily(300, 4)
    values[150] = missing
    score = run(LeftDiscord(length=12, window=100, warm_up=5), values)
    assert np.isnan(score[150:162]).all()
    assert np.isfinite(score[162:]).all()
    values[150] = np.nan
    np.testing.assert_allclose(score, left_discord(values, 12, 100, 12, 5), atol=1e-9)


def test_a_long_outage_is_a_new_warm_up() -> None:
    values = np.r_[streams.daily(200, 5), np.full(110, np.nan), streams.daily(90, 6)]
    score = run(LeftDiscord(length=10, window=100, warm_up=30), values)
    first = 310 + 9 + 30 + 10 - 1
    assert np.isnan(score[200:first]).all()
    assert np.isfinite(score[first:]).all()


def test_values_before_the_first_do_not_matter() -> None:
    values = np.r_[np.full(37, np.nan), 1e6 + streams.daily(200, 7)]
    assert_equals_reference(values, 12, 80, 12, 20)


def test_rounding_does_not_stay() -> None:
    """Two huge spikes meet in one product, whose rounding is larger than everything that follows."""
    rng = np.random.default_rng(8)
    values = np.sin(np.arange(700) / 5) + rng.normal(0, 0.1, 700)
    values[[100, 110]] = 1e12
    detector = LeftDiscord(length=10, window=100, exclusion=4, warm_up=20)
    score, slow = run(detector, values), left_discord(values, 10, 100, 4, 20)
    since = 111 + detector.memory_points
    np.testing.assert_allclose(score[since:], slow[since:], atol=1e-9)


def test_a_long_stream_with_a_large_level_ends_as_it_began() -> None:
    rng = np.random.default_rng(9)
    values = 1e6 + np.cumsum(rng.normal(0, 1, 100_000))
    score = run(LeftDiscord(length=50, window=400), values)
    slow = left_discord(values[-500:], 50, 400, 50, 1)
    np.testing.assert_allclose(score[-50:], slow[-50:], atol=1e-7)


def test_an_odd_shape_inside_the_normal_range_is_found() -> None:
    """A cycle that stalls half way: no value is unusual, the shape is."""
    rng = np.random.default_rng(10)
    values = np.sin(2 * np.pi * np.arange(3000) / 60) + rng.normal(0, 0.05, 3000)
    values[2400:2430] = values[2400] + rng.normal(0, 0.05, 30)
    score = run(LeftDiscord(length=60, window=1500), values)
    usual = np.nanmax(score[1000:2400])
    assert score[2400:2480].max() > 4 * usual
    assert score[2600:].max() < 1.5 * usual


def test_noise_resembles_nothing() -> None:
    score = run(LeftDiscord(length=100, window=500), np.random.default_rng(11).normal(0, 1, 2000))
    assert 0.7 < np.nanmin(score) <= np.nanmax(score) < 1


@pytest.mark.parametrize(
    "values",
    [{"window": 99}, {"window": 30, "length": 10, "warm_up": 22}, {"window": 20, "length": 5, "exclusion": 21}],
)
def test_a_window_too_short_for_the_others_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=r"'window' parameter of LeftDiscord must be at least \d+"):
        LeftDiscord(**values)


@pytest.mark.parametrize("law", sorted(CHECKS.keys() - {"honest"}))
def test_short_shapes_keep_the_laws(law: str) -> None:
    """Among missing values only short shapes speak often. In them a spike is a shape and no size: see the page."""
    CHECKS[law](LeftDiscord(length=6, window=60))


def test_the_size_of_a_spike_is_not_in_its_score() -> None:
    values = streams.daily(300, 12)
    seen = []
    for size in (1e4, 1e6):
        values[-1] = size
        seen.append(run(LeftDiscord(length=24, window=200), values)[-1])
    assert seen[0] == pytest.approx(seen[1], rel=0.01)
    assert 0.5 < seen[1] < 1


def test_bytes_are_known_before() -> None:
    detector = LeftDiscord(length=10, window=100, exclusion=5)
    assert detector.state_bytes_max == detector.start().nbytes == 8 * (110 + 3 * 100 + 96 + 2 + 5) + 16
