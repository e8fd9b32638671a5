"""Calibration and counts, slowly: every rate on a grid, every step of a distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence


def wilson(hits: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Shares for which the score test of the count does not reject: tried one by one."""
    steps = 200_000
    kept = [
        p / steps
        for p in range(steps + 1)
        if abs(hits / trials - p / steps) <= z * math.sqrt(p / steps * (1 - p / steps) / trials) + 1e-12
    ]
    return kept[0], kept[-1]


def at_most(count: int, rate: float) -> float:
    return sum(math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(count + 1))


def distance(p: Sequence[float]) -> float:
    """Largest difference of the two distribution functions, just before and at every value."""
    some = [v for v in p if not math.isnan(v)]
    found = 0.0
    for at in some:
        below = sum(v < at for v in some) / len(some)
        upto = sum(v <= at for v in some) / len(some)
        found = max(found, abs(upto - at), abs(at - below))
    return found
