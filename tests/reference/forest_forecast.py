"""Forest forecast, slow and plain: every forecast ever made is kept, errors are sorted anew each time."""

from __future__ import annotations

import numpy as np

from tests.reference.random_cut_forest import Forest
from tests.reference.random_cut_questions import ahead

PACE = 0.005


def at_rank(errors: list[float], place: float) -> float:
    return float(np.interp(place, np.arange(len(errors)), sorted(errors)))


def ends(errors: list[float], outside: float, shift: float) -> tuple[float, float]:
    """What lies between a forecast and the ends of its interval."""
    ranks = len(errors) + 1
    if ranks * outside < 2:
        return np.nan, np.nan
    place = ranks * (outside + shift) / 2 - 1
    return at_rank(errors, place), at_rank(errors, len(errors) - 1 - place)


def forest_forecast(
    values: np.ndarray, forest: Forest, horizon: int, kept: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Score, expected, lower and upper of each point, float64[4, n]; the last forecast, float64[3, horizon, dims]."""
    n, dims = values.shape
    outside = 1 - level
    made: list[np.ndarray] = []
    errors: list[list[list[float]]] = [[[] for _ in range(dims)] for _ in range(horizon)]
    shifts = np.zeros((horizon, dims))
    answer = np.full((4, n), np.nan)
    for i, row in enumerate(values):
        if i:
            answer[1, i] = made[i - 1][0, 0]
            answer[2:, i] = made[i - 1][0, 0] + np.array(ends(errors[0][0][-kept:], outside, shifts[0, 0]))
        for step in range(min(horizon, i)):
            for k in range(dims):
                error = row[k] - made[i - 1 - step][step, k]
                if not np.isfinite(error):
                    continue
                error = float(np.float32(error))
                past = errors[step][k][-kept:]
                rank = (sum(e < error for e in past) + sum(e == error for e in past) / 2 + 0.5) / (len(past) + 1)
                if (len(past) + 1) * outside >= 2:
                    missed = min(rank, 1 - rank) < (outside + shifts[step, k]) / 2
                    shifts[step, k] = np.clip(shifts[step, k] + PACE * (outside - missed), -outside, 0.5)
                errors[step][k].append(error)
        made.append(np.full((horizon, dims), np.nan))
        if not forest.rows and not np.isfinite(row).all():
            continue
        forest.take_in(row)
        answer[0, i] = forest.fold()
        rows = forest.rows
        if len(rows) >= forest.shingle + forest.samples // 4 and any(tree.held for tree in forest.forest):
            made[i] = ahead(forest.forest, rows, forest.shingle, horizon, 0.5)[0]
    each = [[ends(errors[s][k][-kept:], outside, shifts[s, k]) for k in range(dims)] for s in range(horizon)]
    low, high = np.moveaxis(np.array(each), 2, 0)
    return answer, np.stack([made[-1], made[-1] + low, made[-1] + high])
