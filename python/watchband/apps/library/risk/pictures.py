"""Pictures of a fit: how many groups, the tree, the maps, and what makes a state. Marks mean states by shape too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.risk.fit import Fitted
from watchband.analysis.risk.naming import STATES, Risk
from watchband.analysis.risk.projection import TSNE_MAX, Components, tsne
from watchband.apps.library.plot import DPI, FONT, THEMES
from watchband.core.points import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = THEMES["light"]
MARKS: dict[Risk, dict[str, Any]] = {
    Risk.IDLE: {"marker": "o", "facecolors": "none", "edgecolors": "#7b8793", "s": 14, "linewidths": 0.8},
    Risk.NORMAL: {"marker": "o", "color": "#3f7fbd", "s": 8, "linewidths": 0},
    Risk.HIGH_LOAD: {"marker": "^", "color": "#bd5403", "s": 14, "linewidths": 0},
    Risk.CRITICAL: {"marker": "D", "color": "#8e024d", "s": 34, "linewidths": 0},
}
DOTS_MAX = 4_000
LEAVES = 30


def write_pictures(fitted: Fitted, folder: Path) -> list[str]:
    """Write all of them; their names."""
    labeller, sample = fitted.labeller, fitted.sample
    points = labeller.scale(sample.values)
    known = np.full(int(sample.entity.max(initial=0)) + 1, -1, np.int64)
    # What is drawn is the state for the fleet and, where it is known, for the entity itself.
    known[: min(len(known), len(labeller.entities))] = np.arange(min(len(known), len(labeller.entities)))
    state = labeller.label(sample, known).state
    shown = _shown(state)
    said = labeller.profile["components"]
    axes = Components(*(np.array(said[name]) for name in ("mean", "axes", "share")))
    _groups(fitted, folder / "groups.png")
    _tree(fitted, folder / "dendrogram.png")
    titles = [
        f"component {n + 1}: {word}, {100 * share:.0f} % of variance"
        for n, (word, share) in enumerate(zip(said["words"], said["share"], strict=True))
    ]
    _scatter(axes(points[shown]), state[shown], titles, "Where each row stands", folder / "pca.png")
    few = _shown(state, TSNE_MAX)
    place = tsne(points[few])
    _scatter(place, state[few], ["", ""], "The same rows by nearness (t-SNE; axes mean nothing)", folder / "tsne.png")
    heat = np.array([[np.nan if v is None else v for v in row] for row in labeller.profile["heat"]])
    _heat(heat, [f.word for f in labeller.features], folder / "heatmap.png")
    return ["groups.png", "dendrogram.png", "pca.png", "tsne.png", "heatmap.png"]


def _shown(state: np.ndarray, most: int = DOTS_MAX) -> np.ndarray:
    """Rows that are drawn: every Critical one, and others evenly."""
    critical = np.flatnonzero(state == Risk.CRITICAL)[: most // 2]
    rest = np.flatnonzero(state != Risk.CRITICAL)
    room = most - len(critical)
    if len(rest) > room:
        rest = rest[np.linspace(0, len(rest) - 1, room).astype(np.int64)]
    return np.sort(np.concatenate([critical, rest]))


def _figure(wide: float, high: float, panels: int = 1) -> tuple[Any, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide, high), dpi=DPI, facecolor=COLOURS["surface"], layout="constrained")
    FigureCanvasAgg(figure)
    found = [figure.add_subplot(1, panels, n + 1) for n in range(panels)]
    for axes in found:
        axes.set_facecolor(COLOURS["surface"])
        axes.tick_params(colors=COLOURS["ink_3"], labelsize=8, length=0)
        for side in axes.spines.values():
            side.set_color(COLOURS["line"])
    return figure, found


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, color=COLOURS["ink"], fontfamily=FONT)


def _groups(fitted: Fitted, path: Path) -> None:
    counted = fitted.groups.counted
    figure, (left, right) = _figure(9, 3.2, 2)
    left.plot(counted.k, counted.inertia, color=COLOURS["ink"], marker="o", markersize=3)
    left.axvline(counted.elbow, color=COLOURS["line_strong"], linewidth=1)
    _title(left, f"Inertia by number of groups; bends at {counted.elbow}")
    right.plot(counted.k[1:], counted.davies_bouldin, color=COLOURS["ink"], marker="o", markersize=3)
    right.axvline(len(fitted.groups.centres), color=COLOURS["expected"], linewidth=1)
    _title(right, f"Davies-Bouldin index (lower is better); used: {len(fitted.groups.centres)}")
    for axes in (left, right):
        axes.set_ylim(bottom=0)
    figure.savefig(path)


def _tree(fitted: Fitted, path: Path) -> None:
    from watchband.analysis.risk.needs import scikit

    figure, (axes,) = _figure(9, 3.6)
    hierarchy = scikit("scipy.cluster.hierarchy")
    hierarchy.dendrogram(
        fitted.groups.tree.merges, p=LEAVES, truncate_mode="lastp", ax=axes, no_labels=True,
        color_threshold=0, above_threshold_color=COLOURS["ink_2"],
    )  # fmt: skip
    cut = fitted.groups.tree.merges[-(len(fitted.groups.centres) - 1), 2]
    axes.axhline(cut, color=COLOURS["expected"], linewidth=1, linestyle=(0, (4, 3)))
    _title(axes, f"Ward’s tree; cut into {len(fitted.groups.centres)} groups")
    figure.savefig(path)


def _scatter(place: Float64, state: np.ndarray, titles: list[str], title: str, path: Path) -> None:
    figure, (axes,) = _figure(7, 5)
    for risk in STATES:
        here = state == risk
        if here.any():
            axes.scatter(place[here, 0], place[here, 1], label=f"{risk.title} ({here.sum():,})", **MARKS[risk])
    axes.set_xlabel(titles[0], fontsize=8, color=COLOURS["ink_2"])
    axes.set_ylabel(titles[1], fontsize=8, color=COLOURS["ink_2"])
    axes.legend(frameon=False, fontsize=8, labelcolor=COLOURS["ink_2"], loc="best")
    _title(axes, title)
    figure.savefig(path)


def _heat(heat: Float64, words: list[str], path: Path) -> None:
    figure, (axes,) = _figure(max(5.0, 0.9 * len(words) + 1.5), 2.8)
    for row in range(len(STATES)):
        for column in range(len(words)):
            value = heat[row, column]
            warm = value >= 2
            tone = COLOURS["out"] if warm else COLOURS["ink"]
            alpha = 0.0 if np.isnan(value) else min(0.6, 0.03 + 0.1 * abs(value))
            axes.add_patch(_cell(column, row, tone, alpha))
            text = "–" if np.isnan(value) else f"{'+' if value >= 0 else '−'}{abs(value):.1f}"
            axes.text(
                column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9, color=COLOURS["ink"],
                fontweight="bold" if warm else "normal",
            )  # fmt: skip
    axes.set_xlim(0, len(words))
    axes.set_ylim(len(STATES), 0)
    axes.set_xticks(np.arange(len(words)) + 0.5, words, fontsize=8)
    axes.set_yticks(np.arange(len(STATES)) + 0.5, [risk.title for risk in STATES], fontsize=9)
    axes.xaxis.tick_top()
    for side in axes.spines.values():
        side.set_visible(False)
    _title(axes, "What makes a state: spreads from the fleet’s typical value; warm from +2")
    figure.savefig(path)


def _cell(column: int, row: int, tone: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column + 0.03, row + 0.06), 0.94, 0.88, facecolor=tone, alpha=alpha, linewidth=0)
