"""Instants: RFC 3339 to the nanosecond and back."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import DataError
from watchband.core.timestamp import FIRST, LAST, format_rfc3339, parse_rfc3339


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:00z", 0),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
        ("1970-01-01T00:00:00,000000001Z", 1),
        ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2000-02-29T12:00:00-0530", 951_845_400_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ("2262-04-11T23:47:16.854775807Z", LAST),
        ("1677-09-21T00:12:43.145224193Z", FIRST),
    ],
)
def test_what_is_read(text: str, ns: int) -> None:
    assert parse_rfc3339(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60", "2263-01-01T00:00:00Z", "1600-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n", " 2026-01-01T00:00:00Z", "9999-12-31T23:59:60-23:59",
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        parse_rfc3339(text)


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    with contextlib.suppress(DataError):
        assert FIRST <= parse_rfc3339(text) <= LAST


@given(st.integers(FIRST, LAST))
def test_back_and_forth(ns: int) -> None:
    assert parse_rfc3339(format_rfc3339(ns)) == ns


@given(st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)), st.integers(-1439, 1439))
def test_as_python_has_it(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    exact = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert parse_rfc3339(aware.isoformat()) == exact
