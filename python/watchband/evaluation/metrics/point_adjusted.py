"""Point adjustment, offered so that published figures can be compared, and with a warning because it rewards noise.

One flagged point in an event counts as if all of the event had been flagged. A detector that flags at random hits every
long event somewhere and is paid for all of it: on usual benchmarks it beats the published state of the art.

References
----------
Kim, Choi, Choi, Lee and Yoon, "Towards a Rigorous Evaluation of Time-Series Anomaly Detection", AAAI (2022),
arXiv:2109.05257.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Int64
from watchband.evaluation.metrics.arrays import disjoint, labels_of
from watchband.evaluation.metrics.point import Confusion, confusion


class PointAdjustedWarning(UserWarning):
    """A figure is point-adjusted: a random detector scores high on it."""


def point_adjusted(flagged: NDArray[np.bool_], windows: Int64) -> Confusion:
    """Confusion matrix after point adjustment.

    Parameters
    ----------
    flagged : bool[n]
        What was said.
    windows : int64[w, 2]
        First and last point of every event.

    Warns
    -----
    PointAdjustedWarning
        Always: do not choose a detector by this figure.

    Examples
    --------
    >>> with warnings.catch_warnings(action="ignore"):
    ...     point_adjusted(np.array([0, 0, 1, 0, 0, 0]), np.array([[1, 4]])).f1
    1.0
    """
    warnings.warn(
        "A point-adjusted F1 counts a whole event as found by one flagged point: random flags score high on it. "
        "Compare by event F1, affiliation or VUS instead (docs/metrics.md).",
        PointAdjustedWarning,
        stacklevel=2,
    )
    said = np.asarray(flagged) != 0
    n = len(said)
    events = disjoint("point_adjusted", windows)
    upto = np.r_[0, np.cumsum(said)]
    bounds = np.clip(events + np.array([0, 1]), 0, n)
    hit = upto[bounds[:, 1]] > upto[bounds[:, 0]]
    return confusion(said | labels_of(events[hit], n), labels_of(events, n))
