from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.core.errors import PointsShapeError
from watchband.evaluation.metrics.alerts import WEEK_NS, alerts_per_week
from watchband.evaluation.metrics.proportion import poisson


def test_alerts_over_weeks_of_all_series() -> None:
    found = alerts_per_week(np.array([4, 0, 2]), np.array([1, 2, 3]) * WEEK_NS)
    assert found.value == 1.0
    assert found.low <= poisson(6, 6.0).low
    assert found.high >= poisson(6, 6.0).high


def test_silence_in_a_short_time_proves_little() -> None:
    found = alerts_per_week(np.zeros(10, int), np.full(10, WEEK_NS // 70))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(7 * 3.689, rel=1e-3)


def test_one_noisy_series_makes_the_interval_wide() -> None:
    even = alerts_per_week(np.full(100, 3), np.full(100, WEEK_NS))
    one = alerts_per_week(np.r_[300, np.zeros(99, int)], np.full(100, WEEK_NS))
    assert even.value == one.value == 3
    assert one.high - one.low > 10 * (even.high - even.low)


def test_no_time_has_no_rate_and_lengths_agree() -> None:
    assert math.isnan(alerts_per_week(np.zeros(2, int), np.zeros(2, int)).value)
    with pytest.raises(PointsShapeError, match="alerts has 2"):
        alerts_per_week(np.zeros(2, int), np.zeros(3, int))
