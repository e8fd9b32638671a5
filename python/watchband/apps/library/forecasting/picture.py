"""forecast_plot.png: the past as it was, the future as it is expected, with its interval and its baselines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.forecast.outcome import Forecast
from watchband.apps.library.axes import SECOND, time_ticks, value_ticks
from watchband.apps.library.forecasting import sentences
from watchband.apps.library.plot import DPI, FONT, SIZE, THEMES, Theme
from watchband.core import wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAST = 2.0
"""Past that is shown, in horizons."""
_STYLES = {"persistence": (0, (1, 2)), "seasonal_naive": (0, (4, 2, 1, 2))}


def shown_past(found: Forecast) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of the past that is drawn: two horizons, but not less than a season."""
    count = min(len(found.grid), max(int(PAST * len(found.times)), found.season, 60))
    return found.grid.times[-count:], found.grid.values[-count:]


def limits(found: Forecast) -> tuple[float, float]:
    """Lowest and highest of the axis: everything that is drawn, thresholds too where they are not far off."""
    _, past = shown_past(found)
    drawn = np.concatenate([past, found.expected, found.lower, found.upper])
    drawn = drawn[np.isfinite(drawn)]
    low, high = float(drawn.min()), float(drawn.max())
    room = (high - low) or max(abs(high), 1.0)
    near = [p.threshold for p in found.passages if low - 2 * room <= p.threshold <= high + 2 * room]
    low, high = min([low, *near]), max([high, *near])
    air = 0.08 * (high - low or room)
    return (0.0 if 0 <= low < 0.3 * high else low - air), high + air


def write_picture(found: Forecast, path: str | Path, *, timezone: str = "UTC", theme: Theme = "light") -> Path:
    """Write a PNG of ten by 4.3 inches; the file is replaced."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colour = THEMES[theme]
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=colour["surface"])
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0.062, 0.12, 0.922, 0.68), facecolor=colour["surface"])
    times, _ = shown_past(found)
    axes.set_xlim(times[0] / SECOND, found.times[-1] / SECOND)
    axes.set_ylim(*limits(found))
    _draw(axes, found, colour)
    _scales(axes, found, timezone, colour)
    figure.text(0.016, 0.935, str(found.key), fontsize=10.5, fontweight="bold", fontfamily=FONT, color=colour["ink"])
    told = sentences.passages(found) or [sentences.interval(found, timezone)]
    figure.text(0.016, 0.875, told[0], fontsize=8.5, fontfamily=FONT, color=colour["ink_2"])
    figure.text(0.984, 0.02, timezone, fontsize=7.5, ha="right", fontfamily=FONT, color=colour["ink_3"])
    target = Path(path)
    figure.savefig(target, dpi=DPI, format="png", metadata={"Software": None})
    return target


def _draw(axes: Axes, found: Forecast, colour: dict[str, str]) -> None:
    times, values = shown_past(found)
    now, ahead = times[-1] / SECOND, found.times / SECOND
    hatched: dict[str, Any] = {"facecolor": "none", "edgecolor": colour["band_edge"], "hatch": "////", "linewidth": 0.0}
    axes.fill_between(ahead, found.lower, found.upper, zorder=2, alpha=0.55, **hatched)
    for edge in (found.lower, found.upper):
        axes.plot(ahead, edge, color=colour["band_edge"], linewidth=0.8, dashes=(2, 2), zorder=2.2)
    for name, course in found.baselines.items():
        if name != found.model:
            axes.plot(ahead, course, color=colour["ink_3"], linewidth=0.9, linestyle=_STYLES[name], zorder=2.6)
    axes.plot(ahead, found.expected, color=colour["expected"], linewidth=1.3, dashes=(4, 2), zorder=3)
    axes.plot(times / SECOND, values, color=colour["ink"], linewidth=1.0, solid_joinstyle="round", zorder=3)
    axes.axvline(now, color=colour["ink_2"], linewidth=0.9, zorder=3.2)
    small: dict[str, Any] = {"fontsize": 7.5, "fontfamily": FONT}
    place: Any = axes.get_xaxis_transform()
    axes.text(now, 1.015, " forecast", transform=place, color=colour["ink_2"], va="bottom", **small)
    for passage in found.passages:
        axes.axhline(passage.threshold, color=colour["out"], linewidth=0.9, zorder=2.8)
        text = wording.quantity(found.key.metric, passage.threshold)
        axes.annotate(
            text, (0.004, passage.threshold), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=colour["out"], **small,
        )  # fmt: skip
        if math.isfinite(passage.steps):
            step = found.grid.step / SECOND
            ends = (now + passage.low * step, now + min(passage.high, len(found.times)) * step)
            axes.plot(ends, [passage.threshold] * 2, color=colour["out"], linewidth=4, solid_capstyle="butt", zorder=4)
            middle = now + passage.steps * step
            axes.plot([middle], [passage.threshold], "o", color=colour["out"], markersize=5, zorder=5)


def _scales(axes: Axes, found: Forecast, timezone: str, colour: dict[str, str]) -> None:
    small: dict[str, Any] = {"fontsize": 7.5, "fontfamily": FONT}
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=colour["line_strong"], linewidth=0.8)
    axes.tick_params(length=0, labelcolor=colour["ink_3"], pad=5)
    low, high = axes.get_ylim()
    factor, sign = wording.scale_of(found.key.metric, max(abs(low), abs(high)))
    marks = value_ticks(low * factor, high * factor)
    texts = [wording.with_unit(text, sign) if at == len(marks) - 1 else text for at, (_, text) in enumerate(marks)]
    axes.set_yticks([v / factor for v, _ in marks], texts, **small)
    axes.grid(axis="y", color=colour["line"], linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    times, _ = shown_past(found)
    ticks = time_ticks(int(times[0]), int(found.times[-1]), timezone, 11)
    axes.set_xticks([t / SECOND for t, _, _ in ticks], [text for _, text, _ in ticks], **small)
