"""Areas under the ROC and the precision-recall curve of a score, point by point; equal scores are one threshold.

References
----------
Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).
Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML (2006): between two thresholds
precision is not interpolated, so the area is the sum of steps (average precision).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import same_length


class Areas(NamedTuple):
    """Both 0 to 1, higher is better; NaN without abnormal or without normal points.

    Chance is the share of abnormal points for ``pr`` and 0.5 for ``roc``.
    """

    pr: float
    roc: float


class Best(NamedTuple):
    """The best F1 that any threshold gives, and the threshold: known only with the labels, so a bound and no result."""

    f1: float
    threshold: float


def auc(score: Float64, labels: NDArray[np.bool_]) -> Areas:
    """Areas under the precision-recall and the ROC curve.

    Parameters
    ----------
    score : float64[n]
        Higher is stranger; NaN ranks last.
    labels : bool[n]
        True where abnormal.

    Raises
    ------
    PointsShapeError
        The lengths differ.

    Notes
    -----
    O(n log n).

    Examples
    --------
    >>> auc(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    Areas(pr=0.8333333333333333, roc=0.75)
    >>> auc(np.zeros(4), np.array([True, False, False, False]))
    Areas(pr=0.25, roc=0.5)
    """
    said, caught, _ = _curve(score, labels)
    normal = int(said[-1] - caught[-1]) if len(said) else 0
    if not len(said) or not caught[-1] or not normal:
        return Areas(np.nan, np.nan)
    recall = caught / caught[-1]
    pr = float((np.diff(recall, prepend=0) * (caught / said)).sum())
    false = np.r_[0, (said - caught) / normal]
    hits = np.r_[0, recall]
    return Areas(pr, float((np.diff(false) * (hits[1:] + hits[:-1]) / 2).sum()))


def best_f1(score: Float64, labels: NDArray[np.bool_]) -> Best:
    """The largest point F1 over all thresholds.

    Examples
    --------
    >>> best_f1(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    Best(f1=0.8, threshold=0.7)
    """
    said, caught, level = _curve(score, labels)
    if not len(said) or not caught[-1]:
        return Best(np.nan, np.nan)
    found = 2 * caught / (said + caught[-1])
    at = int(np.argmax(found))
    return Best(float(found[at]), float(level[at]))


def _curve(score: Float64, labels: NDArray[np.bool_]) -> tuple[Int64, Int64, Float64]:
    """At every distinct score, falling: points said, abnormal ones among them, the score."""
    same_length("auc", score=score, labels=labels)
    ranked = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-ranked, kind="stable")
    ranked = ranked[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]) if len(ranked) else np.empty(0, np.int64)
    caught = np.cumsum((np.asarray(labels) != 0)[order], dtype=np.int64)[ends]
    return ends + 1, caught, ranked[ends]
