"""The clock of a simulated series: its times, and what day and hour they are where it lives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.duration import DAY, SECOND
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.features import calendar as tables

DAY_SECONDS = 86_400
START_NS = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC, a Monday."""
PATTERNS = ("hour", "day", "week", "month_end")


@dataclass(frozen=True, slots=True)
class Calendar:
    """What people and machines do regularly, by the clock on the wall.

    Parameters
    ----------
    timezone : str, default "UTC"
        IANA name. Everything regular happens by this clock, so that in UTC it moves twice a year where the zone does.
    country : str, optional
        ISO 3166 code whose public holidays are as quiet as a Sunday: ``"IE"``, ``"US-CA"``.
    hour, day, week, month_end : bool
        A peak after every full hour, a working day, a quiet weekend, a busy last day of the month.

    Raises
    ------
    UnknownNameError, InvalidParameterError
        No such time zone, no holidays known for that country.

    Examples
    --------
    >>> Calendar.parse("day,month_end", timezone="Europe/Dublin").week
    False
    """

    timezone: str = "UTC"
    country: str | None = None
    hour: bool = False
    day: bool = True
    week: bool = True
    month_end: bool = False

    def __post_init__(self) -> None:
        tables.zone(self.timezone)
        self.holidays()

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC", country: str | None = None) -> Calendar:
        """From the names of the patterns, separated by commas; ``none`` for no pattern at all."""
        words = [w.strip().replace("-", "_") for w in text.split(",") if w.strip() not in ("", "none")]
        if unknown := [w for w in words if w not in PATTERNS]:
            raise ConfigError(f"A calendar is made of {', '.join(PATTERNS)} or none. Got {unknown[0]!r}.")
        return cls(timezone, country, **{name: name in words for name in PATTERNS})

    def holidays(self) -> Int64:
        """Days since 1970 that are holidays."""
        return tables.none() if self.country is None else tables.holidays(self.country)


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """What the clock on the wall says at some times.

    Parameters
    ----------
    second : float64[n]
        Of the day, 0 to 86,400.
    day : int64[n]
        Since 1970.
    off : bool[n]
        A weekend or a holiday, as far as the calendar has them.
    month_end : bool[n]
        The last day of a month, if the calendar has that.
    """

    second: Float64
    day: Int64
    off: NDArray[np.bool_]
    month_end: NDArray[np.bool_]


_EVERY_WEEK = Calendar()


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of a series, one every ``interval`` ns from ``start`` (ns UTC)."""

    start: int = START_NS
    interval: int = 300 * SECOND
    calendar: Calendar = _EVERY_WEEK

    def __post_init__(self) -> None:
        if self.interval <= 0:
            raise ConfigError(f"The interval of a series must be > 0 ns. Got {self.interval}.")

    @property
    def seconds(self) -> float:
        """The interval in seconds."""
        return self.interval / SECOND

    def times(self, first: int, stop: int) -> Int64:
        """Times of the points ``first`` to ``stop`` - 1."""
        return self.start + self.interval * np.arange(first, stop, dtype=np.int64)

    def local(self, times: Int64) -> Local:
        """What the clock on the wall says."""
        instants, offsets = tables.zone(self.calendar.timezone)
        seconds = times // SECOND
        wall = seconds + offsets[np.searchsorted(instants, seconds, side="right") - 1]
        day = wall // DAY_SECONDS
        second = (wall - day * DAY_SECONDS) + (times - seconds * SECOND) / SECOND
        off = np.zeros(len(times), np.bool_)
        if self.calendar.week:
            off |= (day + 3) % 7 >= 5
        if self.calendar.country is not None:
            holidays = self.calendar.holidays()
            at = np.minimum(np.searchsorted(holidays, day), len(holidays) - 1)
            off |= holidays[at] == day
        return Local(second, day, off, self._month_end(day))

    def _month_end(self, day: Int64) -> NDArray[np.bool_]:
        if not self.calendar.month_end:
            return np.zeros(len(day), np.bool_)
        months = day.view("M8[D]").astype("M8[M]")
        return np.asarray((day + 1).view("M8[D]").astype("M8[M]") != months)

    def quiet_labels(self, series: str, points: int) -> list[Label]:
        """Stretches that look unusual and are none: holidays, ends of months, the day after clocks changed."""
        if points <= 0:
            return []
        first, last = self.start, self.start + (points - 1) * self.interval
        found = [
            Label(series, max(start, first), min(end, last), what, expect="quiet")
            for what, start, end in self._unusual(first, last)
            if start <= last and end >= first
        ]
        return sorted(found, key=lambda label: (label.start, label.fault))

    def _unusual(self, first: int, last: int) -> Iterator[tuple[str, int, int]]:
        instants, offsets = tables.zone(self.calendar.timezone)
        for at in instants[1:].tolist():
            yield "clock_change", at * SECOND, at * SECOND + DAY - 1
        begin, end = (t // DAY - 1 for t in (first, last + 3 * DAY))
        days = np.arange(begin, end, dtype=np.int64)
        for what, where in (
            ("holiday", np.isin(days, self.calendar.holidays())),
            ("month_end", self._month_end(days)),
        ):
            for day in days[where].tolist():
                midnight = day * DAY_SECONDS
                # The offset is taken near the midnight that begins the day, which is exact unless clocks change then.
                guess = midnight - int(offsets[np.searchsorted(instants, midnight, side="right") - 1])
                offset = int(offsets[np.searchsorted(instants, guess, side="right") - 1])
                yield what, (midnight - offset) * SECOND, (midnight - offset) * SECOND + DAY - 1
