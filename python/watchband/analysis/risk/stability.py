"""Stability: whether other rows of the same fleet would have given the same groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.kmeans import kmeans
from watchband.analysis.risk.needs import scikit
from watchband.core.points import Float64, Int64

ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Stability:
    """Adjusted Rand index between the groups and those of resampled rows: mean, and the middle 90 of a hundred."""

    mean: float
    low: float
    high: float
    rounds: int


def bootstrap(points: Float64, labels: Int64, k: int, seed: int = 0, rounds: int = ROUNDS) -> Stability:
    """Draw the rows with replacement, group them anew, put all rows to the new centres, compare."""
    metrics = scikit("sklearn.metrics")
    rng = np.random.default_rng(seed)
    found = []
    for number in range(rounds):
        some = rng.integers(0, len(points), len(points))
        _, centres = kmeans(points[some], k, seed + number)
        far = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
        found.append(float(metrics.adjusted_rand_score(labels, far.argmin(axis=1))))
    low, high = np.quantile(found, [0.05, 0.95])
    return Stability(round(float(np.mean(found)), 4), round(float(low), 4), round(float(high), 4), rounds)
