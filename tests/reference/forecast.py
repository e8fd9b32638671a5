"""Errors of forecasts, slowly: value by value."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pairs(*columns: Sequence[float]) -> list[tuple[float, ...]]:
    return [row for row in zip(*columns, strict=True) if not any(math.isnan(v) for v in row)]


def mae(actual: Sequence[float], expected: Sequence[float]) -> float:
    some = pairs(actual, expected)
    return sum(abs(a - e) for a, e in some) / len(some)


def rmse(actual: Sequence[float], expected: Sequence[float]) -> float:
    some = pairs(actual, expected)
    return math.sqrt(sum((a - e) ** 2 for a, e in some) / len(some))


def mase(actual: Sequence[float], expected: Sequence[float], history: Sequence[float], season: int) -> float:
    return mae(actual, expected) / mae(history[season:], history[:-season])


def pinball(actual: Sequence[float], quantile: Sequence[float], share: float) -> float:
    some = pairs(actual, quantile)
    return sum(share * (a - q) if a >= q else (1 - share) * (q - a) for a, q in some) / len(some)


def coverage(actual: Sequence[float], lower: Sequence[float], upper: Sequence[float]) -> float:
    hits = count = 0
    for a, low, high in zip(actual, lower, upper, strict=True):
        if math.isnan(a) or (math.isnan(low) and math.isnan(high)):
            continue
        count += 1
        hits += (math.isnan(low) or low <= a) and (math.isnan(high) or a <= high)
    return hits / count


def interval_score(actual: Sequence[float], lower: Sequence[float], upper: Sequence[float], level: float) -> float:
    total = 0.0
    some = pairs(actual, lower, upper)
    for a, low, high in some:
        total += high - low
        if a < low:
            total += 2 / (1 - level) * (low - a)
        if a > high:
            total += 2 / (1 - level) * (a - high)
    return total / len(some)
