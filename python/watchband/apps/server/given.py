"""What parameters of a request say: series, times, lengths and ranges; a Problem 400 where they cannot be read."""

from __future__ import annotations

import math

from watchband.apps.server.problems import Problem
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError, DataError
from watchband.core.series import SeriesKey
from watchband.core.timestamp import parse_rfc3339


def length_of(spark: str | None) -> int:
    """The length of a sparkline; 0 where none is wanted."""
    if spark is None:
        return 0
    try:
        return parse_duration(spark)
    except ConfigError as error:
        raise Problem(400, f"'spark': {error}") from None


def key_of(series: str) -> SeriesKey:
    """The series of a text."""
    try:
        return SeriesKey.parse(series)
    except ConfigError as error:
        raise Problem(400, f"'series': {error}") from None


def time_of(name: str, text: str | None, otherwise: int) -> int:
    """A time (ns UTC) of a parameter."""
    if text is None:
        return otherwise
    try:
        return parse_rfc3339(text)
    except DataError as error:
        raise Problem(400, f"{name!r}: {error}") from None


def range_of(low: float | None, high: float | None) -> tuple[float, float]:
    """Both ends of a range, infinite where open."""
    for given in (low, high):
        if given is not None and math.isnan(given):
            raise Problem(400, "The end of a range is a number, not NaN.")
    return (-math.inf if low is None else low, math.inf if high is None else high)
