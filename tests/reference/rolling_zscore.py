"""Rolling z-score, value by value."""

from __future__ import annotations

import numpy as np


def rolling_zscore(values: np.ndarray, window: int, ddof: int, inclusive: bool) -> np.ndarray:
    """Scores of one series; non-finite values are left out of every window."""
    scores = np.full(len(values), np.nan)
    kept: list[float] = []
    for i, value in enumerate(values):
        known = np.isfinite(value)
        if inclusive and known:
            kept.append(value)
        if known and len(kept) >= window:
            last = np.array(kept[-window:])
            deviation = last.std(ddof=ddof)
            if deviation > 0:
                scores[i] = abs(value - last.mean()) / deviation
            else:
                scores[i] = 0.0 if value == last.mean() else np.finfo(float).max
        if not inclusive and known:
            kept.append(value)
    return scores
