"""Two dimensions of many features: principal components (kept for later points) and t-SNE (for a picture only)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.needs import one_thread, scikit
from watchband.core.points import Float64
from watchband.features.load import LoadFeature

TSNE_MAX = 1_000
PERPLEXITY = 30.0
WORDS = {
    "cpu": "load", "processes": "load", "network": "traffic", "connections": "traffic", "memory": "memory",
    "disk": "disk", "latency": "waiting", "queue": "waiting", "errors": "errors", "other": "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The first two principal components.

    Parameters
    ----------
    mean : float64[f]
    axes : float64[2, f]
        Of length 1; the sum of each is not negative, so that more is to the right and up.
    share : float64[2]
        Of the variance.
    """

    mean: Float64
    axes: Float64
    share: Float64

    def __call__(self, points: Float64) -> Float64:
        """Where scaled points stand: float64[n, 2]; the same bits in any batch."""
        found = np.zeros((len(points), 2))
        for f in range(points.shape[1]):
            for c in range(2):
                found[:, c] += (points[:, f] - self.mean[f]) * self.axes[c, f]
        return found


def components(points: Float64) -> Components:
    """The components of scaled points, float64[n, f]."""
    mean = points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(points - mean, full_matrices=False)
    width = points.shape[1]
    first = np.zeros((2, width))
    first[: min(2, len(axes))] = axes[:2]
    first *= np.where(first.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    share = np.zeros(2)
    total = float((sizes**2).sum())
    share[: min(2, len(sizes))] = (sizes[:2] ** 2) / total if total else 0.0
    return Components(mean, first, share)


def axis_word(axis: Float64, features: Sequence[LoadFeature]) -> str:
    """What an axis is mostly about.

    Examples
    --------
    >>> two = (LoadFeature("a", "cpu", "CPU"), LoadFeature("b", "latency", "latency"))
    >>> axis_word(np.array([0.1, 0.99]), two)
    'waiting'
    """
    weight: dict[str, float] = {}
    for size, feature in zip(axis.tolist(), features, strict=True):
        word = WORDS[feature.role]
        weight[word] = weight.get(word, 0.0) + size * size
    best = max(weight, key=lambda word: weight[word])
    if best == "other":
        return features[int(np.abs(axis).argmax())].word
    # Where all turn together, the axis is the load as such.
    return "load" if weight[best] < 0.5 and (axis > -0.1).all() else best


def tsne(points: Float64, seed: int = 0) -> Float64:
    """A map on which near points are near: float64[n, 2], for at most ``TSNE_MAX`` points. New points have no place."""
    manifold = scikit("sklearn.manifold")
    perplexity = min(PERPLEXITY, max(2.0, (len(points) - 1) / 3))
    with one_thread():
        found = manifold.TSNE(2, perplexity=perplexity, random_state=seed, init="pca", max_iter=500).fit_transform(
            points
        )
    return np.asarray(found, np.float64)
