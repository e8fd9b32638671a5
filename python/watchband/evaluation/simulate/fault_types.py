"""Kinds of faults: what each does to the values of its stretch, how long, how large, and what is expected of it.

They work on any series that can say what it was before: simulated ones and the user's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.simulate.dice import Dice

MINUTE, HOUR = 60.0, 3600.0
_PAST_POINTS = 576


class Past(Protocol):
    """A series without faults, from which a fault takes what was usual."""

    def clean(self, first: int, stop: int) -> Float64:
        """Values of the points ``first`` to ``stop`` - 1."""
        ...

    def mean(self, first: int, stop: int) -> Float64:
        """What they would be without noise."""
        ...


@dataclass(frozen=True, eq=False)
class Event:
    """One fault at its place, by points.

    Parameters
    ----------
    fault : FaultType
        What it is.
    first, last : int
        Points; both belong to it. What stays for ever (``FaultType.stays``) goes on behind ``last``.
    settled : int
        Last point in which its end may still be seen.
    size : float
        In units of the series' own noise; NaN for faults without one.
    noise : float
        The unit, in units of the metric.
    dice : Dice
        Its own.
    past : Past
        The series without faults.
    day : int
        Points of a day.
    counts : bool
        The values are what a counter gains.
    incident : str
        That it belongs to.
    root : bool
        The incident begins here.
    """

    fault: FaultType
    first: int
    last: int
    settled: int
    size: float
    noise: float
    dice: Dice
    past: Past
    day: int
    counts: bool = False
    incident: str = ""
    root: bool = False

    @property
    def units(self) -> float:
        """Size in units of the metric."""
        return self.size * self.noise

    @property
    def length(self) -> int:
        """Points that belong to it."""
        return self.last - self.first + 1

    def part(self, index: Int64) -> Float64:
        """How far each point is through the fault: 0 at the first, 1 at the last."""
        return np.clip((index - self.first) / max(self.length - 1, 1), 0.0, 1.0)

    @cached_property
    def before(self) -> Float64:
        """Values of up to two days before, at most 576 of them."""
        begin = max(0, self.first - max(min(2 * self.day, _PAST_POINTS), 32))
        found = self.past.clean(begin, self.first) if self.first else self.past.clean(0, 1)
        held = found[~np.isnan(found)]
        return held if len(held) else np.zeros(1)

    @cached_property
    def at_start(self) -> tuple[float, float]:
        """Value and mean at the first point."""
        value = float(self.past.clean(self.first, self.first + 1)[0])
        return value, float(self.past.mean(self.first, self.first + 1)[0])

    def apply(self, index: Int64, values: Float64) -> Float64:
        """Values of the points ``index``, which are consecutive, with the fault."""
        return self.fault.apply(self, index, values)


Apply = Callable[[Event, Int64, Float64], Float64]


@dataclass(frozen=True)
class FaultType:
    """A kind of fault.

    Parameters
    ----------
    name : str
        As users write it.
    apply : callable
        From event, indexes of consecutive points and their values to changed values.
    points : (int, int)
        Shortest and longest, in points; with ``seconds`` only the shortest of all.
    seconds : (float, float), optional
        Shortest and longest, in seconds.
    size : (float, float), optional
        Smallest and largest, in units of the series' noise.
    signs : tuple of int
        Directions it may have.
    expect : str
        What is expected of a detector; see ``labels.EXPECT``.
    settle : float
        Seconds behind it in which an alert is neither a hit nor a false alarm, and at least 12 points.
    not_for, only_for : frozenset of str
        Traits of series that cannot have it; traits of which a series needs one.
    day_for : frozenset of str
        Traits of series in which it lasts at least a day: nothing shorter is sure to change a daily job.
    stays : bool
        It never ends: behind its last point the series goes on as it then is.
    """

    name: str
    apply: Apply
    points: tuple[int, int]
    seconds: tuple[float, float] | None = None
    size: tuple[float, float] | None = None
    signs: tuple[int, ...] = (1,)
    expect: str = "alert"
    settle: float = HOUR
    not_for: frozenset[str] = frozenset()
    only_for: frozenset[str] = frozenset()
    stays: bool = False
    day_for: frozenset[str] = frozenset()
    summary: str = field(default="", compare=False)

    def fits(self, traits: frozenset[str]) -> bool:
        """Whether a series with these traits can have it."""
        return not (self.not_for & traits) and (not self.only_for or bool(self.only_for & traits))


def _shift(event: Event, index: Int64, values: Float64) -> Float64:
    return values + event.units


def _ramp(event: Event, index: Int64, values: Float64) -> Float64:
    return values + event.units * event.part(index)


def _leak(event: Event, index: Int64, values: Float64) -> Float64:
    # Slow at first, and nothing falls back until somebody restarts.
    return values + event.units * event.part(index) ** 2


def _louder(event: Event, index: Int64, values: Float64) -> Float64:
    return values + abs(event.units) * event.dice.normal_at("louder", index)


def _season_stops(event: Event, index: Int64, values: Float64) -> Float64:
    # The course stays at its level of the moment before, the noise goes on.
    return values + (event.at_start[1] - event.past.mean(int(index[0]), int(index[-1]) + 1))


def _flat(event: Event, index: Int64, values: Float64) -> Float64:
    return np.full(len(values), 0.0 if event.counts else event.at_start[0])


def _gap(event: Event, index: Int64, values: Float64) -> Float64:
    return np.full(len(values), np.nan)


def _pattern(event: Event, index: Int64, values: Float64) -> Float64:
    # Two levels in turns, both usual, a course that is not.
    low, high = np.quantile(event.before, [0.15, 0.85])
    half = 3 + int(6 * float(event.dice.uniform("pattern", 0)[0]))
    turns = np.where((index - event.first) // half % 2, low, high)
    return np.asarray(turns + 0.3 * (values - event.past.mean(int(index[0]), int(index[-1]) + 1)), np.float64)


def _decoupled(event: Event, index: Int64, values: Float64) -> Float64:
    # The metric does what it did some hours ago: every value is usual, only not together with the others.
    back = max(event.day // 4 + int(event.day / 4 * float(event.dice.uniform("lag", 0)[0])), 1)
    back = min(back, event.first)
    return event.past.clean(int(index[0]) - back, int(index[-1]) + 1 - back)


def _new_concept(event: Event, index: Int64, values: Float64) -> Float64:
    gain = 1.5 if event.dice.uniform("gain", 0)[0] < 0.5 else 0.6
    level = float(np.mean(event.before))
    mean = event.past.mean(int(index[0]), int(index[-1]) + 1)
    return values + event.part(index) * (event.units + (gain - 1) * (mean - level))


_FEW_LEVELS = frozenset({"steps", "still"})
_EVERY = (
    FaultType("spike", _shift, (1, 3), size=(4.5, 10), summary="up for one to three points"),
    FaultType(
        "dip", _shift, (2, 8), size=(4, 9), signs=(-1,), not_for=frozenset({"floor"}), summary="down for a few points"
    ),
    FaultType(
        "level_shift", _shift, (6, 0), (6 * HOUR, 24 * HOUR), (2, 5), (-1, 1), settle=6 * HOUR,
        summary="another level for hours",
    ),
    FaultType(
        "new_level", _shift, (6, 0), (6 * HOUR, 24 * HOUR), (3, 6), (-1, 1), "adapt", 72 * HOUR, stays=True,
        summary="another level for ever",
    ),
    FaultType(
        "trend_drift", _ramp, (8, 0), (8 * HOUR, 24 * HOUR), (3, 8), (-1, 1), settle=6 * HOUR,
        summary="a slope for hours, then back",
    ),
    FaultType(
        "variance_change", _louder, (12, 0), (4 * HOUR, 16 * HOUR), (2, 4), not_for=_FEW_LEVELS,
        summary="the same level with several times the noise",
    ),
    FaultType(
        "seasonal_break", _season_stops, (6, 0), (6 * HOUR, 24 * HOUR), settle=6 * HOUR,
        only_for=frozenset({"seasonal"}), day_for=frozenset({"jobs"}),
        summary="the course of the day stops, the noise goes on",
    ),
    FaultType(
        "flat_line", _flat, (12, 0), (3 * HOUR, 16 * HOUR), expect="stuck", not_for=frozenset({"still"}),
        summary="the same value again and again",
    ),
    FaultType("gap", _gap, (3, 0), (1 * HOUR, 8 * HOUR), expect="no_data", summary="no points at all"),
    FaultType(
        "ratio_break", _decoupled, (8, 0), (3 * HOUR, 10 * HOUR), only_for=frozenset({"seasonal", "related"}),
        summary="usual values that no longer go with those of the other metrics",
    ),
    FaultType(
        "pattern_change", _pattern, (16, 0), (4 * HOUR, 12 * HOUR), not_for=_FEW_LEVELS,
        summary="another course inside the usual range",
    ),
    FaultType(
        "gradual_leak", _leak, (24, 0), (24 * HOUR, 50 * HOUR), (4, 10), settle=6 * HOUR,
        not_for=_FEW_LEVELS | {"climbs"},
        summary="up, slowly at first, until somebody restarts",
    ),
    FaultType(
        "concept_drift", _new_concept, (24, 0), (24 * HOUR, 48 * HOUR), (2, 5), (-1, 1), "adapt", 72 * HOUR,
        not_for=_FEW_LEVELS, stays=True, summary="another level and another swing of the day, for ever",
    ),
)  # fmt: skip
FAULT_TYPES: dict[str, FaultType] = {fault.name: fault for fault in _EVERY}
"""Every fault of one series by name; incidents of several series are made of these."""
