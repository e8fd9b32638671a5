"""What is done to values before they enter a shingle, slow and plain: everything kept, one value at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

EARLY, PULL, FAR, GAP_FAR, GAP_SHARE = 16, 10.0, 1e6, 8.0, 0.1


@dataclass
class Moments:
    """A moving mean and variance."""

    memory: float
    mean: float = 0.0
    variance: float = 0.0
    count: int = 0

    def learn(self, value: float, pull: float) -> None:
        rate = max(1 / (self.count + 1), 1 / self.memory)
        step = value - self.mean
        if self.count >= EARLY and pull > 0:
            step = min(max(step, -PULL * pull), PULL * pull)
        self.mean += rate * step
        self.variance = (1 - rate) * (self.variance + rate * step * step)
        self.count += 1


@dataclass
class Transform:
    """Values of a point as they enter a shingle; the time since the last one as one more, if asked."""

    kind: str
    dims: int
    memory: float
    timed: bool
    last: list[float] = field(default_factory=list)
    time: int | None = None

    def __post_init__(self) -> None:
        self.values = [Moments(self.memory) for _ in range(self.dims)]
        self.gaps = Moments(self.memory)
        self.units = [(0.0, 1.0)] * self.dims

    def of_time(self, time: int) -> float:
        """The gap before a point, in deviations from the usual gap, as wide as the values are."""
        before, self.time = self.time, time
        if before is None:
            return 0.0
        gap = float(time - before)
        deviation = max(math.sqrt(self.gaps.variance), GAP_SHARE * self.gaps.mean)
        far = 0.0
        if self.gaps.count and deviation > 0:
            far = min(max((gap - self.gaps.mean) / deviation, -GAP_FAR), GAP_FAR)
        self.gaps.learn(gap, deviation)
        if self.kind == "normalise":
            return far
        return far * sum(math.sqrt(m.variance) for m in self.values) / self.dims

    def of_value(self, k: int, value: float) -> float:
        moments = self.values[k]
        first = len(self.last) <= k
        before = value if first else self.last[k]
        self.last[k:] = [value, *self.last[k + 1 :]]
        raw = value - before if self.kind == "difference" else value
        if first and self.kind == "difference":
            return 0.0
        pull = math.sqrt(moments.variance)
        if moments.count < EARLY:
            moments.learn(raw, pull)
            mean, deviation = moments.mean, math.sqrt(moments.variance)
        else:
            mean, deviation = moments.mean, pull
            moments.learn(raw, pull)
        if self.kind != "normalise":
            return raw
        self.units[k] = mean, deviation
        if raw == mean:
            return 0.0
        return min(max((raw - mean) / deviation, -FAR), FAR) if deviation > 0 else math.copysign(FAR, raw - mean)

    def measure(self) -> None:
        """Values that a point lacks are measured by what was known before it."""
        self.units = [(m.mean, math.sqrt(m.variance)) for m in self.values]

    def assume(self, k: int, entered: np.float32) -> None:
        """A value that was missing is taken to be this."""
        if self.kind == "difference":
            self.last[k] += float(entered)

    def back(self, k: int, number: float, rest: list[float]) -> float:
        """A number at a place of the shingle in units of the metric; ``rest`` is what entered there and since."""
        if self.kind == "normalise":
            mean, deviation = self.units[k]
            return mean + deviation * number
        return self.last[k] - sum(rest) + number if self.kind == "difference" else number
