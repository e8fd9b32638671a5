"""A simulated series: any kind, any interval, any length, with labelled faults; in one piece or in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from watchband.core.duration import DAY
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.course import CleanSeries, Course, joined
from watchband.evaluation.simulate.delivery import Chunk
from watchband.evaluation.simulate.dice import BLOCK, Dice
from watchband.evaluation.simulate.fault_types import Event
from watchband.evaluation.simulate.metric_types import course_of, dice_of, parse_kind
from watchband.evaluation.simulate.placing import FaultSpec, Room, place

NOISE_BLOCKS = 2
"""Blocks from the start in which the noise of a series is measured."""
_NORMAL_995 = 2.807
"""Quantile of |noise| that a normal law exceeds in one point of two hundred."""

_CLOCK = Clock()


@dataclass(frozen=True, eq=False)
class Simulated:
    """A series of one kind with faults.

    Every point is a function of seed, kind, number and its place alone: a series is the same in one piece and in
    chunks, alone and among a million others, and needs no memory for what came before.

    Parameters
    ----------
    kind : str
        A name of ``METRICS``, with constants if some are to be set: ``sparse:level=0.3``.
    seed, number : int
        Equal arguments, equal bits; numbers tell series of one seed apart.
    points : int
        Length, gaps included.
    clock : Clock
        Start, interval, calendar.
    faults : sequence of FaultSpec
        What goes wrong; those without a time go to random places behind the first 35 %.
    noise : float, default 1
        Noise as a multiple of what the kind has.
    name : str, optional
        Text form of the series' key; else the kind.

    Raises
    ------
    ConfigError
        A fault that the kind cannot have, that lies outside or overlaps another; a length or noise below 0.

    Examples
    --------
    >>> series = Simulated("cpu", seed=1, points=3000, faults=[FaultSpec("level_shift", size=4.0)])
    >>> label = series.labels[0]
    >>> label.fault, label.size, label.expect
    ('level_shift', 4.0, 'alert')
    >>> changed = series.values != series.clean_values
    >>> times = series.times[changed]
    >>> bool((times >= label.start).all() and (times <= label.end).all())
    True
    """

    kind: str = "cpu"
    seed: int = 0
    number: int = 0
    points: int = 4032
    clock: Clock = _CLOCK
    faults: Sequence[FaultSpec] = ()
    noise: float = 1.0
    name: str = ""
    _course: Course = field(init=False, repr=False)
    _bare: CleanSeries = field(init=False, repr=False)
    _dice: Dice = field(init=False, repr=False)
    _kept: dict[tuple[str, int], Float64] = field(init=False, repr=False, default_factory=dict)
    _totals: dict[tuple[str, int], float] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.points < 0 or not self.noise >= 0:
            raise ConfigError(f"Length and noise must be >= 0. Got {self.points} points and noise {self.noise}.")
        kind, given = parse_kind(self.kind)
        object.__setattr__(self, "_dice", dice_of(kind, self.seed, self.number))
        course = course_of(kind, self.seed, self.number, self.clock, given)
        object.__setattr__(self, "_course", course)
        # Faults look back into this and not into ``self``, which holds them: no circle, nothing is left behind.
        object.__setattr__(self, "_bare", CleanSeries(course, self.noise))
        object.__setattr__(self, "name", self.name or str(SeriesKey(kind)))
        assert self.events is not None

    # -- whole ---------------------------------------------------------------------------------------------------------

    @property
    def times(self) -> Int64:
        """Times of all points there are: int64[n], ns UTC."""
        return self.read(0, self.points).times

    @property
    def values(self) -> Float64:
        """Values of all points there are: float64[n]."""
        return self.read(0, self.points).values

    @property
    def clean_values(self) -> Float64:
        """What the same points would be without faults: float64[n], one for each of ``values``."""
        found = self.faulty(0, self.points)
        return self.clean_reported(0, self.points)[~np.isnan(found)]

    @cached_property
    def labels(self) -> list[Label]:
        """The faults, exactly: a label begins and ends at the first and last time that the fault changed.

        In order of time. Stretches that only look unusual are in ``quiet_labels``.
        """
        return [label for event in self.events if (label := self._label(event)) is not None]

    @property
    def quiet_labels(self) -> list[Label]:
        """Holidays, ends of months and switches of the clock: labels that expect quiet."""
        return self.clock.quiet_labels(self.name, self.points)

    # -- in pieces -----------------------------------------------------------------------------------------------------

    def read(self, first: int, stop: int) -> Chunk:
        """Points ``first`` to ``stop`` - 1 as a source would give them: what a gap swallowed is not there."""
        values = self.faulty(first, stop)
        here = ~np.isnan(values)
        times = self.clock.times(first, stop)
        return Chunk(times, values) if here.all() else Chunk(times[here], values[here])

    def chunks(self, points: int = 8 * BLOCK) -> Iterator[Chunk]:
        """The series from its start, so many points at a time (fewer where a gap is)."""
        for first in range(0, self.points, points):
            yield self.read(first, min(first + points, self.points))

    def faulty(self, first: int, stop: int) -> Float64:
        """Values of the points ``first`` to ``stop`` - 1; NaN in a gap."""
        return self._joined("reported", first, stop)

    def clean_reported(self, first: int, stop: int) -> Float64:
        """The same without faults."""
        return self._joined("clean reported", first, stop)

    def clean(self, first: int, stop: int) -> Float64:
        """What faults change: the values without faults, or for a counter what it gains at each point."""
        return self._bare.clean(first, stop)

    def mean(self, first: int, stop: int) -> Float64:
        """What ``clean`` would be without noise."""
        return self._bare.mean(first, stop)

    def grid(self, first: int, stop: int) -> Chunk:
        """Points ``first`` to ``stop`` - 1 with their times; NaN in a gap."""
        return Chunk(self.clock.times(first, stop), self.faulty(first, stop))

    # -- parts of it ---------------------------------------------------------------------------------------------------

    @property
    def traits(self) -> frozenset[str]:
        """What the kind is like; see ``Course``."""
        return self._course.traits

    @property
    def dice(self) -> Dice:
        """Its random numbers."""
        return self._dice

    @cached_property
    def noise_units(self) -> float:
        """One standard deviation of noise as it looks from point to point: the unit of a fault's size.

        By the 99.5 % quantile of |noise| over the first 2,048 points, so that heavy tails count.
        """
        stop = NOISE_BLOCKS * BLOCK
        values, mean = self.clean(0, stop), self.mean(0, stop)
        noise = np.diff(values) if "wanders" in self._course.traits else values - mean
        found = float(np.quantile(np.abs(noise), 0.995) / _NORMAL_995)
        if self._course.whole:
            return max(found, 0.5)
        return found if found > 0 else max(0.02 * float(np.abs(mean).max()), 1e-3)

    @cached_property
    def events(self) -> list[Event]:
        """The faults at their places, by points, in order of time."""
        if not self.faults:
            return []
        room = Room(self.points, self.clock.start, self.clock.interval, self._course.traits, self.name)
        found = place(list(self.faults), room, self._dice.generator("places"))
        day = max(round(DAY / self.clock.interval), 1)
        counts = self._course.resets is not None
        events = []
        for number, p in enumerate(found):
            drawn = p.spec.size is None and p.fault.signs == (-1, 1)
            size = self._turned(p.size, p.first) if drawn else p.size
            dice = self._dice.below("fault", number)
            events.append(
                Event(
                    p.fault,
                    p.first,
                    p.last,
                    p.settled,
                    size,
                    self.noise_units,
                    dice,
                    self._bare,
                    day,
                    counts,
                    p.spec.incident,
                    p.spec.root,
                )
            )
        return events

    def _turned(self, size: float, at: int) -> float:
        """A metric near its floor cannot fall, one near its ceiling cannot rise."""
        there = float(self.mean(at, at + 1)[0]) + size * self.noise_units
        return -size if there < self._course.low or there > self._course.high else size

    def _label(self, event: Event) -> Label | None:
        first, stop = event.first, event.last + 1
        # A counter is judged by what it gains.
        changed = np.flatnonzero(self._joined("gained", first, stop) != self._joined("clean", first, stop))
        if not len(changed):
            return None
        start, end, settled = self.clock.times(0, 1) + self.clock.interval * np.array(
            [first + changed[0], first + changed[-1], event.settled], np.int64
        )
        return Label(
            self.name, int(start), int(end), event.fault.name, int(settled), event.size, event.fault.expect,
            event.incident, event.root,
        )  # fmt: skip

    # -- blocks: the only unit in which anything is computed -----------------------------------------------------------

    def _joined(self, what: str, first: int, stop: int) -> Float64:
        return joined(lambda number: self._block(what, number), first, stop)

    def _block(self, what: str, number: int) -> Float64:
        if self._course.resets is None:
            what = {"reported": "gained", "clean reported": "clean"}.get(what, what)
        if what == "clean":
            return self._bare.block(number)[1]
        if (what, number) not in self._kept:
            found = self._gained(number) if what == "gained" else self._counted(what, number)
            for old in list(self._kept)[: max(0, len(self._kept) - 7)]:
                del self._kept[old]
            self._kept[what, number] = found
        return self._kept[what, number]

    def _gained(self, number: int) -> Float64:
        """A block with its faults; for a counter what it gains at each point."""
        values = self._block("clean", number)
        begin, end = number * BLOCK, (number + 1) * BLOCK
        changed = None
        for event in self.events:
            first, stop = max(event.first, begin), end if event.fault.stays else min(event.last + 1, end)
            if first < stop:
                changed = values.copy() if changed is None else changed
                here = slice(first - begin, stop - begin)
                changed[here] = self._course.fit(event.apply(np.arange(first, stop, dtype=np.int64), changed[here]))
        return values if changed is None else changed

    def _counted(self, what: str, number: int) -> Float64:
        """A block of a counter: sums of what it gains, from the last block that is known or in which it began again."""
        resets = self._course.resets
        assert resets is not None
        gains = "gained" if what == "reported" else "clean"
        back = number
        while back > 0 and (what, back - 1) not in self._totals and not resets(back - 1).any():
            back -= 1
        total = self._totals.get((what, back - 1))
        if total is None:
            back = max(back - 1, 0)
            # What stood before a reset does not matter.
            total = float(np.floor(1e6 * self._dice.uniform("first total", 0)[0])) if back == 0 else 0.0
        found = np.empty(0)
        for block in range(back, number + 1):
            gained = self._block(gains, block)
            found = _running(gained, resets(block), total)
            total = float(found[-1])
            found[np.isnan(gained)] = np.nan
            for old in list(self._totals)[: max(0, len(self._totals) - 63)]:
                del self._totals[old]
            self._totals[what, block] = total
        return found


def _running(gains: Float64, resets: np.ndarray, total: float) -> Float64:
    """Running sums that begin again at every reset; a missing gain counts as 0."""
    sums = np.cumsum(np.nan_to_num(gains))
    at = np.flatnonzero(resets)
    base = np.full(len(gains), total)
    for start in at.tolist():
        base[start:] = -(sums[start - 1] if start else 0.0)
    return np.asarray(sums + base)
