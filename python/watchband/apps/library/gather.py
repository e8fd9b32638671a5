"""Gathers, in bounded memory, what charts are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.closeup import OPENINGS_MAX, CloseUps
from watchband.apps.library.rows import Rows
from watchband.apps.library.view import SeriesView
from watchband.core.alert import Alert
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

POINTS_MAX = 16_384
"""Points a series that are kept; beyond, they are thinned to half as many that draw the same picture."""
POINTS_MIN = 512
TOTAL_MAX = 2_000_000
"""Points kept in all: with many series each keeps fewer."""
WAITING_MAX = 1 << 18
"""Rows that wait to be sorted by series: with many series, sorting is work per series and not per row."""


@dataclass(eq=False)
class _Gathered:
    view: SeriesView
    seen: int
    close: CloseUps


class Gatherer:
    """A consumer of rows that keeps a ``SeriesView`` per series.

    Rows that are not in time order within their series, and duplicates, are left out of the picture.
    """

    def __init__(self) -> None:
        self._series: dict[int, _Gathered] = {}
        self._room = OPENINGS_MAX
        self._waiting: list[Rows] = []
        self._count = 0

    def take(self, rows: Rows, keys: Sequence[SeriesKey]) -> None:
        """Add a block; blocks are sorted by series some at a time."""
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= WAITING_MAX:
            self._distribute(keys)

    def _distribute(self, keys: Sequence[SeriesKey]) -> None:
        rows = Rows.joined(self._waiting)
        self._waiting, self._count = [], 0
        if not len(rows):
            return
        order = np.argsort(rows.row, kind="stable")
        numbers, starts = np.unique(rows.row[order], return_index=True)
        limit = max(POINTS_MIN, min(POINTS_MAX, TOTAL_MAX // max(len(keys), 1)))
        for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            for start in range(0, len(part), limit // 2):
                self._add(number, keys[number], rows.take(part[start : start + limit // 2]), limit)

    def _add(self, number: int, key: SeriesKey, rows: Rows, limit: int) -> None:
        before = self._series.get(number)
        last = int(before.view.times[-1]) if before else None
        rows = rows.take(_ascending(rows.time, last))
        if not len(rows):
            return
        fresh = _view(key, rows)
        known = self._series.setdefault(number, _Gathered(fresh, 0, CloseUps()))
        openings = known.close.openings
        known.close.take(rows, self._room)
        self._room -= known.close.openings - openings
        known.seen += len(rows)
        if before is not None:
            joined = _joined(known.view, fresh)
            known.view = joined if len(joined) <= limit else joined.thin(limit // 2)

    def views(
        self, keys: Sequence[SeriesKey], alerts: Sequence[Alert], quality: Sequence[Mapping[str, Any]]
    ) -> list[SeriesView]:
        """One view per series, in the order of ``keys``, with its alerts and the quality of its data."""
        self._distribute(keys)
        mine: dict[SeriesKey, list[Alert]] = {}
        for alert in alerts:
            mine.setdefault(alert.series, []).append(alert)
        views = []
        for number, key in enumerate(keys):
            found = self._series.get(number)
            view = found.close.added_to(found.view) if found else _view(key, Rows.empty())
            view.alerts = sorted(mine.get(key, []), key=lambda a: a.opened)
            view.quality = quality[number] if number < len(quality) else {}
            view.points = found.seen if found else 0
            views.append(view)
        return views


def _ascending(times: Int64, last: int | None) -> NDArray[np.bool_]:
    """Rows later than everything before them."""
    start = np.iinfo(np.int64).min if last is None else last
    highest = np.maximum.accumulate(np.concatenate([[start], times]))[:-1]
    if last is None and len(times):
        highest[0] = times[0] - 1
    return np.asarray(times > highest)


def _view(key: SeriesKey, rows: Rows) -> SeriesView:
    return SeriesView(
        key, "", rows.time, rows.y, rows.yhat, rows.yhat_lower, rows.yhat_upper, rows.anomaly_score, rows.imputed
    )


def _joined(before: SeriesView, after: SeriesView) -> SeriesView:
    names = ("times", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed")
    both: dict[str, Any] = {name: np.concatenate([getattr(before, name), getattr(after, name)]) for name in names}
    assert before.segments is not None
    assert after.segments is not None
    follows = np.isfinite(before.y[-1]) and np.isfinite(after.y[0])
    shift = int(before.segments[-1]) + (0 if follows else 1)
    segments = np.concatenate([before.segments, after.segments + shift])
    return SeriesView(before.key, before.unit, **both, segments=segments)
