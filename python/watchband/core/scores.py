"""Scores: what a detector says of every point of a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from watchband._kernels import Stepper
from watchband.core.points import Float64, Points

HELD = 1
"""Flag: learning is held back, the point was not taken as normal."""
ADOPTED = 2
"""Flag: from this point on a level that stayed is the new normal."""
WARMING = 4
"""Flag: the detector still warms up; its band is wider than it will be."""
MUTED = 8
"""Flag that a watch adds, no detector: the point lies in a window in which no alert opens, changes or closes."""
ENDED = 16
"""What tells ``decide`` that a series has ended: no point, and never in scores."""

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
    members : tuple of float64[n]
        Scores of an ensemble's further members, each in its own unit; empty for every other detector.
    beside : list of float64[n]
        Expected, lower and upper of the second value of a point, of the third, and so on; empty for detectors that
        draw a band of one value at most. No part of ``columns``.
    """

    score: Float64
    expected: Float64
    lower: Float64
    upper: Float64
    scale: Float64
    flags: Float64
    members: tuple[Float64, ...] = ()
    beside: list[Float64] = field(default_factory=list)

    @classmethod
    def blank(cls, points: Points, members: int = 0) -> Scores:
        """Arrays for a batch, NaN everywhere and no flags: what a kernel fills."""
        n = len(points)
        columns = [np.empty(n) for _ in range(6)]
        for column, fill in zip(columns, _BLANK, strict=True):
            # For the one point that a live series sends, twice as quick as np.full.
            column.fill(fill)
        return cls.of_columns([*columns, *(np.full(n, np.nan) for _ in range(members))])

    @classmethod
    def unwritten(cls, points: Points) -> Scores:
        """Arrays for a batch that hold anything, and no flags: for a kernel that answers every point of it."""
        n = len(points)
        return cls(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.zeros(n))

    @classmethod
    def of_columns(cls, columns: Iterable[Float64]) -> Scores:
        """The inverse of ``columns``."""
        score, expected, lower, upper, scale, flags, *members = columns
        return cls(score, expected, lower, upper, scale, flags, tuple(members))

    @classmethod
    def joined(cls, parts: list[Scores]) -> Scores:
        """Scores of consecutive batches of one series, end to end."""
        whole = cls.of_columns(map(np.concatenate, zip(*(p.columns() for p in parts), strict=True)))
        whole.beside.extend(map(np.concatenate, zip(*(p.beside for p in parts), strict=True)))
        return whole

    def take(self, where: slice | NDArray[np.bool_] | NDArray[np.integer]) -> Scores:
        """The answers of some of the points."""
        some = self.of_columns(a[where] for a in self.columns())
        some.beside.extend(a[where] for a in self.beside)
        return some

    def __len__(self) -> int:
        return len(self.score)

    def outputs(self) -> list[Float64]:
        """The arrays in the order in which kernels take them: score, expected, lower, upper, scale, flags."""
        return [self.score, self.expected, self.lower, self.upper, self.scale, self.flags]

    def columns(self) -> list[Float64]:
        """Every array: those of ``outputs``, then the further members' scores."""
        return [*self.outputs(), *self.members]

    @classmethod
    def into(cls, stepper: Stepper) -> Scores:
        """Scores of nothing whose ``outputs`` are a stepper: the kernel that is called with them moves into it."""
        nothing = np.empty(0)
        scores = _Handover(nothing, nothing, nothing, nothing, nothing, nothing)
        object.__setattr__(scores, "stepper", stepper)
        return scores

    def same_bits(self, other: Scores) -> bool:
        """True where every array is equal bit for bit (NaN equals NaN)."""
        mine, theirs = [*self.columns(), *self.beside], [*other.columns(), *other.beside]
        return len(mine) == len(theirs) and all(a.tobytes() == b.tobytes() for a, b in zip(mine, theirs, strict=True))


class _Handover(Scores):
    """See ``Scores.into``."""

    __slots__ = ("stepper",)
    stepper: Stepper

    def outputs(self) -> list[Float64]:
        return cast("list[Float64]", self.stepper)
