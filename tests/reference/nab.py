"""The Numenta benchmark's score, slowly: every threshold, every file, every row."""

from __future__ import annotations

import math
from collections.abc import Sequence

Window = tuple[int, int]


def worth(position: float) -> float:
    return -1.0 if position >= 3 else 2 / (1 + math.exp(5 * position)) - 1


def file_sum(
    scores: Sequence[float], windows: Sequence[Window], threshold: float, tp: float, fp: float, fn: float
) -> float:
    """Sum of one file at one threshold; windows are first and last row."""
    n = len(scores)
    first = min(math.floor(0.15 * n), 750)
    best = {w: -fn for w in windows if w[1] >= first}
    total = 0.0
    for i in range(first, n):
        if not scores[i] >= threshold:
            continue
        inside = [w for w in windows if w[0] <= i <= w[1]]
        behind = [w for w in windows if w[1] < i]
        if inside:
            left, right = inside[0]
            best[inside[0]] = max(best[inside[0]], tp * worth(-(right - i + 1) / (right - left + 1)) / worth(-1.0))
        elif behind:
            left, right = behind[-1]
            total += fp * worth((i - right) / (right - left))
        else:
            total -= fp
    return total + sum(best.values())


def nab(
    files: Sequence[Sequence[float]], windows: Sequence[Sequence[Window]], tp: float, fp: float, fn: float
) -> float:
    """Best score over all thresholds, 0 for silence and 100 for a detection at the start of every window."""
    thresholds = {math.inf} | {s for scores in files for s in scores if not math.isnan(s)}
    best = max(sum(file_sum(s, w, t, tp, fp, fn) for s, w in zip(files, windows, strict=True)) for t in thresholds)
    count = sum(w[1] >= min(math.floor(0.15 * len(s)), 750) for s, ws in zip(files, windows, strict=True) for w in ws)
    return 100 * (best + fn * count) / (tp * count + fn * count)
