"""Forecast residual by its definition: the forecasters in plain numpy, the scale by sorting the last errors."""

from __future__ import annotations

import math

import numpy as np

HOUR = 3_600_000_000_000
MINUTE = 60_000_000_000
DAMPING = 0.98


class Ridge:
    """Weights by numpy's solver, of rows that are made anew for every fit."""

    def __init__(self, lags: int, alpha: float, window: int, refit: float) -> None:
        self.lags, self.alpha, self.held, self.refit = lags, alpha, window + lags, int(refit * HOUR)
        self.values: list[float] = []
        self.weights: tuple[np.ndarray, np.ndarray, float] | None = None
        self.period = 0

    def filled(self) -> np.ndarray:
        found, last = [], math.nan
        for value in self.values:
            last = last if math.isnan(value) else value
            found.append(last)
        return np.array(found)

    def fit(self, time: int) -> None:
        period = time // self.refit
        due = len(self.values) % 16 == 0 if self.weights is None else period != self.period
        if not due or len(self.values) < 3 * self.lags:
            return
        self.period = period
        raw, filled = np.array(self.values[-self.held :]), self.filled()[-self.held :]
        rows, target = [], []
        for at in range(self.lags, len(raw)):
            before = slice(at - self.lags, at)
            mostly = np.isfinite(raw[before]).sum() >= 0.75 * self.lags
            if np.isfinite(raw[at]) and mostly and np.isfinite(filled[at - self.lags]):
                rows.append(filled[before])
                target.append(raw[at])
        if len(rows) <= 2 * self.lags:
            return
        x, y = np.array(rows), np.array(target)
        middle, level = x.mean(axis=0), y.mean()
        variance = ((x - middle) ** 2).mean()
        gram = (x - middle).T @ (x - middle) + self.alpha * variance * np.eye(self.lags)
        weights = np.linalg.solve(gram, (x - middle).T @ (y - level)) if variance > 0 else np.zeros(self.lags)
        self.weights = weights, middle, float(level)

    def expected(self, time: int) -> float:
        self.fit(time)
        if self.weights is None:
            return math.nan
        weights, middle, level = self.weights
        return level + float((self.filled()[-self.lags :] - middle) @ weights)

    def learn(self, time: int, value: float, expected: float, scale: float) -> None:
        self.values.append(value)


class Slots:
    """The last thing that was written in each minute of a season, and when."""

    def __init__(self, season: float) -> None:
        self.season = int(season * HOUR)
        self.count = min(max(self.season // MINUTE, 1), 10_080)
        self.held: dict[int, tuple[int, float]] = {}

    def slot(self, time: int) -> int:
        return min(time % self.season // (self.season // self.count), self.count - 1)

    def before(self, time: int) -> float | None:
        best: tuple[int, int, int, float] | None = None
        for order, beside in enumerate((0, 1, -1) if self.season else ()):
            then, value = self.held.get((self.slot(time) + beside) % self.count, (0, math.nan))
            seasons = (time - then + self.season // 2) // self.season
            off = abs(time - then - seasons * self.season)
            if 1 <= seasons <= 4 and off <= 2 * (self.season // self.count) and not math.isnan(value):
                found = (seasons, off, order, value)
                best = found if best is None else min(best, found)
        return None if best is None else best[3]

    def write(self, time: int, value: float) -> None:
        if self.season:
            self.held[self.slot(time)] = (time, value)


class SeasonalNaive(Slots):
    last = math.nan

    def expected(self, time: int) -> float:
        before = self.before(time)
        return self.last if before is None else before

    def learn(self, time: int, value: float, expected: float, scale: float) -> None:
        if not math.isnan(value):
            self.last = value
            self.write(time, value)


class Smoothing(Slots):
    def __init__(self, season: float, rates: tuple[float, float, float]) -> None:
        super().__init__(season)
        self.rates = rates
        self.level, self.trend = math.nan, 0.0

    def expected(self, time: int) -> float:
        return self.level + DAMPING * self.trend + (self.before(time) or 0.0)

    def learn(self, time: int, value: float, expected: float, scale: float) -> None:
        ahead, level = self.level + DAMPING * self.trend, self.rates[0]
        if math.isnan(value):
            self.level, self.trend = ahead, DAMPING * self.trend
        elif math.isnan(expected):
            self.level = value
        else:
            most = 16 * scale if scale > 0 else math.inf
            moved = min(max(value - expected, -most), most)
            self.level, self.trend = ahead + level * moved, DAMPING * self.trend + level * self.rates[1] * moved
            before = self.before(time)
            rate = 1.0 if before is None else self.rates[2]
            self.write(time, (before or 0.0) + rate * (1 - level) * moved)


def scale_of(errors: list[float], spread: int) -> float:
    """Robust standard deviation of the last errors."""
    last = errors[-spread:]
    if len(last) < min(48, spread):
        return math.nan
    median = float(np.median(last))
    return 1.4826 * median if median > 0 else 1.2533141373155003 * float(np.mean(last))


def forecast_residual(
    times: np.ndarray,
    values: np.ndarray,
    forecaster: str = "ridge",
    lags: int = 24,
    alpha: float = 1.0,
    window: int = 2000,
    refit: float = 24.0,
    season: float = 24.0,
    rates: tuple[float, float, float] = (0.3, 0.02, 0.2),
    spread: int = 288,
) -> tuple[np.ndarray, np.ndarray]:
    """Score and expected value of each point of one series."""
    made = {
        "ridge": lambda: Ridge(lags, alpha, window, refit),
        "seasonal_naive": lambda: SeasonalNaive(season),
        "smoothing": lambda: Smoothing(season, rates),
    }
    course, errors = made[forecaster](), []
    score, told = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for i, (time, raw) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        value = raw if math.isfinite(raw) else math.nan
        expected, scale = course.expected(time), scale_of(errors, spread)
        if not math.isnan(expected) and not math.isnan(scale):
            scale = max(scale, 1e-9 * abs(expected))
            told[i] = expected
            if not math.isnan(value):
                away = abs(value - expected)
                score[i] = away / scale if scale > 0 else (1e9 if away > 0 else 0.0)
        if not math.isnan(value) and not math.isnan(expected):
            errors.append(abs(value - expected))
        course.learn(time, value, expected, scale)
    return score, told
