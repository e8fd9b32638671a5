"""Rows: one moment of one entity with all its features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int32, Int64

CHUNK = 65_536
"""Rows that are worked on at once: what memory is bounded by."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Moments of entities.

    Parameters
    ----------
    entity : int32[n]
        Which entity, an index into the names that its owner keeps.
    times : int64[n]
        ns UTC; ascending within an entity.
    values : float64[n, f]
        A column a feature, in its own unit; NaN is missing.
    """

    entity: Int32
    times: Int64
    values: Float64

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: NDArray[np.bool_] | Int64 | slice) -> Rows:
        """Some of the rows."""
        return Rows(self.entity[which], self.times[which], self.values[which])

    def chunks(self, rows: int = CHUNK) -> Iterator[Rows]:
        """The rows, so many at once."""
        for start in range(0, len(self), rows):
            yield self.take(slice(start, start + rows))

    @staticmethod
    def empty(features: int) -> Rows:
        """No rows."""
        return Rows(np.empty(0, np.int32), np.empty(0, np.int64), np.empty((0, features)))

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """Rows one after the other; at least one part."""
        return Rows(
            np.concatenate([p.entity for p in parts]),
            np.concatenate([p.times for p in parts]),
            np.concatenate([p.values for p in parts]),
        )


def cleaned(values: Float64, low: Float64, high: Float64) -> Float64:
    """The values, with NaN where one cannot be: a latency below 0 is no latency of 0."""
    return np.where((values >= low) & (values <= high), values, np.nan)
