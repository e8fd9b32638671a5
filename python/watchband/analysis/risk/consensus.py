"""Consensus: rows that many groupings put together belong together. Numbers of groups are names, not quantities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchband.analysis.risk.needs import scikit
from watchband.core.points import Float64, Int64


def together(labelings: Sequence[Int64]) -> Float64:
    """How often two points share a group: float64[n, n], 0 to 1. Noise (-1) is together with nothing.

    Examples
    --------
    >>> together([np.array([0, 0, 1]), np.array([0, 1, 1])]).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    n = len(labelings[0])
    shared = np.zeros((n, n))
    for labels in labelings:
        shared += (labels[:, None] == labels[None, :]) & (labels[:, None] >= 0)
    shared /= len(labelings)
    np.fill_diagonal(shared, 1.0)
    return shared


def consensus(labelings: Sequence[Int64], k: int) -> Int64:
    """Groups of what is mostly together, by average linkage: labels int64[n].

    Parameters
    ----------
    labelings : sequence of int64[n]
        Of the same points, a few thousand at most: memory grows with their square.
    """
    hierarchy, distance = scikit("scipy.cluster.hierarchy"), scikit("scipy.spatial.distance")
    apart = 1.0 - together(labelings)
    merges = hierarchy.linkage(distance.squareform(apart, checks=False), "average")
    return np.asarray(hierarchy.fcluster(merges, k, "maxclust"), np.int64) - 1
