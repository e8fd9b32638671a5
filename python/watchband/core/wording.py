"""Numbers, units, times and durations as people read them: three significant digits, a true minus sign, an en dash for
ranges, a no-break space before the unit, the viewer's own time zone, at most two units in a duration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

NO_BREAK = "\u00a0"
MINUS = "\u2212"
EN_DASH = "\u2013"
_DIGITS_MAX = 9
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SECOND = 1_000_000_000
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: steps of (size in base units, sign), largest first; empty for a plain number."""

    steps: tuple[tuple[float, str], ...] = ()

    def step(self, largest: float) -> tuple[float, str]:
        """The size and sign that keep the largest of some numbers at or above 1."""
        for size, sign in self.steps:
            if largest >= size:
                return size, sign
        return self.steps[-1] if largest and self.steps else (self.base if self.steps else (1.0, ""))

    @property
    def base(self) -> tuple[float, str]:
        """The step of size 1."""
        return next((s for s in self.steps if s[0] == 1.0), self.steps[0])


def _binary(rate: str) -> Unit:
    signs = ("PiB", "TiB", "GiB", "MiB", "KiB", "B")
    return Unit(tuple((1024.0 ** (5 - k), sign + rate) for k, sign in enumerate(signs)))


PLAIN = Unit()
PERCENT = Unit(((1.0, "%"),))
BYTES = _binary("")
BYTES_PER_SECOND = _binary("/s")
SECONDS = Unit(((172_800.0, "d"), (7200.0, "h"), (120.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))
_SIZES = {"d": 86_400.0, "h": 3600.0, "min": 60.0}
_SUFFIXES = (
    (("_bytes_per_second", "_bytes_per_s"), BYTES_PER_SECOND, 1.0),
    (("_bytes",), BYTES, 1.0),
    (("_percent",), PERCENT, 1.0),
    (("_milliseconds", "_ms"), SECONDS, 1e-3),
    (("_seconds",), SECONDS, 1.0),
)


def unit_of(metric: str) -> tuple[Unit, float]:
    """The unit that the ending of a metric's name tells, and how many base units its numbers count in.

    Examples
    --------
    >>> unit_of("latency_ms")[1], unit_of("queue_length")[0] is PLAIN
    (0.001, True)
    """
    for endings, unit, factor in _SUFFIXES:
        if metric.endswith(endings):
            return unit, factor
    return PLAIN, 1.0


def number(value: float, digits: int = 3) -> str:
    """A plain number with so many significant digits.

    Examples
    --------
    >>> number(97.2345), number(-0.5), number(1234567), number(3.0), number(float("nan"))
    ('97.2', '−0.5', '1,230,000', '3', 'unknown')
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    rounded = float(f"{value:.{digits - 1}e}")
    if not -5 < size < 15:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", MINUS)
    text = f"{rounded:,.{max(0, digits - 1 - size)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def digits_apart(values: Sequence[float]) -> int:
    """Significant digits, three or more, at which different numbers read differently."""
    known = {v for v in values if math.isfinite(v)}
    for digits in range(3, _DIGITS_MAX):
        if len({number(v, digits) for v in known}) == len(known):
            return digits
    return _DIGITS_MAX


def scale_of(metric: str, largest: float) -> tuple[float, str]:
    """The factor and the unit's sign that write numbers of a metric, the largest of which is given, as 1 or more.

    Examples
    --------
    >>> scale_of("memory_bytes", 3 * 1024.0**2), scale_of("latency_ms", 1840.0), scale_of("queue_length", 7.0)
    ((9.5367431640625e-07, 'MiB'), (0.001, 's'), (1.0, ''))
    """
    unit, factor = unit_of(metric)
    size, sign = unit.step(largest * factor) if unit.steps else (1.0, "")
    return factor / _SIZES.get(sign, size), sign


def quantities(metric: str, values: Sequence[float], digits: int | None = None) -> tuple[list[str], str]:
    """Several numbers of one metric in one unit, apart from each other: texts without unit, and the unit's sign."""
    factor, sign = scale_of(metric, max((abs(v) for v in values if math.isfinite(v)), default=0.0))
    scaled = [v * factor for v in values]
    places = digits_apart(scaled) if digits is None else digits
    return [number(v, places) for v in scaled], sign


def with_unit(text: str, sign: str) -> str:
    """A number and its unit with a no-break space between."""
    return f"{text}{NO_BREAK}{sign}" if sign else text


def quantity(metric: str, value: float) -> str:
    """One number of a metric with its unit.

    Examples
    --------
    >>> quantity("memory_bytes", 3.4e9).replace(NO_BREAK, " "), quantity("latency_ms", 1840).replace(NO_BREAK, " ")
    ('3.17 GiB', '1.84 s')
    """
    texts, sign = quantities(metric, [value])
    return with_unit(texts[0], sign)


def span(low: str, high: str, sign: str = "") -> str:
    """A range; one that is open on a side, given as an empty text, says so."""
    if low and high:
        # A dash between signs would be read as one of them.
        between = " to " if MINUS in low or MINUS in high else EN_DASH
        return with_unit(low if low == high else f"{low}{between}{high}", sign)
    return with_unit(f"at most {high}" if high else f"at least {low}", sign)


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    Examples
    --------
    >>> listed(["band", "forest", "shift"])
    'band, forest and shift'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def duration(ns: int) -> str:
    """A length of time in at most two units.

    Examples
    --------
    >>> [duration(s * 10**9).replace(NO_BREAK, " ") for s in (0, 45, 60, 4320, 90000)]
    ['0 s', '45 s', '1 min', '1 h 12 min', '1 d 1 h']
    >>> duration(250_000_000).replace(NO_BREAK, " ")
    '250 ms'
    """
    if 0 < ns < _SECOND:
        return f"{number(ns / 1e6)}{NO_BREAK}ms"
    seconds = round(ns / _SECOND)
    steps = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for (size, sign), (below, small) in pairwise(steps):
        if seconds >= size:
            rest = round(seconds % size / below) if below > 1 else seconds % size
            whole = seconds // size + rest * below // size
            rest = 0 if rest * below >= size else rest
            return f"{whole}{NO_BREAK}{sign}" + (f" {rest}{NO_BREAK}{small}" if rest else "")
    return f"{seconds}{NO_BREAK}s"


def moment(time: int, zone: str, now: int | None = None) -> str:
    """A point in time, as short as ``now`` allows: "03:14" on the same day, "Wed 14:10" within the week,
    "26 Feb 11:20" before that, with the year in another year. Seconds are shown where they are not 0.

    Examples
    --------
    >>> moment(1_393_412_520_000_000_000, "UTC", 1_393_412_580_000_000_000)
    '11:02'
    >>> moment(1_393_412_520_000_000_000, "Europe/Dublin")
    '26 Feb 2014 11:02'
    """
    local = _local(time, zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    day = f"{local.day} {_MONTHS[local.month - 1]}"
    if now is None:
        return f"{day} {local.year} {clock}"
    today = _local(now, zone)
    if local.date() == today.date():
        return clock
    if timedelta(0) <= today.date() - local.date() < timedelta(days=7):
        return f"{_DAYS[local.weekday()]} {clock}"
    return f"{day} {clock}" if local.year == today.year else f"{day} {local.year} {clock}"


def _local(time: int, zone: str) -> datetime:
    zoned = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time // _SECOND)
    return zoned.astimezone(ZoneInfo(zone))
