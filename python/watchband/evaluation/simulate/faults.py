"""Kinds of faults: each changes a stretch of a clean metric, in place, by a size in units of the metric's noise.

A fault is a function of the values, the clean metric, the first point, the length and the size with its sign. What it
leaves behind the stretch (a return to normal) belongs to the event's aftermath.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64
from watchband.evaluation.simulate.kinds import DAY, KINDS, SEASONAL, Clean

Apply = Callable[[np.random.Generator, Float64, Clean, slice, float], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Parameters
    ----------
    apply : callable
        Changes ``values[where]`` (or from there on) by ``size`` units of the metric.
    points : (int, int)
        Shortest and longest duration.
    size : (float, float)
        Smallest and largest size, in units of the metric's noise.
    signs : tuple of int
        Directions it may have.
    aftermath : int
        Points behind it in which an alert is neither a hit nor a false alarm.
    not_for : frozenset of str
        Kinds of metrics that cannot have it.
    """

    apply: Apply
    points: tuple[int, int]
    size: tuple[float, float]
    signs: tuple[int, ...] = (-1, 1)
    aftermath: int = 12
    not_for: frozenset[str] = frozenset()


def _shift(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    values[where] += size


def _ramp(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    values[where] += size * np.linspace(0, 1, where.stop - where.start)


def _leak(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    # Slow at first, and nothing falls back until somebody restarts.
    values[where] += size * np.linspace(0, 1, where.stop - where.start) ** 2


def _louder(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    length = where.stop - where.start
    values[where] += abs(size) * rng.normal(size=length)


def _holiday(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    # The course stays at its level of the moment before, the noise goes on.
    values[where] += clean.mean[where.start] - clean.mean[where]


def _flat(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    values[where] = values[where.start]


def _pattern(rng: np.random.Generator, values: Float64, clean: Clean, where: slice, size: float) -> None:
    # Two levels in turns, both usual, a course that is not.
    before = clean.values[max(0, where.start - 2 * DAY) : where.start]
    low, high = np.quantile(before, [0.15, 0.85])
    length = where.stop - where.start
    half = int(rng.integers(3, 9))
    turns = np.where(np.arange(length) // half % 2, low, high)
    values[where] = turns + 0.3 * (clean.values[where] - clean.mean[where])


FAULTS: dict[str, Fault] = {
    "spike": Fault(_shift, (1, 3), (4.5, 10), (1,)),
    "dip": Fault(_shift, (2, 8), (4, 9), (-1,), not_for=frozenset({"sparse", "error_ratio", "queue"})),
    "level_shift": Fault(_shift, (72, 288), (2, 5), aftermath=72),
    "trend_drift": Fault(_ramp, (96, 288), (3, 8), aftermath=72),
    "variance_change": Fault(_louder, (48, 200), (2, 4), (1,), not_for=frozenset({"integer"})),
    "seasonal_break": Fault(_holiday, (72, 144), (1, 1), (1,), 72, frozenset(KINDS) - SEASONAL),
    "flat_line": Fault(_flat, (36, 200), (1, 1), (1,), not_for=frozenset({"sparse", "integer", "queue"})),
    "pattern_change": Fault(_pattern, (48, 144), (1, 1), (1,), not_for=frozenset({"sparse", "integer"})),
    "gradual_leak": Fault(_leak, (288, 600), (4, 10), (1,), 72, frozenset({"memory"})),
}
