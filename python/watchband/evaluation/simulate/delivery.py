"""Delivery: what becomes of points on their way: missing, late, twice, stuck. It is no anomaly and has no label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from watchband.core.duration import MINUTE
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import BLOCK, Dice

_STUCK_POINTS = 4
_REMEMBERED = 64


class Chunk(NamedTuple):
    """Consecutive points: times (int64[n], ns UTC, ascending) and values (float64[n])."""

    times: Int64
    values: Float64


class Playable(Protocol):
    """A series that can be delivered: simulated, or of a scene."""

    @property
    def name(self) -> str:
        """Text form of its key."""
        ...

    @property
    def points(self) -> int:
        """Its length, gaps included."""
        ...

    @property
    def dice(self) -> Dice:
        """Its random numbers."""
        ...

    @property
    def labels(self) -> list[Label]:
        """What is abnormal in it."""
        ...

    @property
    def quiet_labels(self) -> list[Label]:
        """What only looks so."""
        ...

    def grid(self, first: int, stop: int) -> Chunk:
        """Points ``first`` to ``stop`` - 1; NaN where there is none."""
        ...


class Arrived(NamedTuple):
    """Readings in the order in which they arrive, which may not be that of their times: all arrays [n], times in ns."""

    arrivals: Int64
    times: Int64
    values: Float64

    def with_more(self, other: Arrived) -> Arrived:
        """These and then others."""
        return Arrived(
            np.concatenate([self.arrivals, other.arrivals]),
            np.concatenate([self.times, other.times]),
            np.concatenate([self.values, other.values]),
        )

    def take(self, which: Int64) -> Arrived:
        """Some of them, by their positions."""
        return Arrived(self.arrivals[which], self.times[which], self.values[which])


@dataclass(frozen=True, slots=True)
class Delivery:
    """How readings arrive.

    Parameters
    ----------
    missing : float, default 0
        Share of points that never arrive.
    late : float, default 0
        Share that arrives late, by up to ``late_by`` ns, behind points that came after it.
    late_by : int, default 10 minutes
        Longest delay in ns.
    duplicates : float, default 0
        Share that arrives twice, the second time up to ``late_by`` later.
    stuck : float, default 0
        Share that repeats the value before it, a few points in a row.

    Raises
    ------
    ConfigError
        A share outside 0 to 1, a delay below 0.

    Examples
    --------
    >>> from watchband.evaluation.simulate.series import Simulated
    >>> arrived = list(Delivery(missing=0.1, late=0.05, duplicates=0.02).readings(Simulated("cpu", points=5000)))
    >>> sum(len(chunk.times) for chunk in arrived)
    4600
    """

    missing: float = 0.0
    late: float = 0.0
    late_by: int = 10 * MINUTE
    duplicates: float = 0.0
    stuck: float = 0.0

    def __post_init__(self) -> None:
        for name in ("missing", "late", "duplicates", "stuck"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ConfigError(f"The share of {name} points must be from 0 to below 1. Got {share}.")
        if self.late_by < 0:
            raise ConfigError(f"late_by must be >= 0 ns. Got {self.late_by}.")

    def readings(self, series: Playable) -> Iterator[Arrived]:
        """The readings of a series from its start, in the order of their arrival, at most a few thousand at a time.

        Held back are only the readings that are under way. Equal series and shares give equal bits.
        """
        held = Arrived(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        for number in range(-(-series.points // BLOCK)):
            first, stop = number * BLOCK, min((number + 1) * BLOCK, series.points)
            sent = self._sent(series, first, stop)
            held = held.with_more(sent)
            last = stop == series.points
            until = np.iinfo(np.int64).max if last else int(series.grid(stop, stop + 1).times[0])
            order = np.argsort(held.arrivals, kind="stable")
            here = held.arrivals[order] < until if not last else np.ones(len(order), np.bool_)
            yield held.take(order[here])
            held = held.take(order[~here])

    def _sent(self, series: Playable, first: int, stop: int) -> Arrived:
        times, values = series.grid(first, stop)
        values = self._stuck(series, first, stop, values)
        dice, block, n = series.dice, first // BLOCK, stop - first

        def drawn(stream: str) -> Float64:
            return dice.uniform(f"delivery {stream}", block)[:n]

        delay = np.zeros(n, np.int64)
        if self.late:
            slow = drawn("late") < self.late
            delay[slow] = (1 + drawn("delay")[slow] * self.late_by).astype(np.int64)
        here = ~np.isnan(values)
        if self.missing:
            here &= drawn("missing") >= self.missing
        arrivals, again = times + delay, np.zeros(n, np.bool_)
        if self.duplicates:
            again = here & (drawn("twice") < self.duplicates)
        second = arrivals[again] + (drawn("second")[again] * self.late_by).astype(np.int64)
        return Arrived(
            np.concatenate([arrivals[here], second]),
            np.concatenate([times[here], times[again]]),
            np.concatenate([values[here], values[again]]),
        )

    def _stuck(self, series: Playable, first: int, stop: int, values: Float64) -> Float64:
        if not self.stuck:
            return values
        begin = max(0, first - _REMEMBERED)
        index = np.arange(begin, stop, dtype=np.int64)
        known = np.concatenate([series.grid(begin, first).values, values])
        begins = series.dice.uniform_at("delivery stuck", index) < self.stuck / _STUCK_POINTS
        stuck: NDArray[np.bool_] = begins.copy()
        for later in range(1, _STUCK_POINTS):
            stuck[later:] |= begins[:-later]
        stuck[0] = False
        source = np.maximum.accumulate(np.where(stuck | np.isnan(known), 0, np.arange(len(known))))
        return np.asarray(np.where(stuck & ~np.isnan(known), known[source], known)[first - begin :])
