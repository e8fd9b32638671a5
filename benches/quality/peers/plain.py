"""What people use first: limits, a moving mean, yesterday, and the spectral residual."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64

FIRST = 576
"""Points on which the static limits are set: two days at five minutes."""
DAY_NS = 86_400_000_000_000
CLIP = 4.0


def static_threshold(times: Int64, values: Float64, first: int = FIRST) -> Float64:
    """Limits around the mean of the first points, set once: distance in their standard deviations."""
    start = values[:first]
    score = np.full(len(values), np.nan)
    if len(values) > first:
        scale = float(start.std()) or 1e-3 * max(abs(float(start.mean())), 1.0)
        score[first:] = np.abs(values[first:] - start.mean()) / scale
    return score


def rolling_z(times: Int64, values: Float64, window: int = 288) -> Float64:
    """Distance from the mean of the last values in their standard deviations."""
    score = np.full(len(values), np.nan)
    if len(values) > window:
        rows = np.lib.stride_tricks.sliding_window_view(values, window)[:-1]
        mean, scale = rows.mean(axis=1), rows.std(axis=1)
        away = np.abs(values[window:] - mean)
        floor = 1e-9 * np.maximum(np.abs(mean), 1.0)
        score[window:] = np.where(scale > floor, away / np.maximum(scale, floor), np.where(away > floor, 1e3, 0.0))
    return score


def seasonal_naive(times: Int64, values: Float64) -> Float64:
    """Distance from the value of the same time yesterday, in its own running scale.

    The value before where yesterday is not known: the first day, or an interval of a day and more.
    """
    before = np.searchsorted(times, times - DAY_NS, side="right") - 1
    known = (before >= 0) & (before < np.arange(len(times)))
    expected = np.where(known, values[np.maximum(before, 0)], np.concatenate([values[:1], values[:-1]]))
    return running_scale(values - expected)


def running_scale(errors: Float64, rate: float = 0.005) -> Float64:
    """Each error in units of the errors before it: a slow mean of their sizes, none counted more than fourfold."""
    score = np.full(len(errors), np.nan)
    scale = 0.0
    for i, size in enumerate(np.abs(errors).tolist()):
        if i >= 50:
            score[i] = size / scale if scale > 0 else (1e3 if size > 0 else 0.0)
        counted = min(size, CLIP * scale) if i >= 50 and scale > 0 else size
        scale += max(rate, 1 / (i + 1)) * (counted - scale)
    return score


def spectral_residual(times: Int64, values: Float64, window: int = 256) -> Float64:
    """Ren et al., "Time-Series Anomaly Detection Service at Microsoft", KDD 2019: each point the newest of a window.

    Behind it the mean of the five points before goes on for five points, so that the newest one does not hide itself
    (Microsoft's code leaves it out of that estimate too); the log spectrum is freed of its running mean of three, and
    the saliency is divided by its mean over the window.
    """
    ahead = 5
    n = len(values)
    scores = np.full(n, np.nan)
    for begin in range(window, n + 1, 2048):
        stops = np.arange(begin, min(begin + 2048, n + 1))
        rows = values[stops[:, None] - window + np.arange(window)]
        estimate = rows[:, -1 - ahead : -1].mean(axis=1, keepdims=True)
        spectrum = np.fft.fft(np.concatenate([rows, np.repeat(estimate, ahead, axis=1)], axis=1))
        amplitude = np.maximum(np.abs(spectrum), 1e-8)
        logs = np.log(amplitude)
        mean = (np.roll(logs, 1, axis=1) + logs + np.roll(logs, -1, axis=1)) / 3
        saliency = np.abs(np.fft.ifft(np.exp(logs - mean) * spectrum / amplitude))[:, :window]
        scores[stops - 1] = saliency[:, -1] / np.maximum(saliency.mean(axis=1), 1e-12)
    return scores
