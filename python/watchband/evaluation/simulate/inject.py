"""Faults in a series that is there already: the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from watchband.core.duration import DAY
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.fault_types import Event
from watchband.evaluation.simulate.placing import FaultSpec, Room, place

_WINDOW = 13
_NORMAL_98 = 2.326
"""Quantile of |noise| that a normal law exceeds in one point of fifty."""
_DECIMALS_MAX = 12


@dataclass(frozen=True, eq=False)
class Injected:
    """A series with faults.

    Parameters
    ----------
    values : float64[n]
        NaN where a fault took the point away, and where it was NaN before.
    labels : list of Label
        Exactly what was changed, in order of time.
    removed : bool[n]
        Points that are gone.
    """

    values: Float64
    labels: list[Label]
    removed: np.ndarray


@dataclass(frozen=True, eq=False)
class Given:
    """A series of the user's as faults see it: what it was, what is usual, how noisy, how it is written.

    Parameters
    ----------
    times, values : int64[n], float64[n]
        ns UTC, ascending; NaN is a missing value.
    """

    times: Int64
    values: Float64

    def clean(self, first: int, stop: int) -> Float64:
        """Values of the points ``first`` to ``stop`` - 1."""
        return self.values[first:stop].copy()

    def mean(self, first: int, stop: int) -> Float64:
        """Their running median over 13 points: what they would be with little noise."""
        half = _WINDOW // 2
        padded = np.pad(self.values, half, mode="edge")[first : stop + 2 * half]
        windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
        found = np.full(len(windows), self.level)
        some = ~np.isnan(windows).all(axis=1)
        found[some] = np.nanmedian(windows[some], axis=1)
        return found

    @property
    def held(self) -> Float64:
        """Values that are numbers."""
        return self.values[np.isfinite(self.values)]

    @cached_property
    def level(self) -> float:
        """The usual value."""
        return float(np.median(self.held))

    @cached_property
    def noise(self) -> float:
        """One standard deviation of noise: by the 98 % quantile of the distance to the running median.

        Where that is 0 the series mostly stands still: then a fiftieth of its level, or half a step of whole numbers.
        """
        away = np.abs(self.values - self.mean(0, len(self.values)))
        found = float(np.quantile(away[np.isfinite(away)], 0.98) / _NORMAL_98)
        if found > 0:
            return found
        return 0.5 if self.decimals == 0 else max(0.02 * abs(self.level), 10.0**-self.decimals)

    @cached_property
    def decimals(self) -> int:
        """Digits behind the point with which every value can be written; 12 where more are needed."""
        held = self.held
        return next((d for d in range(_DECIMALS_MAX) if (np.round(held, d) == held).all()), _DECIMALS_MAX)

    @cached_property
    def interval(self) -> int:
        """Usual time from one point to the next."""
        return int(np.median(np.diff(self.times))) if len(self.times) > 1 else DAY

    @property
    def traits(self) -> frozenset[str]:
        """What it can have; see ``Course``."""
        low, high = np.quantile(self.held, [0.05, 0.95])
        return frozenset({"seasonal", "related"} | ({"still"} if low == high else set()))

    def fit(self, values: Float64) -> Float64:
        """Values as this series is written: not below 0 if it never was, with as many digits."""
        low = 0.0 if self.held.min() >= 0 else -np.inf
        found = np.asarray(np.maximum(values, low), np.float64)
        return np.asarray(np.round(found, self.decimals)) if self.decimals < _DECIMALS_MAX else found


def inject(times: Int64, values: Float64, faults: Sequence[FaultSpec], *, series: str = "", seed: int = 0) -> Injected:
    """Put faults into a series.

    Parameters
    ----------
    times, values : int64[n], float64[n]
        ns UTC, ascending; NaN is a missing value and stays so.
    faults : sequence of FaultSpec
        What and where; those without a time go to random places behind the first 35 %. Sizes are in units of the
        series' own noise.
    series : str, default ""
        Name on the labels; also decides random places.
    seed : int
        Equal seeds, equal faults.

    Raises
    ------
    ConfigError
        A fault outside the series, two that overlap, no room left.
    DataError
        No value at all, or times that do not ascend.

    Examples
    --------
    >>> times, values = np.arange(1000) * 60_000_000_000, np.random.default_rng(0).normal(10, 1, 1000)
    >>> found = inject(times, values, [FaultSpec("spike", 0.5, size=8.0, points=2)], series="cpu")
    >>> np.flatnonzero(found.values != values).tolist(), found.labels[0].size
    ([500, 501], 8.0)
    """
    if not np.isfinite(values).any():
        raise DataError(f"{series or 'The series'} has no value at all: nothing can be put into it.")
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise DataError(
            f"Times of {series or 'the series'} do not strictly ascend. Sort it and drop repeated times first."
        )
    given = Given(times, values)
    dice = Dice(seed, "inject", series)
    room = Room(len(times), int(times[0]), given.interval, given.traits, series or "the series")
    specs, firsts = [], {}
    for number, spec in enumerate(faults):
        first = _first(spec, times)
        if first is not None and spec.lasts is not None:
            stop = int(np.searchsorted(times, times[min(first, len(times) - 1)] + spec.lasts))
            spec = replace(spec, points=max(stop - first, 1), lasts=None)
        specs.append(spec)
        if first is not None:
            firsts[number] = first
    changed, labels = values.copy(), []
    for number, spot in enumerate(place(specs, room, dice.generator("places"), firsts)):
        size = spot.size
        if spot.spec.size is None and given.fit(np.array([given.level + size * given.noise]))[0] == 0:
            size = abs(size)
        event = Event(
            spot.fault, spot.first, spot.last, spot.settled, size, given.noise, dice.below("fault", number), given,
            max(round(DAY / given.interval), 1), incident=spot.spec.incident, root=spot.spec.root,
        )  # fmt: skip
        label = _strike(event, given, changed, series)
        if label is not None:
            labels.append(label)
    return Injected(changed, labels, np.isnan(changed) & ~np.isnan(values))


def _first(spec: FaultSpec, times: Int64) -> int | None:
    if isinstance(spec.when, float):
        return int(spec.when * len(times))
    moment = spec.when if spec.after is None else int(times[0]) + spec.after
    if moment is None:
        return None
    # A time before the first point or after the last is refused by ``place``.
    return -1 if moment < times[0] else int(np.searchsorted(times, moment))


def _strike(event: Event, given: Given, changed: Float64, series: str) -> Label | None:
    """Apply one fault in place; its label, or None where it changed nothing."""
    stop = len(changed) if event.fault.stays else event.last + 1
    index = np.arange(event.first, stop, dtype=np.int64)
    before = changed[event.first : stop].copy()
    after = given.fit(event.apply(index, before.copy()))
    after[~np.isfinite(before)] = before[~np.isfinite(before)]
    here = np.flatnonzero((after != before) & ~np.isnan(before))
    here = here[here <= event.last - event.first]
    changed[event.first : stop] = after
    if not len(here):
        return None
    start, end, settled = given.times[[event.first + here[0], event.first + here[-1], event.settled]].tolist()
    return Label(
        series, start, end, event.fault.name, settled, event.size, event.fault.expect, event.incident, event.root
    )
