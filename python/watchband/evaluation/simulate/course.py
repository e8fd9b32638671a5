"""Courses: what a metric does without faults, block by block, and the parts that kinds of metrics are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.duration import SECOND
from watchband.core.errors import UnknownNameError
from watchband.core.points import Float64, Int64
from watchband.evaluation.simulate.clock import DAY_SECONDS, Clock, Local
from watchband.evaluation.simulate.dice import BLOCK, Dice

_TAPS = 64
"""Points that remembering noise remembers."""
_KEPT = 6


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A metric without faults.

    Parameters
    ----------
    block : callable
        From the number of a block to ``(mean, values)``, both float64[BLOCK]: what the metric would be without noise,
        and what it is. Equal numbers, equal bits.
    low, high : float
        What the metric cannot leave.
    whole : bool
        Whole numbers only.
    traits : frozenset of str
        ``seasonal`` (has a course of the day), ``jobs`` (does something once a day), ``floor`` (mostly at its lowest,
        cannot fall), ``still`` (stands still by nature), ``steps`` (few levels), ``climbs`` (rises and falls back by
        nature), ``wanders`` (noise is seen from point to point only), ``related`` (goes with another metric).
    resets : callable, optional
        For a counter: from the number of a block to bool[BLOCK], where it began again at 0. ``block`` then gives what
        is added at each point.
    """

    block: Callable[[int], tuple[Float64, Float64]]
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False
    traits: frozenset[str] = frozenset()
    resets: Callable[[int], NDArray[np.bool_]] | None = None

    def fit(self, values: Float64) -> Float64:
        """Values as this metric would report them."""
        within = np.clip(values, self.low, self.high)
        return np.round(within) if self.whole else within


class Own:
    """What a kind makes the course of one series from: its dice, its clock, its constants.

    Parameters
    ----------
    dice, clock
        Of the series.
    given : mapping of str to float
        Constants that are set and not drawn.
    sibling : callable, optional
        From a kind to the dice of the series of that kind with the same seed and number.
    """

    def __init__(
        self, dice: Dice, clock: Clock, given: Mapping[str, float], sibling: Callable[[str], Dice] | None = None
    ) -> None:
        self.dice, self.clock, self.given = dice, clock, given
        self.sibling = sibling or (lambda kind: dice.below("beside", kind))
        self.asked: dict[str, tuple[float, float]] = {}
        self._constants = dice.generator("constants")
        self._local: tuple[int, Local] | None = None

    def number(self, name: str, low: float, high: float) -> float:
        """A constant of this series: drawn between ``low`` and ``high``, or given."""
        self.asked[name] = (low, high)
        drawn = float(self._constants.uniform(low, high))
        return float(self.given.get(name, drawn))

    def check(self, kind: str) -> None:
        """UnknownNameError where a constant was given that the kind does not have."""
        for name in self.given:
            if name not in self.asked:
                raise UnknownNameError(f"constant of the kind {kind!r}", name, self.asked)

    def times(self, block: int) -> Int64:
        """Times of a block: int64[BLOCK]."""
        return self.clock.times(block * BLOCK, (block + 1) * BLOCK)

    def elapsed(self, block: int) -> Float64:
        """Seconds since the start of the series."""
        return (self.times(block) - self.clock.start) / SECOND

    def local(self, block: int) -> Local:
        """What the clock on the wall says in a block."""
        if self._local is None or self._local[0] != block:
            self._local = block, self.clock.local(self.times(block))
        return self._local[1]

    def autoregressive(self, stream: str, block: int, memory: float) -> Float64:
        """Noise that remembers, of standard deviation 1: y_i = memory · y_{i-1} + w_i, over the last 64 points."""
        before = self.dice.normal(stream, block - 1)[BLOCK - _TAPS :]
        noise = np.concatenate([before, self.dice.normal(stream, block)])
        step, factor = 1, memory
        while step < _TAPS:
            noise[step:] = noise[step:] + factor * noise[:-step]
            step, factor = 2 * step, factor * factor
        return np.asarray(noise[_TAPS:] * np.sqrt(1 - memory**2))

    def beside(self, kind: str) -> Own:
        """What the series of another kind with the same seed and number is made from."""
        return Own(self.sibling(kind), self.clock, {})

    def cycles(self, stream: str, period: float, jitter: float) -> Cycles:
        """Something that begins again about every ``period`` seconds."""
        phase = float(self._constants.uniform(0, period))
        return Cycles(self.dice, stream, period, phase, jitter)


@dataclass(frozen=True, slots=True, eq=False)
class Cycles:
    """Starts near ``phase + n · period`` seconds, each off by normal noise of ``jitter`` periods, by 0.45 at most."""

    dice: Dice
    stream: str
    period: float
    phase: float
    jitter: float

    def starts(self, number: Int64) -> Float64:
        """Seconds at which cycles begin."""
        off = np.clip(self.jitter * self.dice.normal_at(self.stream, number), -0.45, 0.45)
        return np.asarray(self.phase + (number + off) * self.period)

    def at(self, seconds: Float64) -> tuple[Int64, Float64]:
        """Number of the cycle that each moment lies in, and seconds since that began."""
        number = np.floor((seconds - self.phase) / self.period).astype(np.int64) + 1
        for _ in range(2):
            number = number - (self.starts(number) > seconds)
        return number, seconds - self.starts(number)

    def length(self, number: Int64) -> Float64:
        """Seconds from the start of each cycle to the start of the next."""
        return self.starts(number + 1) - self.starts(number)


@dataclass(frozen=True, slots=True)
class Season:
    """The course of a day and a week, about -1 to 1, by the clock on the wall.

    The shape of a day is a wave with a second one at twice its pace; weekends and holidays are quieter, the last day of
    a month is busier, and each hour begins with a peak, as far as the calendar has these.
    """

    peak: float
    second: float
    shift: float
    weekend: float
    month_end: float
    hour: float
    has_day: bool
    has_hour: bool

    @classmethod
    def of(cls, own: Own) -> Season:
        """Drawn for a series."""
        calendar = own.clock.calendar
        return cls(
            own.number("peak_hour", 11, 17) * 3600,
            own.number("second_wave", 0.1, 0.4),
            own.number("second_shift", 0, 2 * np.pi),
            own.number("weekend", 0.5, 0.9),
            own.number("month_end", 0.3, 0.6),
            own.number("full_hour", 0.2, 0.5),
            calendar.day,
            calendar.hour,
        )

    def __call__(self, local: Local) -> Float64:
        level = np.zeros(len(local.second))
        if self.has_day:
            angle = 2 * np.pi * (local.second - self.peak) / DAY_SECONDS
            level = np.cos(angle) + self.second * np.sin(2 * angle + self.shift)
        quiet = np.where(local.off, self.weekend, 1.0)
        level = (level + 1) * quiet - 1
        if local.month_end.any():
            level = level + np.where(local.month_end, self.month_end, 0.0)
        if self.has_hour:
            level = level + self.hour * np.exp(-(local.second % 3600) / 240)
        return np.asarray(level)


Kind = Callable[[Own], Course]


class CleanSeries:
    """A course at a noise level, block by block; remembers the last few blocks.

    Parameters
    ----------
    course : Course
        What the metric does.
    noise : float
        Noise as a multiple of the course's own.
    """

    def __init__(self, course: Course, noise: float) -> None:
        self.course, self.noise = course, noise
        self._kept: dict[int, tuple[Float64, Float64]] = {}

    def block(self, number: int) -> tuple[Float64, Float64]:
        """Mean and values of a block, not to be written to."""
        found = self._kept.get(number)
        if found is None:
            mean, values = self.course.block(number)
            if self.noise != 1:
                values = mean + self.noise * (values - mean)
            found = mean, self.course.fit(values)
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = found
        return found

    def mean(self, first: int, stop: int) -> Float64:
        """Of the points ``first`` to ``stop`` - 1, without noise."""
        return joined(lambda number: self.block(number)[0], first, stop)

    def clean(self, first: int, stop: int) -> Float64:
        """Of the points ``first`` to ``stop`` - 1."""
        return joined(lambda number: self.block(number)[1], first, stop)


def joined(block: Callable[[int], Float64], first: int, stop: int) -> Float64:
    """Points ``first`` to ``stop`` - 1 out of blocks: float64[stop - first], a copy."""
    if stop <= first:
        return np.empty(0)
    numbers = range(first // BLOCK, (stop - 1) // BLOCK + 1)
    parts = [block(number) for number in numbers]
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    begin = numbers[0] * BLOCK
    return np.array(whole[first - begin : stop - begin])
