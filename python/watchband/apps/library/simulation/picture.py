"""A picture of simulated series: what they do, and each fault where its label says it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.axes import SECOND, time_ticks, value_ticks
from watchband.apps.library.plot import DPI, FONT, THEMES, Theme
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS_MAX = 16
_BUCKETS = 1500
_INCHES_WIDE, _PANEL_INCHES, _HEAD_INCHES, _FOOT_INCHES = 10.0, 1.2, 0.1, 0.45
_NEAR = 0.012
_LETTER = 0.0068
"""Width of a letter as a share of the picture."""
Panel = tuple[str, Int64, Float64, Sequence[Label]]
"""Name, times, values and labels of a series."""


def draw_picture(
    panels: Sequence[Panel], path: str | Path, *, timezone: str = "UTC", theme: Theme = "light", dpi: int = DPI
) -> Path:
    """Write a PNG with one panel a series, all over the same time.

    Parameters
    ----------
    panels : sequence of Panel
        At most 16; what must alert is shaded warm, what must stay quiet cool, and each is named.
    path : path
        The file to write; it is replaced.
    timezone, theme, dpi
        Of the time axis; colours; dots per inch of a picture ten inches wide.

    Raises
    ------
    ConfigError
        No panel, or too many.
    """
    if not 1 <= len(panels) <= PANELS_MAX:
        raise ConfigError(f"A picture shows 1 to {PANELS_MAX} series. Got {len(panels)}; name some with --series.")
    target = Path(path)
    found = _figure(panels, timezone, theme)
    found.savefig(target, dpi=dpi, format="png", metadata={"Software": None})
    return target


def _figure(panels: Sequence[Panel], timezone: str, theme: Theme) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colour = THEMES[theme]
    high = _HEAD_INCHES + _PANEL_INCHES * len(panels) + _FOOT_INCHES
    drawn = Figure(figsize=(_INCHES_WIDE, high), dpi=DPI, facecolor=colour["surface"])
    FigureCanvasAgg(drawn)
    held = [times for _, times, _, _ in panels if len(times)]
    first = min((int(times[0]) for times in held), default=0)
    last = max((int(times[-1]) for times in held), default=1)
    for number, panel in enumerate(panels):
        top = high - _HEAD_INCHES - _PANEL_INCHES * number
        place = (0.062, (top - _PANEL_INCHES + 0.06) / high, 0.922, (_PANEL_INCHES - 0.42) / high)
        axes: Any = drawn.add_axes(place, facecolor=colour["surface"])
        axes.set_xlim(first / SECOND, max(last, first + 1) / SECOND)
        _panel(axes, panel, colour)
        _ticks(axes, first, last, timezone, colour, written=number == len(panels) - 1)
    drawn.text(0.984, 0.1 / high, timezone, fontsize=7.5, ha="right", color=colour["ink_3"], fontfamily=FONT)
    return drawn


def _panel(axes: Axes, panel: Panel, colour: dict[str, str]) -> None:
    name, times, values, labels = panel
    x, y = _thinned(times, values)
    if len(y):
        low, high = float(np.nanmin(y)), float(np.nanmax(y))
        air = 0.08 * (high - low) or max(abs(high) * 0.1, 1.0)
        axes.set_ylim(low - air if low < 0 or low > 0.3 * high else min(0.0, low) - 0.02 * air, high + air)
    axes.plot(x, y, color=colour["expected"], linewidth=0.8, zorder=3, solid_joinstyle="round")
    head = axes.text(
        0, 1.07, name, transform=axes.transAxes, fontsize=8.5, fontweight="bold", color=colour["ink"], fontfamily=FONT
    )
    box = head.get_window_extent().transformed(axes.transAxes.inverted())
    _shade(axes, labels, colour, box.x1 + 0.012)


def _shade(axes: Axes, labels: Sequence[Label], colour: dict[str, str], taken: float) -> None:
    from matplotlib.patches import Rectangle

    first, last = axes.get_xlim()
    width = last - first
    for label in sorted(labels, key=lambda a: a.start):
        calm = label.expect == "quiet"
        start = label.start / SECOND
        length = max(label.end / SECOND - start, 0.0015 * width)
        fill, edge = (colour["band"], colour["band_edge"]) if calm else (colour["out_wash"], colour["out"])
        axes.axvspan(start, start + length, color=fill, linewidth=0, zorder=1)
        place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "linewidth": 0, "zorder": 6}
        axes.add_patch(Rectangle((start, 1.0), length, 0.03, color=edge, **place))
        words = label.fault.replace("_", " ") + (" (quiet)" if calm else " (root)" if label.root else "")
        room = len(words) * _LETTER
        at = min(max((start - first) / width, taken), 1 - room)
        if at >= taken:
            axes.text(
                at, 1.07, words, transform=axes.transAxes, fontsize=7.5, fontfamily=FONT,
                color=colour["ink_2"] if calm else edge,
            )  # fmt: skip
            taken = at + room + _NEAR


def _ticks(axes: Axes, first: int, last: int, timezone: str, colour: dict[str, str], *, written: bool) -> None:
    small: dict[str, Any] = {"fontsize": 7.5, "fontfamily": FONT}
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=colour["line_strong"], linewidth=0.8)
    axes.tick_params(length=0, labelcolor=colour["ink_3"], pad=4)
    marks = value_ticks(*axes.get_ylim(), count=2.5)
    axes.set_yticks([v for v, _ in marks], [text for _, text in marks], **small)
    axes.grid(axis="y", color=colour["line"], linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    ticks = time_ticks(first, last, timezone, 9) if last > first else []
    axes.set_xticks([t / SECOND for t, _, _ in ticks], [text if written else "" for _, text, _ in ticks], **small)
    for text, (_, _, strong) in zip(axes.get_xticklabels(), ticks, strict=True):
        if strong:
            text.set(color=colour["ink"], fontweight="bold")


def _thinned(times: Int64, values: Float64) -> tuple[Float64, Float64]:
    """At most lowest and highest of 1,500 stretches; a gap stays a gap."""
    x = times / SECOND
    if len(times) > 2:
        step = float(np.median(np.diff(x)))
        cuts = np.flatnonzero(np.diff(x) > 3 * step) + 1
    else:
        cuts = np.empty(0, np.int64)
    if len(x) > 2 * _BUCKETS:
        edges = np.unique(np.concatenate([np.linspace(0, len(x), _BUCKETS + 1).astype(np.int64), cuts]))[:-1]
        stops = np.append(edges[1:], len(x))
        pairs = [
            (s + int(np.argmin(values[s:e])), s + int(np.argmax(values[s:e])))
            for s, e in zip(edges, stops, strict=True)
        ]
        keep = np.unique(np.array(pairs).ravel())
        cuts = np.searchsorted(keep, cuts)
        x, values = x[keep], values[keep]
    return np.insert(x, cuts, np.nan), np.insert(values, cuts, np.nan)
