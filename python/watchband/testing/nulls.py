"""Clean series without any incident: whatever alerts on them is a false alarm, and a budget says how many may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchband.core.points import Float64

Null = Callable[[np.random.Generator, tuple[int, int]], Float64]
"""Values of so many series and points: float64[series, points]; a day has 288 points."""


def autoregressive(rng: np.random.Generator, shape: tuple[int, int]) -> Float64:
    """Each value 0.95 of the one before, and new noise."""
    values = rng.normal(size=shape)
    for i in range(1, shape[1]):
        values[:, i] += 0.95 * values[:, i - 1]
    return values


def wave(shape: tuple[int, int]) -> Float64:
    """A daily sine."""
    return np.broadcast_to(np.sin(2 * np.pi * np.arange(shape[1]) / 288), shape)


NULLS: dict[str, Null] = {
    "gaussian": lambda rng, shape: rng.normal(size=shape),
    "autoregressive": autoregressive,
    "student 3": lambda rng, shape: rng.standard_t(3, size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "poisson 0.3": lambda rng, shape: rng.poisson(0.3, shape).astype(np.float64),
    "poisson 20": lambda rng, shape: rng.poisson(20, shape).astype(np.float64),
    "uniform": lambda rng, shape: rng.random(shape),
    "sine and noise": lambda rng, shape: 10 * wave(shape) + rng.normal(size=shape),
    "noise by the hour": lambda rng, shape: (1 + 0.8 * wave(shape)) * rng.normal(size=shape),
}
STILL: dict[str, Null] = {
    "constant": lambda rng, shape: np.full(shape, 5.0),
    "square wave": lambda rng, shape: np.broadcast_to(np.arange(shape[1]) // 50 % 2 * 10.0, shape).copy(),
}


def openings(anomaly: Float64) -> list[int]:
    """Points at which an alert opens; it ends after 12 normal points in a row, or after 150 points."""
    found: list[int] = []
    last = -1000
    for i in np.flatnonzero(anomaly > 1).tolist():
        if i - last > 12 or i - found[-1] > 150:
            found.append(i)
        last = i
    return found
