"""KMeans, and how many groups: elbow and Davies-Bouldin index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.needs import scikit
from watchband.core.points import Float64, Int64

K_MAX = 10
K_MIN = 4
"""There are four names of states."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """How the number of groups was chosen.

    Parameters
    ----------
    k : list of int
        Numbers that were tried, from 1.
    inertia : list of float
        Sum of squared distances to the nearest centre.
    davies_bouldin : list of float
        Lower is better; of the second number on.
    elbow, best, chosen : int
        Where inertia bends, where the index is lowest, and what is used: the lowest index among ``K_MIN`` and more.
    """

    k: list[int]
    inertia: list[float]
    davies_bouldin: list[float]
    elbow: int
    best: int
    chosen: int


def kmeans(points: Float64, k: int, seed: int = 0) -> tuple[Int64, Float64]:
    """Labels int64[n] and centres float64[k, f]."""
    cluster = scikit("sklearn.cluster")
    found = cluster.KMeans(k, n_init=2, random_state=seed).fit(points)
    return np.asarray(found.labels_, np.int64), np.asarray(found.cluster_centers_, np.float64)


def count_groups(points: Float64, seed: int = 0, k_max: int = K_MAX) -> Counted:
    """Try 1 to ``k_max`` groups.

    Parameters
    ----------
    points : float64[n, f]
        Scaled; a few thousand say enough.
    """
    metrics, cluster = scikit("sklearn.metrics"), scikit("sklearn.cluster")
    numbers = list(range(1, min(k_max, len(np.unique(points, axis=0))) + 1))
    inertia, index = [], []
    for k in numbers:
        found = cluster.KMeans(k, n_init=2, random_state=seed).fit(points)
        inertia.append(float(found.inertia_))
        if k > 1:
            index.append(float(metrics.davies_bouldin_score(points, found.labels_)))
    best = numbers[1:][int(np.argmin(index))] if index else 1
    enough = [k for k in numbers[1:] if k >= K_MIN]
    chosen = min(enough, key=lambda k: index[k - 2]) if enough else numbers[-1]
    return Counted(numbers, inertia, index, elbow(inertia), best, chosen)


def elbow(inertia: list[float]) -> int:
    """The number of groups that is farthest from the line between the first and the last.

    Examples
    --------
    >>> elbow([100.0, 40.0, 10.0, 8.0, 7.0])
    3
    """
    if len(inertia) < 3 or inertia[0] <= inertia[-1]:
        return len(inertia)
    across = np.linspace(0, 1, len(inertia))
    down = (np.array(inertia) - inertia[-1]) / (inertia[0] - inertia[-1])
    return int(np.argmax(1 - across - down)) + 1
