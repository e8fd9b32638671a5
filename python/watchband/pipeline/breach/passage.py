"""Passage: the first time at which a path reaches a threshold, over many paths that may come."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64

PATHS_MIN = 10
"""Below so many paths nothing is said of when."""


@dataclass(frozen=True, slots=True)
class Passage:
    """When a threshold is reached, in steps from now; infinite: not within the horizon.

    Parameters
    ----------
    threshold : float
        In units of the metric.
    side : int
        1: reached from below, -1: from above.
    steps : float
        The middle of the paths.
    low, high : float
        The interval that contains the time with probability ``level``.
    chance : float
        Share of the paths that reach it within the horizon.
    level : float
        Of the interval.
    horizon : int
        Steps that were looked at.
    """

    threshold: float
    side: int
    steps: float
    low: float
    high: float
    chance: float
    level: float
    horizon: int


def first_passage(paths: Float64, threshold: float, side: int) -> Float64:
    """The step (1 is the next) at which each path is at or beyond the threshold first; infinite where it never is.

    Parameters
    ----------
    paths : float64[n, h]
        Ways that things may go on; NaN is nowhere.
    threshold, side : float, int
        ``side`` 1: at or above; -1: at or below.

    Examples
    --------
    >>> first_passage(np.array([[1.0, 3.0, 2.0], [0.0, 1.0, 2.0]]), 3.0, 1).tolist()
    [2.0, inf]
    """
    beyond = paths >= threshold if side > 0 else paths <= threshold
    first = beyond.argmax(axis=1) + 1.0
    return np.where(beyond.any(axis=1), first, math.inf)


def passage(expected: Float64, errors: Float64, threshold: float, side: int, level: float) -> Passage | None:
    """When a threshold is reached; None where too few errors are known.

    Parameters
    ----------
    expected : float64[h]
        The forecast.
    errors : float64[n, h]
        How far off such forecasts were, whole paths: what came minus what was expected.
    threshold, side, level : float, int, float
        See ``Passage``.

    Notes
    -----
    The forecast plus each path of errors is a way in which things may go on; their times of passage are the
    distribution, with the ranks of conformal prediction: of n paths the next is as likely to be in any of n + 1 places.
    """
    known = errors[np.isfinite(errors).all(axis=1)]
    n = len(known)
    if n < PATHS_MIN or not np.isfinite(expected).all():
        return None
    times = np.sort(first_passage(expected + known, threshold, side))
    outside = (1 - level) / 2
    low = times[max(math.floor(outside * (n + 1)) - 1, 0)]
    above = math.ceil((1 - outside) * (n + 1)) - 1
    high = times[above] if above < n else math.inf
    reached = int(np.isfinite(times).sum())
    return Passage(
        threshold=threshold,
        side=side,
        # A middle between a time and never is never.
        steps=float(times[n // 2]) if n % 2 else float((times[n // 2 - 1] + times[n // 2]) / 2),
        low=float(low),
        high=float(high),
        chance=reached / n,
        level=level,
        horizon=len(expected),
    )
