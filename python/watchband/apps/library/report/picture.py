"""Small still charts as SVG: the sparklines of the report and the charts of a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.axes import shown_range
from watchband.apps.library.report.markup import Markup, el
from watchband.apps.library.view import SeriesView

PAD = 4.0


Behind = tuple[int, int, str]
"""A stretch from one time to another, and the class it is drawn with over the full height."""


def picture(
    view: SeriesView,
    width: int,
    height: int,
    *,
    label: str = "",
    last_dot: bool = True,
    behind: Sequence[Behind] = (),
) -> Markup:
    """Band, expected line, value and what lies outside, in ``width`` by ``height`` pixels, without axes."""
    if not len(view):
        return Markup("")
    x, to_y = _scales(view, width, height)
    y, low, high, middle = (to_y(a) for a in (view.y, view.yhat_lower, view.yhat_upper, view.yhat))
    parts = [_stretch(view, x, *one, height) for one in behind]
    parts.append(el("path", cls="band", d=_area(x, low, high)))
    parts += [el("path", cls="band-edge", d=_line(x, edge, _runs(np.isfinite(low)))) for edge in (low, high)]
    if height > 60:
        parts.append(el("path", cls="expected", d=_line(x, middle, _runs(np.isfinite(middle)))))
    joined = _joined(view)
    warm = view.anomalous & np.isfinite(y)
    parts.append(el("path", cls="value", d=_line(x, y, _runs(np.isfinite(y), joined))))
    onset = np.concatenate([warm[1:] & joined[1:] & ~warm[:-1], [False]])
    parts.append(el("path", cls="value-out", d=_line(x, y, _runs(warm | onset, joined))))
    if warm.any():
        peak = int(np.argmax(np.where(warm, view.anomaly_score, -1.0)))
        parts.append(el("circle", cls="anom", cx=_n(x[peak]), cy=_n(y[peak]), r=3))
    elif last_dot and np.isfinite(y).any():
        last = int(np.flatnonzero(np.isfinite(y))[-1])
        parts.append(el("circle", cls="dot-ink", cx=_n(x[last]), cy=_n(y[last]), r=2))
    named = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return el("svg", *parts, viewBox=f"0 0 {width} {height}", width=width, height=height, cls="still", **named)


def _stretch(view: SeriesView, x: NDArray[np.float64], start: int, end: int, cls: str, height: int) -> Markup:
    """At least three pixels wide, so that a short one is seen."""
    left, right = np.interp([start, end], view.times.astype(np.float64), x)
    left, right = (left, right) if right - left >= 3 else ((left + right) / 2 - 1.5, (left + right) / 2 + 1.5)
    return el("rect", cls=cls, x=_n(left), y=0, width=_n(right - left), height=height)


def _scales(view: SeriesView, width: int, height: int):  # type: ignore[no-untyped-def]
    span = max(1, int(view.times[-1] - view.times[0]))
    x = PAD + (view.times - view.times[0]) / span * (width - 2 * PAD)
    bottom, top = shown_range(view)

    def to_y(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(height - PAD - (values - bottom) / (top - bottom) * (height - 2 * PAD), -9, height + 9)

    return x, to_y


def _joined(view: SeriesView) -> NDArray[np.bool_]:
    assert view.segments is not None
    return np.concatenate([[False], np.diff(view.segments) == 0])


def _runs(shown: NDArray[np.bool_], joined: NDArray[np.bool_] | None = None) -> list[tuple[int, int]]:
    """Stretches [from, to) of neighbours that are shown and joined."""
    linked = shown.copy()
    linked[1:] &= shown[:-1]
    linked[0] = False
    if joined is not None:
        linked &= joined
    starts = np.flatnonzero(shown & ~linked)
    return [(a, b) for a, b in pairwise([*starts.tolist(), len(shown)]) for b in [_end(shown, a, b)]]


def _end(shown: NDArray[np.bool_], first: int, limit: int) -> int:
    hidden = np.flatnonzero(~shown[first:limit])
    return first + int(hidden[0]) if len(hidden) else limit


def _line(x: NDArray[np.float64], y: NDArray[np.float64], runs: list[tuple[int, int]]) -> str:
    return "".join("M" + "L".join(f"{_n(x[i])} {_n(y[i])}" for i in range(a, b)) for a, b in runs)


def _area(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    parts = []
    for a, b in _runs(np.isfinite(low) & np.isfinite(high)):
        there = "L".join(f"{_n(x[i])} {_n(high[i])}" for i in range(a, b))
        back = "L".join(f"{_n(x[i])} {_n(low[i])}" for i in range(b - 1, a - 1, -1))
        parts.append(f"M{there}L{back}Z")
    return "".join(parts)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
