"""Drift, slowly: whole blocks in lists, statistics by numpy and the formulas of the page."""

from __future__ import annotations

import math

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.pipeline.drift import MONITORS, Drift, widened

NOTHING = (math.nan, math.nan, math.nan)
KOLMOGOROV, Z, EDGES = 1.95, 3.29, 15


class Reference:
    """Keeps every block whole."""

    def __init__(self, drift: Drift, nominal: float) -> None:
        self.drift, self.nominal = drift, nominal
        self.block: list[tuple[float, ...]] = []
        self.number: int | None = None
        self.done: list[list[tuple[float, ...]]] = []
        self.readings = [NOTHING] * len(MONITORS)
        self.out: list[str] = []
        self.runs = dict.fromkeys(MONITORS, 0)
        self.recent: dict[int, Float64] = {}
        self.before = 0.0

    def step(
        self, times: Int64, values: Float64, score: Float64, cutoff: Float64, odd: Float64, covered: Float64
    ) -> None:
        for row in zip(times.tolist(), values, score, cutoff, odd, covered, strict=True):
            number = row[0] // self.drift.every_ns
            seen = sum(not (math.isnan(r[0]) and math.isnan(r[3])) for r in self.block)
            if self.number is not None and number > self.number and seen >= self.drift.least:
                self.close()
                self.block, self.number = [], number
            self.number = number if self.number is None else self.number
            begins = 0.0
            if not math.isnan(row[4]):
                begins = float(row[4] > 0 and self.before == 0)
                self.before = float(row[4] > 0)
            self.block.append((*row[1:], begins))

    def close(self) -> None:
        self.done.append(self.block)
        rest = self.done[2:]
        wanted = self.drift.reference
        if len(rest) <= 1 + wanted:
            return
        self.readings = [
            self.cutoff(),
            self.distance(0, rest),
            self.distance(1, rest),
            self.rate(rest),
            self.coverage(),
        ]
        for name, (value, low, high) in zip(MONITORS, self.readings, strict=True):
            self.runs[name] = self.runs[name] + 1 if value < low or value > high else 0
        self.out = [name for name in MONITORS if self.runs[name] >= self.drift.patience]

    def cutoff(self) -> tuple[float, float, float]:
        means = [float(np.nanmean([r[2] for r in block])) for block in self.done[-32:]]
        last, logs = means[-1], np.log(means[:-1])
        n = len(logs)
        room = max(widened(3.0, n - 1) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / n), 0.05)
        return last, math.exp(logs.mean() - room), math.exp(logs.mean() + room)

    def distance(self, column: int, rest: list[list[tuple[float, ...]]]) -> tuple[float, float, float]:
        blocks = [np.array([r[column] for r in block if math.isfinite(r[column])]) for block in rest]
        wanted = self.drift.reference
        # A sample of every second, fourth … point, the first 76 of which are kept.
        stride = 1
        while -(-len(blocks[0]) // stride) > 76:
            stride *= 2
        sample = np.sort(blocks[0][::stride])
        edges = sample[[(k + 1) * len(sample) // (EDGES + 1) for k in range(EDGES)]]
        shares = np.array([[(b <= e).mean() for e in edges] for b in blocks[1 : 1 + wanted]])
        mean, spread = shares.mean(axis=0), shares.var(axis=0, ddof=1)
        recent = mean
        for block in blocks[1 + wanted :]:
            recent = recent + 0.5 * (np.array([(block <= e).mean() for e in edges]) - recent)
        size = min(np.mean([len(b) for b in blocks[1 : 1 + wanted]]), len(blocks[-1]))
        clumps = max(1.0, float(spread.sum() / (mean * (1 - mean) / size).sum()))
        limit = widened(KOLMOGOROV, 2 * (wanted - 1)) * math.sqrt((1 / 3 + 1 / wanted) / (size / clumps))
        return float(np.abs(recent - mean).max()), 0.0, max(limit, self.drift.distance)

    def rate(self, rest: list[list[tuple[float, ...]]]) -> tuple[float, float, float]:
        wanted = self.drift.reference
        base, over, _ = counted(self.done[2 + 1 : 2 + 1 + wanted])
        since = min(len(rest) - 1 - wanted, wanted)
        runs, points, clumps = counted(self.done[-since:])
        if points <= 0:
            return NOTHING
        ratio = ((runs + 0.5) / points) / ((base + 0.5) / over)
        chance = math.exp(Z * math.sqrt(clumps * (1 / (runs + 0.5) + 1 / (base + 0.5))))
        return ratio, (1 - self.drift.change) / chance, (1 + self.drift.change) * chance

    def coverage(self) -> tuple[float, float, float]:
        wanted = self.drift.reference
        usual, _ = covered_in(self.done[2 + 1 : 2 + 1 + wanted])
        share, error = covered_in(self.done[-7:])
        room = max(self.drift.slack, widened(Z, 6) * error)
        return share, self.nominal - room, max(self.nominal, usual) + room


def counted(blocks: list[list[tuple[float, ...]]]) -> tuple[float, float, float]:
    if len(blocks) < 3:
        return 0.0, 0.0, 1.0
    runs = np.array([sum(r[5] for r in block) for block in blocks])
    points = np.array([sum(not math.isnan(r[3]) for r in block) for block in blocks], float)
    due = runs.sum() / points.sum() * points
    clumps = float(((runs - due) ** 2 / due).sum() / (len(blocks) - 1)) if runs.any() else 1.0
    # The newest of equally bad ones.
    worst = len(runs) - 1 - int(np.argmax(runs[::-1]))
    return float(runs.sum() - runs[worst]), float(points.sum() - points[worst]), max(1.0, clumps)


def covered_in(blocks: list[list[tuple[float, ...]]]) -> tuple[float, float]:
    known = np.array([sum(not math.isnan(r[4]) for r in block) for block in blocks], float)
    outside = np.array([sum(1 - r[4] for r in block if not math.isnan(r[4])) for block in blocks])
    share, n = outside.sum() / known.sum(), len(blocks)
    clumped = math.sqrt(((outside - share * known) ** 2).sum() * n / (n - 1)) / known.sum()
    return 1 - float(share), max(clumped, math.sqrt(share * (1 - share) / known.sum()))
