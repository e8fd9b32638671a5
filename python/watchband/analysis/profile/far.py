"""Values that lie far from what is usual at their time: seasons taken out, distance from the moving level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchband.analysis.profile.even import Even
from watchband.core.points import Float64

DEVIATIONS = 6.0
LISTED_MAX = 10
LEVELS = 48


@dataclass(frozen=True, slots=True)
class Far:
    """A stretch far out: its ends (ns), places, the value that is farthest, what was usual then, usual "
    "distances off."""

    start: int
    end: int
    points: int
    value: float
    usual: float
    distance: float


@dataclass(frozen=True, slots=True)
class FarOut:
    """What lies far out: places, stretches of them, the ten farthest, and the usual distance on either side."""

    points: int
    stretches: int
    farthest: tuple[Far, ...]
    below: float
    above: float


def far_of(even: Even, adjusted: Float64) -> FarOut:
    """Places more than ``DEVIATIONS`` usual distances from the level, each side measured by its own values.

    Parameters
    ----------
    even : Even
        The series.
    adjusted : float64[n]
        Its values less their seasons.

    Examples
    --------
    >>> values = np.random.default_rng(1).normal(0, 1, 500)
    >>> values[300:303] = 40
    >>> found = far_of(Even(0, 60 * 10**9, values), values)
    >>> found.points, found.stretches, found.farthest[0].points
    (3, 1, 3)
    """
    known = np.isfinite(adjusted)
    if int(known.sum()) < 20:
        return FarOut(0, 0, (), math.nan, math.nan)
    level = _level(adjusted)
    rest = adjusted - level
    below, above = _side(-rest[rest < 0]), _side(rest[rest > 0])
    if not (below > 0 or above > 0):
        return FarOut(0, 0, (), below, above)
    # A side on which nothing lies is as wide as the other.
    below, above = below or above, above or below
    distance = np.where(rest < 0, -rest / below, rest / above)
    far = known & (distance > DEVIATIONS)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], far, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2] - 1
    found = []
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        peak = a + int(np.argmax(distance[a : b + 1]))
        usual = float(even.values[peak] - rest[peak])
        first, last = even.start + even.step * a, even.start + even.step * b
        found.append(Far(first, last, b - a + 1, float(even.values[peak]), usual, float(distance[peak])))
    found.sort(key=lambda f: -f.distance)
    return FarOut(int(far.sum()), len(found), tuple(found[:LISTED_MAX]), below, above)


def _side(distances: Float64) -> float:
    """The usual distance on one side, as a standard deviation: where half of its values lie nearer."""
    return float(np.median(distances)) * 1.4826 if len(distances) else 0.0


def _level(values: Float64) -> Float64:
    """Medians of stretches, joined by lines."""
    size = max(24, -(-len(values) // LEVELS))
    centres, levels = [], []
    for a in range(0, len(values), size):
        part = values[a : a + size]
        part = part[np.isfinite(part)]
        if len(part) >= 8:
            centres.append(a + size / 2)
            levels.append(float(np.median(part)))
    if not centres:
        return np.full(len(values), float(np.nanmedian(values)))
    return np.asarray(np.interp(np.arange(len(values)), centres, levels))
