"""Durations as people write them: ``5m``, ``1h30m``, ``PT5M``, ``week``; nanoseconds inside."""

from __future__ import annotations

import re

from watchband.core.errors import ConfigError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_UNITS = {
    "ns": 1,
    "us": 1000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
    "y": 365 * DAY,
}
_WORDS = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": WEEK,
    "month": 30 * DAY,
    "quarter": 91 * DAY,
    "year": 365 * DAY,
}
_LENGTH_MAX = 100
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)")
_ISO = re.compile(
    r"P(?:(?P<w>\d+(?:\.\d+)?)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration.

    Parameters
    ----------
    text : str
        Prometheus form (``5m``, ``1h30m``, ``1w``; a day has 24 h, a year 365 d), ISO 8601 with fixed lengths
        (``PT5M``, ``P1DT12H``), or a word (``day``, ``week``, ``month`` of 30 d, ``2 weeks``).

    Returns
    -------
    int
        More than 0.

    Raises
    ------
    ConfigError
        The text is none of these, or no time at all.

    Examples
    --------
    >>> parse_duration("1h30m") // MINUTE, parse_duration("PT5M") // MINUTE, parse_duration("week") // DAY
    (90, 5, 7)
    """
    stripped = text.strip()
    if len(stripped) > _LENGTH_MAX:
        raise ConfigError(f"A duration is written like 30s, 5m or 1w. Got a text of {len(text)} characters.")
    for found in (_prometheus(stripped), _iso(stripped.upper()), _word(stripped.lower())):
        if found is not None and 0 < found < 1 << 63:
            return found
    raise ConfigError(
        f"A duration is written like 30s, 5m, 1h30m, 1d, 1w, PT5M or week. Got {text!r}. Units: {', '.join(_UNITS)}."
    )


def format_duration(ns: int) -> str:
    """The shortest Prometheus form; the inverse of ``parse_duration``.

    Examples
    --------
    >>> format_duration(90 * MINUTE), format_duration(WEEK), format_duration(0)
    ('1h30m', '1w', '0s')
    """
    if ns < 0:
        return "-" + format_duration(-ns)
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms", "us", "ns"):
        count, ns = divmod(ns, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _prometheus(text: str) -> int | None:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        return None
    return sum(_nanoseconds(number, _UNITS[unit.replace("µ", "u")]) for number, unit in parts)


def _iso(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    return sum(_nanoseconds(number, _UNITS[unit]) for unit, number in match.groupdict().items() if number)


def _word(text: str) -> int | None:
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)\s*)?([a-z]+?)s?", text)
    if match is None or match[2] not in _WORDS:
        return None
    return _nanoseconds(match[1] or "1", _WORDS[match[2]])


def _nanoseconds(number: str, unit: int) -> int:
    # Whole numbers stay exact however large; only fractions pass through floating point.
    return round(float(number) * unit) if "." in number else int(number) * unit
