"""Static limits, value by value."""

from __future__ import annotations

import numpy as np


def threshold(values: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Scores of one series as the page of the detector writes them, without care for rounding."""
    scores = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if not np.isfinite(value):
            continue
        if low is not None and high is not None:
            scores[i] = abs(value - (low + high) / 2) / ((high - low) / 2)
        elif high is not None:
            scores[i] = max(0.0, 1 + (value - high) / (abs(high) or 1.0))
        elif low is not None:
            scores[i] = max(0.0, 1 + (low - value) / (abs(low) or 1.0))
    return scores
