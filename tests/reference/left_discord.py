"""Left discord by its definition: every window against every window that ended before, value by value."""

from __future__ import annotations

import math

import numpy as np


def normalised(window: np.ndarray) -> np.ndarray | None:
    """The window with mean 0 and deviation 1; None if it is flat."""
    if np.ptp(window) == 0:
        return None
    return (window - window.mean()) / window.std()


def distance(a: np.ndarray | None, b: np.ndarray | None, length: int) -> float:
    """Euclidean distance of two normalised windows; 0 if both are flat, by convention sqrt(length) if one is."""
    if a is None or b is None:
        return 0.0 if a is b else math.sqrt(length)
    difference = a - b
    return math.sqrt(difference @ difference)


def left_discord(values: np.ndarray, length: int, window: int, exclusion: int, warm_up: int) -> np.ndarray:
    """Score of each point: distance of the window that ends there to its nearest neighbour, over sqrt(2 length)."""
    score = np.full(len(values), np.nan)
    known = {}
    for end in range(length - 1, len(values)):
        own = values[end - length + 1 : end + 1]
        if np.isfinite(own).all():
            known[end] = normalised(own)
            others = [known[e] for e in range(end - window, end - exclusion + 1) if e in known]
            if len(others) >= warm_up:
                score[end] = min(distance(known[end], other, length) for other in others) / math.sqrt(2 * length)
    return score
