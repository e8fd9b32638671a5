"""Thresholded forest, slow and plain: the forest's scores and shares first, then grades by them."""

from __future__ import annotations

import numpy as np

from tests.reference.random_cut_forest import Forest
from tests.reference.random_cut_questions import imputed, nearest


def explained(forest: Forest, shares: np.ndarray) -> tuple[int, int, np.ndarray, np.ndarray, np.ndarray]:
    """Of the newest row, which is not learned: points ago, past points ago, actual, expected and past values."""
    dims = len(forest.rows[-1])
    blocks = shares.sum(axis=0).reshape(forest.shingle, dims)
    ago = int(np.argmax(blocks.sum(axis=1)[::-1]))
    block = forest.shingle - 1 - ago
    strange = blocks[block] >= blocks[block].max() / 2
    point = np.concatenate(forest.rows[-forest.shingle :])
    actual = point.reshape(forest.shingle, dims)[block].astype(float)
    if len(forest.rows) < forest.shingle + forest.samples // 4:
        return ago, -1, actual, np.full(dims, np.nan), np.full(dims, np.nan)
    known = np.ones((forest.shingle, dims), bool)
    known[block] = ~strange
    expected = imputed(forest.forest, point, known.ravel()).reshape(forest.shingle, dims)[block]
    _, back, past = min(
        ((d, len(forest.rows) - 1 - number, v) for d, number, v in nearest(forest.forest, point, known.ravel())),
        key=lambda e: (e[0], e[1]),
    )
    there = past.reshape(forest.shingle, dims)[block].astype(float)
    return ago, back, actual, np.where(strange, expected, np.nan), there


def thresholded_forest(
    values: np.ndarray, forest: Forest, factor: float, least: float, margin: tuple[float, float, float, float]
) -> np.ndarray:
    """By point grade, threshold, confidence, points ago, past points ago, expected of the first value: float64[n, 6].

    ``margin`` is above, below, above and below as a share of what is expected.
    """
    n, dims = values.shape
    answer = np.full((n, 6), np.nan)
    mean = variance = count = known = learned = 0.0
    began = -1000
    for i, row in enumerate(values):
        deviation = max(np.sqrt(variance), 0.02 * mean)
        threshold = max(mean + factor * deviation, max(1.5, least) if count < 32 else least)
        score, told = np.nan, None
        if forest.rows or np.isfinite(row).all():
            forest.take_in(row)
            asked = fork(forest)
            score = forest.fold()
            if score > threshold:
                shares = np.empty((2, forest.shingle * dims))
                asked.fold(shares)
                told = explained(asked, shares)
        whole = float(np.isfinite(row).all())
        known += (whole - known) * max(1 / (learned + 1), 1 / forest.samples)
        learned += whole
        answer[i, 1:3] = threshold, min(learned / forest.samples, 1) * known
        if np.isnan(score):
            continue
        answer[i, 0] = 0
        if told is not None:
            ago, back, actual, expected, _ = told
            size = np.abs(expected)
            up, down = np.maximum(margin[0], margin[2] * size), np.maximum(margin[1], margin[3] * size)
            near = (actual <= expected + up) & (actual >= expected - down) | np.isnan(expected)
            passes = any(margin) and bool(near.all()) and bool(np.isfinite(expected).any())
            if i - ago > began and not passes:
                answer[i, 0] = np.clip((score - threshold) / (factor * deviation), 1e-6, 1)
                began = i - ago
                answer[i, 3:] = ago, back, expected[0]
        rate = max(1 / (count + 1), 1 / forest.memory)
        step = min(score, threshold) - mean
        mean += rate * step
        variance = (1 - rate) * (variance + rate * step * step)
        count += 1
    return answer


def fork(forest: Forest) -> Forest:
    """The same forest, to be asked where the first one goes on to learn."""
    from copy import deepcopy

    twin = deepcopy(forest)
    # It scores and shares out; what it learns is thrown away, so nothing may be learned before it is asked.
    for tree in twin.forest:
        tree.offer = lambda point, number: None  # type: ignore[method-assign]
    return twin
