"""DBSCAN with a search over its two parameters: groups by density, and what belongs to none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from watchband.analysis.risk.needs import scikit
from watchband.core.points import Float64, Int64

POINTS_MAX = 3_000
"""Its memory grows with the square of the points."""
MIN_SAMPLES = (5, 10, 20, 40)
EPS_STEPS = 8
NOISE_MAX = 0.2
"""More than a fifth as noise says that eps is too small, not that a fifth is strange."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One pair of parameters: groups, share of noise, silhouette of what is grouped, and how groups differ in load.

    ``separation`` is the share of the load's variance that lies between the groups, 0 to 1.
    """

    eps: float
    min_samples: int
    groups: int
    noise: float
    silhouette: float
    separation: float


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """What was found: labels int64[n] (-1: noise), the trial that was chosen, and all of them."""

    labels: Int64
    chosen: Trial
    trials: list[Trial]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {"chosen": asdict(self.chosen), "trials": [asdict(trial) for trial in self.trials]}


def dbscan(points: Float64, load: Float64) -> Dense:
    """Search eps (from distances to the tenth neighbour) × min_samples.

    Chosen is the best mean of silhouette and separation by load, among those with at least two groups and at most a
    fifth of noise; without any such, the one with the least noise.

    Parameters
    ----------
    points : float64[n, f]
        Scaled, at most ``POINTS_MAX``.
    load : float64[n]
        Of each point, 0 to about 1.
    """
    cluster, neighbours = scikit("sklearn.cluster"), scikit("sklearn.neighbors")
    metrics = scikit("sklearn.metrics")
    near = min(10, len(points) - 1)
    reach = neighbours.NearestNeighbors(n_neighbors=near + 1).fit(points).kneighbors(points)[0][:, -1]
    low, high = np.quantile(reach, [0.5, 0.995])
    trials, every = [], []
    for eps in np.linspace(max(low, 1e-6), max(high, 2e-6) * 1.2, EPS_STEPS).tolist():
        for least in [m for m in MIN_SAMPLES if m < len(points)]:
            labels = np.asarray(cluster.DBSCAN(eps=eps, min_samples=least).fit_predict(points), np.int64)
            kept = labels >= 0
            groups = int(labels.max()) + 1
            quality = float("nan")
            if groups > 1 and kept.sum() > groups:
                quality = float(metrics.silhouette_score(points[kept], labels[kept], sample_size=500, random_state=0))
            trials.append(
                Trial(round(eps, 6), least, groups, float(1 - kept.mean()), quality, between(load[kept], labels[kept]))
            )
            every.append(labels)
    good = [i for i, t in enumerate(trials) if t.groups > 1 and t.noise <= NOISE_MAX]
    if good:
        best = max(good, key=lambda i: trials[i].silhouette + trials[i].separation)
    else:
        best = min(range(len(trials)), key=lambda i: trials[i].noise)
    return Dense(every[best], trials[best], trials)


def between(load: Float64, labels: Int64) -> float:
    """The share of a quantity's variance that lies between groups.

    Examples
    --------
    >>> between(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    if not len(load) or load.var() == 0:
        return 0.0
    counts = np.bincount(labels)
    means = np.bincount(labels, load) / np.maximum(counts, 1)
    return float((counts * (means - load.mean()) ** 2).sum() / (len(load) * load.var()))
