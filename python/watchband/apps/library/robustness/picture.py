"""Heat maps as PNG: the number stands in every cell, warm is weak, blue as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.apps.library.plot import DPI, FONT, THEMES, Theme
from watchband.apps.library.robustness.maps import MEASURES, Grid, Measure, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL = (0.62, 0.29)
"""Inches of a cell."""
TITLE, LEFT, TOP, BOTTOM, GAP, SIDE = 0.4, 1.55, 1.2, 0.4, 0.3, 0.5


def tones(theme: Theme) -> list[str]:
    """Fill of a cell by its tone: warm, nothing, three steps towards the colour of the band."""
    colours = THEMES[theme]
    steps = (0.35, 0.7, 1.0) if theme == "light" else (0.45, 0.75, 1.0)
    return [colours["out_wash"], colours["surface"], *(_mix(colours["surface"], colours["band"], s) for s in steps)]


def _mix(one: str, other: str, share: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def write_map(
    lines: Sequence[Sequence[Grid]], path: Path, title: str, *, measure: Measure = MEASURES[0], theme: Theme = "light"
) -> Path:
    """Draw lines of grids, those of a line side by side with the same rows.

    Parameters
    ----------
    lines : sequence of sequence of Grid
        At least one of one.
    path : Path
        The PNG file; it is replaced.
    title : str
        Stands above.
    measure : Measure
        Which figure.
    theme : {"light", "dark"}
        Of the design.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colours = THEMES[theme]
    lines = [[_shown(g, measure) for g in line] for line in lines]
    across = max(sum(len(g.columns) for g in line) * CELL[0] + (len(line) - 1) * GAP for line in lines)
    wide = LEFT + across + SIDE
    high = TITLE + sum(TOP + len(line[0].rows) * CELL[1] for line in lines) + BOTTOM
    figure = Figure(figsize=(wide, high), dpi=DPI, facecolor=colours["surface"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, wide)
    axes.set_ylim(high, 0)
    axes.axis("off")
    ink: dict[str, Any] = {"family": FONT, "color": colours["ink"]}
    axes.text(0.2, 0.3, title, fontsize=10.5, fontweight="bold", va="center", **ink)
    axes.text(0.2, high - 0.18, measure.meaning, fontsize=7, va="center", family=FONT, color=colours["ink_3"])
    top = TITLE
    for line in lines:
        top += TOP
        for i, row in enumerate(line[0].rows):
            y = top + (i + 0.5) * CELL[1]
            axes.text(LEFT - 0.1, y, words(row), fontsize=8, ha="right", va="center", **ink)
        x = LEFT
        for grid in line:
            _draw(axes, grid, (x, top), measure, theme)
            x += len(grid.columns) * CELL[0] + GAP
        top += len(line[0].rows) * CELL[1]
    figure.savefig(path, facecolor=colours["surface"], metadata={"Software": "Watchband"})
    return path


def _shown(grid: Grid, measure: Measure) -> Grid:
    """Without columns in which nothing has this figure."""
    some = {c for (_, c), cell in grid.cells.items() if measure.tone(cell) is not None}
    return replace(grid, columns=[c for c in grid.columns if c in some])


def _draw(axes: Axes, grid: Grid, at: tuple[float, float], measure: Measure, theme: Theme) -> None:
    from matplotlib.patches import Rectangle

    colours, fills, (left, top) = THEMES[theme], tones(theme), at
    if grid.title.startswith("by "):
        axes.text(left, top - TOP + 0.27, grid.title, fontsize=8, va="center", family=FONT, color=colours["ink_3"])
    for j, column in enumerate(grid.columns):
        x = left + j * CELL[0]
        axes.text(
            x + 0.3 * CELL[0], top - 0.08, words(column), fontsize=8, rotation=38, rotation_mode="anchor",
            ha="left", va="bottom", family=FONT, color=colours["ink_2"],
        )  # fmt: skip
        for i, row in enumerate(grid.rows):
            y = top + i * CELL[1]
            cell = grid.cells.get((row, column))
            tone = None if cell is None else measure.tone(cell)
            box = Rectangle(
                (x + 0.015, y + 0.015), CELL[0] - 0.03, CELL[1] - 0.03, linewidth=0.5, edgecolor=colours["line"],
                facecolor=colours["surface"] if tone is None else fills[tone],
            )  # fmt: skip
            axes.add_patch(box)
            text = "·" if cell is None or tone is None else measure.text(measure.figure(cell).value)
            axes.text(
                x + CELL[0] / 2, y + CELL[1] / 2, text, fontsize=7.5, ha="center", va="center", family=FONT,
                color=colours["ink_3"] if tone is None else colours["out"] if tone == 0 else colours["ink"],
                fontweight="bold" if tone == 4 else "normal",
            )  # fmt: skip
