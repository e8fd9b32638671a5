"""The chart of a forecast as SVG: curves stretch with the page, texts do not."""

from __future__ import annotations

import math

import numpy as np

from watchband.analysis.forecast.outcome import Forecast
from watchband.apps.library.axes import time_ticks, value_ticks
from watchband.apps.library.forecasting import sentences
from watchband.apps.library.forecasting.picture import limits, shown_past
from watchband.apps.library.report.markup import Markup, el
from watchband.core import wording

HEIGHT, TOP, BOTTOM = 280, 18, 24
WIDE = 1000.0
POINTS_MAX = 1500


class _Scale:
    """Places of times and values in the drawing: widths of a thousandth, heights in pixels."""

    def __init__(self, found: Forecast) -> None:
        times, _ = shown_past(found)
        self.first, self.last = int(times[0]), int(found.times[-1])
        self.low, self.high = limits(found)

    def x(self, time: float) -> float:
        return WIDE * (time - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - min(max(share, -0.02), 1.05) * (HEIGHT - TOP - BOTTOM)

    def path(self, times: np.ndarray, values: np.ndarray) -> str:
        """Lines between neighbours that have a value."""
        parts, pen = [], "M"
        for time, value in zip(times.tolist(), values.tolist(), strict=True):
            if not math.isfinite(value):
                pen = "M"
                continue
            parts.append(f"{pen}{self.x(time):.1f} {self.y(value):.1f}")
            pen = "L"
        return "".join(parts)


def drawing(found: Forecast, zone: str) -> Markup:
    """The chart; what it shows is told in words beside it."""
    scale = _Scale(found)
    times, values = _thin(*shown_past(found))
    ahead = found.times
    curves = []
    if np.isfinite(found.lower).all():
        around = np.concatenate([ahead, ahead[::-1]]), np.concatenate([found.upper, found.lower[::-1]])
        curves.append(el("path", cls="interval-area", d=scale.path(*around) + "Z"))
        curves += [el("path", cls="interval", d=scale.path(ahead, edge)) for edge in (found.lower, found.upper)]
    curves += [
        el("path", cls=name, d=scale.path(ahead, course))
        for name, course in found.baselines.items()
        if name != found.model
    ]
    curves.append(el("path", cls="expected", d=scale.path(ahead, found.expected)))
    curves.append(el("path", cls="past", d=scale.path(times, values)))
    plot = el("svg", *curves, viewBox=f"0 0 {WIDE:g} {HEIGHT}", preserveAspectRatio="none", width="100%", height=HEIGHT)
    told = " ".join([*sentences.passages(found), sentences.interval(found, zone)])
    texts = [*_grid(found, scale, zone), *_thresholds(found, scale, int(times[-1])), _now(scale, int(times[-1]))]
    inside = el("svg", *texts, width="100%", height=HEIGHT, cls="over")
    return el("div", plot, inside, cls="drawing", role="img", aria_label=f"{found.key}. {told}")


def _thin(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of many points the lowest and highest of each stretch, so that no spike is lost."""
    if len(times) <= POINTS_MAX:
        return times, values
    keep = []
    for part in np.array_split(np.arange(len(times)), POINTS_MAX // 2):
        known = part[np.isfinite(values[part])]
        keep += (
            [part[0]] if not len(known) else sorted({known[np.argmin(values[known])], known[np.argmax(values[known])]})
        )
    return times[keep], values[keep]


def _share(place: float) -> str:
    return f"{place / WIDE * 100:.2f}%"


def _grid(found: Forecast, scale: _Scale, zone: str) -> list[Markup]:
    factor, sign = wording.scale_of(found.key.metric, max(abs(scale.low), abs(scale.high)))
    marks = value_ticks(scale.low * factor, scale.high * factor)
    parts = []
    for at, (value, text) in enumerate(marks):
        y = scale.y(value / factor)
        parts.append(el("line", cls="grid", x1="0", x2="100%", y1=f"{y:.1f}", y2=f"{y:.1f}"))
        label = wording.with_unit(text, sign) if at == len(marks) - 1 else text
        parts.append(el("text", label, cls="tick", x="0", y=f"{y - 4:.1f}"))
    for time, text, _ in time_ticks(scale.first, scale.last, zone, 6):
        parts.append(el("text", text, cls="tick middle", x=_share(scale.x(time)), y=HEIGHT - 6))
    return parts


def _now(scale: _Scale, time: int) -> Markup:
    x = _share(scale.x(time))
    line = el("line", cls="now", x1=x, x2=x, y1=TOP - 6, y2=HEIGHT - BOTTOM)
    return el("g", line, el("text", "forecast", cls="tick", x=x, y=TOP - 8, dx=4))


def _thresholds(found: Forecast, scale: _Scale, now: int) -> list[Markup]:
    parts = []
    for passage in found.passages:
        y = f"{scale.y(passage.threshold):.1f}"
        parts.append(el("line", cls="threshold", x1="0", x2="100%", y1=y, y2=y))
        text = wording.quantity(found.key.metric, passage.threshold)
        parts.append(el("text", text, cls="tick reached", x="100%", y=f"{float(y) - 4:.1f}"))
        if math.isfinite(passage.steps):
            step = found.grid.step
            first, last = (now + step * min(p, len(found.times)) for p in (passage.low, passage.high))
            parts.append(el("line", cls="reach", x1=_share(scale.x(first)), x2=_share(scale.x(last)), y1=y, y2=y))
            parts.append(el("circle", cls="reached-dot", cx=_share(scale.x(now + step * passage.steps)), cy=y, r=4))
    return parts
