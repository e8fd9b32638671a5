"""Calendars: local days and hours, switches of the clock, holidays, ends of months."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import ConfigError, UnknownNameError, WatchbandError
from watchband.evaluation.simulate.clock import START_NS, Calendar, Clock
from watchband.evaluation.simulate.series import Simulated

DUBLIN = Calendar("Europe/Dublin", "IE", month_end=True)


def at(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def test_local_clocks() -> None:
    clock = Clock(calendar=DUBLIN)
    times = np.array([at(t) for t in ("2024-01-15T12:00", "2024-07-15T12:00", "2024-03-31T01:00", "2024-01-06T00:00")])
    local = clock.local(times)
    assert (local.second / 3600).tolist() == [12, 13, 2, 0]
    assert local.off.tolist() == [False, False, True, True]
    assert clock.local(np.array([at("2024-12-25T12:00")])).off.tolist() == [True]
    assert clock.local(np.array([at("2024-02-29T23:00"), at("2024-03-01T00:00")])).month_end.tolist() == [True, False]


def test_what_looks_unusual_and_is_none_is_labelled() -> None:
    clock = Clock(START_NS, HOUR, DUBLIN)
    labels = clock.quiet_labels("cpu", 366 * 24)
    assert {a.expect for a in labels} == {"quiet"}
    switches = [a for a in labels if a.fault == "clock_change"]
    assert [a.start for a in switches] == [at("2024-03-31T01:00"), at("2024-10-27T01:00")]
    assert all(a.end - a.start == DAY - 1 for a in switches)
    holidays = [a.start for a in labels if a.fault == "holiday"]
    assert at("2024-12-25T00:00") in holidays
    assert at("2024-08-04T23:00") in holidays
    assert sum(a.fault == "month_end" for a in labels) == 12
    assert clock.quiet_labels("cpu", 0) == []
    assert Clock().quiet_labels("cpu", 10**5) == []


def test_the_season_follows_the_wall_clock_and_the_calendar() -> None:
    noiseless = Simulated("requests", points=365 * 24, clock=Clock(START_NS, HOUR, DUBLIN), noise=0)
    times, values = noiseless.times, noiseless.values
    local = noiseless.clock.local(times)
    # Ordinary working days only: Mondays to Fridays, no holiday, no end of a month, no switch that day.
    usual = ~local.off & ~local.month_end
    for hour in (3, 9, 15):
        here = values[usual & (local.second == hour * 3600)]
        assert len(here) > 200
        assert np.ptp(here) == 0
    utc = [values[usual & (times % DAY == hour * HOUR)] for hour in (3, 9, 15)]
    assert all(np.ptp(found) > 0 for found in utc)
    noon = values[local.second == 12 * 3600]
    off, end = (flag[local.second == 12 * 3600] for flag in (local.off, local.month_end))
    assert noon[off & ~end].max() < noon[~off & ~end].min() < noon[~off & end].min()


def test_patterns_can_be_left_out() -> None:
    flat = Simulated("requests", points=4000, clock=Clock(calendar=Calendar.parse("none")), noise=0)
    assert np.ptp(flat.values) == 0
    hourly = Simulated("cpu", points=6000, clock=Clock(interval=MINUTE, calendar=Calendar.parse("hour")), noise=0)
    minute = np.arange(6000) % 60
    assert hourly.values[minute == 0].min() > hourly.values[minute == 30].max()
    weekly = Simulated("cpu", points=4032, clock=Clock(calendar=Calendar.parse("week")), noise=0)
    assert len(np.unique(weekly.values)) == 2


def test_what_is_no_calendar() -> None:
    with pytest.raises(ConfigError, match="made of hour, day, week, month_end"):
        Calendar.parse("day,fortnight")
    with pytest.raises(UnknownNameError, match="time zone"):
        Calendar("Europe/Dublim")
    with pytest.raises(WatchbandError, match="holidays"):
        Calendar(country="XX")
