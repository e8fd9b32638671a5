"""Streams that detectors are tried on: seeded, small, awkward."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64, Points

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
START = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC, a Monday, in nanoseconds."""


def times(n: int, interval: int = HOUR, start: int = START) -> Int64:
    """``n`` times at a fixed interval."""
    return start + interval * np.arange(n, dtype=np.int64)


def daily(n: int, seed: int, interval: int = HOUR, noise: float = 1.0) -> Float64:
    """A level of 50, a daily wave of 10 and Gaussian noise."""
    phase = 2 * np.pi * (times(n, interval) % (24 * HOUR)) / (24 * HOUR)
    return np.asarray(50 + 10 * np.sin(phase) + np.random.default_rng(seed).normal(0, noise, n))


def awkward(n: int, seed: int) -> tuple[Int64, Float64]:
    """A daily wave with NaN, infinities, irregular steps, gaps, a constant stretch and a level shift."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random(n) < 0.05, rng.integers(2, 50, n), 1)
    moments = START + HOUR * np.cumsum(steps) + rng.integers(0, MINUTE, n)
    values = daily(n, seed)
    values[rng.random(n) < 0.03] = np.nan
    values[rng.random(n) < 0.01] = np.inf
    values[n // 3 : n // 3 + n // 20] = values[n // 3]
    values[2 * n // 3 :] += 25
    return moments.astype(np.int64), values


def awkward_fleet(n: int, seed: int, series: int = 4, dims: int = 1) -> Points:
    """Several awkward series of different lengths, one of them all NaN, one of a single point."""
    rng = np.random.default_rng(seed)
    parts: list[tuple[Int64, Float64]] = []
    for index in range(series):
        moments, values = awkward(n - index * n // 10, seed + index)
        columns = [values] + [values + rng.normal(0, 1, len(values)) for _ in range(dims - 1)]
        parts.append((moments, np.stack(columns, axis=1)))
    parts.append((times(n // 4), np.full((n // 4, dims), np.nan)))
    parts.append((times(1), np.ones((1, dims))))
    return Points.fleet(parts)


def part(points: Points, bounds: list[tuple[int, int, int]]) -> Points:
    """A batch cut from another one: (slice, from, to) with positions within the slice, in the given order."""
    pieces = [
        slice(int(points.offsets[index]) + start, int(points.offsets[index]) + stop) for index, start, stop in bounds
    ]
    return Points.fleet(
        [(points.times[p], points.values[p]) for p in pieces],
        rows=[int(points.rows[index]) for index, _, _ in bounds],
    )
