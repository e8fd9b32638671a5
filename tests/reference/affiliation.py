"""Affiliation, slowly: time in quarters of a point, between which everything it asks for is a straight line."""

from __future__ import annotations

import math
from collections.abc import Sequence

Span = tuple[float, float]
CELL = 0.25


def distance(at: float, spans: Sequence[Span]) -> float:
    return min((max(a - at, at - b, 0.0) for a, b in spans), default=math.inf)


def inside(at: float, spans: Sequence[Span]) -> bool:
    return any(a <= at < b for a, b in spans)


def affiliation(predicted: Sequence[Sequence[int]], windows: Sequence[Sequence[int]], n: int) -> tuple[float, float]:
    said = [(float(a), float(b + 1)) for a, b in predicted]
    true = [(float(a), float(b + 1)) for a, b in windows]
    cells = [(i + 0.5) * CELL for i in range(round(n / CELL))]
    nearest = [min(range(len(true)), key=lambda k, at=at: distance(at, [true[k]])) for at in cells]  # type: ignore[misc]
    precisions, recalls = [], []
    for k, event in enumerate(true):
        mine = [at for at, owner in zip(cells, nearest, strict=True) if owner == k]
        low, high = mine[0] - CELL / 2, mine[-1] + CELL / 2
        here = [(max(a, low), min(b, high)) for a, b in said if max(a, low) < min(b, high)]
        earned = []
        for at in mine:
            if inside(at, here):
                d = distance(at, [event])
                near = min(event[1] + d, high) - max(event[0] - d, low)
                earned.append(1.0 if d == 0 else 1 - near / (high - low))
        if earned:
            precisions.append(sum(earned) / len(earned))
        reached = []
        for at in mine:
            if inside(at, [event]):
                d = distance(at, here)
                near = min(at + d, high) - max(at - d, low)
                reached.append(0.0 if math.isinf(d) else 1 - near / (high - low))
        recalls.append(sum(reached) / len(reached))
    precision = sum(precisions) / len(precisions) if precisions else math.nan
    return precision, sum(recalls) / len(recalls)
