"""anomaly_plot.png: value, band, what lies outside, alerts and the score lane, as a picture for people and papers.

Drawn with matplotlib's objects only, without pyplot: nothing global is read or changed. matplotlib is imported when
a picture is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.axes import SECOND, axis_range, time_ticks, unit_of_view, value_ticks
from watchband.apps.library.view import SeriesView
from watchband.core.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Theme = Literal["light", "dark"]

SIZE = (10.0, 4.3)
DPI = 144
FONT = "DejaVu Sans"
"""Comes with matplotlib: the same picture on every machine."""
POINTS_MAX = 3_000
SCORE_MAX = 4.0
DOT_GAP = 0.006
"""Share of the width below which neighbouring dots would touch."""

THEMES: dict[Theme, dict[str, str]] = {
    "light": {
        "surface": "#ffffff",
        "ink": "#12181f",
        "ink_2": "#434e59",
        "ink_3": "#5f6a76",
        "line": "#dce1e6",
        "line_strong": "#c2cad2",
        "band": "#d5e5f4",
        "band_edge": "#5f90c0",
        "expected": "#1f65a6",
        "out": "#c02a12",
        "out_wash": "#fbeae6",
        "calm": "#c3ccd5",
    },
    "dark": {
        "surface": "#141a21",
        "ink": "#e9eef3",
        "ink_2": "#b3bec9",
        "ink_3": "#8b98a5",
        "line": "#252e38",
        "line_strong": "#35414d",
        "band": "#1e3950",
        "band_edge": "#4a7aa8",
        "expected": "#78b0e4",
        "out": "#ff6d4d",
        "out_wash": "#2e1a18",
        "calm": "#2c3641",
    },
}


def write_plot(
    view: SeriesView,
    path: str | Path,
    *,
    timezone: str = "UTC",
    theme: Theme = "light",
    title: str | None = None,
    dpi: int = DPI,
) -> Path:
    """Write the band chart of one series as a PNG file.

    Parameters
    ----------
    view : SeriesView
        What to draw; long series are thinned without losing an anomaly.
    path : str or Path
        The file to write; it is replaced.
    timezone : str, default "UTC"
        IANA name of the zone of the time axis.
    theme : "light" or "dark", default "light"
        Colours.
    title : str, optional
        Heading; default is the name of the series.
    dpi : int, default 144
        Dots per inch of a picture of 10 by 4.3 inches.

    Returns
    -------
    Path
        The file.
    """
    target = Path(path)
    drawn = figure(view, timezone=timezone, theme=theme, title=title)
    drawn.savefig(target, dpi=dpi, format="png", metadata={"Software": None})
    return target


def figure(view: SeriesView, *, timezone: str = "UTC", theme: Theme = "light", title: str | None = None) -> Figure:
    """The same chart as a matplotlib figure with its own canvas; see ``write_plot`` for the parameters."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colour = THEMES[theme]
    drawn = Figure(figsize=SIZE, dpi=DPI, facecolor=colour["surface"])
    FigureCanvasAgg(drawn)
    value: Any = drawn.add_axes((0.062, 0.295, 0.922, 0.545), facecolor=colour["surface"])
    lane: Any = drawn.add_axes((0.062, 0.105, 0.922, 0.135), facecolor=colour["surface"], sharex=value)
    scaled, unit = _in_unit(view.thin(POINTS_MAX))
    first, last = _ends(scaled)
    value.set_xlim(first, last)
    value.set_ylim(*axis_range(scaled))
    lane.set_ylim(0, SCORE_MAX)
    _values(value, scaled, colour)
    _anomalies(value, scaled, colour)
    _alerts(value, scaled, colour)
    _scores(lane, scaled, colour)
    _axes(value, lane, scaled, timezone, colour)
    _words(drawn, scaled, unit, timezone, title, colour)
    return drawn


def _in_unit(view: SeriesView) -> tuple[SeriesView, str]:
    """Values in the unit with a prefix that suits their size."""
    factor, unit = unit_of_view(view)
    scaled = view.take(np.arange(len(view)))
    for name in ("y", "yhat", "yhat_lower", "yhat_upper"):
        setattr(scaled, name, getattr(view, name) * factor)
    return scaled, unit


def _ends(view: SeriesView) -> tuple[float, float]:
    if not len(view):
        return 0.0, 1.0
    first, last = float(_x(view)[0]), float(_x(view)[-1])
    return (first, last) if last > first else (first - 1, last + 1)


def _x(view: SeriesView) -> NDArray[np.float64]:
    return np.asarray(view.times / SECOND)


def _broken(view: SeriesView, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The line with a NaN between points that are not joined."""
    assert view.segments is not None
    cuts = np.flatnonzero(np.diff(view.segments)) + 1
    return np.insert(_x(view), cuts, np.nan), np.insert(y, cuts, np.nan)


def _values(axes: Axes, view: SeriesView, colour: dict[str, str]) -> None:
    x = _x(view)
    axes.fill_between(x, view.yhat_lower, view.yhat_upper, color=colour["band"], linewidth=0, zorder=2)
    for edge in (view.yhat_lower, view.yhat_upper):
        axes.plot(x, edge, color=colour["band_edge"], linewidth=0.7, zorder=2.2)
    axes.plot(x, view.yhat, color=colour["expected"], linewidth=0.9, dashes=(4, 3), zorder=2.4)
    width = 1.1 if len(view) < 900 else 0.7
    axes.plot(*_broken(view, view.y), color=colour["ink"], linewidth=width, solid_joinstyle="round", zorder=3)
    bottom = axes.get_ylim()[0]
    for first, last in view.gaps:
        bar = ([first / SECOND, last / SECOND], [bottom, bottom])
        axes.plot(*bar, color=colour["ink_3"], linewidth=5, linestyle=(0, (0.3, 0.5)), zorder=3.5)


def _anomalies(axes: Axes, view: SeriesView, colour: dict[str, str]) -> None:
    """The line turns warm from the last point inside; dots at onset, peak and end where they would touch."""
    from matplotlib.collections import LineCollection

    assert view.segments is not None
    x, hot = _x(view), view.anomalous & np.isfinite(view.y)
    inside = np.isfinite(view.yhat_lower) & ~view.outside
    warm = np.flatnonzero(hot[1:] & ~inside[1:] & (np.diff(view.segments) == 0)) + 1
    pieces = [((x[i - 1], view.y[i - 1]), (x[i], view.y[i])) for i in warm]
    axes.add_collection(
        LineCollection(pieces, colors=colour["out"], linewidths=1.5, capstyle="round", zorder=4), autolim=False
    )
    dots = _dots(view, hot)
    size = np.where(view.anomaly_score[dots] >= 2, 26.0, 17.0)
    axes.scatter(
        x[dots], view.y[dots], s=size, color=colour["out"], edgecolor=colour["surface"], linewidth=0.7, zorder=5
    )


def _dots(view: SeriesView, hot: NDArray[np.bool_]) -> NDArray[np.int64]:
    edges = np.diff(np.concatenate([[False], hot, [False]]).astype(np.int8))
    chosen: list[int] = []
    span = max(1, int(view.times[-1] - view.times[0])) if len(view) else 1
    for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        peak = int(first + np.argmax(view.anomaly_score[first:end]))
        width = float(view.times[end - 1] - view.times[first]) / span
        if width >= DOT_GAP * (end - first - 1):
            chosen += range(first, end)
        else:
            chosen += [peak] if width < DOT_GAP else sorted({int(first), peak, int(end - 1)})
    return np.array(chosen, np.int64)


def _alerts(axes: Axes, view: SeriesView, colour: dict[str, str]) -> None:
    from matplotlib.patches import Rectangle

    first, last = axes.get_xlim()
    least = (last - first) * 0.003
    for alert in view.alerts:
        start = alert.opened / SECOND
        length = max(least, (alert.closed / SECOND if alert.closed is not None else last) - start)
        axes.axvspan(start, start + length, color=colour["out_wash"], linewidth=0, zorder=1)
        place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "linewidth": 0, "zorder": 6}
        axes.add_patch(Rectangle((start, 1.0), length, 0.016, color=colour["out"], **place))


def _scores(lane: Axes, view: SeriesView, colour: dict[str, str]) -> None:
    x, score = _x(view), view.anomaly_score
    lane.fill_between(x, 0, np.minimum(score, 1.0), color=colour["calm"], linewidth=0, zorder=2)
    hot = view.anomalous
    lane.vlines(x[hot], 0, np.minimum(score[hot], SCORE_MAX), color=colour["out"], linewidth=1.6, zorder=3)
    lane.axhline(1.0, color=colour["ink_2"], linewidth=0.8, dashes=(3, 2), zorder=4)


def _axes(value: Axes, lane: Axes, view: SeriesView, timezone: str, colour: dict[str, str]) -> None:
    small: dict[str, Any] = {"fontsize": 7.5, "fontfamily": FONT}
    for axes in (value, lane):
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set(color=colour["line_strong"], linewidth=0.8)
        axes.tick_params(length=0, labelcolor=colour["ink_3"], pad=5)
    marks = value_ticks(*value.get_ylim())
    value.set_yticks([v for v, _ in marks], [text for _, text in marks], **small)
    value.grid(axis="y", color=colour["line"], linewidth=0.8, zorder=0)
    value.set_axisbelow(True)
    value.tick_params(labelbottom=False)
    lane.set_yticks([1.0, SCORE_MAX], ["1", f"{SCORE_MAX:.0f}"], **small)
    ticks = time_ticks(int(view.times[0]), int(view.times[-1]), timezone, 11) if len(view) else []
    lane.set_xticks([t / SECOND for t, _, _ in ticks], [text for _, text, _ in ticks], **small)
    for label, (_, _, strong) in zip(lane.get_xticklabels(), ticks, strict=True):
        if strong:
            label.set(color=colour["ink"], fontweight="bold")
    lane.text(0.004, 1.06, "anomaly score", transform=lane.transAxes, va="bottom", color=colour["ink_3"], **small)


def _words(
    drawn: Figure, view: SeriesView, unit: str, timezone: str, title: str | None, colour: dict[str, str]
) -> None:
    name = title if title is not None else view.key.metric
    labels = "" if title is not None else ", ".join(f"{k}={v}" for k, v in view.key.labels.items())
    head = drawn.text(0.016, 0.945, name, fontsize=10.5, fontweight="bold", color=colour["ink"], fontfamily=FONT)
    box = head.get_window_extent().transformed(drawn.transFigure.inverted())
    drawn.text(box.x1 + 0.009, 0.945, labels, fontsize=9, color=colour["ink_2"], fontfamily=FONT)
    drawn.text(0.984, 0.945, _summary(view), fontsize=8.5, ha="right", color=colour["ink_2"], fontfamily=FONT)
    drawn.text(0.066, 0.872, unit, fontsize=7.5, color=colour["ink_3"], fontfamily=FONT)
    drawn.text(0.984, 0.02, timezone, fontsize=7.5, ha="right", color=colour["ink_3"], fontfamily=FONT)


def _summary(view: SeriesView) -> str:
    if not view.alerts:
        judged = bool(np.isfinite(view.anomaly_score).any())
        return "inside its band" if judged else "too little history to judge"
    worst = max(view.alerts, key=lambda a: a.anomaly_score)
    count = f"{len(view.alerts)} alerts, " if len(view.alerts) > 1 else ""
    sides = f", {number(worst.widths, 2)} band widths {worst.direction}" if worst.widths > 0 else ""
    return f"{count}{'worst ' if count else ''}{worst.severity}{sides}"
