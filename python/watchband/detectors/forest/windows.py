"""Shingles that a forest is asked about, as a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from watchband.core.errors import PointsShapeError
from watchband.core.points import Points

if TYPE_CHECKING:
    from watchband.core.state import State
    from watchband.detectors.forest.base import Forest


def rows_of(detector: Forest) -> int:
    """Points of a window: the shingle, and with differences the point before it."""
    return detector.shingle + (detector.transform == "difference")


def windows_of(detector: Forest, state: State, windows: ArrayLike | None, row: int) -> Points:
    """Windows of one series, in units of the metric, oldest point first; without any the newest shingle of each series.

    Parameters
    ----------
    windows : float64[n, points, dims] or less
        ``points`` is the shingle, with ``transform="difference"`` one more: the point before it. Of one window the
        first axis may be left out, with one value a point the last.
    row : int
        Which series of the state is asked.

    Raises
    ------
    PointsShapeError
        Another shape, or a row that the state does not have.
    """
    if not 0 <= row < state.series:
        raise PointsShapeError(f"Row {row} is not in this state of {state.series} series.")
    if windows is None:
        n = state.series
        return Points(np.zeros(n, np.int64), np.empty((n, 0)), np.arange(n + 1), np.arange(n, dtype=np.int32))
    values = np.asarray(windows, np.float64)
    wanted = (rows_of(detector), detector.dims)
    if detector.dims == 1 and values.shape[-1:] == wanted[:1]:
        values = values[..., None]
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[1:] != wanted:
        raise PointsShapeError(
            f"This forest is asked about windows of {wanted[0]} points of {wanted[1]} value(s). Got an array of shape "
            f"{np.shape(windows)}."
        )
    n = len(values)
    flat = np.ascontiguousarray(values.reshape(n, -1))
    return Points(np.arange(n, dtype=np.int64), flat, np.array([0, n]), np.array([row], np.int32))
