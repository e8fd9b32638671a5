"""Static limits: above 1 exactly outside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.threshold import threshold
from watchband.core.errors import InvalidParameterError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors import DETECTORS, Threshold

LIMITS = [(0.0, 100.0), (-3.0, 5.0), (None, 100.0), (None, -7.0), (None, 0.0), (10.0, None), (-10.0, None)]
numbers = st.floats(-1e300, 1e300)


def run(detector: Threshold, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


@pytest.mark.parametrize(("low", "high"), LIMITS)
def test_equals_the_reference(low: float | None, high: float | None) -> None:
    values = np.r_[np.random.default_rng(1).normal(0, 60, 500), np.nan, np.inf, -np.inf, 0.0]
    scores = run(Threshold(low=low, high=high), values)
    np.testing.assert_allclose(scores.score, threshold(values, low, high), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(scores.lower, np.full(len(values), np.nan if low is None else low))
    np.testing.assert_array_equal(scores.upper, np.full(len(values), np.nan if high is None else high))


@given(low=numbers, high=numbers, values=st.lists(numbers, max_size=5))
def test_above_one_exactly_outside(low: float, high: float, values: list[float]) -> None:
    """To the last bit: the limits are inside, the next number beyond them is outside."""
    limits = [(low, None), (None, high)] + ([(low, high)] if low < high else [])
    edges = [low, high, *(float(np.nextafter(x, to)) for x in (low, high) for to in (-np.inf, np.inf))]
    tried = np.array([*values, *edges])
    for lowest, highest in limits:
        score = run(Threshold(low=lowest, high=highest), tried).score
        outside = np.zeros(len(tried), bool)
        if lowest is not None:
            outside |= tried < lowest
        if highest is not None:
            outside |= tried > highest
        np.testing.assert_array_equal(score > 1, outside)
        assert np.isfinite(score).all()


def test_a_single_limit_is_stranger_the_further_beyond() -> None:
    values = np.array([200.0, 10.0, 0.0, -10.0, -20.0, -1000.0])
    below = run(Threshold(low=-10.0, high=None), values).score
    assert (np.diff(below) >= 0).all()
    np.testing.assert_array_equal(below, run(Threshold(low=None, high=10.0), -values).score)
    assert np.isnan(run(Threshold(), values).scale).all()


def test_two_limits_expect_the_middle() -> None:
    scores = run(Threshold(low=20.0, high=60.0), [30.0, np.nan])
    assert scores.expected.tolist() == [40.0, 40.0]
    assert scores.scale.tolist() == [20.0, 20.0]


def test_limits_can_be_changed_on_a_running_state() -> None:
    state = Threshold(high=90.0).start()
    Threshold(high=80.0).step(state, Points.of([0], [1.0]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"high": None}, "Threshold needs 'low', 'high' or both. Got neither"),
        ({"low": 5.0, "high": 5.0}, "'low' parameter of Threshold must be below 'high'. Got low=5.0 and high=5.0"),
        ({"low": 101.0}, "must be below 'high'"),
        ({"low": float("nan")}, "must be a finite number, or none"),
    ],
)
def test_limits_that_make_no_sense(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        DETECTORS.build({"type": "threshold", **values})
