"""Seasonal band: the kernel equals its slow version, on everything that takes another path."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.seasonal_band import SlowBand
from tests.reference.seasonal_band_fold import fold
from watchband.core.points import Points
from watchband.detectors import SeasonalBand
from watchband.features import calendar
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE


def dates(country: str) -> frozenset[datetime.date]:
    start = datetime.date(1970, 1, 1)
    return frozenset(start + datetime.timedelta(days=int(d)) for d in calendar.holidays(country))


def both(times: np.ndarray, values: np.ndarray, **parameters: object) -> tuple[np.ndarray, np.ndarray]:
    """Answers of the kernel and of the slow version, float64[n, 6] each."""
    detector = SeasonalBand(**parameters)  # type: ignore[arg-type]
    scores = detector.step(detector.start(), Points.of(times, values))
    country = detector.holidays
    slow = SlowBand(
        detector.timezone,
        dates(country) if country else frozenset(),
        {"auto": (3600 * detector.hold, detector.hold_points), "follow": (0.0, 6), "hold": (math.inf, 36)}[
            detector.adapt
        ],
        -math.inf if detector.range_low is None else detector.range_low,
        math.inf if detector.range_high is None else detector.range_high,
        detector.coverage,
    )
    return np.stack(scores.outputs(), axis=1), fold(slow, times, values)


def assert_equal(times: np.ndarray, values: np.ndarray, **parameters: object) -> None:
    fast, slow = both(times, values, **parameters)
    np.testing.assert_array_equal(fast[:, 5], slow[:, 5], err_msg="flags")
    np.testing.assert_allclose(fast, slow, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"timezone": "Europe/Dublin", "holidays": "IE"},
        {"adapt": "follow", "coverage": 0.5},
        {"adapt": "hold"},
        {"range_low": 0.0, "range_high": 70.0, "hold": 2.0, "hold_points": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_reference(parameters: dict[str, object], seed: int) -> None:
    assert_equal(*streams.awkward(400, seed), **parameters)


def test_five_minutes_with_an_outage_and_a_shift_equal_the_reference() -> None:
    n = 5 * 288
    values = streams.daily(n, 3, MINUTES_5)
    values[700:760] = 0.0
    values[1000:] += 30.0
    assert_equal(streams.times(n, MINUTES_5), values)


def test_blocks_that_recur_equal_the_reference() -> None:
    n = 14 * 96
    times = streams.times(n, 15 * streams.MINUTE)
    hour = times // streams.HOUR % 24
    weekend = times // (24 * streams.HOUR) % 7 == 2
    values = np.where((hour >= 9) & (hour < 17) & ~weekend, 100.0, 20.0)
    assert_equal(times, values + np.random.default_rng(4).normal(0, 1, n))


def test_counts_equal_the_reference() -> None:
    values = np.random.default_rng(5).poisson(0.3, 900).astype(float)
    assert_equal(streams.times(900, MINUTES_5), values)


def test_a_month_of_hours_with_holidays_equals_the_reference() -> None:
    start = 1_703_000_000_000_000_000
    times = streams.times(28 * 24, start=start)
    values = streams.daily(len(times), 6) - 20.0 * (np.arange(len(times)) % 168 > 120)
    assert_equal(times, values, timezone="America/New_York", holidays="US")


@given(
    st.lists(
        st.one_of(st.floats(-1e3, 1e3), st.sampled_from([0.0, 1.0, 5.0, math.nan, math.inf, -1e300, 1e308, 1e-300])),
        max_size=120,
    ),
    st.integers(1, 10**13),
)
def test_whatever_comes_the_answers_are_sane(values: list[float], step: int) -> None:
    """Never an infinity, a negative score or an edge on the wrong side; and the same as the slow version's flags."""
    array = np.array(values, float)
    times = np.arange(len(values), dtype=np.int64) * step
    detector = SeasonalBand()
    scores = detector.step(detector.start(), Points.of(times, array))
    spoken = np.arange(len(values)) >= np.searchsorted(np.cumsum(np.isfinite(array)), 8) + 1
    for column in (scores.expected, scores.lower, scores.upper, scores.scale):
        assert np.isfinite(column[spoken]).all()
    assert (scores.score[spoken & np.isfinite(array)] >= 0).all()
    assert np.isfinite(scores.score[spoken & np.isfinite(array)]).all()
    assert (scores.lower[spoken] <= scores.expected[spoken]).all()
    assert (scores.expected[spoken] <= scores.upper[spoken]).all()
    assert (scores.scale[spoken] > 0).all()
