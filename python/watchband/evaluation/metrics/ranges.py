"""Precision and recall of ranges: how much of each event was said, where in it, and in how many pieces.

References
----------
Tatbul, Lee, Zdonik, Alam and Gottschlich, "Precision and Recall for Time Series", NeurIPS (2018), arXiv:1803.03639.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.arrays import disjoint

BIASES = ("flat", "front", "middle", "back")
"""Where in a range a point counts most. ``front`` pays for finding an event early."""
CARDINALITIES = ("one", "reciprocal")
"""What many pieces cost: nothing, or the reward is divided by their number."""


@dataclass(frozen=True, slots=True)
class Ranged:
    """Precision, recall and their harmonic mean, each 0 to 1; NaN without predicted ranges, without events."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where either is 0, NaN where either is."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else total


def range_scores(
    predicted: Int64,
    windows: Int64,
    *,
    alpha: float = 0.0,
    bias: str = "flat",
    precision_bias: str = "flat",
    cardinality: str = "reciprocal",
) -> Ranged:
    """Range-based precision and recall.

    Parameters
    ----------
    predicted : int64[k, 2]
        First and last point of every range that was said to be abnormal (``windows_of(flags)``).
    windows : int64[w, 2]
        First and last point of every event.
    alpha : float, default 0
        Share of an event's recall that is paid for finding any of it; the rest is paid for how much.
    bias, precision_bias : one of BIASES
        Where in an event, and in a predicted range, a point counts most.
    cardinality : one of CARDINALITIES
        What it costs that several ranges meet one event, or one range several events.

    Raises
    ------
    InvalidParameterError
        A parameter outside its choices.

    Notes
    -----
    With ``alpha=0``, flat biases and ``cardinality="one"`` and single points as ranges these are the precision and
    recall of points. O((k + w) log (k + w)).

    Examples
    --------
    >>> range_scores(np.array([[10, 14]]), np.array([[10, 19]]))
    Ranged(precision=1.0, recall=0.5)
    >>> range_scores(np.array([[10, 14]]), np.array([[10, 19]]), bias="front").recall
    0.7272727272727273
    """
    for what, value, known in (
        ("bias", bias, BIASES),
        ("precision_bias", precision_bias, BIASES),
        ("cardinality", cardinality, CARDINALITIES),
    ):
        if value not in known:
            raise InvalidParameterError(f"The {what!r} of range_scores must be one of {known}. Got {value!r}.")
    if not 0 <= alpha <= 1:
        raise InvalidParameterError(f"The 'alpha' of range_scores must be within 0 to 1. Got {alpha}.")
    said, true = disjoint("range_scores", predicted), disjoint("range_scores", windows)
    recall = _rewards(true, said, bias, cardinality)
    precision = _rewards(said, true, precision_bias, cardinality)
    found = alpha * (recall > 0) + (1 - alpha) * recall
    return Ranged(_mean(precision), _mean(found))


def _rewards(ranges: Int64, others: Int64, bias: str, cardinality: str) -> Float64:
    """float64[ranges]: the weighted share of each that others cover, divided by their number if so asked."""
    reward = np.zeros(len(ranges))
    if not len(ranges) or not len(others):
        return reward
    first = np.searchsorted(others[:, 1], ranges[:, 0])
    count = np.maximum(np.searchsorted(others[:, 0], ranges[:, 1], side="right") - first, 0)
    owner = np.repeat(np.arange(len(ranges)), count)
    which = first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    start, length = ranges[owner, 0], (ranges[:, 1] - ranges[:, 0] + 1)[owner]
    left = np.maximum(others[which, 0], start) - start
    right = np.minimum(others[which, 1], ranges[owner, 1]) - start + 1
    covered = _weight(right, length, bias) - _weight(left, length, bias)
    np.add.at(reward, owner, covered / _weight(length, length, bias))
    return reward / np.maximum(count, 1) if cardinality == "reciprocal" else reward


def _weight(points: Int64, length: Int64, bias: str) -> Float64:
    """Summed weight of the first so many points of ranges of these lengths."""
    k, n = points.astype(np.float64), length.astype(np.float64)
    rising = k * (k + 1) / 2
    falling = k * n - k * (k - 1) / 2
    if bias == "flat":
        return k
    if bias == "back":
        return rising
    if bias == "front":
        return falling
    # Rises to the middle, then falls: whole weight less what is still to come, seen from the end.
    half = np.floor(n / 2)
    rest = n - k
    whole = half * (half + 1) / 2 + (n - half) * (n - half + 1) / 2
    return np.where(k <= half, rising, whole - rest * (rest + 1) / 2)


def _mean(values: Float64) -> float:
    return float(values.mean()) if len(values) else float("nan")
