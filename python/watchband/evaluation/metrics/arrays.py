"""What every metric asks of its arrays before it counts: equal lengths, windows in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import PointsShapeError
from watchband.core.points import Int64


def same_length(metric: str, **arrays: NDArray[Any]) -> int:
    """Length that all arrays have.

    Raises
    ------
    PointsShapeError
        They differ; the message names each with its length.

    Examples
    --------
    >>> same_length("mae", actual=np.zeros(3), expected=np.ones(3))
    3
    """
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise PointsShapeError(f"{metric} wants one value a point in each array. Got: {listed}.")
    return next(iter(lengths.values()))


def disjoint(metric: str, windows: Int64) -> Int64:
    """Windows as int64[w, 2] in order of time; what overlaps or touches becomes one.

    Raises
    ------
    PointsShapeError
        A window ends before it begins.

    Examples
    --------
    >>> disjoint("vus", np.array([[5, 9], [1, 2], [3, 3]])).tolist()
    [[1, 3], [5, 9]]
    """
    windows = np.asarray(windows, np.int64)
    windows = windows.reshape(-1, windows.shape[-1] if windows.size else 2)[:, :2]
    if len(bad := np.flatnonzero(windows[:, 1] < windows[:, 0])):
        first, last = windows[bad[0]].tolist()
        raise PointsShapeError(f"{metric} wants windows as first and last point. Window {bad[0]} is {first} to {last}.")
    windows = windows[np.argsort(windows[:, 0], kind="stable")]
    if len(windows) < 2:
        return windows
    ends = np.maximum.accumulate(windows[:, 1])
    fresh = np.r_[True, windows[1:, 0] > ends[:-1] + 1]
    starts = np.flatnonzero(fresh)
    return np.stack([windows[starts, 0], np.maximum.reduceat(windows[:, 1], starts)], axis=1)


def labels_of(windows: Int64, n: int) -> NDArray[np.bool_]:
    """bool[n]: the points that are in a window.

    Examples
    --------
    >>> labels_of(np.array([[1, 2], [4, 9]]), 6).astype(int).tolist()
    [0, 1, 1, 0, 1, 1]
    """
    steps = np.zeros(n + 1, np.int64)
    for first, last in disjoint("labels_of", windows).tolist():
        if first < n and last >= 0:
            steps[max(first, 0)] += 1
            steps[min(last + 1, n)] -= 1
    return np.cumsum(steps[:n]) > 0
