"""Seasonal band and the calendar: two years with daylight saving and holidays, and nothing to report."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from watchband.core.points import Points
from watchband.core.scores import HELD, Scores
from watchband.detectors import SeasonalBand
from watchband.features import calendar
from watchband.testing import streams

DUBLIN = ZoneInfo("Europe/Dublin")
EPOCH = datetime.date(1970, 1, 1)
START = 1_672_531_200
"""2023-01-01 00:00 UTC, in seconds."""
HOURS = 731 * 24
SWITCHES = ["2023-03-26", "2023-10-29", "2024-03-31", "2024-10-27"]


def shop(seed: int) -> tuple[np.ndarray, np.ndarray, list[datetime.datetime]]:
    """Two years of hours of a shop in Dublin: open from 8 to 20 local time, holidays are like Sundays."""
    times = (START + 3600 * np.arange(HOURS)) * 1_000_000_000
    local = [datetime.datetime.fromtimestamp(START + 3600 * i, DUBLIN) for i in range(HOURS)]
    free = set(calendar.holidays("IE").tolist())
    quiet = np.array([0.4 if t.weekday() == 6 or (t.date() - EPOCH).days in free else 1.0 for t in local])
    saturday = np.array([0.7 if t.weekday() == 5 else 1.0 for t in local])
    hours = np.array([100.0 if 8 <= t.hour < 20 else 30.0 for t in local])
    values = hours * np.minimum(quiet, saturday) + np.random.default_rng(seed).normal(0, 3, HOURS)
    return times, values, local


def run(times: np.ndarray, values: np.ndarray, **parameters: object) -> Scores:
    detector = SeasonalBand(**parameters)  # type: ignore[arg-type]
    return detector.step(detector.start(), Points.of(times, values))


@pytest.fixture(scope="module")
def two_years() -> tuple[np.ndarray, np.ndarray, list[datetime.datetime]]:
    return shop(1)


def test_two_years_without_an_extra_alert(
    two_years: tuple[np.ndarray, np.ndarray, list[datetime.datetime]],
) -> None:
    times, values, local = two_years
    scores = run(times, values, timezone="Europe/Dublin", holidays="IE")
    known = np.arange(HOURS) > 21 * 24
    assert (scores.score[known] > 5.5).sum() == 0
    assert (scores.flags[known] == 0).all()
    free = set(calendar.holidays("IE").tolist())
    holiday = np.array([(t.date() - EPOCH).days in free for t in local])
    switch = np.array([str(t.date()) in SWITCHES for t in local])
    after = np.roll(switch, 24)
    for days in (holiday & known, switch, after):
        assert scores.score[days].max() < 5
    inside = (values >= scores.lower) & (values <= scores.upper)
    assert inside[known].mean() == pytest.approx(0.99, abs=0.005)


def test_without_the_calendar_the_same_days_alarm(
    two_years: tuple[np.ndarray, np.ndarray, list[datetime.datetime]],
) -> None:
    """So that the test above shows something: local time and holidays are what keeps it quiet."""
    times, values, local = two_years
    after = np.roll([str(t.date()) in SWITCHES for t in local], 24)
    assert run(times, values).score[after].max() > 10
    scores = run(times, values, timezone="Europe/Dublin")
    assert (scores.flags.astype(int) & HELD).sum() > 50


def test_a_month_end_is_learned() -> None:
    """Books are closed on the last day of each month: three of them teach it."""
    times = (START + 3600 * np.arange(HOURS)) * 1_000_000_000
    days = [datetime.date(2023, 1, 1) + datetime.timedelta(days=i // 24) for i in range(HOURS)]
    last = np.array([(d + datetime.timedelta(days=1)).day == 1 for d in days])
    values = 100 + 15 * last + np.random.default_rng(2).normal(0, 3, HOURS)
    scores = run(times, values)
    off = np.abs(values - scores.expected)
    second_year = np.arange(HOURS) > 365 * 24
    assert off[last & second_year].mean() < 5.5
    assert off[last & (np.arange(HOURS) < 60 * 24)].mean() > 6


def test_zones_are_tables() -> None:
    instants, offsets = calendar.zone("Europe/Dublin")
    assert (instants[1:] > instants[:-1]).all()
    for text in ("1971-06-01", "2024-03-31", "2024-07-01", "2024-10-27", "2059-12-31"):
        for hour in (0, 2, 12):
            moment = datetime.datetime.fromisoformat(f"{text}T{hour:02}:00").replace(tzinfo=datetime.UTC)
            at = int(np.searchsorted(instants, int(moment.timestamp()), side="right")) - 1
            offset = moment.astimezone(DUBLIN).utcoffset()
            assert offset is not None
            assert offsets[at] == offset.total_seconds(), moment
    assert calendar.zone("UTC")[1].tolist() == [0]


def test_parts_of_a_country_have_their_own_holidays() -> None:
    texas = (datetime.date(2024, 3, 2) - EPOCH).days
    assert texas in calendar.holidays("US-TX")
    assert texas not in calendar.holidays("US")
    assert len(calendar.none()) == 0


def test_the_zone_changes_the_day_not_the_first_hours() -> None:
    times, values = streams.times(200), streams.daily(200, 3)
    a, b = run(times, values), run(times, values, timezone="Asia/Tokyo")
    np.testing.assert_allclose(a.score[:12], b.score[:12], rtol=1e-9)
    assert not np.allclose(a.score[60:], b.score[60:])
