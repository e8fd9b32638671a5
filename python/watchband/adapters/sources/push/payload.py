"""What every decoder gives: readings by series, and what of the payload was refused and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from watchband.core.errors import DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey, is_storable
from watchband.core.timestamp import FIRST, LAST, parse_rfc3339

POINTS_MAX = 1_000_000
"""Points of one payload."""
SERIES_MAX = 200_000
"""Series of one payload."""
LABELS_MAX = 64
TEXT_MAX = 1024
REFUSALS_MAX = 100
"""Refusals that are told one by one; the rest is only counted."""

_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}


@dataclass(frozen=True, slots=True)
class Refused:
    """A part of a payload that was set aside: where it stands, and what to do about it."""

    where: str
    why: str


@dataclass(slots=True)
class Decoded:
    """Readings of a payload.

    Parameters
    ----------
    readings : sequence of Readings
        One entry a series.
    points : int
        How many there are.
    refused_points : int
        Points that were set aside.
    refused : list of Refused
        The first of them, with reasons.
    """

    readings: Sequence[Readings]
    points: int = 0
    refused_points: int = 0
    refused: list[Refused] = field(default_factory=list)


class PayloadError(DataError):
    """The payload as a whole cannot be read; nothing of it was taken."""


class Column:
    """Points of one series on their way in."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.values: list[float] = []


class Gatherer:
    """Collects points by series, in order of arrival, and refuses what cannot be one."""

    def __init__(self) -> None:
        self._columns: dict[SeriesKey, Column] = {}
        self._points = 0
        self.refused_points = 0
        self.refused: list[Refused] = []

    def column(self, key: SeriesKey) -> Column:
        """Where points of a series go; keep it and ask once.

        Raises
        ------
        PayloadError
            More series than a payload may hold.
        """
        found = self._columns.get(key)
        if found is None:
            if len(self._columns) >= SERIES_MAX:
                raise PayloadError(f"A payload holds at most {SERIES_MAX:,} series. Send it in parts.")
            found = self._columns[key] = Column()
        return found

    def add(self, column: Column, time: int, value: float) -> None:
        """One point.

        Raises
        ------
        PayloadError
            More than a payload may hold.
        """
        self._points += 1
        if self._points + self.refused_points > POINTS_MAX:
            raise PayloadError(f"A payload holds at most {POINTS_MAX:,} points. Send it in parts.")
        column.times.append(time)
        column.values.append(value)

    def refuse(self, where: str, error: Exception | str, points: int = 1) -> None:
        """Set a part aside."""
        self.refused_points += points
        if len(self.refused) < REFUSALS_MAX:
            self.refused.append(Refused(where, str(error)))

    def decoded(self) -> Decoded:
        """What was gathered."""
        readings = [
            Readings(key, np.array(column.times, np.int64), np.array(column.values, np.float64))
            for key, column in self._columns.items()
            if column.times
        ]
        return Decoded(readings, self._points, self.refused_points, self.refused)


def refuse(decoded: Decoded, where: str, why: object, points: int) -> None:
    """Set a part aside that holds so many points."""
    decoded.refused_points += points
    if len(decoded.refused) < REFUSALS_MAX:
        decoded.refused.append(Refused(where, str(why)))


def time_of(value: object, unit: str | None = None) -> int:
    """Nanoseconds of a time: RFC 3339 text, or a number.

    Without ``unit`` the number's size says its unit: seconds below 10^11, then milli-, micro- and nanoseconds, each
    right from 1973 to 5138.

    Raises
    ------
    DataError
        No time.

    Examples
    --------
    >>> time_of(1_700_000_000) == time_of(1_700_000_000_000) == time_of("2023-11-14T22:13:20Z")
    True
    """
    if isinstance(value, str):
        return parse_rfc3339(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, int) and number and abs(value) > LAST:
        # Of any number of digits: it may be more than a float holds.
        raise DataError(f"The time {str(value)[:30]} is beyond what can be kept (1677 to 2262). Is its unit right?")
    if not isinstance(value, int | float) or not number or not math.isfinite(value):
        raise DataError(f"Expected a time: RFC 3339 with its offset, or a number since 1970. Got {_shown(value)}.")
    scale = _UNIT_NS[unit] if unit else _scale(abs(value))
    # A fraction of a second is a float: its nanoseconds are what it holds, no more.
    ns = value * scale if isinstance(value, int) else int(value) * scale + round((value - int(value)) * scale)
    if not FIRST <= ns <= LAST:
        raise DataError(f"The time {value} is beyond what can be kept (1677 to 2262). Is its unit right?")
    return ns


def value_of(value: object) -> float:
    """A reading's value; null is one that is missing, NaN.

    Raises
    ------
    DataError
        No number.
    """
    if value is None:
        return math.nan
    if isinstance(value, str) and value in ("NaN", "+Inf", "-Inf", "Inf"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"Expected a number or null for a value. Got {_shown(value)}.")
    try:
        return float(value)
    except OverflowError:
        raise DataError("The value is larger than a 64-bit float holds.") from None


def key_of(metric: object, labels: object) -> SeriesKey:
    """A series of a metric name and labels, within limits.

    Raises
    ------
    DataError
        No name, labels that are no texts, or too many of them.
    """
    if not isinstance(metric, str) or not metric:
        raise DataError(f'Expected a series with a metric name, such as {{"__name__": "cpu"}}. Got {_shown(metric)}.')
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise DataError(f'Expected labels as texts, such as {{"host": "a"}}. Got {_shown(labels)}.')
    if (
        len(labels) > LABELS_MAX
        or len(metric) > TEXT_MAX
        or any(len(t) > TEXT_MAX for kv in labels.items() for t in kv)
    ):
        raise DataError(f"A series has at most {LABELS_MAX} labels, and names and values of {TEXT_MAX} characters.")
    for text in (metric, *(t for kv in labels.items() for t in kv)):
        if not is_storable(text):
            raise DataError(
                f"A name or value of a series holds what is no text (a lone surrogate or NUL): {text[:60]!a}."
            )
    try:
        return SeriesKey(metric, labels)
    except ValueError as error:
        raise DataError(str(error)) from None


def _scale(size: float) -> int:
    return 10**9 if size < 1e11 else 10**6 if size < 1e14 else 1000 if size < 1e17 else 1


def _shown(value: object) -> str:
    return repr(value)[:60]
