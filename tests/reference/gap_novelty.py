"""Gap novelty with a plain list of cells, searched from end to end."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Cell:
    value: float
    isolation: float
    seen: int


def gap_novelty(
    values: np.ndarray,
    memory: int = 10_000,
    cells: int = 512,
    warm_up: int = 30,
    of: str = "value",
    window: int = 12,
) -> tuple[np.ndarray, np.ndarray]:
    """Score and nearest value of each point of one series."""
    score, expected = np.full(len(values), np.nan), np.full(len(values), np.nan)
    sketch: list[Cell] = []
    usual = Usual(warm_up, min(0.02, 10 / memory))
    last: list[float] = []
    for now, raw in enumerate(values):
        sketch = [cell for cell in sketch if cell.seen >= now - memory]
        if not math.isfinite(raw):
            continue
        value = min(max(float(raw), -1e300), 1e300)
        if of != "value":
            last = [*last, value][-window:]
            if len(last) < window:
                continue
            value = read(last, of)
        # Far out, gaps of different cells round to one number: then the neighbour is meant, the lower one first.
        below = max((cell for cell in sketch if cell.value < value), key=lambda cell: cell.value, default=None)
        above = min((cell for cell in sketch if cell.value >= value), key=lambda cell: cell.value, default=None)
        near = min((cell for cell in (below, above) if cell), key=lambda cell: abs(cell.value - value), default=None)
        gap = abs(value - near.value) if near else 0.0
        if near and usual.count >= warm_up:
            score[now], expected[now] = usual.new(gap, near.isolation), near.value
        if near and gap == 0:
            near.isolation, near.seen = 0.0, now
        else:
            if len(sketch) == cells:
                sketch.remove(older_of_the_closest(sketch))
            sketch.append(Cell(value, gap, now))
        usual.learn(value)
    return score, expected


def read(last: list[float], of: str) -> float:
    """Mean or deviation of values, to 44 bits."""
    mean = math.fsum(last) / len(last)
    far = max(abs(v - mean) for v in last)
    deviation = far * math.sqrt(math.fsum(((v - mean) / far) ** 2 for v in last) / len(last)) if far else 0.0
    mantissa, exponent = math.frexp(mean if of == "mean" else deviation)
    return math.ldexp(math.trunc(mantissa * 2.0**45) / 2.0**45, exponent)


def older_of_the_closest(sketch: list[Cell]) -> Cell:
    ordered = sorted(sketch, key=lambda cell: cell.value)
    pairs = itertools.pairwise(ordered)
    closest = min(pairs, key=lambda pair: pair[1].value - pair[0].value)
    return min(closest, key=lambda cell: cell.seen)


class Usual:
    """Running mean and mean distance from it, one value far out clipped."""

    def __init__(self, warm_up: int, gain: float) -> None:
        self.warm_up, self.gain = warm_up, gain
        self.level = self.scale = self.size = 0.0
        self.count = self.out = 0

    def new(self, gap: float, isolation: float) -> float:
        if gap == 0:
            return 0.0
        scale = max(self.scale, 1e-12 * self.size)
        if scale == 0:
            return 1e9
        ratio = isolation / gap
        return gap / (scale * math.sqrt(1 + ratio))

    def learn(self, value: float) -> None:
        self.count += 1
        if self.count == 1:
            self.level = value
        away = value - self.level
        limit = 4 * self.scale * 2**self.out if self.count > self.warm_up and self.scale > 0 else math.inf
        self.out = min(self.out + 1, 60) if abs(away) > limit else 0
        taken = min(max(away, -limit), limit)
        gain = max(self.gain, 1 / self.count)
        self.level += gain * taken
        self.scale += gain * (abs(taken) - self.scale)
        self.size += gain * (min(abs(value), abs(self.level) + abs(taken)) - self.size)
