"""Spectral residual as its authors write it: logarithms of amplitudes, a mean over three of them, and back."""

from __future__ import annotations

import numpy as np

FLOOR = 1e-8


def filled(window: np.ndarray) -> np.ndarray:
    """Each missing value is the one before it, the first ones the first that is known."""
    known = [v for v in window if not np.isnan(v)]
    last, found = known[0], []
    for value in window:
        last = last if np.isnan(value) else value
        found.append(last)
    return np.array(found)


def estimated(window: np.ndarray, back: int, extension: str) -> float:
    """The value behind a window, by the points before its newest."""
    before = window[:-1]
    if extension == "mean":
        return float(before[-1] + (before[-back:] - before[-1]).mean())
    slopes = [(before[-1] - before[-1 - k]) / k for k in range(1, back + 1)]
    return float(before[-back] + np.mean(slopes) * back)


def saliency(values: np.ndarray, centre: bool) -> np.ndarray:
    """The saliency map of a whole window."""
    values = values / max(np.abs(values).max(), 5e-324)
    spectrum = np.fft.fft(values)
    amplitude = np.maximum(np.abs(spectrum), FLOOR * np.abs(spectrum).max())
    smoothed = amplitude.copy()
    if centre:
        smoothed[0] = max(smoothed[0], smoothed[1])
    logs = np.log(smoothed)
    mean = (np.roll(logs, 1) + logs + np.roll(logs, -1)) / 3
    return np.abs(np.fft.ifft(np.exp(np.log(amplitude) - mean) * spectrum / amplitude))


def spectral_residual(
    values: np.ndarray,
    window: int = 256,
    ahead: int = 5,
    back: int = 5,
    extension: str = "mean",
    local: int = 0,
    centre: bool = True,
) -> np.ndarray:
    """Score of each point of one series."""
    values = np.where(np.isfinite(values), values, np.nan)
    points = window - ahead
    score = np.full(len(values), np.nan)
    for end in range(points, len(values) + 1):
        part = values[end - points : end]
        if np.isnan(part[-1]) or 2 * np.isfinite(part).sum() < points:
            continue
        part = filled(part)
        whole = np.r_[part, np.full(ahead, estimated(part, back, extension))]
        if centre:
            whole = whole - np.sort(part)[(points - 1) // 2]
        if not whole.any():
            score[end - 1] = 0.0
            continue
        found = saliency(whole, centre)[:points]
        others = found if local == 0 else found[-1 - local : -1]
        usual = max(others.mean(), found.max() / 1e9)
        score[end - 1] = found[-1] / usual if usual > 0 else 0.0
    return score
