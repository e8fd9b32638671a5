"""Foresee: from the extremes of equal stretches of time, when a threshold is reached and how sure that is."""

from __future__ import annotations

import math

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.pipeline.breach.passage import Passage, passage
from watchband.pipeline.breach.trend import slopes

STEPS = 24
"""Stretches that are looked ahead."""
RING = 168
"""Stretches that are remembered: seven times as long as what is looked ahead."""
ORIGINS_MIN, ORIGINS_MAX = 10, 60
KNOWN_MIN = 0.7
LEAST = 2 * STEPS + ORIGINS_MIN
"""Stretches before there is an opinion."""


def foresee(ring: Float64, threshold: float, side: int, level: float, season: int) -> Passage | None:
    """When a threshold is reached; None where there is too little to say so.

    Parameters
    ----------
    ring : float64[n]
        The highest (``side`` 1) or lowest (-1) value of each stretch, oldest first; NaN where nothing came.
    threshold, side, level : float, int, float
        See ``Passage``; steps are stretches.
    season : int
        Stretches of a day, 0 where they are none.

    Notes
    -----
    Of three courses (all stays; it goes on with the slope of the last two horizons; it is as a day ago, moved by as
    much as the last day moved) the one is taken that was least wrong from up to 60 places of the memory; the paths of
    its errors make the distribution of the time. Where even the largest range seen, added to the highest value, does
    not reach the threshold, the answer is never.

    Examples
    --------
    >>> found = foresee(np.arange(100.0), 110.0, 1, 0.9, 0)
    >>> found.steps, found.chance
    (11.0, 1.0)
    """
    known = np.isfinite(ring)
    if not known.any() or not known[-1]:
        return None
    values = side * ring[int(np.argmax(known)) :]
    if len(values) < LEAST or np.isfinite(values).mean() < KNOWN_MIN:
        return None
    filled = values[np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))]
    limit = side * threshold
    if 2 * filled.max() - filled.min() < limit:
        return Passage(threshold, side, math.inf, math.inf, math.inf, 0.0, level, STEPS)
    best = _least_wrong(filled, season)
    found = passage(*best, limit, 1, level)
    if found is None:
        return None
    return Passage(threshold, side, found.steps, found.low, found.high, found.chance, level, STEPS)


def _least_wrong(values: Float64, season: int) -> tuple[Float64, Float64]:
    """The forecast of the best course, and the paths of its errors."""
    n, now = len(values), np.array([len(values) - 1])
    seasonal = 2 <= season <= STEPS and n >= 2 * season + STEPS + ORIGINS_MIN
    first = max(STEPS, 2 * season - 1 if seasonal else 0)
    origins = np.unique(np.linspace(first, n - 1 - STEPS, ORIGINS_MAX).astype(np.int64))
    actual = values[origins[:, None] + np.arange(1, STEPS + 1)]
    courses = [_stays, _goes_on] + ([lambda v, at: _as_before(v, at, season)] if seasonal else [])
    best: tuple[float, Float64, Float64] | None = None
    for course in courses:
        errors = actual - course(values, origins)
        wrong = float(np.abs(errors).mean())
        if best is None or wrong < 0.98 * best[0]:
            best = wrong, course(values, now)[0], errors
    assert best is not None
    return best[1], best[2]


def _stays(values: Float64, origins: Int64) -> Float64:
    return np.repeat(values[origins][:, None], STEPS, axis=1)


def _goes_on(values: Float64, origins: Int64) -> Float64:
    length = 2 * STEPS
    padded = np.concatenate([np.full(length, np.nan), values])
    rows = padded[origins[:, None] + 1 + np.arange(length)]
    return np.asarray(values[origins][:, None] + slopes(rows)[:, None] * np.arange(1, STEPS + 1))


def _as_before(values: Float64, origins: Int64, season: int) -> Float64:
    steps = np.arange(1, STEPS + 1)
    days = -(-steps // season)
    before = values[origins[:, None] + (steps - days * season)]
    back = np.arange(season)
    moved = values[origins[:, None] - back].mean(axis=1) - values[origins[:, None] - season - back].mean(axis=1)
    return np.asarray(before + moved[:, None] * days)
