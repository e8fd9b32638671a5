"""Delays and costs, slowly: every event against every alert, every point by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence


def delays(opened: Sequence[int], windows: Sequence[Sequence[int]]) -> list[float]:
    return [min((o - w[0] for o in opened if w[0] <= o <= w[1]), default=math.inf) for w in windows]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    return min(v for v in values if sum(u <= v for u in values) >= share * len(values) - 1e-12)
