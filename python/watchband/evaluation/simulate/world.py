"""A world: a metric of one kind with faults of one kind at random places, and where they are."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.simulate.faults import FAULTS
from watchband.evaluation.simulate.kinds import DAY, KINDS, Clean

INTERVAL_NS = 300_000_000_000
START_NS = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC."""
QUIET_SHARE = 0.35
"""Share at the start of a series that has no fault."""
CLEAN = "none"
"""Name of the fault of a series without any."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fault, by points: ``last`` is the last of it, ``settled`` the last in which its end may still be seen."""

    fault: str
    first: int
    last: int
    settled: int
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A simulated series.

    Parameters
    ----------
    kind, fault : str
        Names in ``KINDS`` and ``FAULTS``; the fault ``none`` leaves it clean.
    seed : int
        Equal arguments, equal bits.
    points : int
        Length.
    times : int64[n]
        ns UTC, every five minutes.
    values : float64[n]
        The metric.
    events : list of Event
        In order of time.

    Examples
    --------
    >>> world = World("cpu", "spike", seed=1, points=3000)
    >>> [(e.fault, e.last - e.first < 3, e.first >= 1050) for e in world.events][:1]
    [('spike', True, True)]
    """

    kind: str
    fault: str
    seed: int = 0
    points: int = 5000
    times: Int64 = field(init=False, repr=False)
    values: Float64 = field(init=False, repr=False)
    events: list[Event] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, zlib.crc32(f"{self.kind}/{self.fault}".encode())])
        clean = KINDS[self.kind](rng, self.points)
        values, events = clean.values.copy(), []
        if self.fault != CLEAN:
            for event in _places(rng, self.fault, clean):
                units = event.size * clean.noise
                FAULTS[self.fault].apply(rng, values, clean, slice(event.first, event.last + 1), units)
                events.append(event)
        object.__setattr__(self, "times", START_NS + INTERVAL_NS * np.arange(self.points, dtype=np.int64))
        object.__setattr__(self, "values", clean.fit(values))
        object.__setattr__(self, "events", events)

    @property
    def windows(self) -> Int64:
        """int64[events, 3]: first and last point, last point of the aftermath."""
        return np.array([(e.first, e.last, e.settled) for e in self.events], np.int64).reshape(-1, 3)

    @property
    def family(self) -> str:
        """``kind/fault``."""
        return f"{self.kind}/{self.fault}"


def _places(rng: np.random.Generator, name: str, clean: Clean) -> Iterator[Event]:
    """One to three faults, each in a part of its own of what follows the quiet start."""
    fault, points = FAULTS[name], len(clean.values)
    count = int(rng.integers(1, 4))
    parts = np.linspace(int(QUIET_SHARE * points), points - DAY // 4, count + 1).astype(int)
    for begin, end in pairwise(parts.tolist()):
        length = min(int(rng.integers(fault.points[0], fault.points[1] + 1)), (end - begin) // 2)
        size = float(rng.uniform(*fault.size)) * int(rng.choice(fault.signs))
        at = int(rng.integers(begin, max(begin + 1, end - length - fault.aftermath)))
        # A metric near its floor cannot fall.
        if len(fault.signs) == 2 and clean.mean[at] + size * clean.noise < clean.low:
            size = -size
        last = at + length - 1
        yield Event(name, at, last, last + fault.aftermath, size)


def families() -> list[tuple[str, str]]:
    """Every pair of a kind and a fault that it can have."""
    return [(kind, name) for kind in KINDS for name, fault in FAULTS.items() if kind not in fault.not_for]


def worlds(*, replicas: int = 1, clean: int = 2, points: int = 5000, seed: int = 0) -> list[World]:
    """So many series of every family, and so many clean ones of every kind."""
    found = [World(k, f, seed + i, points) for i in range(replicas) for k, f in families()]
    return found + [World(kind, CLEAN, seed + i, points) for i in range(clean) for kind in KINDS]
