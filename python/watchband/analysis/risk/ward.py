"""Ward's hierarchy: a tree of all rows, cut into groups, and sub-groups inside each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.kmeans import kmeans
from watchband.analysis.risk.needs import scikit
from watchband.core.points import Float64, Int64

POINTS_MAX = 2_500
"""Its memory grows with the square of the points."""
SUB_MAX = 3
SUB_ROWS = 40
"""A group of fewer rows is not divided further."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The hierarchy.

    Parameters
    ----------
    labels : int64[n]
        Group of each point, from 0.
    merges : float64[n-1, 4]
        As scipy writes them: the two that join, at what distance, how many they are.
    sub : int64[n]
        Sub-group of each point within its group, from 0.
    """

    labels: Int64
    merges: Float64
    sub: Int64

    @property
    def last(self) -> list[float]:
        """Distances of the last merges, the last one first."""
        return [round(float(d), 3) for d in self.merges[::-1][:5, 2]]


def ward(points: Float64, k: int, seed: int = 0) -> Tree:
    """Grow the tree and cut it into ``k`` groups.

    Parameters
    ----------
    points : float64[n, f]
        Scaled, at most ``POINTS_MAX``.
    """
    hierarchy = scikit("scipy.cluster.hierarchy")
    merges = np.asarray(hierarchy.linkage(points, "ward"), np.float64)
    labels = np.asarray(hierarchy.fcluster(merges, k, "maxclust"), np.int64) - 1
    return Tree(labels, merges, _divided(points, labels, seed))


def _divided(points: Float64, labels: Int64, seed: int) -> Int64:
    metrics = scikit("sklearn.metrics")
    sub = np.zeros(len(labels), np.int64)
    for group in np.unique(labels).tolist():
        here = np.flatnonzero(labels == group)
        mine = points[here]
        best = 0.25  # Below this silhouette there is no division worth a name.
        for k in range(2, SUB_MAX + 1) if len(here) >= SUB_ROWS and len(np.unique(mine, axis=0)) > SUB_MAX else ():
            found, _ = kmeans(mine, k, seed)
            quality = float(metrics.silhouette_score(mine, found))
            if quality > best:
                best, sub[here] = quality, found
    return sub
