"""Point metrics, slowly: every point, every threshold, every pair."""

from __future__ import annotations

import math
from collections.abc import Sequence


def counts(flagged: Sequence[int], labels: Sequence[int]) -> tuple[int, int, int, int]:
    tp = fn = fp = tn = 0
    for said, true in zip(flagged, labels, strict=True):
        if true and said:
            tp += 1
        elif true:
            fn += 1
        elif said:
            fp += 1
        else:
            tn += 1
    return tp, fn, fp, tn


def roc_auc(score: Sequence[float], labels: Sequence[int]) -> float:
    """Share of pairs of an abnormal and a normal point that are ranked rightly; ties count half."""
    ranked = [-math.inf if math.isnan(s) else s for s in score]
    right, pairs = 0.0, 0
    for i, a in enumerate(ranked):
        for j, b in enumerate(ranked):
            if labels[i] and not labels[j]:
                pairs += 1
                right += 1.0 if a > b else 0.5 if a == b else 0.0
    return right / pairs


def pr_auc(score: Sequence[float], labels: Sequence[int]) -> float:
    ranked = [-math.inf if math.isnan(s) else s for s in score]
    area, before = 0.0, 0.0
    for threshold in sorted(set(ranked), reverse=True):
        tp, fn, fp, _ = counts([s >= threshold for s in ranked], labels)
        area += (tp / (tp + fn) - before) * tp / (tp + fp)
        before = tp / (tp + fn)
    return area


def best_f1(score: Sequence[float], labels: Sequence[int]) -> float:
    ranked = [-math.inf if math.isnan(s) else s for s in score]
    found = []
    for threshold in set(ranked):
        tp, fn, fp, _ = counts([s >= threshold for s in ranked], labels)
        found.append(2 * tp / (2 * tp + fn + fp))
    return max(found)


def adjusted(flagged: Sequence[int], windows: Sequence[Sequence[int]]) -> tuple[int, int, int, int]:
    n = len(flagged)
    said = [bool(f) for f in flagged]
    labels = [any(a <= i <= b for a, b in windows) for i in range(n)]
    for i in range(n):
        # Walk to both ends of the event that the point is in.
        if labels[i] and flagged[i]:
            for step in (-1, 1):
                k = i
                while 0 <= k < n and labels[k]:
                    said[k] = True
                    k += step
    return counts(said, labels)
