"""Axes: which values to show, and round ticks of values and of local time."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from watchband.apps.library.view import SeriesView
from watchband.core.wording import MINUS, NO_BREAK, scale_of

SECOND = 1_000_000_000
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_STEPS_DAYS = (1, 2, 4, 7, 14)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))

Tick = tuple[int, str, bool]
"""Time in nanoseconds UTC, text, and whether it begins a day or a year."""


def shown_range(view: SeriesView) -> tuple[float, float]:
    """Lowest and highest to be shown: all values, and the band as far as it does not dwarf them."""
    y = view.y[np.isfinite(view.y)]
    edges = np.concatenate([view.yhat_lower, view.yhat_upper])
    edges = edges[np.isfinite(edges)]
    if not len(y):
        return (float(edges.min()), float(edges.max()) + 1e-9) if len(edges) else (0.0, 1.0)
    low, high = float(y.min()), float(y.max())
    room = max(0.6 * (high - low), 1e-6 * max(abs(low), abs(high)), 1e-9)
    if len(edges):
        low = min(low, max(float(edges.min()), low - room))
        high = max(high, min(float(edges.max()), high + room))
    return (low, high) if high > low else (low - room, high + room)


def axis_range(view: SeriesView) -> tuple[float, float]:
    """The shown range with 8 % air; from 0 where 0 has a meaning and the band stays tall enough to be read."""
    low, high = shown_range(view)
    air, width = 0.08 * (high - low), view.yhat_upper - view.yhat_lower
    width = width[np.isfinite(width)]
    natural = bool(np.isfinite(view.y).any()) and float(np.nanmin(view.y)) >= 0
    if natural and (low < 0.3 * high or (len(width) and float(width.mean()) >= 0.15 * high)):
        return (low - air if low < 0 else 0.0), high + air
    return low - air, high + air


def unit_of_view(view: SeriesView) -> tuple[float, str]:
    """The factor and the unit in which the values of a series are best written."""
    sizes = np.abs(view.y[np.isfinite(view.y)])
    if view.unit or not len(sizes):
        return 1.0, view.unit
    return scale_of(view.key.metric, float(sizes.max()))


def value_ticks(low: float, high: float, count: float = 4.5) -> list[tuple[float, str]]:
    """Ticks at 1, 2, 2.5 or 5 times a power of ten, with k, M and G for large ones.

    Examples
    --------
    >>> [text for _, text in value_ticks(0, 1.1)], [text for _, text in value_ticks(-30_000, 90_000)]
    (['0', '0.2', '0.4', '0.6', '0.8', '1.0'], ['−25k', '0', '25k', '50k', '75k'])
    """
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.8)
    top = max(abs(low), abs(high))
    size, name = next(p for p in _PREFIXES if top >= 5 * p[0] or p[0] == 1.0)
    unit = step / size
    places = next((p for p in range(16) if abs(round(unit, p) - unit) <= 1e-6 * unit), 16)

    def text(k: int) -> str:
        return f"{k * unit:.{places}f}{name}".replace("-", MINUS) if k else "0"

    return [(k * step, text(k)) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def time_ticks(first: int, last: int, zone: str, count: int) -> list[Tick]:
    """At most about ``count`` ticks at round local times; a clock change between two is named at the later one."""
    place, room = ZoneInfo(zone), max(1, last - first) / count / SECOND
    begin, end = (_local(t, place) for t in (first, last))
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    if step := next((s for s in _STEPS_S if s >= room), 0):
        wall = [midnight + timedelta(seconds=step * k) for k in range(_whole(end - midnight, step) + 2)]
        return _named(wall, first, last, place, step)
    if days := next((d for d in _STEPS_DAYS if d * 86_400 >= room), 0):
        start = midnight - timedelta(days=(midnight - datetime(1970, 1, 1)).days % days)
        wall = [start + timedelta(days=days * k) for k in range(_whole(end - start, days * 86_400) + 2)]
        return [
            (t, f"{d.day}{NO_BREAK}{_MONTHS[d.month - 1]}", False)
            for d in wall
            if first <= (t := _ns(d, place)) <= last
        ]
    months = next((m for m in _STEPS_MONTHS if m * 30 * 86_400 >= room), _STEPS_MONTHS[-1])
    ticks: list[Tick] = []
    for m in range((begin.year * 12 + begin.month - 1) // months * months, end.year * 12 + end.month, months):
        t = _ns(datetime(m // 12, m % 12 + 1, 1), place)
        if first <= t <= last:
            ticks.append((t, _MONTHS[m % 12] if m % 12 else str(m // 12), m % 12 == 0))
    return ticks


def _named(wall: list[datetime], first: int, last: int, zone: ZoneInfo, step: int) -> list[Tick]:
    ticks: list[Tick] = []
    for d in wall:
        t = _ns(d, zone)
        if not first <= t <= last or _local(t, zone) != d:  # not in view, or skipped by the clock
            continue
        new_day = not (d.hour or d.minute or d.second)
        clock = f"{d:%H:%M}" if step >= 60 else f"{d:%H:%M:%S}"
        text = f"{_DAYS[d.weekday()]} {d.day}{NO_BREAK}{_MONTHS[d.month - 1]}" if new_day else clock
        if ticks and (
            moved := (_local(t, zone) - _local(ticks[-1][0], zone)).total_seconds() * SECOND - t + ticks[-1][0]
        ):
            text += f" {'+' if moved > 0 else MINUS}{abs(moved) / 3.6e12:g}{NO_BREAK}h"
        ticks.append((t, text, new_day))
    return ticks


def _whole(span: timedelta, step: int) -> int:
    return int(span.total_seconds() // step)


def _local(time: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time // SECOND)).astimezone(zone).replace(tzinfo=None)


def _ns(wall: datetime, zone: ZoneInfo) -> int:
    return int(wall.replace(tzinfo=zone).timestamp()) * SECOND
