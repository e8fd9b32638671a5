"""forecast_plot.png: what came and what was expected one step before, where the forecaster had not been fitted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.axes import SECOND, time_ticks, value_ticks
from watchband.apps.library.plot import DPI, FONT, SIZE, THEMES, Theme
from watchband.core import wording

if TYPE_CHECKING:
    from watchband.apps.library.training.forecaster import Forecasted

STEPS_SHOWN = 288
_NAMES = {"persistence": "persistence", "seasonal_naive": "as a season ago"}


def write_picture(found: Forecasted, path: str | Path, *, timezone: str = "UTC", theme: Theme = "light") -> Path:
    """Write a PNG of ten by 4.3 inches; the file is replaced."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colour = THEMES[theme]
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=colour["surface"])
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0.062, 0.12, 0.922, 0.68), facecolor=colour["surface"])
    shown = slice(-min(STEPS_SHOWN, len(found.times)), None)
    x = found.times[shown] / SECOND
    for name, width, z, extra in (
        ("seasonal_naive", 0.8, 2, {"color": colour["line_strong"]}),
        ("ridge", 1.3, 4, {"color": colour["expected"], "dashes": (4, 2)}),
    ):
        if name in found.told:
            axes.plot(x, found.told[name][shown], linewidth=width, zorder=z, **extra)
    axes.plot(x, found.actual[shown], color=colour["ink"], linewidth=1.0, solid_joinstyle="round", zorder=3)
    drawn = np.concatenate([found.actual[shown], *(said[shown] for said in found.told.values())])
    _scales(axes, found, drawn[np.isfinite(drawn)], x, timezone, colour)
    metrics = found.metrics
    beside = [f"{_NAMES[name]} {said['mae']:.4g}" for name, said in metrics["baselines"].items()]
    told = f"{metrics['model']}, {metrics['lags']} lags: mean absolute error {metrics['mae']:.4g}; {', '.join(beside)}"
    figure.text(0.016, 0.935, metrics["series"], fontsize=10.5, fontweight="bold", fontfamily=FONT, color=colour["ink"])
    figure.text(0.016, 0.875, told, fontsize=8.5, fontfamily=FONT, color=colour["ink_2"])
    right: dict[str, Any] = {"fontsize": 7.5, "ha": "right", "fontfamily": FONT, "color": colour["ink_3"]}
    says = (
        "one step ahead, dashed; pale: as a season ago" if "seasonal_naive" in found.told else "one step ahead, dashed"
    )
    figure.text(0.984, 0.935, says, **right)
    figure.text(0.984, 0.02, timezone, **right)
    target = Path(path)
    figure.savefig(target, dpi=DPI, format="png", metadata={"Software": None})
    return target


def _scales(axes: Any, found: Forecasted, drawn: Any, x: Any, timezone: str, colour: dict[str, str]) -> None:
    small: dict[str, Any] = {"fontsize": 7.5, "fontfamily": FONT}
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=colour["line_strong"], linewidth=0.8)
    axes.tick_params(length=0, labelcolor=colour["ink_3"], pad=5)
    low, high = (float(drawn.min()), float(drawn.max())) if len(drawn) else (0.0, 1.0)
    air = 0.08 * ((high - low) or abs(high) or 1.0)
    axes.set_xlim(x[0], x[-1] if x[-1] > x[0] else x[0] + 1)
    axes.set_ylim(low - air, high + air)
    factor, sign = wording.scale_of(found.key.metric, max(abs(low), abs(high)))
    marks = value_ticks((low - air) * factor, (high + air) * factor)
    texts = [wording.with_unit(text, sign) if at == len(marks) - 1 else text for at, (_, text) in enumerate(marks)]
    axes.set_yticks([v / factor for v, _ in marks], texts, **small)
    axes.grid(axis="y", color=colour["line"], linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    ticks = time_ticks(int(x[0] * SECOND), int(x[-1] * SECOND), timezone, 11)
    axes.set_xticks([t / SECOND for t, _, _ in ticks], [text for _, text, _ in ticks], **small)
