"""Cells of text as numbers and times without a columnar library, for functions that have room for none.

The same answers as ``columns.to_numbers`` and ``timestamps.parse``, cell by cell; a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.sources.files.columns import NULLS
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.timestamps import (
    DAY,
    EPOCH_FROM,
    EPOCH_TO,
    MONTHS,
    PATTERNS,
    SECOND,
    UNITS,
    local_to_utc,
    zone_offset,
)
from watchband.core.points import Float64, Int64

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PLAIN = re.compile(rf"{_NUMBER}(?:\0{_NUMBER})*", re.ASCII)
_LOOSE = re.compile(rf"\s*({_NUMBER}|[-+]?(?:inf|infinity|nan))\s*%?\s*", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?\d{1,18}|[-+]?\d{19}", re.ASCII)
_DATES = re.compile(r"\s*(19[7-9]|2[01]\d)\d[01]\d[0-3]\d(\D|\s*$)", re.ASCII)
_FORMS = {name: re.compile(pattern, re.ASCII) for name, pattern in PATTERNS.items()}
_NULLS = frozenset(NULLS)
_TRUTH = {"true": 1.0, "false": 0.0}
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def numbers(texts: Sequence[str]) -> tuple[Float64, NDArray[np.bool_]]:
    """Cells as numbers, NaN where one is missing or none; and which hold something that is no number.

    Examples
    --------
    >>> values, bad = numbers(["1.5", "", "12 %", "x"])
    >>> values.tolist(), bad.tolist()
    ([1.5, nan, 12.0, nan], [False, False, False, True])
    """
    bad = np.zeros(len(texts), np.bool_)
    if texts and _PLAIN.fullmatch("\0".join(texts)):
        return np.array([float(text) for text in texts], np.float64), bad
    values = np.full(len(texts), np.nan)
    for i, text in enumerate(texts):
        found = _LOOSE.fullmatch(text)
        if found is not None:
            values[i] = float(found[1])
            continue
        word = text.strip()
        if (truth := _TRUTH.get(word.lower())) is not None:
            values[i] = truth
        else:
            bad[i] = word not in _NULLS
    return values, bad


def time_of(text: str, hints: Hints) -> int | None:
    """One time in ns UTC, told from its own shape; None: it is none.

    Examples
    --------
    >>> time_of("1970-01-01 00:00:02Z", Hints()), time_of("1/2/1970", Hints(day_first=False)), time_of("soon", Hints())
    (2000000000, 86400000000000, None)
    """
    for name, form in _FORMS.items():
        if name == "compact" and not _DATES.match(text):
            continue
        if (found := form.match(text)) is not None:
            return _written(name, found, hints)
    return _epoch(text)


def _written(name: str, found: re.Match[str], hints: Hints) -> int | None:
    part = found.groupdict(default="")
    first, second = (_month(part["mo"]) if name.startswith("named") else int(part["mo"])), int(part["d"])
    month, day = (second, first) if name == "slash" and _day_first(first, second, hints) else (first, second)
    year, hour, minute, seconds = (int(part.get(key) or 0) for key in ("y", "h", "mi", "s"))
    year += 2000 if year < 100 else 0
    if noon := (part.get("ap") or "").lower():
        hour = hour % 12 + (12 if noon == "pm" else 0)
    if hour > 24 or minute > 59 or seconds > 60 or not 1678 <= year <= 2261:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    fraction = int((part.get("f") or "").ljust(9, "0") or 0)
    ns = days * DAY + ((hour * 60 + minute) * 60 + seconds) * SECOND + fraction
    if zone := part.get("z") or "":
        return ns - zone_offset(zone)
    return int(local_to_utc(np.array([ns], np.int64), hints.timezone)[0])


def _month(text: str) -> int:
    word = text[:3].lower()
    return MONTHS.index(word) + 1 if word in MONTHS else 0


def _day_first(first: int, second: int, hints: Hints) -> bool:
    return hints.day_first if hints.day_first is not None else first > 12 >= second


def _epoch(text: str) -> int | None:
    values, _ = numbers([text])
    number = float(values[0])
    for unit in UNITS.values():
        per_second = SECOND // unit
        if EPOCH_FROM * per_second <= number < EPOCH_TO * per_second:
            if _WHOLE.fullmatch(text):
                return int(text) * unit
            return int(np.round(number * (unit / 1000))) * 1000
    return None


def times(texts: Sequence[str], hints: Hints, known: dict[str, int | None]) -> tuple[Int64, NDArray[np.bool_]]:
    """Cells as times, and which are none; ``known`` keeps what was read before."""
    for text in texts:
        if text not in known:
            known[text] = time_of(text, hints)
    found = [known[text] for text in texts]
    bad = np.array([one is None for one in found], np.bool_)
    return np.array([one or 0 for one in found], np.int64), bad
