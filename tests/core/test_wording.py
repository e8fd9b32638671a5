"""Numbers, units, durations and times as tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core import wording
from watchband.core.wording import NO_BREAK

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
FEBRUARY = 1_393_412_520 * SECOND
"""Wednesday, 26 February 2014, 11:02 UTC."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (97.2345, "97.2"),
        (-18.64, "−18.6"),
        (0.012345, "0.0123"),
        (999.6, "1,000"),
        (12345.0, "12,300"),
        (0.00012, "0.00012"),
        (0.000012, "1.2 × 10⁻⁵"),
        (-2.5e16, "−2.5 × 10¹⁶"),
        (1e16, "1 × 10¹⁶"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "unknown"),
        (5e-324, "4.94 × 10⁻³²⁴"),
        (1.7976931348623157e308, "1.8 × 10³⁰⁸"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert wording.number(value) == text


@given(value=st.floats(allow_nan=False, allow_infinity=False), digits=st.integers(2, 9))
def test_a_number_reads_back_to_its_digits(value: float, digits: int) -> None:
    text = wording.number(value, digits).replace(",", "").replace(wording.MINUS, "-")
    mantissa, _, power = text.partition(" × 10")
    exponent = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(f"{mantissa}e{exponent or 0}") == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-322)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("cpu_percent", 97.23, "97.2 %"),
        ("memory_bytes", 3.4e9, "3.17 GiB"),
        ("memory_bytes", 512.0, "512 B"),
        ("memory_bytes", 0.0, "0 B"),
        ("network_bytes_per_second", 2.5e6, "2.38 MiB/s"),
        ("latency_ms", 1840.0, "1.84 s"),
        ("latency_ms", 412.0, "412 ms"),
        ("latency_ms", 0.02, "20 µs"),
        ("uptime_seconds", 90.0, "90 s"),
        ("uptime_seconds", 600.0, "10 min"),
        ("uptime_seconds", 36_000.0, "10 h"),
        ("uptime_seconds", 864_000.0, "10 d"),
        ("hit_ratio", 0.5, "0.5"),
        ("queue_length", 1234.0, "1,230"),
        ("memory_bytes", -3.4e9, "−3.17 GiB"),
        ("memory_bytes", math.nan, "unknown B"),
    ],
)
def test_quantities(metric: str, value: float, text: str) -> None:
    assert wording.quantity(metric, value).replace(NO_BREAK, " ") == text


def test_numbers_of_one_sentence_share_a_unit_and_stay_apart() -> None:
    assert wording.quantities("x_bytes", [2e9, 1e6]) == (["1.86", "0.000931"], "GiB")
    assert wording.quantities("x", [1000.9, 1000.2, 1000.4])[0] == ["1,000.9", "1,000.2", "1,000.4"]
    assert wording.quantities("x", [5.0, 5.0, math.nan])[0] == ["5", "5", "unknown"]


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 s"),
        (1_500_000, "1.5 ms"),
        (45 * SECOND, "45 s"),
        (MINUTE, "1 min"),
        (MINUTE + SECOND, "1 min 1 s"),
        (HOUR - 1, "1 h"),
        (72 * MINUTE, "1 h 12 min"),
        (2 * HOUR - SECOND, "2 h"),
        (DAY + HOUR, "1 d 1 h"),
        (2 * DAY - MINUTE, "2 d"),
        (400 * DAY, "400 d"),
    ],
)
def test_durations(ns: int, text: str) -> None:
    assert wording.duration(ns).replace(NO_BREAK, " ") == text


@pytest.mark.parametrize(
    ("now", "zone", "text"),
    [
        (FEBRUARY, "UTC", "11:02"),
        (FEBRUARY + 8 * HOUR, "UTC", "11:02"),
        (FEBRUARY + 8 * HOUR, "Asia/Tokyo", "Wed 20:02"),
        (FEBRUARY + 6 * DAY, "UTC", "Wed 11:02"),
        (FEBRUARY + 7 * DAY, "UTC", "26 Feb 11:02"),
        (FEBRUARY + 400 * DAY, "UTC", "26 Feb 2014 11:02"),
        (FEBRUARY - 2 * DAY, "UTC", "26 Feb 11:02"),
        (None, "America/New_York", "26 Feb 2014 06:02"),
    ],
)
def test_moments(now: int | None, zone: str, text: str) -> None:
    assert wording.moment(FEBRUARY, zone, now) == text


def test_seconds_are_shown_where_there_are_some() -> None:
    assert wording.moment(FEBRUARY + 5 * SECOND, "UTC", FEBRUARY) == "11:02:05"
    assert wording.moment(-SECOND, "UTC") == "31 Dec 1969 23:59:59"


def test_spans() -> None:
    assert wording.span("3", "24", "%") == f"3–24{NO_BREAK}%"
    assert wording.span("", "24") == "at most 24"
    assert wording.span("3", "") == "at least 3"
    assert wording.span("3", "3") == "3"
