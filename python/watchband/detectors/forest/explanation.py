"""Explanation: at which point something strange began, what was expected there and what came in the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What is to be said of strange points, in units of the metric.

    Parameters
    ----------
    points_ago : int64[n]
        Points since the one that made the shingle strange (late attribution): the one with the largest share of the
        score. -1 where nothing is said.
    past_points_ago : int64[n]
        Points since the end of the past shingle that is most like this one without its strange values. -1 if none.
    actual : float64[n, dims]
        What came at that point.
    expected : float64[n, dims]
        What the trees expect there by the rest of the shingle; NaN for values that had little share in it.
    past : float64[n, dims]
        What came there in the past that is most like this.
    """

    points_ago: NDArray[np.int64]
    past_points_ago: NDArray[np.int64]
    actual: Float64
    expected: Float64
    past: Float64


def told_of(columns: list[Float64]) -> Explanation:
    """From the columns of a kernel."""
    ago, past_ago = (np.where(np.isnan(column), -1, column).astype(np.int64) for column in columns[:2])
    values = np.stack(columns[2:], axis=1).reshape(len(ago), 3, -1)
    return Explanation(ago, past_ago, values[:, 0], values[:, 1], values[:, 2])
