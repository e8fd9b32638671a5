"""A chart of an alert: points, band and the stretch that is alarmed, as a PNG for mail and chat.

Drawn with matplotlib's objects only, one picture at a time, of a bounded number of points: whatever the series, a
picture takes some 0.2 s and 50 kB. It has a light ground of its own with a frame, so that it reads in dark clients too.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.sinks.message import moment, plain
from watchband.core import wording
from watchband.core.ports import Notice, Stretch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS_MAX = 600
SIZE, DPI = (6.4, 2.7), 200
INK, SOFT, LINE, BAND, EDGE, OUT, WASH = "#12181f", "#5f6a76", "#dce1e6", "#d5e5f4", "#5f90c0", "#c02a12", "#fbeae6"
_IN_THE_FONT = ((0x20, 0x250), (0x370, 0x530), (0x2010, 0x2040))
"""Latin, Greek, Cyrillic, punctuation."""
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows, for whoever does not see it."""

    png: bytes
    alt: str
    name: str


def picture_of(notice: Notice) -> Picture | None:
    """The chart of a notice; None where fewer than two points of its series are at hand, or it cannot be drawn."""
    recent = notice.recent
    if recent is None or int(np.isfinite(recent.y).sum()) < 2:
        return None
    with _ONE_AT_A_TIME:
        try:
            png = _png(_thinned(recent), notice)
        except (ValueError, ArithmeticError, MemoryError):
            # A picture is an addition: the words go out without it.
            return None
    return Picture(png, alt_of(notice), f"watchband-{notice.id}.png")


def alt_of(notice: Notice) -> str:
    """The picture in words."""
    alert, recent = notice.alert, notice.recent
    assert recent is not None
    known = recent.y[np.isfinite(recent.y)]
    metric = alert.series.metric
    first, last = (moment(int(t), notice.zone) for t in (recent.times[0], recent.times[-1]))
    low, high = wording.quantity(metric, float(known.min())), wording.quantity(metric, float(known.max()))
    since = moment(alert.opened, notice.zone)
    return plain(
        f"Chart of {plain(metric, 80)} from {first} to {last}, values between {low} and {high}; the expected band, and "
        f"the alert since {since} marked.",
        400,
    )


def _thinned(recent: Stretch) -> Stretch:
    """At most POINTS_MAX points: of each stretch the lowest and the highest, so that nothing that stands out goes."""
    n = len(recent.times)
    if n <= POINTS_MAX:
        return recent
    edges = np.linspace(0, n, POINTS_MAX // 2 + 1).astype(int)
    keep: set[int] = {0, n - 1}
    for a, b in pairwise(edges.tolist()):
        part = recent.y[a:b]
        if np.isfinite(part).any():
            keep |= {a + int(np.nanargmin(part)), a + int(np.nanargmax(part))}
        else:
            keep.add(a)
    at = np.array(sorted(keep))
    return Stretch(*(getattr(recent, name)[at] for name in Stretch.__dataclass_fields__))


def _png(recent: Stretch, notice: Notice) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="#ffffff", edgecolor=LINE, linewidth=1.5)
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0.1, 0.14, 0.88, 0.68), facecolor="#ffffff")
    known = np.abs(recent.y[np.isfinite(recent.y)])
    factor, sign = wording.scale_of(notice.alert.series.metric, float(known.max()))
    scaled = {name: getattr(recent, name) * factor for name in ("y", "yhat", "yhat_lower", "yhat_upper")}
    if not all(np.abs(v[np.isfinite(v)]).max(initial=0.0) < 1e250 for v in scaled.values()):
        raise ValueError("numbers that no axis can show")
    moments = recent.times.astype("datetime64[ns]")
    _values(axes, moments, recent, scaled)
    _frame(axes, scaled, sign, notice.zone)
    _head(figure, notice)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="#ffffff", edgecolor=LINE, metadata={"Software": None})
    return buffer.getvalue()


def _values(axes: Axes, moments: Any, recent: Stretch, scaled: dict[str, NDArray[np.float64]]) -> None:
    y = np.where(np.isfinite(scaled["y"]), scaled["y"], np.nan)
    low, high = (np.where(np.isfinite(scaled[k]), scaled[k], np.nan) for k in ("yhat_lower", "yhat_upper"))
    axes.fill_between(moments, low, high, color=BAND, linewidth=0, zorder=2)
    for edge in (low, high):
        axes.plot(moments, edge, color=EDGE, linewidth=0.6, zorder=2.2)
    axes.plot(moments, y, color=INK, linewidth=1.0, solid_joinstyle="round", zorder=3)
    alone = np.isfinite(y) & np.isnan(np.r_[np.nan, y[:-1]]) & np.isnan(np.r_[y[1:], np.nan])
    axes.scatter(moments[alone], y[alone], s=5, color=INK, zorder=3)
    steps = np.flatnonzero(np.diff(np.r_[0, recent.alert.astype(np.int8), 0]))
    for a, b in zip(steps[::2], steps[1::2], strict=True):
        axes.axvspan(moments[max(a - 1, 0)], moments[min(b, len(moments)) - 1], color=WASH, linewidth=0, zorder=1)
        axes.plot(moments[a:b], y[a:b], color=OUT, linewidth=1.6, solid_capstyle="round", zorder=4)
    out = recent.alert & ((y > high) | (y < low) | (np.isnan(high) & np.isnan(low)))
    if int(out.sum()) <= 60:
        axes.scatter(moments[out], y[out], s=9, color=OUT, zorder=5)


def _frame(axes: Any, scaled: dict[str, NDArray[np.float64]], sign: str, zone: str) -> None:
    from matplotlib import dates
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    # matplotlib's dates have no types.
    untyped: Any = dates
    place = ZoneInfo(zone)
    ticks = untyped.AutoDateLocator(minticks=3, maxticks=7, tz=place)
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(untyped.ConciseDateFormatter(ticks, tz=place, show_offset=False))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda v, _: wording.with_unit(wording.number(float(f"{v:.9g}"), 4), sign))
    )
    y = scaled["y"][np.isfinite(scaled["y"])]
    low, high = float(y.min()), float(y.max())
    room = max(0.6 * (high - low), 1e-6 * max(abs(low), abs(high)), 1e-9)
    for edge in (scaled["yhat_lower"], scaled["yhat_upper"]):
        known = edge[np.isfinite(edge)]
        if len(known):
            low, high = min(low, max(float(known.min()), low - room)), max(high, min(float(known.max()), high + room))
    air = 0.08 * (high - low) or max(abs(high), 1.0) * 0.1
    axes.set_ylim(0.0 if 0 <= low < 0.3 * high else low - air, high + air)
    axes.margins(x=0.01)
    axes.grid(axis="y", color=LINE, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=7, length=2.5, width=0.6)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(SOFT)
        spine.set_linewidth(0.6)


def _head(figure: Any, notice: Notice) -> None:
    alert = notice.alert
    labels = ", ".join(f"{k}={v}" for k, v in alert.series.labels.items())
    zone = moment(alert.opened, notice.zone).rpartition(" ")[2]
    name, where = _drawable(plain(alert.series.metric, 50)), _drawable(f"{plain(labels, 70)} · {zone}".strip(" ·"))
    # A $ of a name is no beginning of a formula.
    figure.text(0.02, 0.9, name, color=INK, fontsize=8.5, weight="bold", parse_math=False)
    figure.text(0.98, 0.9, where, color=SOFT, fontsize=7, ha="right", parse_math=False)


def _drawable(text: str) -> str:
    """Only what the font is sure to have: others would be boxes, and a warning each."""
    return "".join(c if c.isprintable() and any(a <= ord(c) < b for a, b in _IN_THE_FONT) else "·" for c in text)
