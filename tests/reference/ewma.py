"""Exponentially weighted mean and scale, from the formulas, with explicit weights."""

from __future__ import annotations

import math

import numpy as np


def ewma(
    values: np.ndarray, half_life: float, clip: float | None, warm_up: int, scale_min: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean before each point, scale before each point, and score of one series."""
    mean, scale, score = (np.full(len(values), np.nan) for _ in range(3))
    seen: list[float] = []
    fold = Fold(half_life, math.inf if clip is None else clip, scale_min)
    for i, value in enumerate(values):
        if len(seen) >= warm_up:
            mean[i], scale[i] = fold.mean, fold.scale()
        if not np.isfinite(value):
            continue
        if len(seen) >= warm_up:
            gap = abs(value - mean[i])
            score[i] = gap / scale[i] if scale[i] > 0 else (1e9 if gap > 0 else 0.0)
            limit = fold.clip * scale[i] if scale[i] > 0 else math.inf
            fold.take(min(max(value - fold.mean, -limit), limit))
        seen.append(value)
        if len(seen) == warm_up:
            for first in drawn_in(np.array(seen), fold.clip, scale_min):
                fold.take(first - fold.mean)
    return mean, scale, score


class Fold:
    """Keeps every residual and adds them up with weights 0.5 ** (age / half_life) each time."""

    def __init__(self, half_life: float, clip: float, scale_min: float) -> None:
        self.half_life, self.clip, self.scale_min = half_life, clip, scale_min
        self.learned: list[float] = []
        self.squares: list[float] = []
        self.mean = 0.0

    def weights(self, n: int) -> np.ndarray:
        raw = 0.5 ** (np.arange(n)[::-1] / self.half_life)
        return np.asarray(raw / raw.sum())

    def error(self) -> float:
        """Variance of the mean in variances of one value."""
        return float((self.weights(len(self.learned)) ** 2).sum())

    def kept(self) -> float:
        """E[min(z^2, clip^2)] of a standard normal, by adding up its density."""
        if math.isinf(self.clip):
            return 1.0
        z = np.linspace(-12, 12, 2_000_001)
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        return float((np.minimum(z**2, self.clip**2) * density).sum() * (z[1] - z[0]))

    def take(self, residual: float) -> None:
        if self.learned:
            if not hasattr(self, "_kept"):
                self._kept = self.kept()
            self.squares.append(residual**2 / (self._kept * (1 + self.error())))
        # A residual that was clipped is the value that would have had it.
        self.learned.append(self.mean + residual)
        self.mean = float(np.dot(self.weights(len(self.learned)), self.learned))

    def scale(self) -> float:
        variance = float(np.dot(self.weights(len(self.squares)), self.squares))
        noise = max(math.sqrt(variance), self.scale_min, 1e-12 * abs(self.mean))
        return noise * math.sqrt(1 + self.error())


def drawn_in(values: np.ndarray, clip: float, scale_min: float) -> np.ndarray:
    """Values of the warm-up, outliers moved to ``clip`` robust scales from the median."""
    if math.isinf(clip):
        return values
    centre = np.median(values)
    deviations = np.abs(values - centre)
    robust = 1.4826 * np.median(deviations) or np.sqrt(np.pi / 2) * deviations.mean()
    robust = max(robust, scale_min, 1e-12 * abs(centre))
    return values.clip(centre - clip * robust, centre + clip * robust) if robust > 0 else values
