"""Intervals for counts: Wilson's for a share, the exact one for a rate. 35 rows prove little, and these say how little.

References
----------
Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from watchband.core.errors import InvalidParameterError
from watchband.evaluation.metrics.bootstrap import Interval

_EXACT_MAX = 2000
"""Counts above this take Wilson and Hilferty's cube root, which is then right to six digits."""


def wilson(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Share of hits and Wilson's interval around it; NaN without trials.

    Unlike the share plus or minus 1.96 errors it stays within 0 to 1 and has a width where no or all trials hit.

    Examples
    --------
    >>> str(wilson(5, 7)), str(wilson(0, 10))
    ('0.714 (0.359 to 0.918)', '0.000 (0.000 to 0.278)')
    """
    if not 0 <= hits <= trials:
        raise InvalidParameterError(f"wilson wants 0 <= hits <= trials. Got {hits} hits of {trials}.")
    if not trials:
        return Interval(math.nan, math.nan, math.nan)
    z = _quantile(level)
    share, spread = hits / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    low = 0.0 if hits == 0 else middle - half
    return Interval(share, low, 1.0 if hits == trials else middle + half)


def poisson(count: int, exposure: float = 1.0, *, level: float = 0.95) -> Interval:
    """Rate of a count and its exact interval; no event in an exposure still leaves room for 3.7.

    Parameters
    ----------
    count : int
        Events seen.
    exposure : float
        What they are counted per: weeks, points, promised alerts.

    Examples
    --------
    >>> str(poisson(0)), str(poisson(10, 5.0))
    ('0.000 (0.000 to 3.689)', '2.000 (0.959 to 3.678)')
    """
    if count < 0:
        raise InvalidParameterError(f"poisson wants a count of at least 0. Got {count}.")
    if not exposure > 0:
        return Interval(math.nan, math.nan, math.nan)
    tail = (1 - level) / 2
    if count > _EXACT_MAX:
        z = _quantile(level)
        low, high = (c * (1 - 1 / (9 * c) + s * z / (3 * math.sqrt(c))) ** 3 for c, s in ((count, -1), (count + 1, 1)))
    else:
        low = _rate_with(count - 1, 1 - tail) if count else 0.0
        high = _rate_with(count, tail)
    return Interval(count / exposure, low / exposure, high / exposure)


def f1_of_counts(found: int, missed: int, false: int, *, level: float = 0.95) -> Interval:
    """F1 of events and an interval by Wilson: F1 is a function of the share of found among all that was found, missed
    or false, so that its interval has a width where nothing, or everything, was found.

    Examples
    --------
    >>> str(f1_of_counts(0, 3, 0)), str(f1_of_counts(3, 0, 0))
    ('0.000 (0.000 to 0.719)', '1.000 (0.610 to 1.000)')
    """
    return Interval(*(2 * one / (1 + one) for one in wilson(found, found + missed + false, level=level)))


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise InvalidParameterError(f"An interval's level must be between 0 and 1. Got {level}.")
    return NormalDist().inv_cdf((1 + level) / 2)


def _rate_with(count: int, share: float) -> float:
    """The rate at which at most ``count`` events have probability ``share``."""
    logs = np.r_[0.0, np.cumsum(np.log(np.arange(1, count + 1)))]
    numbers = np.arange(count + 1)
    low, high = 0.0, 20.0 + 2 * count + 20 * math.sqrt(count)
    for _ in range(60):
        rate = (low + high) / 2
        below = float(np.exp(numbers * math.log(rate) - rate - logs).sum())
        low, high = (rate, high) if below > share else (low, rate)
    return (low + high) / 2
