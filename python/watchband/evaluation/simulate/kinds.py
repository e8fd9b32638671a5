"""Kinds of metrics: each a function of a random generator and a length to a clean stretch at 5 minutes a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64

DAY = 288
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True, eq=False)
class Clean:
    """A clean stretch, and what faults need to know of it.

    Parameters
    ----------
    values : float64[n]
        The metric.
    mean : float64[n]
        What it would be without noise.
    noise : float
        Size of one standard deviation of noise, as it looks from point to point.
    low, high : float
        What the metric cannot leave.
    whole : bool
        The metric counts: whole numbers only.
    """

    values: Float64
    mean: Float64
    noise: float
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False

    def fit(self, values: Float64) -> Float64:
        """Values as this metric would report them."""
        within = np.clip(values, self.low, self.high)
        return np.round(within) if self.whole else within


Kind = Callable[[np.random.Generator, int], Clean]
_NORMAL_995 = 2.807
"""Quantile of |noise| that a normal law exceeds in one point of two hundred."""


def noise_of(residual: Float64) -> float:
    """Noise in terms of a normal law: heavy tails count by their 99.5 % quantile."""
    return float(np.quantile(np.abs(residual), 0.995) / _NORMAL_995)


def season(rng: np.random.Generator, n: int) -> Float64:
    """A working day and a quieter weekend: about -1 to 1."""
    t = np.arange(n) + rng.integers(WEEK)
    day = 2 * np.pi * t / DAY
    shape = np.sin(day) + rng.uniform(0.1, 0.4) * np.sin(2 * day + rng.uniform(0, 2 * np.pi))
    weekend = np.where(t % WEEK >= 5 * DAY, rng.uniform(0.5, 0.9), 1.0)
    return np.asarray((shape + 1) * weekend - 1)


def autoregressive(rng: np.random.Generator, n: int, memory: float) -> Float64:
    """Noise that remembers, of standard deviation 1."""
    drawn: Float64 = rng.normal(size=n) * np.sqrt(1 - memory**2)
    drawn[0] /= np.sqrt(1 - memory**2)
    for i in range(1, n):
        drawn[i] += memory * drawn[i - 1]
    return drawn


def cpu(rng: np.random.Generator, n: int) -> Clean:
    """Utilisation in percent with day and week, noise that remembers."""
    mean = rng.uniform(25, 50) + rng.uniform(8, 18) * season(rng, n)
    values = np.clip(mean + rng.uniform(1.5, 4) * autoregressive(rng, n, 0.6), 0, 100)
    return Clean(values, mean, noise_of(values - mean), 0, 100)


def memory(rng: np.random.Generator, n: int) -> Clean:
    """Memory in percent that leaks and falls back at every restart."""
    period = int(rng.integers(250, 700))
    length = np.maximum(rng.normal(period, 0.06 * period, n // 100 + 2).astype(int), 50)
    ramp = np.concatenate([np.arange(k) / period for k in length])[:n]
    mean = rng.uniform(30, 45) + rng.uniform(15, 40) * ramp
    values = mean + rng.uniform(0.2, 0.8) * autoregressive(rng, n, 0.5)
    return Clean(values, mean, noise_of(values - mean), 0, 100)


def latency(rng: np.random.Generator, n: int) -> Clean:
    """Milliseconds with a heavy tail."""
    mean = rng.uniform(40, 300) * (1 + rng.uniform(0, 0.3) * season(rng, n))
    values = mean * rng.lognormal(0, rng.uniform(0.1, 0.3), n)
    slow = rng.random(n) < 1 / 300
    values[slow] *= 1 + rng.pareto(2.5, int(slow.sum()))
    return Clean(values, mean, noise_of(values - mean), 0)


def requests(rng: np.random.Generator, n: int) -> Clean:
    """Requests an interval with day and week."""
    mean = rng.uniform(50, 2000) * (1 + rng.uniform(0.3, 0.7) * season(rng, n))
    values = rng.poisson(mean * rng.gamma(400, 1 / 400, n)).astype(np.float64)
    return Clean(values, mean, noise_of(values - mean), 0, whole=True)


def sparse(rng: np.random.Generator, n: int) -> Clean:
    """Rare events: mostly zero."""
    mean = np.full(n, rng.uniform(0.1, 0.6))
    values = rng.poisson(mean).astype(np.float64)
    return Clean(values, mean, noise_of(values - mean), 0, whole=True)


def error_ratio(rng: np.random.Generator, n: int) -> Clean:
    """Share of failed requests, noisier where requests are few."""
    asked = np.maximum(rng.poisson(rng.uniform(200, 1500) * (1 + 0.5 * season(rng, n))), 1)
    mean = np.full(n, rng.uniform(0.005, 0.04))
    values = rng.binomial(asked, mean) / asked
    return Clean(values, mean, noise_of(values - mean), 0, 1)


def queue(rng: np.random.Generator, n: int) -> Clean:
    """Depth of a queue that is mostly near empty and sometimes busy."""
    load = rng.uniform(0.5, 0.8)
    change = rng.poisson(10 * load, n) - rng.poisson(10, n) * 1.0
    values = np.empty(n)
    depth = 0.0
    for i in range(n):
        depth = max(0.0, depth + change[i])
        values[i] = depth
    return Clean(values, np.full(n, values.mean()), noise_of(values - values.mean()), 0, whole=True)


def temperature(rng: np.random.Generator, n: int) -> Clean:
    """Degrees under a duty cycle: cooling on, cooling off."""
    period = int(rng.integers(18, 48))
    on = int(rng.uniform(0.3, 0.6) * period)
    t = (np.arange(n) + rng.normal(0, 0.6, n).cumsum() * 0.1) % period
    cycle = np.where(t < on, 1 - t / on, (t - on) / (period - on))
    mean = rng.uniform(4, 22) + rng.uniform(1.5, 4) * cycle + rng.uniform(0, 0.8) * season(rng, n)
    values = mean + rng.uniform(0.1, 0.25) * rng.normal(size=n)
    return Clean(values, mean, noise_of(values - mean))


def integer(rng: np.random.Generator, n: int) -> Clean:
    """A small whole number that seldom moves, as of replicas or connections."""
    steps = (rng.random(n) < 1 / 400) * rng.choice([-1, 1], n)
    mean = np.empty(n)
    level = base = float(rng.integers(4, 30))
    for i in range(n):
        if steps[i]:
            level = base if level != base else base + steps[i]
        mean[i] = level
    return Clean(mean.copy(), mean, 0.5, 0, whole=True)


def drifting(rng: np.random.Generator, n: int) -> Clean:
    """Nearly a random walk, as of a price or a connection pool."""
    values = rng.uniform(50, 500) + rng.uniform(0.5, 5) * np.cumsum(rng.normal(size=n)) * 0.3
    return Clean(values, values.copy(), noise_of(np.diff(values)))


KINDS: dict[str, Kind] = {
    "cpu": cpu,
    "memory": memory,
    "latency": latency,
    "requests": requests,
    "sparse": sparse,
    "error_ratio": error_ratio,
    "queue": queue,
    "temperature": temperature,
    "integer": integer,
    "drifting": drifting,
}
SEASONAL = frozenset({"cpu", "requests", "temperature"})
"""Kinds whose course a missing or shifted season would change."""
