"""What tables, pictures and the page show: grids of cells, and how a figure is written and toned."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchband.core import wording
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.evaluation.robustness.cells import Cell, table
from watchband.evaluation.robustness.matrix import CLEAN, FRAMES, MISSING, NOISE
from watchband.evaluation.robustness.run import Outcome
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.metric_types import METRICS

ORDER = [*METRICS, *FAULT_TYPES, CLEAN, *FRAMES, *NOISE, *MISSING]
"""In which order names stand."""
AXES = {"frame": "time frame", "noise": "noise", "missing": "missing", "kind": "kind of metric", "fault": "fault"}
WEAK, FAIR, GOOD, STRONG = 0.2, 0.4, 0.6, 0.8


@dataclass(frozen=True)
class Measure:
    """One figure of a cell: how it is called and written, and its tone.

    A tone is 0 for weak (warm), 1 for nothing to say of it, 2 to 4 for ever better (blue); None without a figure.
    """

    name: str
    title: str
    figure: Callable[[Cell], Interval]
    text: Callable[[float], str]
    tone: Callable[[Cell], int | None]
    meaning: str


def _share(value: float) -> str:
    return f"{value:.2f}"


def _points(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:,.0f}"


def _f1_tone(cell: Cell) -> int | None:
    value = cell.f1.value
    return None if math.isnan(value) else sum(value >= step for step in (WEAK, FAIR, GOOD, STRONG))


def _delay_tone(cell: Cell) -> int | None:
    value = cell.delay.value
    if math.isnan(value):
        return None
    return 0 if math.isinf(value) else 4 if value <= 1 else 3 if value <= 6 else 2 if value <= 36 else 1


def _alert_tone(cell: Cell) -> int | None:
    if math.isnan(cell.promise.value):
        return None
    return 0 if cell.promise.low > 1 and cell.promise.value > 2 else 2 if cell.promise.high <= 2 else 1


MEASURES = (
    Measure(
        "f1", "Event F1", lambda c: c.f1, _share, _f1_tone,
        "Harmonic mean of the events found and of what was right to ring. Warm below 0.2, blue from 0.4 on.",
    ),
    Measure(
        "delay", "Delay", lambda c: c.delay, _points, _delay_tone,
        "Median points from the start of a fault to its alert, over all faults; never where most were missed.",
    ),
    Measure(
        "alerts", "Alerts a week", lambda c: c.alerts_per_week, wording.number, _alert_tone,
        "Alerts outside faults, per series. Warm where it is more than twice the promise and the interval is above it.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Cells by the names of a row and a column; ``title`` says what it is."""

    title: str
    rows: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], Cell]


def ordered(names: Sequence[str]) -> list[str]:
    """Names in the order of the matrix; others, such as detectors, as they come."""
    return sorted(dict.fromkeys(names), key=lambda n: ORDER.index(n) if n in ORDER else -1)


def grid(title: str, cells: Sequence[Cell], row: str, column: str) -> Grid:
    """Cells of a table as a grid."""
    found = {(c.key[row], c.key[column]): c for c in cells}
    return Grid(title, ordered([r for r, _ in found]), ordered([c for _, c in found]), found)


def overview(outcomes: Sequence[Outcome]) -> list[Grid]:
    """Detectors against every axis, one at a time."""
    first = list(dict.fromkeys(o.detector for o in outcomes))
    grids = []
    for axis, title in AXES.items():
        found = table(outcomes, ("detector", axis))
        made = grid(f"by {title}", found, "detector", axis)
        if len(made.columns) > 1:
            grids.append(Grid(made.title, first, made.columns, made.cells))
    return grids


def by_kind_and_fault(outcomes: Sequence[Outcome], detector: str) -> Grid:
    """A detector's heat map: kinds of metrics down, faults across."""
    cells = [c for c in table(outcomes, ("detector", "kind", "fault")) if c.key["detector"] == detector]
    return grid(detector, cells, "kind", "fault")


def words(name: str) -> str:
    """A name as people read it."""
    return "no fault" if name == CLEAN else name.replace("_", " ") if name in ORDER else name


def said(cell: Cell) -> str:
    """All figures of a cell in one sentence."""
    found, missed, false = cell.counts
    parts = []
    if cell.events:
        parts.append(f"{found} of {found + missed} faults found")
        parts.append(f"F1 {_around(cell.f1, _share)}")
        parts.append(f"delay {_around(cell.delay, _points)} points")
    parts.append(f"{false} other alerts, {_around(cell.alerts_per_week, wording.number)} a week")
    parts.append(f"{_around(cell.promise, wording.number)} times the promise")
    return "; ".join(parts)


def _around(figure: Interval, text: Callable[[float], str]) -> str:
    return f"{text(figure.value)} ({text(figure.low)} to {text(figure.high)})"
