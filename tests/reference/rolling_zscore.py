"""Rolling z-score, window by window."""

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
            # Shifted by one of its values: equal values are then exactly zero, and a high level costs no digits.
            last, point = last - last[0], value - last[0]
            deviation = last.std(ddof=ddof)
            if deviation > 0:
                scores[i] = abs(point - last.mean()) / deviation
            else:
                scores[i] = 0.0 if point == last.mean() else 1e9
        if not inclusive and known:
            kept.append(value)
    return scores
