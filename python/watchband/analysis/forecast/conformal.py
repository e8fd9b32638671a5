"""Conformal: intervals out of the errors that were made, with ranks that hold what they promise for few errors too."""

from __future__ import annotations

import math

import numpy as np

from watchband.core.points import Float64

NEIGHBOURS = 0.1
"""Steps ahead whose errors count together, as a share of how far they are."""


def errors_needed(level: float) -> int:
    """How many errors an interval of that level needs.

    Examples
    --------
    >>> errors_needed(0.9), errors_needed(0.99)
    (10, 100)
    """
    # The tolerance is for 1 - 0.9, which is a little less than a tenth.
    return math.ceil(level / (1 - level) - 1e-9) + 1


def intervals(errors: Float64, level: float) -> tuple[Float64, Float64]:
    """What is to be added to a forecast for the ends of its interval, at every step.

    Parameters
    ----------
    errors : float64[n, h]
        What came minus what was expected, ``h`` steps ahead from ``n`` places; NaN where nothing came.
    level : float
        Share of what comes that the interval is to contain.

    Returns
    -------
    (float64[h], float64[h])
        NaN where too few errors are known.

    Notes
    -----
    Split conformal prediction: of n errors and the next, each is as likely to be the k-th largest, so that an end at
    rank ``ceil((n + 1) · share)`` is passed as rarely as promised. Each end has half of what is left out; below twice
    the needed errors both are one distance. Errors of steps that are nearly as far away count together.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005. J. Lei et al.,
    "Distribution-Free Predictive Inference for Regression", JASA 113 (2018).

    Examples
    --------
    >>> low, high = intervals(np.linspace(-1, 1, 99)[:, None], 0.9)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (-0.918, 0.918)
    """
    horizon = errors.shape[1]
    low, high = np.full(horizon, np.nan), np.full(horizon, np.nan)
    needed = errors_needed(level)
    for step in range(horizon):
        near = int(NEIGHBOURS * (step + 1))
        mine = errors[:, max(0, step - near) : step + near + 1]
        # As many as places, whatever the neighbours add: errors of one place are nearly one error.
        places = int(np.isfinite(mine).any(axis=1).sum())
        if places < needed:
            continue
        known = mine[np.isfinite(mine)]
        if places < 2 * needed:
            away = _ranked(np.abs(known), level, places)
            low[step], high[step] = -away, away
            continue
        outside = (1 - level) / 2
        high[step] = _ranked(known, 1 - outside, places)
        low[step] = -_ranked(-known, 1 - outside, places)
    return low, high


def _ranked(values: Float64, share: float, places: int) -> float:
    """The value that a share of the next ones does not exceed, corrected for how few places are known."""
    # The tolerance is for shares that are no sums of powers of two: a whole rank must not become the next.
    corrected = min(share * (places + 1) / places - 1e-12, 1.0)
    return float(np.quantile(values, corrected, method="inverted_cdf"))
