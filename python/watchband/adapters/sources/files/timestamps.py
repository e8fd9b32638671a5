"""Times as people and machines write them, to nanoseconds since 1970 in UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.sources.files.columns import Column, as_text, is_text, to_numbers
from watchband.adapters.sources.files.hints import Hints
from watchband.core.points import Int64

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
WRITTEN = ("typed", "iso", "slash", "compact", "named", "named US")
"""Kinds of times that nothing else looks like."""
UNITS = {"seconds": SECOND, "milliseconds": 1_000_000, "microseconds": 1_000, "nanoseconds": 1}
EXPECTED = "ISO 8601 (2025-02-17 14:30), M/D/YYYY H:MM, D/M/YYYY H:MM, or epoch seconds, ms, us or ns"

_CLOCK = r"(?:[T ,:]+(?P<h>\d{1,2})(?::(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?)?)?"
_ZONE = r"\s*(?P<ap>[AaPp][Mm])?\s*(?P<z>[zZ]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*$"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PATTERNS = {
    "iso": r"^\s*(?P<y>\d{4})[-/.](?P<mo>\d{1,2})[-/.](?P<d>\d{1,2})" + _CLOCK + _ZONE,
    "slash": r"^\s*(?P<mo>\d{1,2})[/.-](?P<d>\d{1,2})[/.-](?P<y>\d{4}|\d{2})" + _CLOCK + _ZONE,
    "compact": r"^\s*(?P<y>\d{4})(?P<mo>[01]\d)(?P<d>[0-3]\d)"
    r"(?:[T ]?(?P<h>[0-2]\d)(?P<mi>[0-5]\d)(?:(?P<s>[0-6]\d)(?:\.(?P<f>\d{1,9}))?)?)?" + _ZONE,
    "named": r"^\s*(?:[A-Za-z]{3,9},?\s+)?(?P<d>\d{1,2})[-/ .](?P<mo>[A-Za-z]{3,9})[-/ .,]+(?P<y>\d{4})"
    + _CLOCK
    + _ZONE,
    "named US": r"^\s*(?P<mo>[A-Za-z]{3,9})\.?\s+(?P<d>\d{1,2}),?\s+(?P<y>\d{4})" + _CLOCK + _ZONE,
}
"""Ways to write a date; parts not written are empty."""
EPOCH_FROM, EPOCH_TO = 1e8, 9e9
"""Epoch seconds from 1973 to 2255; times outside int64 nanoseconds cannot be kept."""


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How the times of one table are written.

    Parameters
    ----------
    kind : str
        ``typed`` (the file says it is a time), ``iso``, ``compact`` (YYYYMMDD), ``slash`` (M/D/Y or D/M/Y), ``named``
        and ``named US`` (17 Feb 2025, Feb 17 2025), ``epoch`` or ``row``.
    zone : str
        Zone of times that carry none.
    unit_ns : int
        Nanoseconds per unit of ``epoch`` numbers, or between ``row`` numbers.
    start_ns : int
        Time of row number 0.
    day_first : bool
        ``slash`` only.
    certain : bool
        False where both D/M/Y and M/D/Y were possible.
    zoned : bool
        Whether the times seen carry a zone.
    """

    kind: str
    zone: str = "UTC"
    unit_ns: int = SECOND
    start_ns: int = 0
    day_first: bool = False
    certain: bool = True
    zoned: bool = False

    def describe(self) -> str:
        """What was found, for a person."""
        if self.kind == "epoch":
            return "epoch " + next(name for name, ns in UNITS.items() if ns == self.unit_ns)
        if self.kind == "row":
            return "row numbers, one per interval"
        forms = {
            "typed": "typed times", "iso": "ISO 8601", "compact": "YYYYMMDD", "named": "day, name of the month, year",
            "named US": "name of the month, day, year",
        }  # fmt: skip
        form = forms.get(self.kind, "D/M/YYYY" if self.day_first else "M/D/YYYY")
        return form + (" with zone" if self.zoned else f" without zone, read as {self.zone}")


@dataclass(frozen=True, slots=True)
class Times:
    """Parsed times: ``ns int64[n]``, ``bad bool[n]``, and the largest first and second number of D/M/Y dates."""

    ns: Int64
    bad: NDArray[np.bool_]
    first_max: int = 0
    second_max: int = 0


def find_format(column: Column, hints: Hints) -> TimeFormat | None:
    """How a column writes times, judged by its first rows; None: it does not look like times.

    Numbers that are no epoch are ``row`` numbers only if they count up by one.
    """
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    column = column.drop_null()
    if not len(column):
        return None
    kind = column.type
    if kinds.is_temporal(kind):
        if not (kinds.is_timestamp(kind) or kinds.is_date(kind)):
            return None
        return TimeFormat("typed", hints.timezone, zoned=getattr(kind, "tz", None) is not None)
    if is_text(column):
        text = as_text(column)
        for form, pattern in PATTERNS.items():
            if form == "compact" and not _are_dates(text):
                continue
            found = pc.extract_regex(text, pattern)
            if found.null_count * 5 <= len(text):
                if form == "slash":
                    return _find_day_first(text, hints)
                zoned = pc.any(pc.greater(pc.utf8_length(pc.struct_field(found, "z")), 0)).as_py()
                return TimeFormat(form, hints.timezone, zoned=bool(zoned))
    elif kinds.is_integer(kind) and _are_dates(as_text(column)):
        return TimeFormat("compact", hints.timezone)
    elif not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)):
        return None
    return _find_number_format(column, hints)


def _are_dates(text: Column) -> bool:
    """Whether eight digits in a row are dates such as 20250217: years 1970 to 2199, or a clock behind them."""
    import pyarrow.compute as pc

    return bool(pc.mean(pc.match_substring_regex(text, r"^\s*(19[7-9]|2[01]\d)\d[01]\d[0-3]\d(\D|\s*$)")).as_py() > 0.8)


def _find_number_format(column: Column, hints: Hints) -> TimeFormat | None:
    numbers, _ = to_numbers(column)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) * 5 < len(column) * 4 or not len(numbers):
        return None
    middle = float(np.median(numbers))
    for unit_ns in UNITS.values():
        per_second = SECOND // unit_ns
        if EPOCH_FROM * per_second <= middle < EPOCH_TO * per_second:
            return TimeFormat("epoch", unit_ns=unit_ns)
    whole = bool((np.abs(numbers) < 2.0**53).all()) and bool((numbers == np.round(numbers)).all())
    if whole and (len(numbers) == 1 or float(np.mean(np.diff(numbers) == 1)) > 0.8):
        return TimeFormat("row", unit_ns=hints.interval_ns or 0, start_ns=hints.start_ns)
    return None


def _find_day_first(text: Column, hints: Hints) -> TimeFormat:
    month_first = TimeFormat("slash", hints.timezone)
    day_first = replace(month_first, day_first=True)
    if hints.day_first is not None:
        return day_first if hints.day_first else month_first
    seen = parse(text, month_first)
    if seen.first_max > 12 or seen.second_max > 12:
        return day_first if seen.first_max > 12 >= seen.second_max else month_first
    month, day = (_span(parse(text, form)) for form in (month_first, day_first))
    return replace(day_first if day < month else month_first, certain=False)


def _span(times: Times) -> int:
    good = times.ns[~times.bad]
    return int(good.max()) - int(good.min()) if len(good) else 0


def parse(column: Column, form: TimeFormat) -> Times:
    """Read a column of times as ``form`` says; what cannot be read is marked bad and never guessed."""
    if form.kind in ("typed", "iso"):
        return _parse_typed(column, form) if not is_text(column) else _parse_iso(column, form)
    if form.kind == "slash":
        if (fast := _parse_usual_slash(column, form)) is not None:
            return fast
        return _parse_parts(column, form)
    return _parse_parts(column, form) if form.kind in PATTERNS else _parse_numbers(column, form)


def _parse_typed(column: Column, form: TimeFormat) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    zoned = getattr(column.type, "tz", None) is not None
    bad = ~np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
    try:
        exact = pc.cast(column, pa.timestamp("ns", "UTC") if zoned else pa.timestamp("ns"))
    except pa.ArrowInvalid:  # later than 2262 or earlier than 1677: keep what fits
        coarse = pc.cast(pc.cast(column, pa.timestamp("us")), pa.int64())
        micros = np.asarray(pc.fill_null(coarse, 0).to_numpy(zero_copy_only=False), np.int64)
        bad |= np.abs(micros) > (2**63 - 1) // 1000
        ns = np.where(bad, 0, micros) * 1000
    else:
        ns = np.array(pc.fill_null(pc.cast(exact, pa.int64()), 0).to_numpy(zero_copy_only=False), np.int64)
    return Times(ns if zoned else local_to_utc(ns, form.zone), bad)


def _parse_iso(column: Column, form: TimeFormat) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = as_text(column)
    kind = pa.timestamp("ns", "UTC") if form.zoned else pa.timestamp("ns")
    try:
        return _parse_typed(pc.cast(text, kind), form)
    except pa.ArrowInvalid:
        return _parse_parts(text, form)


def _parse_usual_slash(column: Column, form: TimeFormat) -> Times | None:
    """The two most usual ways to write M/D/YYYY and D/M/YYYY, ten times quicker; None where one cell differs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = as_text(column)
    date = "%d/%m/%Y" if form.day_first else "%m/%d/%Y"
    for clock in (" %H:%M", " %H:%M:%S"):
        found = pc.strptime(text, format=date + clock, unit="s", error_is_null=True)
        if found.null_count == text.null_count and len(found) > found.null_count:
            break
    else:
        return None
    if pc.min(pc.year(found)).as_py() < 1900 or pc.max(pc.year(found)).as_py() > 2200:
        return None
    times = _parse_typed(found.cast(pa.timestamp("ns")), form)
    days, months = (int(pc.max(part(found)).as_py()) for part in (pc.day, pc.month))
    return Times(times.ns, times.bad, days if form.day_first else months, months if form.day_first else days)


def _parse_parts(column: Column, form: TimeFormat) -> Times:
    """Year, month, day and clock by a pattern; slower than the columnar cast, and exact about what is wrong."""
    import pyarrow.compute as pc

    kind = "iso" if form.kind == "typed" else form.kind
    found = pc.extract_regex(as_text(column), PATTERNS[kind])
    bad = ~np.asarray(found.is_valid().to_numpy(zero_copy_only=False), bool)
    year, day, hour, minute, second = (_digits(found, part) for part in ("y", "d", "h", "mi", "s"))
    month = _month_numbers(found) if kind.startswith("named") else _digits(found, "mo")
    first_max, second_max = (int(part.max(initial=0)) for part in (month, day))
    if form.day_first:
        month, day = day, month
    year = np.where(year < 100, year + 2000, year)
    noon = np.asarray(pc.fill_null(pc.utf8_lower(pc.struct_field(found, "ap")), "").to_numpy(False), "U2")
    hour = np.where(noon != "", hour % 12 + np.where(noon == "pm", 12, 0), hour)
    bad |= (month < 1) | (month > 12) | (hour > 24) | (minute > 59) | (second > 60) | (year < 1678) | (year > 2261)
    months = (np.where(bad, 1970, year) - 1970) * 12 + np.where(bad, 1, month) - 1
    start = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    bad |= (day < 1) | (day > following - start)
    days = start + np.where(bad, 1, day) - 1
    ns = days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + _fraction(found)
    zone = np.asarray(pc.fill_null(pc.struct_field(found, "z"), "").to_numpy(False), "U6")
    naive = zone == ""
    ns = np.where(bad, 0, ns)
    offset = np.zeros(len(ns), np.int64)
    for text in np.unique(zone[~naive]).tolist():
        offset[zone == text] = zone_offset(text)
    utc = ns - offset
    if naive.any():
        utc[naive] = local_to_utc(ns[naive], form.zone)
    return Times(utc, bad, first_max, second_max)


def _month_numbers(found: Column) -> Int64:
    """``Feb`` or ``February`` → 2; anything else 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.utf8_slice_codeunits(pc.utf8_lower(pc.struct_field(found, "mo")), 0, 3)
    index = pc.fill_null(pc.index_in(words, pa.array(MONTHS)), -1)
    return np.array(index.to_numpy(zero_copy_only=False), np.int64) + 1


def _digits(found: Column, part: str) -> Int64:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.struct_field(found, part)
    text = pc.if_else(pc.equal(text, ""), "0", text)
    return np.array(pc.fill_null(pc.cast(text, pa.int64()), 0).to_numpy(zero_copy_only=False), np.int64)


def _fraction(found: Column) -> Int64:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_rpad(pc.fill_null(pc.struct_field(found, "f"), ""), 9, "0")
    return np.array(pc.cast(text, pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def zone_offset(text: str) -> int:
    """Nanoseconds that a written zone is ahead of UTC."""
    if text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    return (-1 if text[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:])) * 60 * SECOND


def _parse_numbers(column: Column, form: TimeFormat) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers, wrong = to_numbers(column)
    bad = wrong | ~np.isfinite(numbers)
    safe = np.where(bad, 0.0, numbers)
    if form.kind == "row":
        bad |= (safe != np.round(safe)) | (np.abs(safe) > 2**62 / max(form.unit_ns, 1))
        return Times(form.start_ns + np.where(bad, 0, safe).astype(np.int64) * form.unit_ns, bad)
    per_second = SECOND // form.unit_ns
    bad |= (safe >= EPOCH_TO * per_second) | (safe < EPOCH_FROM * per_second)
    try:  # whole numbers stay exact; nanoseconds do not fit a float
        whole = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(zero_copy_only=False)
        return Times(np.where(bad, 0, whole) * form.unit_ns, bad)
    except pa.ArrowInvalid:
        micros = np.round(np.where(bad, 0.0, safe) * (form.unit_ns / 1000)).astype(np.int64)
        return Times(micros * 1000, bad)


def local_to_utc(ns: Int64, zone: str) -> Int64:
    """Clock times of a zone as UTC.

    When clocks go back an hour occurs twice: read as the first. When they go forward an hour is left out: times in
    it are read as if clocks had not moved yet.
    """
    if zone == "UTC" or not len(ns):
        return ns
    info = ZoneInfo(zone)
    days = ns // DAY
    out = ns.copy()
    for day in np.unique(days).tolist():
        here = days == day
        start, end = (_offset(info, (day + k) * DAY) for k in (0, 1))
        if start == end:
            out[here] -= start
        else:
            out[here] -= np.array([_offset(info, t) for t in ns[here].tolist()], np.int64)
    return out


def _offset(info: ZoneInfo, local_ns: int) -> int:
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=local_ns // SECOND)
    return int((local.replace(tzinfo=info).utcoffset() or timedelta()).total_seconds()) * SECOND
