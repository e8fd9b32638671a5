"""VUS: areas under the precision-recall and ROC curves, averaged over how wide a buffer around events forgives.

Around every event a buffer of up to half of ``buffer`` points on either side counts with a weight that falls with the
square root of the distance. Recall is multiplied by the share of events of which anything was found. The areas are
averaged over buffers from 0 on. No threshold is chosen and nothing is adjusted point by point.

References
----------
Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly Detection",
PVLDB 15 (2022), doi:10.14778/3551793.3551830. There 250 thresholds are taken; here every score is one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import disjoint, labels_of

BUFFERS = (0, 4, 8, 12, 16, 20)
"""Widths in points over which the areas are averaged."""


class Volume(NamedTuple):
    """Volumes under the surfaces: both 0 to 1, higher is better; NaN without an event."""

    pr: float
    roc: float


def soft_labels(windows: Int64, n: int, buffer: int) -> Float64:
    """float64[n]: 1 in the windows, falling to the sides over half of ``buffer`` points, 0 elsewhere."""
    windows = disjoint("soft_labels", windows)
    soft = np.zeros(n)
    distance = np.arange(1, buffer // 2 + 1)
    at = np.stack([windows[:, :1] - distance, windows[:, 1:] + distance], axis=-1).ravel()
    weight = np.tile(np.repeat(np.sqrt(1 - distance / max(buffer, 1)), 2), len(windows))
    within = (at >= 0) & (at < n)
    np.add.at(soft, at[within], weight[within])
    soft[labels_of(windows, n)] = 1
    return np.minimum(soft, 1)


def vus(score: Float64, windows: Int64, buffers: tuple[int, ...] = BUFFERS) -> Volume:
    """Volumes under the precision-recall and ROC surfaces.

    Parameters
    ----------
    score : float64[n]
        One score a point, higher is stranger; NaN ranks last.
    windows : int64[w, 2]
        First and last point of every event; windows that touch are one event.
    buffers : tuple of int
        Buffer widths, in points.

    Notes
    -----
    O(n log n + n len(buffers)).

    Examples
    --------
    >>> vus(np.array([0, 0, 5, 4, 0, 0.0]), np.array([[2, 3]]), (0,))
    Volume(pr=1.0, roc=1.0)
    """
    n = len(score)
    windows = np.asarray(windows, np.int64)
    if not windows.size:
        return Volume(np.nan, np.nan)
    ranked = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-ranked, kind="stable")
    ranked = ranked[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    rank = np.empty(n, np.int64)
    rank[order] = np.searchsorted(ends, np.arange(n))
    hard = soft_labels(windows, n, 0)
    found = [_areas(soft_labels(windows, n, b), hard, order, ends, rank) for b in buffers]
    return Volume(float(np.mean([f.pr for f in found])), float(np.mean([f.roc for f in found])))


def _areas(soft: Float64, hard: Float64, order: Int64, ends: Int64, rank: Int64) -> Volume:
    n, positive = len(soft), hard.sum()
    if positive == n:
        return Volume(1.0, 1.0)
    caught = np.cumsum(soft[order])[ends]
    said = ends + 1.0
    # What the curve divides by: half way between the labels and the labels with the buffers that were caught.
    buffered = np.cumsum((soft * (hard == 0))[order])[ends]
    whole = (2 * positive + buffered) / 2
    edges = np.diff(soft > 0, prepend=False, append=False).nonzero()[0]
    # One behind the last point would be no index: there the last run simply goes on to the end.
    first = np.sort(np.minimum.reduceat(rank, edges[:-1] if edges[-1] == n else edges)[::2])
    exists = np.searchsorted(first, np.arange(len(ends)), side="right") / len(first)
    recall = np.minimum(caught / whole, 1) * exists
    false = np.minimum((said - caught) / (n - whole), 1)
    pr = float((np.diff(recall, prepend=0) * (caught / said)).sum())
    sides, heights = np.r_[0, false, 1], np.r_[0, recall, 1]
    return Volume(pr, float((np.diff(sides) * (heights[1:] + heights[:-1]) / 2).sum()))
