"""Moments and spans as people write them, in a time zone, and back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchband.core.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"(?<=:\d\d)\.(\d{1,9})")
_UNITS = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
"""Nanoseconds of one unit, by the number of digits an epoch time of our age has."""


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of this name.

    Raises
    ------
    ConfigError
        No such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"Time zone {name!r} is not known. Write an IANA name such as 'Europe/Dublin', 'America/New_York' or 'UTC'."
        ) from error


def parse_moment(text: str, timezone: str = "UTC", *, end: bool = False) -> int:
    """Nanoseconds since 1970 of a moment.

    Parameters
    ----------
    text : str
        ISO 8601 date or time (without an offset: in ``timezone``), or epoch seconds, ms, us or ns by magnitude.
    timezone : str, default "UTC"
        IANA name for times without an offset.
    end : bool, default False
        A bare date means the end of that day, not its start.

    Raises
    ------
    ConfigError
        Neither of these.

    Examples
    --------
    >>> parse_moment("2014-02-14T14:30", "UTC") // 10**9
    1392388200
    >>> parse_moment("1392388200") // 10**9
    1392388200
    """
    word = text.strip()
    if word.isdigit():
        unit = next((u for digits, u in _UNITS.items() if len(word) <= digits), 1)
        return int(word) * unit
    fraction = _FRACTION.search(word)
    # The standard library keeps six digits of a second.
    whole = word if fraction is None else word[: fraction.start()] + word[fraction.end() :]
    try:
        if len(word) == 10:
            day = date.fromisoformat(word) + timedelta(days=1 if end else 0)
            moment = datetime(day.year, day.month, day.day)
        else:
            moment = datetime.fromisoformat(whole)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a time. Write 2014-02-14, 2014-02-14T14:30, 2014-02-14T14:30Z or epoch seconds."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone))
    rest = int(fraction[1].ljust(9, "0")) if fraction else 0
    return ((moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)) * 1000 + rest


def parse_span(text: str, timezone: str = "UTC") -> tuple[int, int]:
    """First (included) and last (excluded) nanosecond of ``FROM/TO``; a bare date as TO includes that day.

    Raises
    ------
    ConfigError
        Not two times, or the end is not after the start.
    """
    start_text, slash, end_text = text.partition("/")
    if not slash:
        raise ConfigError(
            f"--exclude {text!r} is not a span. Write FROM/TO, for example 2014-02-20T08:00/2014-02-20T12:00."
        )
    start, stop = parse_moment(start_text, timezone), parse_moment(end_text, timezone, end=True)
    if stop <= start:
        raise ConfigError(f"--exclude {text!r} ends before it begins. Write the earlier time first.")
    return start, stop


def iso(time: int, timezone: str = "UTC") -> str:
    """A moment as ISO 8601 in a time zone, with as many digits of a second as it has.

    Examples
    --------
    >>> iso(1_392_388_200_000_000_000), iso(1_392_388_200_500_000_001)
    ('2014-02-14T14:30:00Z', '2014-02-14T14:30:00.500000001Z')
    """
    seconds, rest = divmod(time, 1_000_000_000)
    moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone(timezone))
    text = moment.replace(tzinfo=None).isoformat()
    if rest:
        text += f".{rest:09d}".rstrip("0")
    offset = moment.isoformat()[19:]
    return text + ("Z" if timezone == "UTC" else offset)
