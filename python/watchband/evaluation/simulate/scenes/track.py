"""Tracks and scenes: series that stand together, made whole because they are small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.delivery import Chunk, Playable
from watchband.evaluation.simulate.dice import Dice


@dataclass(frozen=True, eq=False)
class Track:
    """A series in memory.

    Parameters
    ----------
    name : str
        Text form of its key.
    times, values : int64[n], float64[n]
        ns UTC, ascending.
    labels, quiet_labels : list of Label
        What is abnormal, and what only looks so.
    clean_values : float64[n]
        The values without what the labels speak of.
    seed : int
        Of its delivery.
    """

    name: str
    times: Int64
    values: Float64
    labels: list[Label] = field(default_factory=list)
    quiet_labels: list[Label] = field(default_factory=list)
    clean_values: Float64 = field(default_factory=lambda: np.empty(0))
    seed: int = 0

    @property
    def points(self) -> int:
        """Its length."""
        return len(self.times)

    @property
    def dice(self) -> Dice:
        """Its random numbers."""
        return Dice(self.seed, "track", self.name)

    def grid(self, first: int, stop: int) -> Chunk:
        """Points ``first`` to ``stop`` - 1."""
        return Chunk(self.times[first:stop], self.values[first:stop])


@dataclass(frozen=True, eq=False)
class Scene:
    """Series that stand together.

    Parameters
    ----------
    name : str
        As ``SCENES`` has it.
    series : sequence of Track or Simulated
        Each with its labels.
    columns : dict of str to array, optional
        The scene as the table it is usually found in, all arrays [rows] of texts or numbers.
    calls : dict of str to tuple of str, optional
        Which service calls which.
    """

    name: str
    series: Sequence[Playable]
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> list[Label]:
        """Labels of all series, in order of time."""
        return sorted((a for s in self.series for a in s.labels), key=lambda a: (a.start, not a.root, a.series))
