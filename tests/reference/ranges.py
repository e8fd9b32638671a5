"""Range-based precision and recall, slowly: every range, every point of it, every other range."""

from __future__ import annotations

from collections.abc import Sequence

Range = Sequence[int]


def delta(bias: str, i: int, length: int) -> float:
    """Weight of the i-th point of a range, counted from 1."""
    if bias == "front":
        return length - i + 1
    if bias == "back":
        return i
    if bias == "middle":
        return i if i <= length / 2 else length - i + 1
    return 1


def omega(one: Range, other: Range, bias: str) -> float:
    mine = whole = 0.0
    for i, at in enumerate(range(one[0], one[1] + 1), 1):
        weight = delta(bias, i, one[1] - one[0] + 1)
        whole += weight
        if other[0] <= at <= other[1]:
            mine += weight
    return mine / whole


def reward(one: Range, others: Sequence[Range], bias: str, reciprocal: bool) -> float:
    met = [o for o in others if o[0] <= one[1] and o[1] >= one[0]]
    factor = 1 / len(met) if reciprocal and met else 1.0
    return factor * sum(omega(one, o, bias) for o in met)


def scores(
    predicted: Sequence[Range], windows: Sequence[Range], alpha: float, bias: str, said_bias: str, reciprocal: bool
) -> tuple[float, float]:
    recalls = []
    for w in windows:
        exists = any(p[0] <= w[1] and p[1] >= w[0] for p in predicted)
        recalls.append(alpha * exists + (1 - alpha) * reward(w, predicted, bias, reciprocal))
    precisions = [reward(p, windows, said_bias, reciprocal) for p in predicted]
    return sum(precisions) / len(precisions), sum(recalls) / len(recalls)
