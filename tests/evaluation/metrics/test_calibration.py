from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import calibration as slow
from watchband.core.errors import InvalidParameterError
from watchband.evaluation.metrics.calibration import alarm_rate, band_coverage, p_uniformity


def test_alarms_beside_the_promise() -> None:
    kept = alarm_rate(np.array([3, 1, 2, 0]), np.full(4, 10_000), 10_000)
    assert (kept.promised, kept.observed, kept.ratio.value) == (4.0, 6, 1.5)
    assert kept.within
    assert not alarm_rate(np.full(20, 9), np.full(20, 10_000), 10_000).within


def test_bursts_in_few_series_prove_less() -> None:
    even = alarm_rate(np.full(50, 2), np.full(50, 1000), 1000)
    burst = alarm_rate(np.r_[100, np.zeros(49, int)], np.full(50, 1000), 1000)
    assert even.ratio.value == burst.ratio.value == 2
    assert not even.within
    assert burst.within


def test_bands_of_a_normal_law_cover_what_they_say() -> None:
    y = np.random.default_rng(3).normal(size=20_000)
    z = {0.5: 0.6745, 0.9: 1.6449, 0.99: 2.5758}
    for covered in band_coverage(y, [(q, np.full(20_000, -v), np.full(20_000, v)) for q, v in z.items()]):
        assert covered.observed.low <= covered.nominal <= covered.observed.high
    narrow = band_coverage(y, [(0.9, np.full(20_000, -1.0), np.full(20_000, 1.0))])[0]
    assert narrow.observed.high < 0.7


@given(st.lists(st.integers(0, 20).map(lambda k: k / 20) | st.just(math.nan), min_size=1, max_size=40))
def test_the_slow_distance_agrees(values: list[float]) -> None:
    if all(math.isnan(v) for v in values):
        return
    assert p_uniformity(np.array(values)).distance == pytest.approx(slow.distance(values))


def test_the_probability_of_a_distance_is_that_of_the_tables() -> None:
    # Critical distances for 35 values at 10 % and 1 %, as printed in any table.
    for share, distance in ((0.1, 0.202), (0.01, 0.269)):
        grid = (np.arange(35) + 0.5) / 35
        shifted = np.clip(grid + distance - 0.5 / 35, 0, 1)
        assert p_uniformity(shifted).distance == pytest.approx(distance, abs=1e-9)
        assert p_uniformity(shifted).p == pytest.approx(share, rel=0.05)


def test_uniform_values_pass_and_too_small_ones_do_not() -> None:
    rng = np.random.default_rng(4)
    fine, eager = p_uniformity(rng.random(5000)), p_uniformity(rng.random(5000) ** 1.3)
    assert fine.p > 0.05
    assert eager.p < 1e-6
    assert all(t.low <= 1 <= t.high for t in fine.tails.values())
    assert eager.tails[0.01].low > 1


def test_how_often_it_rejects_is_what_it_says() -> None:
    rng = np.random.default_rng(5)
    rejected = np.mean([p_uniformity(rng.random(60)).p < 0.1 for _ in range(600)])
    assert rejected == pytest.approx(0.1, abs=0.03)


def test_nothing_is_nothing_and_a_promise_is_positive() -> None:
    assert math.isnan(p_uniformity(np.array([np.nan])).distance)
    assert math.isnan(alarm_rate(np.zeros(1, int), np.zeros(1, int), 10).ratio.value)
    with pytest.raises(InvalidParameterError, match="'one_in'"):
        alarm_rate(np.zeros(1, int), np.ones(1, int), 0)
