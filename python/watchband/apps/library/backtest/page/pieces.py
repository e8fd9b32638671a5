"""Small drawings of the backtest's report: intervals on a scale, a strip of alerts and events, a mistake up close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from watchband.apps.library.axes import time_ticks
from watchband.apps.library.report.markup import Markup, el
from watchband.apps.library.report.picture import picture
from watchband.apps.library.view import SeriesView
from watchband.core import wording
from watchband.evaluation.backtest.assess import FALSE, Outcome
from watchband.evaluation.backtest.periods import Span
from watchband.evaluation.metrics.bootstrap import Interval

SCALE = (132, 18)
STRIP_HEIGHT = 26
CLOSE = (430, 88)
CLOSE_POINTS = 220


def scale(one: Interval, top: float, promise: float = float("nan")) -> Markup | None:
    """A value with its interval on a line from 0 to ``top``, and a tick at what was promised."""
    if one.value != one.value or top <= 0:
        return None
    width, height = SCALE

    def x(value: float) -> float:
        return 4 + min(max(value / top, 0), 1) * (width - 8)

    middle = height / 2
    parts = [el("path", cls="rule", d=f"M4 {middle}H{width - 4}")]
    if promise == promise:
        parts.append(el("path", cls="promise", d=f"M{x(promise):.1f} 2V{height - 2}"))
    if one.low == one.low:
        parts.append(el("path", cls="reach", d=f"M{x(one.low):.1f} {middle}H{x(one.high):.1f}"))
    parts.append(el("circle", cls="dot-ink", cx=f"{x(one.value):.1f}", cy=middle, r=4))
    return el("svg", *parts, viewBox=f"0 0 {width} {height}", width=width, height=height, aria_hidden="true")


def strip(outcome: Outcome, warm: Span, shown: Span, label: str) -> Markup:
    """Events and alerts of one series under one candidate along the time that is shown.

    Places are shares of the width: on any screen a mark keeps its size.
    """
    middle = STRIP_HEIGHT / 2

    def x(time: int) -> float:
        return 100 * min(max((time - shown.start) / max(shown.length, 1), 0), 1)

    parts = [el("line", cls="rule", x1="0", x2="100%", y1=middle, y2=middle)]
    if warm.length:
        left = x(warm.start)
        parts.append(el("rect", cls="learn", x=_share(left), y=3, width=_share(x(warm.end) - left), height=20))
    for event in outcome.events:
        left, right = x(event.label.start), x(event.label.end)
        cls, at = "event" if event.found else "event is-missed", (left + right) / 2
        # A line below is five pixels wide at the least: an event of one point among thousands is still seen.
        parts.append(el("line", cls=f"{cls} core", x1=_share(at), x2=_share(at), y1=4, y2=22))
        parts.append(el("rect", cls=cls, x=_share(left), y=4, width=_share(right - left), height=18))
        if not event.found:
            parts.append(el("circle", cls="ring", cx=_share(at), cy=middle, r=5))
    parts += [_placed(told.verdict, x(told.alert.decided)) for told in outcome.told]
    return el("svg", *parts, height=STRIP_HEIGHT, cls="strip", role="img", aria_label=label)


def _placed(verdict: str, share: float) -> Markup:
    return el("svg", mark(verdict, 0, STRIP_HEIGHT / 2), x=_share(share), cls="at", overflow="visible")


def _share(percent: float) -> str:
    return f"{percent:.2f}%"


def mark(verdict: str, x: float, y: float) -> Markup:
    """An alert: a warm disc with a tick where it is right, a warm ring with a cross where it is false, else grey."""
    if verdict == "hit":
        tick = el("path", cls="tick-on", d=f"M{x - 2.6:g} {y + 0.2:g}l1.9 2 3.4-4")
        return el("g", el("circle", cls="f-out", cx=f"{x:g}", cy=f"{y:g}", r=6), tick)
    if verdict in FALSE:
        cross = el("path", cls="cross-out", d=f"M{x - 2:g} {y - 2:g}l4 4m0-4l-4 4")
        return el("g", el("circle", cls="ring-out", cx=f"{x:g}", cy=f"{y:g}", r=5), cross)
    return el("circle", cls="dot-calm", cx=f"{x:g}", cy=f"{y:g}", r=3)


def time_axis(shown: Span, zone: str) -> Markup:
    """The ticks above the strips."""
    texts = [
        el("text", text, cls="tick strong mid" if bold else "tick mid", x=_share(place), y=12)
        for time, text, bold in time_ticks(shown.start, shown.end, zone, 7)
        if 3 < (place := 100 * (time - shown.start) / max(shown.length, 1)) < 97
    ]
    return el("svg", *texts, height=16, cls="strip", aria_hidden="true")


def close_up(view: SeriesView, start: int, end: int, label: str, *, event: bool) -> Markup:
    """The stretch around a false alert or a missed event, which is shaded."""
    step = view.interval_ns or max(int(np.median(np.diff(view.times))) if len(view) > 1 else 1, 1)
    air = max(2 * (end - start), 48 * step)
    near = np.flatnonzero((view.times >= start - air) & (view.times <= end + air // 2))
    if len(near) < 2:
        return Markup("")
    part = replace(view.take(near), alerts=[]).thin(CLOSE_POINTS)
    behind = [(max(start, int(part.times[0])), min(end, int(part.times[-1])), "event" if event else "wash")]
    return picture(part, *CLOSE, label=label, last_dot=False, behind=behind)


def together(spans: Sequence[Span]) -> Span | None:
    """One span for all where they lie about together; None where each needs an axis of its own."""
    if not spans:
        return None
    whole = Span(min(s.start for s in spans), max(s.end for s in spans))
    return whole if whole.length <= 1.5 * max(s.length for s in spans) else None


def stretch(span: Span, zone: str) -> str:
    """From which day to which."""
    first, last = (wording.moment(time, zone).rpartition(" ")[0] for time in (span.start, span.end))
    return first if first == last else f"{first} to {last}"
