"""Instants as people and programs write them: RFC 3339 to nanoseconds and back, exact."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from watchband.core.errors import DataError

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):?(\d\d))", re.ASCII
)
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
FIRST, LAST = -(2**63) + 1, 2**63 - 1


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since 1970 in UTC.

    Parameters
    ----------
    text : str
        ``2026-02-01T12:00:00Z``, with any fraction and any offset; a time without one is refused, since nobody knows
        whose it is.

    Raises
    ------
    DataError
        Not such a time, or beyond what 64 bits of nanoseconds hold (1677 to 2262).

    Examples
    --------
    >>> parse_rfc3339("1970-01-01T01:00:00.5+01:00")
    500000000
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise DataError(f"Expected a time like 2026-02-01T12:00:00Z, with its offset. Got {text[:60]!r}.")
    day, hour, minute, second, fraction, _, sign, offset_h, offset_m = match.groups()
    h, m, s = int(hour), int(minute), int(second)
    oh, om = int(offset_h or 0), int(offset_m or 0)
    # A leap second counts as the second after it, as clocks that know none do.
    if h > 23 or m > 59 or s > 60 or oh > 23 or om > 59:
        raise DataError(f"No clock shows {text[:60]!r}: hours go to 23, minutes to 59.")
    seconds = _days(day) * _DAY_S + h * 3600 + m * 60 + s - (-1 if sign == "-" else 1) * (oh * 3600 + om * 60)
    ns = seconds * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction else 0)
    if not FIRST <= ns <= LAST:
        raise DataError(f"{text[:60]!r} is beyond what can be kept: 1677-09-21 to 2262-04-11.")
    return ns


def format_rfc3339(ns: int) -> str:
    """The shortest RFC 3339 form in UTC.

    Examples
    --------
    >>> format_rfc3339(500_000_000), format_rfc3339(-1)
    ('1970-01-01T00:00:00.5Z', '1969-12-31T23:59:59.999999999Z')
    """
    seconds, rest = divmod(ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:09d}".rstrip("0") + "Z" if rest else f"{moment}Z"


@lru_cache(maxsize=1024)
def _days(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        raise DataError(f"There is no day {text!r}.") from None
