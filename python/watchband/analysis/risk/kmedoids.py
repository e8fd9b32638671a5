"""KMedoids: groups around rows that really were, by sums of absolute differences, so that extremes pull less."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64

POINTS_MAX = 1_500
"""Its memory grows with the square of the points."""
ROUNDS_MAX = 50


def kmedoids(points: Float64, k: int) -> tuple[Int64, Int64]:
    """Labels int64[n], and which points are the medoids, int64[k].

    Begins with the point nearest to all others and adds the one that helps most, then moves each medoid to the middle
    of its group until nothing changes. Without randomness.

    Examples
    --------
    >>> labels, medoids = kmedoids(np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]]), 2)
    >>> labels.tolist(), sorted(medoids.tolist())
    ([0, 0, 0, 1, 1, 1], [1, 4])
    """
    far = distances(points)
    medoids = _begin(far, k)
    for _ in range(ROUNDS_MAX):
        labels = np.argmin(far[:, medoids], axis=1)
        moved = medoids.copy()
        for group in range(k):
            here = np.flatnonzero(labels == group)
            if len(here):
                moved[group] = here[int(np.argmin(far[np.ix_(here, here)].sum(axis=1)))]
        if (moved == medoids).all():
            break
        medoids = moved
    return np.asarray(np.argmin(far[:, medoids], axis=1), np.int64), medoids


def distances(points: Float64) -> Float64:
    """Sums of absolute differences between all points: float64[n, n]."""
    far = np.zeros((len(points), len(points)))
    for column in points.T:
        far += np.abs(column[:, None] - column[None, :])
    return far


def _begin(far: Float64, k: int) -> Int64:
    medoids = [int(np.argmin(far.sum(axis=1)))]
    nearest = far[:, medoids[0]].copy()
    while len(medoids) < k:
        gain = np.maximum(nearest[:, None] - far, 0).sum(axis=0)
        gain[medoids] = -1.0
        medoids.append(int(np.argmax(gain)))
        nearest = np.minimum(nearest, far[:, medoids[-1]])
    return np.array(medoids, np.int64)
