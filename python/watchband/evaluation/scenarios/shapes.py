"""The metrics of the scenes: traffic with hours and days, percentages, memory; pure functions of a seed."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.points import Float64, Int64
from watchband.features import calendar

START = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC, a Monday."""
SECOND = 1_000_000_000
_MONDAY = 4 * DAY
"""1970-01-05."""


def every(interval: int, length: int, start: int = START) -> Int64:
    """Times at an interval over a length, both in nanoseconds."""
    return start + interval * np.arange(length // interval, dtype=np.int64)


def local(times: Int64, zone: str) -> Int64:
    """What the clocks of a zone show, as nanoseconds."""
    instants, offsets = calendar.zone(zone)
    at = np.searchsorted(instants, times // SECOND, side="right") - 1
    return np.asarray(times + offsets[at] * SECOND, np.int64)


def wander(rng: np.random.Generator, n: int, memory: float = 0.9) -> Float64:
    """Noise that remembers, of standard deviation 1."""
    steps = rng.normal(size=n) * np.sqrt(1 - memory**2)
    found = np.empty(n)
    last = 0.0
    for i, step in enumerate(steps.tolist()):
        last = memory * last + step
        found[i] = last
    return found


def course_of_day(clock: Int64, days_off: Collection[int] = ()) -> Float64:
    """Load by local time, between 0.25 and 1: quiet nights, two humps by day, less on weekends and days off.

    ``days_off`` are days since 1970 that are taken for Sundays.
    """
    hour = clock % DAY / HOUR
    humps = np.exp(-(((hour - 11) / 3.2) ** 2)) + 0.9 * np.exp(-(((hour - 19) / 2.6) ** 2))
    day = clock // DAY
    weekday = (clock - _MONDAY) // DAY % 7
    free = (weekday >= 5) | np.isin(day, np.fromiter(days_off, np.int64))
    return np.asarray(0.25 + 0.75 * np.minimum(humps, 1.0) * np.where(free, 0.5, 1.0))


def traffic(
    times: Int64,
    seed: int,
    *,
    zone: str = "UTC",
    level: float = 400.0,
    noise: float = 0.03,
    days_off: Collection[int] = (),
) -> Float64:
    """Requests with hours, weekdays and noise of which half remembers the last values."""
    rng = np.random.default_rng([seed, 1])
    n = len(times)
    mean = level * course_of_day(local(times, zone), days_off)
    return np.asarray(mean * (1 + noise * (0.7 * rng.normal(size=n) + 0.7 * wander(rng, n))))


def utilisation(times: Int64, seed: int, *, level: float = 45.0, swing: float = 12.0) -> Float64:
    """CPU in per cent with hours and noise."""
    rng = np.random.default_rng([seed, 2])
    mean = level + swing * (course_of_day(times) - 0.6)
    return np.asarray(np.clip(mean + 2.0 * wander(rng, len(times), 0.6), 0, 100))


def counts(times: Int64, seed: int, rate: float) -> Float64:
    """Rare events, so many an interval on average."""
    return np.random.default_rng([seed, 3]).poisson(rate, len(times)).astype(np.float64)


def point(times: Int64, moment: int) -> int:
    """The first point at or after a moment."""
    return int(np.searchsorted(times, moment))


def at(day: float, hour: float = 0.0, minute: float = 0.0) -> int:
    """A moment of the scene: days, hours and minutes after its start."""
    return START + int(day * DAY + hour * HOUR + minute * MINUTE)
