"""The data of the page: JSON that cannot break out of its element, columns as base64."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.axes import unit_of_view
from watchband.apps.library.report.words import SCRIPT
from watchband.apps.library.view import DetectionView, SeriesView
from watchband.core import wording

DAY = 86_400
GAPS_MAX = 300
CUT, ANOMALOUS, IMPUTED, IN_ALERT = 1, 2, 4, 8
"""Flags of a point: not joined to the one before, score above 1, filled in, within an alert."""


def payload(view: DetectionView, drawn: list[SeriesView]) -> str:
    """Everything the script needs, as JSON for a ``<script type="application/json">`` element."""
    data = {"offsets": _offsets(view, drawn), "words": SCRIPT, "series": [_series(s) for s in drawn]}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element only "</script", "<!--" and "<script" have a meaning: no "<" leaves none of them.
    return text.translate({ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028"})


def _offsets(view: DetectionView, drawn: list[SeriesView]) -> list[tuple[int, int, str]]:
    """From when (ms), by how much (ms) and under which name local time differs from UTC: one entry a change."""
    ends = [int(t) // 10**9 for s in drawn if len(s) for t in (s.times[0], s.times[-1])] or [0]
    zone, first, last = ZoneInfo(view.timezone), min(ends) - DAY, max(ends) + DAY

    def at(second: int) -> tuple[int, str]:
        here = datetime.fromtimestamp(second, UTC).astimezone(zone)
        offset = here.utcoffset()
        return int(offset.total_seconds() * 1000) if offset else 0, here.tzname() or view.timezone

    found = [(first * 1000, *at(first))]
    step = max(DAY, (last - first) // 20_000)
    for low in range(first, last, step):
        high = low + step
        if at(low) != at(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if at(middle) == at(low) else (low, middle)
            found.append((high * 1000, *at(high)))
    return found


def _series(view: SeriesView) -> dict[str, Any]:
    t0, tick, offsets = _ticks(view.times)
    finite = view.y[np.isfinite(view.y)]
    factor, unit = unit_of_view(view)
    base = float(np.median(finite)) * factor if len(finite) else 0.0
    # Single precision is exact enough once the usual level is taken off.
    values = [a * factor - base for a in (view.y, view.yhat, view.yhat_lower, view.yhat_upper)]
    columns = [offsets, *(_single(a) for a in (*values, view.anomaly_score)), _flags(view)]
    block = b"".join(np.ascontiguousarray(c).tobytes() for c in columns)
    return {
        "name": str(view.key),
        "unit": unit,
        "n": len(view),
        "points": view.points,
        "interval": view.interval_ns / 1e6,
        "t0": t0 / 1e6,
        "tick": tick / 1e6,
        "base": base,
        "data": base64.b64encode(block).decode("ascii"),
        "gaps": [[a / 1e6, b / 1e6, wording.duration(b - a)] for a, b in _longest(view.gaps)],
        "alerts": [_span(view, a.opened, a.closed) for a in sorted(view.alerts, key=lambda a: a.opened)],
    }


def _longest(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(gaps, key=lambda g: g[0] - g[1])[:GAPS_MAX]


def _span(view: SeriesView, opened: int, closed: int | None) -> list[float]:
    last = int(view.times[-1]) if len(view) else opened
    return [opened / 1e6, (closed if closed is not None else max(last, opened)) / 1e6, 1 if closed is None else 0]


def _ticks(times: NDArray[np.int64]) -> tuple[int, int, NDArray[np.uint32]]:
    """Times as whole numbers of ticks after the first: as fine as 32 bits allow."""
    if not len(times):
        return 0, 1, np.zeros(0, "<u4")
    offsets = times - times[0]
    tick = max(
        math.gcd(*np.unique(offsets).tolist()[:20_000], int(offsets[-1])), -(-int(offsets[-1]) // (2**32 - 1)), 1
    )
    return int(times[0]), tick, (offsets // tick).astype("<u4")


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    limit = float(np.finfo(np.float32).max)
    return np.clip(values, -limit, limit).astype("<f4")


def _flags(view: SeriesView) -> NDArray[np.uint8]:
    assert view.segments is not None
    flags = np.zeros(len(view), np.uint8)
    flags[1:] |= (np.diff(view.segments) != 0).astype(np.uint8) * CUT
    flags |= view.anomalous.astype(np.uint8) * ANOMALOUS
    flags |= view.imputed.astype(np.uint8) * IMPUTED
    for alert in view.alerts:
        last = alert.closed if alert.closed is not None else int(view.times[-1])
        flags |= ((view.times >= alert.opened) & (view.times <= last)).astype(np.uint8) * IN_ALERT
    return flags
