"""Calendars as tables: transition instants of a time zone, holidays of a country. Kernels read them as data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from watchband.core.errors import InvalidParameterError, UnknownNameError
from watchband.core.points import Int64

YEARS = range(1970, 2061)
"""Years the tables cover; outside of them the nearest offset holds and there are no holidays."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 3 * 86_400


@lru_cache(maxsize=64)
def zone(name: str) -> tuple[Int64, Int64]:
    """Instants at which a zone's offset changes, and the offset from each of them on.

    Parameters
    ----------
    name : str
        IANA name of a time zone: ``"Europe/Dublin"``, ``"UTC"``.

    Returns
    -------
    tuple of int64[k], int64[k]
        Seconds since 1970 in UTC, ascending (the first is the smallest int64), and seconds east of UTC.

    Raises
    ------
    UnknownNameError
        No time zone has that name; the message names the nearest.

    Examples
    --------
    >>> instants, offsets = zone("Europe/Dublin")
    >>> int(offsets[np.searchsorted(instants, 1_720_000_000, side="right") - 1])
    3600
    """
    if name not in available_timezones():
        raise UnknownNameError("time zone", name, sorted(available_timezones()))
    place = ZoneInfo(name)

    def offset(seconds: int) -> int:
        found = (_EPOCH + timedelta(seconds=seconds)).astimezone(place).utcoffset()
        return int(found.total_seconds()) if found is not None else 0

    end = int((datetime(YEARS.stop, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    instants, offsets = [int(np.iinfo(np.int64).min)], [offset(0)]
    for start in range(0, end, _STEP):
        low, high = start, start + _STEP
        after = offset(high)
        if after == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        instants.append(high)
        offsets.append(after)
    return _frozen(instants), _frozen(offsets)


@lru_cache(maxsize=64)
def holidays(code: str) -> Int64:
    """Days that are public holidays in a country, as numbers of days since 1970.

    Parameters
    ----------
    code : str
        ISO 3166 code of a country, or of a part of it after a hyphen: ``"IE"``, ``"US-CA"``.

    Raises
    ------
    InvalidParameterError
        No calendar is known for that code.

    Examples
    --------
    >>> christmas = (date(2024, 12, 25) - date(1970, 1, 1)).days
    >>> christmas in holidays("IE")
    True
    """
    from holidays import country_holidays

    country, _, part = code.partition("-")
    try:
        found = country_holidays(country.upper(), subdiv=part.upper() or None, years=range(1990, YEARS.stop))
    except NotImplementedError as error:
        raise InvalidParameterError(
            f"No holidays are known for {code!r}. Give a country's ISO 3166 code such as 'IE', or a part of "
            "one such as 'US-CA'."
        ) from error
    return _frozen(sorted({(day - date(1970, 1, 1)).days for day in found}))


def none() -> Int64:
    """No days at all."""
    return _frozen([])


def _frozen(numbers: list[int]) -> Int64:
    array = np.array(numbers, np.int64)
    array.flags.writeable = False
    return array
