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
    the needed errors both are one distance. Errors of steps that are nearly as far away count together. Neighbouring
    places, whose futures overlap, count as the fewer independent ones that they are worth.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005. J. Lei et al.,
    "Distribution-Free Predictive Inference for Regression", JASA 113 (2018).

    Examples
    --------
    >>> errors = np.random.default_rng(1).permutation(np.linspace(-1, 1, 99))
    >>> low, high = intervals(errors[:, None], 0.9)
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
        count = _independent(errors[:, step])
        if places < 2 * needed:
            away = _ranked(np.abs(known), level, count)
            low[step], high[step] = -away, away
            continue
        outside = (1 - level) / 2
        high[step] = _ranked(known, 1 - outside, count)
        low[step] = -_ranked(-known, 1 - outside, count)
    return low, high


def _independent(errors: Float64) -> float:
    """How many independent errors those of one step from neighbouring places are worth: n (1 - r) / (1 + r)."""
    known = errors[np.isfinite(errors)]
    n = len(known)
    away = known - known.mean()
    total = float(away @ away)
    related = max(float(away[1:] @ away[:-1]) / total, 0.0) if total > 0 else 0.0
    # What two noises have in common by chance is not taken for a relation.
    return n if related < 2 / np.sqrt(n) else max(n * (1 - related) / (1 + related), 1.0)


def _ranked(values: Float64, share: float, count: float) -> float:
    """The value that a share of the next ones does not exceed, corrected for how few errors are known."""
    # The tolerance is for shares that are no sums of powers of two: a whole rank must not become the next.
    corrected = min(share * (count + 1) / count - 1e-12, 1.0)
    return float(np.quantile(values, corrected, method="inverted_cdf"))
