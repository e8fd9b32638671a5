"""Durations: every written form, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND, WEEK, format_duration, parse_duration
from watchband.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("30s", 30 * SECOND),
        ("5m", 5 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("250ms", SECOND // 4),
        ("7µs", 7000),
        ("1w", WEEK),
        ("1y", 365 * DAY),
        ("PT5M", 5 * MINUTE),
        ("P1DT12H", 36 * HOUR),
        ("pt0.5s", SECOND // 2),
        ("P2W", 2 * WEEK),
        ("day", DAY),
        ("2 weeks", 2 * WEEK),
        ("month", 30 * DAY),
        (" 10 minutes ", 10 * MINUTE),
    ],
)
def test_parse(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "0s", "P", "PT", "5 parsecs", "1h x", "300000y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="written like 30s, 5m"):
        parse_duration(text)


@given(st.integers(1, (1 << 63) - 1))
def test_round_trip(ns: int) -> None:
    assert parse_duration(format_duration(ns)) == ns


def test_negative_and_nothing() -> None:
    assert (format_duration(-90 * MINUTE), format_duration(0)) == ("-1h30m", "0s")
