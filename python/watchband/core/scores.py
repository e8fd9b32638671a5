"""Scores: what a detector says of every point of a batch."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from watchband.core.points import Float64, Points

HELD = 1
"""Flag: learning is held back, the point was not taken as normal."""
ADOPTED = 2
"""Flag: from this point on a level that stayed is the new normal."""
WARMING = 4
"""Flag: the detector still warms up; its band is wider than it will be."""

_BLANK = (np.nan, np.nan, np.nan, np.nan, np.nan, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One answer per point of the batch, in its order. Every array is float64[n]; NaN is "no opinion".

    Parameters
    ----------
    score : float64[n]
        How strange the point is, in the detector's own unit, >= 0, higher is stranger. NaN while there is
        no opinion yet and where the point has no value; never 0 for either.
    expected : float64[n]
        The value that was expected, in units of the metric; may be known where the point has no value.
    lower, upper : float64[n]
        The detector's own band, in units of the metric.
    scale : float64[n]
        What one unit of score is worth in units of the metric: where it is finite and positive,
        ``score == abs(value - expected) / scale``. NaN for detectors whose score is not a distance.
    flags : float64[n]
        Sum of ``HELD``, ``ADOPTED`` and ``WARMING``, 0 where nothing is to be said.
    """

    score: Float64
    expected: Float64
    lower: Float64
    upper: Float64
    scale: Float64
    flags: Float64

    @classmethod
    def blank(cls, points: Points) -> Scores:
        """Arrays for a batch, NaN everywhere and no flags: what a kernel fills."""
        n = len(points)
        columns = [np.empty(n) for _ in range(6)]
        for column, fill in zip(columns, _BLANK, strict=True):
            # For the one point that a live series sends, twice as quick as np.full.
            column.fill(fill)
        return cls(*columns)

    @classmethod
    def joined(cls, parts: list[Scores]) -> Scores:
        """Scores of consecutive batches of one series, end to end."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def __len__(self) -> int:
        return len(self.score)

    def outputs(self) -> list[Float64]:
        """The arrays in the order in which kernels take them: score, expected, lower, upper, scale, flags."""
        return [self.score, self.expected, self.lower, self.upper, self.scale, self.flags]

    def same_bits(self, other: Scores) -> bool:
        """True where every array is equal bit for bit (NaN equals NaN)."""
        return all(a.tobytes() == b.tobytes() for a, b in zip(self.outputs(), other.outputs(), strict=True))
