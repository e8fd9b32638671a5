"""Rolling median and median absolute deviation, window by window."""

from __future__ import annotations

import numpy as np


def rolling_median(values: np.ndarray, window: int, inclusive: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, scale and score of one series; non-finite values are left out of every window."""
    median, scale, score = (np.full(len(values), np.nan) for _ in range(3))
    kept: list[float] = []
    for i, value in enumerate(values):
        known = np.isfinite(value)
        if inclusive and known:
            kept.append(value)
        if len(kept) >= window:
            last = np.array(kept[-window:])
            median[i] = np.median(last)
            deviations = np.abs(last - median[i])
            scale[i] = 1.4826 * np.median(deviations) or np.sqrt(np.pi / 2) * np.mean(deviations)
            if known and scale[i] > 0:
                score[i] = abs(value - median[i]) / scale[i]
            elif known:
                score[i] = 0.0 if value == median[i] else 1e9
        if not inclusive and known:
            kept.append(value)
    return median, scale, score
