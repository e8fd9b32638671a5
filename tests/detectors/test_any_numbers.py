"""Whatever numbers come, a detector answers honestly and is itself again when they have passed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import Ewma, RollingMedian, RollingZscore, Threshold
from watchband.testing import streams

DETECTORS = [
    Threshold(low=-1.0, high=1.0),
    RollingZscore(window=3),
    RollingZscore(window=4, ddof=0, inclusive=True),
    RollingMedian(window=4),
    RollingMedian(window=3, inclusive=True),
    Ewma(half_life=1, warm_up=3),
    Ewma(half_life=1, warm_up=3, clip=None),
]
# Mostly few and extreme numbers, so that ties, overflow and the smallest numbers meet in one window.
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e-160, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])
numbers = st.lists(st.one_of(extreme, st.floats()), max_size=40)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@given(values=numbers)
def test_answers_are_honest(detector: Detector, values: list[float]) -> None:
    array = np.array(values, float)
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array))
    assert np.isnan(scores.score[~np.isfinite(array)]).all()
    said = scores.score[~np.isnan(scores.score)]
    assert (np.isfinite(said) & (said >= 0)).all()
    scale = scores.scale[~np.isnan(scores.scale)]
    assert (np.isfinite(scale) & (scale >= 0)).all()


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@given(values=numbers)
def test_afterwards_it_is_itself_again(detector: Detector, values: list[float]) -> None:
    """Of 1.7e308 an unclipped mean keeps something for two thousand half-lives; the others forget sooner."""
    plain = streams.daily(2600, 22)
    array = np.r_[np.array(values, float), plain]
    scores = detector.step(detector.start(), Points.of(np.arange(len(array)), array)).score[-100:]
    clean = detector.step(detector.start(), Points.of(np.arange(len(plain)), plain)).score[-100:]
    np.testing.assert_allclose(scores, clean, rtol=1e-6, atol=1e-6)
