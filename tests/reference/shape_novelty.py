"""Shape novelty by its definition: every shape against every shape that ended before, block by block."""

from __future__ import annotations

import math

import numpy as np

from tests.reference.gap_novelty import Usual


def block_mean(values: np.ndarray, end: int, block: int) -> float:
    """Mean of the known values of the block that ends at a point; NaN if fewer than half are known."""
    known = [float(v) for v in values[max(end - block + 1, 0) : end + 1] if math.isfinite(v)] if end >= 0 else []
    if 2 * len(known) < block or not known:
        return math.nan
    return known[0] + math.fsum(v - known[0] for v in known) / len(known)


def shape(values: np.ndarray, end: int, block: int) -> np.ndarray:
    """The eight block means without their own mean; NaN if one is unknown."""
    means = np.array([block_mean(values, end - k * block, block) for k in range(8)])
    return means - means.mean()


def shape_novelty(
    values: np.ndarray, block: int = 8, memory: int = 4000, stride: int = 4, warm_up: int = 200
) -> np.ndarray:
    """Score of each point of one series."""
    values = np.clip(np.where(np.isfinite(values), values, np.nan), -1e150, 1e150)
    score = np.full(len(values), np.nan)
    shapes = [shape(values, end, block) for end in range(len(values))]
    usual = Usual(30, min(0.02, 10 / memory))
    for now, value in enumerate(values):
        if not math.isfinite(value):
            continue
        ends = [e for e in range(max(now - memory, 0), now - 8 * block + 1) if np.isfinite(shapes[e]).all()]
        others = [shapes[e] for e in ends if (now - e) % stride == 0]
        if len(ends) >= warm_up and others and np.isfinite(shapes[now]).all() and usual.count >= 30:
            least = min(math.sqrt(((shapes[now] - other) ** 2).mean()) for other in others)
            scale = max(usual.scale, 1e-12 * usual.size)
            score[now] = least / scale if scale > 0 else (1e9 if least > 0 else 0.0)
        usual.learn(float(value))
    return score
