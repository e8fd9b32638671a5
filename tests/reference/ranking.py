"""Volumes under the range curves, slowly: every buffer, every threshold, every point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def soft(windows: Sequence[tuple[int, int]], n: int, buffer: int) -> list[float]:
    labels = []
    for i in range(n):
        weight = 0.0
        for first, last in windows:
            distance = max(first - i, i - last, 0)
            if distance == 0:
                weight += 1.0
            elif distance <= buffer // 2:
                weight += math.sqrt(1 - distance / buffer)
        labels.append(min(weight, 1.0))
    return labels


def areas(score: Sequence[float], windows: Sequence[tuple[int, int]], buffer: int) -> tuple[float, float]:
    n = len(score)
    ranked = [-math.inf if math.isnan(s) else s for s in score]
    labels = soft(windows, n, buffer)
    hard = soft(windows, n, 0)
    runs: list[list[int]] = []
    for i in range(n):
        if labels[i] > 0:
            if i == 0 or labels[i - 1] == 0:
                runs.append([])
            runs[-1].append(i)
    points = [(0.0, 0.0)]
    pr = 0.0
    for threshold in sorted(set(ranked), reverse=True):
        said = [i for i in range(n) if ranked[i] >= threshold]
        caught = sum(labels[i] for i in said)
        stretched = sum(1.0 if hard[i] == 1 else (labels[i] if i in said else 0.0) for i in range(n))
        whole = (sum(hard) + stretched) / 2
        exists = sum(any(i in said for i in run) for run in runs) / len(runs)
        recall = min(caught / whole, 1.0) * exists
        false = min((len(said) - caught) / (n - whole), 1.0)
        pr += (recall - points[-1][1]) * caught / len(said)
        points.append((false, recall))
    points.append((1.0, 1.0))
    roc = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    return pr, roc


def vus(score: Sequence[float], windows: Sequence[tuple[int, int]], buffers: Sequence[int]) -> tuple[float, float]:
    found = [areas(score, windows, b) for b in buffers]
    return sum(f[0] for f in found) / len(found), sum(f[1] for f in found) / len(found)
