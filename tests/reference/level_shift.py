"""Level shift, written down as its page tells it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LARGE = 1e300


def clip(value: float, most: float) -> float:
    return min(max(value, -most), most)


@dataclass
class Slow:
    """A slow number, what it usually is, and how far from that."""

    memory: int
    now: float = 0.0
    usual: float = 0.0
    distance: float = 0.0

    def take(self, value: float) -> float:
        self.now += (value - self.now) / self.memory
        return abs(self.now - self.usual) / max(self.distance, 0.02)

    def learn(self, gain: float, known: bool) -> None:
        away = clip(self.now - self.usual, 4 * max(self.distance, 0.02) if known else math.inf)
        self.usual += gain * away
        self.distance += gain * (1.2533 * abs(away) - self.distance)


@dataclass
class Level:
    """Robust exponentially weighted level and scale."""

    gain: float
    count: int = 0
    level: float = 0.0
    scale: float = 0.0
    size: float = 0.0

    def learn(self, value: float, known: bool) -> None:
        if self.count == 1:
            self.level = value
        gain = max(self.gain, 1 / self.count)
        away = clip(value - self.level, 3 * self.scale if known and self.scale > 0 else math.inf)
        self.level += gain * away
        self.scale += gain * (1.2533 * abs(away) - self.scale)
        self.size += gain * (min(abs(value), abs(self.level) + abs(away)) - self.size)

    def standardised(self, value: float) -> float:
        scale, away = max(self.scale, 1e-12 * self.size), value - self.level
        if scale == 0:
            return 6.0 * ((away > 0) - (away < 0))
        return clip(away / scale, 6)


def level_shift(
    values: np.ndarray,
    half_life: float = 200,
    mean_points: int = 16,
    spread_points: int = 24,
    usual_points: int = 2000,
    adopt: int = 36,
    warm_up: int = 60,
    of: str = "both",
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Score, who spoke, and flags of each point of one series."""
    score, spoke, flags = np.full(len(values), np.nan), [""] * len(values), np.zeros(len(values))
    level, mean, spread = Level(math.log(2) / half_life), Slow(mean_points), Slow(spread_points)
    after: list[float] = []
    for i, raw in enumerate(values):
        if not math.isfinite(raw):
            continue
        value = clip(float(raw), LARGE)
        level.count += 1
        if level.count <= 8:
            level.learn(value, False)
            continue
        z = level.standardised(value)
        far, wide = mean.take(clip(z, 3)), spread.take(abs(z))
        known = level.count > warm_up
        far, wide = (-1.0 if of == "spread" else far), (-1.0 if of == "level" else wide)
        if known:
            score[i], spoke[i] = max(far, wide), "level" if far >= wide else "spread"
            flags[i] = 4 if level.count <= warm_up + 8 * (mean_points + spread_points) else 0
        if not (known and abs(mean.now) >= 2):
            after = []
            for slow in (mean, spread):
                slow.learn(max(1 / usual_points, 1 / (level.count - 8)), known)
            level.learn(value, known)
            continue
        after.append(value)
        if len(after) < adopt:
            flags[i] += 1
            continue
        flags[i] += 2
        level.level = after[0]
        for following in after[1:]:
            level.level += (following - level.level) / 8
        level.size = max(level.size, abs(level.level))
        mean.now, spread.now, after = mean.usual, spread.usual, []
    return score, spoke, flags
