"""Points as a table for spreadsheets, a part at a time: bands, scores and roll-ups, each row with series and unit."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from watchband.adapters.stores.scored.buckets import Buckets, of_points
from watchband.apps.service.views.buckets import WIDTHS, behind
from watchband.apps.service.views.points import hours_before, scored, shown_under
from watchband.core.duration import DAY, HOUR
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339
from watchband.core.wording import unit_of

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

ROWS_MAX = 1_000_000
"""Rows of one table."""
COLUMNS = ("time", "series", "unit", "resolution", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")
SPREAD = ("y_min", "y_max", "anomalies")
PART = DAY
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(
    service: Service, series: Sequence[tuple[SeriesKey, str]], start: int, end: int, resolution: str = "auto"
) -> Iterator[str]:
    """A table as CSV by RFC 4180, about a day at a time.

    Parameters
    ----------
    service : Service
        Whose.
    series : sequence of (SeriesKey, str)
        Which, each with the watch whose band is meant; one behind the other.
    start, end : int
        ns UTC, the end not in it.
    resolution : {"auto", "hourly", "daily", "weekly", "monthly"}
        ``auto``: every point that is kept as it came, before them hours.

    Cost: the points of a day are held at a time. After ``ROWS_MAX`` rows it ends with a line that says so.
    """
    yield _lines([(*COLUMNS, *SPREAD)])
    left = ROWS_MAX
    for key, watch in series:
        for name, part in _parts(service, key, watch, start, end, resolution):
            shown = part if len(part) <= left else part.at(slice(left))
            left -= len(shown)
            yield _lines(_rows(key, name, shown))
            if len(shown) < len(part):
                since = format_rfc3339(int(part.time[len(shown)]))
                yield _lines([(f"cut after {ROWS_MAX} rows; ask from={since} for {key}",)])
                return


def _parts(
    service: Service, key: SeriesKey, watch: str, start: int, end: int, resolution: str
) -> Iterator[tuple[str, Buckets]]:
    old = hours_before(service, watch, key, start, end)
    if resolution != "auto":
        hours = behind(old, of_points(scored(service, watch, key, start, end)).gathered(HOUR), HOUR)
        yield resolution, hours.gathered(WIDTHS[resolution])
        return
    first = max(start, oldest(service, watch, key))
    yield "hourly", old.at(old.time < first // HOUR * HOUR)
    last = min(end, service.clock.now() + DAY)
    while first < last:
        until = min(last, (first // PART + 1) * PART)
        yield "raw", of_points(scored(service, watch, key, first, until))
        first = until


def oldest(service: Service, watch: str, key: SeriesKey) -> int:
    """Since when points of a series may be kept with their bands, ns UTC."""
    tail = service.recent.tail(watch, key)
    times = [int(tail.time[0])] if tail is not None else []
    if service.scores is not None and (first := service.scores.oldest()) is not None:
        times.append(first)
    return min(times, default=service.clock.now())


def _rows(key: SeriesKey, resolution: str, part: Buckets) -> Iterator[tuple[str, ...]]:
    text = str(key)
    # A spreadsheet would take it for a formula.
    name = "'" + text if text.startswith(_FORMULA) else text
    steps, factor = unit_of(key.metric)
    unit = next((sign for size, sign in steps.steps if size == factor), "")
    names = COLUMNS[4:] + (SPREAD if resolution != "raw" else ())
    blank = ("",) * (len(COLUMNS) + len(SPREAD) - 4 - len(names))
    columns = [getattr(part, c).tolist() for c in names]
    for k, time in enumerate(part.time.tolist()):
        yield (format_rfc3339(time), name, unit, resolution, *(_cell(c[k]) for c in columns), *blank)


def _cell(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.9g}" if math.isfinite(value) else ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def named(service: Service, keys: Sequence[SeriesKey], watch: str | None) -> list[tuple[SeriesKey, str]]:
    """Series with the watch under which each is shown.

    Raises
    ------
    ConfigError
        No watch has one of them.
    """
    return [(key, shown_under(service, key, watch)) for key in keys]
