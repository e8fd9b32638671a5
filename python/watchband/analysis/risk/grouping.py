"""Every method over one sample, side by side, and the one that is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from watchband.analysis.risk import dbscan as density
from watchband.analysis.risk import kmedoids as medoids
from watchband.analysis.risk import ward as hierarchy
from watchband.analysis.risk.consensus import consensus
from watchband.analysis.risk.kmeans import Counted, count_groups, kmeans
from watchband.analysis.risk.needs import scikit
from watchband.analysis.risk.stability import Stability, bootstrap
from watchband.core.points import Float64, Int64

METHODS = ("kmeans", "ward", "kmedoids", "consensus")
COUNT_MAX = 2_500
"""Points on which the number of groups is chosen, silhouettes are measured and stability is tried."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One method: groups, silhouette and Davies-Bouldin index, agreement with the method that is used (ARI)."""

    method: str
    groups: int
    silhouette: float
    davies_bouldin: float
    agreement: float


@dataclass(frozen=True, eq=False)
class Groups:
    """What the methods found.

    Parameters
    ----------
    method : str
        The one that is used.
    labels : int64[n]
        Group of every sampled row, by the nearest centre.
    centres : float64[k, f]
        Means of that method's groups, scaled.
    counted : Counted
        How the number of groups was chosen.
    compared : list of Compared
        All methods.
    density : density.Dense
        DBSCAN's search.
    tree : hierarchy.Tree
        Ward's tree, of the rows ``small``.
    small : int64[m]
        Which sampled rows the costly methods saw.
    stability : Stability
        Of the groups.
    """

    method: str
    labels: Int64
    centres: Float64
    counted: Counted
    compared: list[Compared]
    density: density.Dense
    tree: hierarchy.Tree
    small: Int64
    stability: Stability

    @property
    def silhouette(self) -> float:
        """Of the groups that are used."""
        return next(c.silhouette for c in self.compared if c.method == self.method)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        counted = self.counted
        return {
            "method": self.method,
            "k": len(self.centres),
            "elbow": counted.elbow,
            "davies_bouldin_best": counted.best,
            "tried": [
                {"k": k, "inertia": inertia, "davies_bouldin": index}
                for k, inertia, index in zip(counted.k, counted.inertia, [None, *counted.davies_bouldin], strict=True)
            ],
            "methods": [
                {
                    "method": c.method, "groups": c.groups, "silhouette": c.silhouette,
                    "davies_bouldin": c.davies_bouldin, "agreement": c.agreement,
                }
                for c in self.compared
            ],
            "dbscan": self.density.document(),
            "ward": {"last_merges": self.tree.last, "sub_groups": self._subs()},
            "stability": {
                "mean": self.stability.mean, "low": self.stability.low, "high": self.stability.high,
                "rounds": self.stability.rounds,
            },
        }  # fmt: skip

    def _subs(self) -> list[dict[str, Any]]:
        found = []
        for number in np.unique(self.tree.labels).tolist():
            mine = self.tree.sub[self.tree.labels == number]
            found.append({"group": number, "rows": len(mine), "parts": np.bincount(mine).tolist()})
        return found


def group(points: Float64, load: Float64, method: str, k: int | None, seed: int = 0) -> Groups:
    """Run every method, use one.

    Parameters
    ----------
    points : float64[n, f]
        Scaled.
    load : float64[n]
        Of each point.
    """
    rng = np.random.default_rng(seed)
    some = _some(len(points), COUNT_MAX, rng)
    counted = count_groups(points[some], seed)
    k = min(k or counted.chosen, len(np.unique(points, axis=0)))
    small = _some(len(points), medoids.POINTS_MAX, rng)
    mine = points[small]
    dense = density.dbscan(mine, load[small])
    tree = hierarchy.ward(mine, k, seed)
    by_means, centres = kmeans(points, k, seed)
    found: dict[str, Int64] = {
        "kmeans": by_means[small],
        "ward": tree.labels,
        "kmedoids": medoids.kmedoids(mine, k)[0],
    }
    found["consensus"] = consensus([*found.values(), dense.labels], k)
    if method != "kmeans":
        used = found[method]
        centres = np.stack([mine[used == g].mean(axis=0) for g in np.unique(used)])
    labels = nearest(points, centres)
    compared = _compared({**found, "dbscan": dense.labels}, mine, labels[small])
    stability = bootstrap(points[some], labels[some], len(centres), seed)
    return Groups(method, labels, centres, counted, compared, dense, tree, small, stability)


def _some(n: int, most: int, rng: np.random.Generator) -> Int64:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def nearest(points: Float64, centres: Float64) -> Int64:
    """The nearest centre of each point: int64[n]."""
    best, least = np.zeros(len(points), np.int64), np.full(len(points), np.inf)
    for number, centre in enumerate(centres):
        far = ((points - centre) ** 2).sum(axis=1)
        nearer = far < least
        best[nearer], least[nearer] = number, far[nearer]
    return best


def _compared(found: dict[str, Int64], points: Float64, used: Int64) -> list[Compared]:
    metrics = scikit("sklearn.metrics")
    lines = []
    for method, labels in found.items():
        kept = labels >= 0
        several = len(np.unique(labels[kept])) > 1
        silhouette = index = float("nan")
        if several:
            silhouette = float(metrics.silhouette_score(points[kept], labels[kept]))
            index = float(metrics.davies_bouldin_score(points[kept], labels[kept]))
        agreement = float(metrics.adjusted_rand_score(used, labels))
        lines.append(Compared(method, len(np.unique(labels[kept])), silhouette, index, agreement))
    return lines
