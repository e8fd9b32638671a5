"""Residual detector, point by point with whole matrices; shares no code with the kernel."""

from __future__ import annotations

import numpy as np

DAY, WEEK, HOUR = 86_400_000_000_000, 604_800_000_000_000, 3_600_000_000_000
FIVE, HALF = 300_000_000_000, 1_800_000_000_000
PRIOR = np.array([1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1])


class Visits:
    """Mean of the points of one visit of a time slot, told when time has left it."""

    def __init__(self, width: int, period: int) -> None:
        self.width, self.period, self.slot, self.values = width, period, 0, list[float]()

    def leave(self, time: int) -> tuple[int, float, int] | None:
        now = time // self.width
        if now == self.slot:
            return None
        done = None
        if self.values:
            bin_ = self.slot % (self.period // self.width)
            done = (bin_, sum(self.values) / len(self.values), len(self.values))
        self.slot, self.values = now, []
        return done


class Residual:
    """One series."""

    def __init__(self, memory: int = 2000, huber: float = 4.0) -> None:
        self.forget, self.huber = 1 - 1 / memory, huber
        self.w, self.p = np.zeros(7), np.diag(PRIOR)
        self.n, self.lags, self.fast, self.slow, self.unit, self.size = 0, [0.0] * 3, 0.0, 0.0, 0.0, 0.0
        self.s, self.s_slow, self.out, self.fit_unit = 0.0, 0.0, 0, 0.0
        self.usual: dict[int, list[float]] = {}
        self.yesterday: dict[int, float] = {}
        self.week: dict[int, float] = {}
        self.hour: dict[int, tuple[float, float]] = {}
        self.days, self.weeks, self.hours = Visits(FIVE, DAY), Visits(HALF, WEEK), Visits(HOUR, DAY)
        self.last, self.interval, self.votes = 0, 0, 0

    def tick(self, time: int) -> None:
        step = time - self.last
        if self.n:
            if step == self.interval:
                self.votes = min(self.votes + 1, 64)
            elif self.votes:
                self.votes -= 1
            else:
                self.interval = step
        self.last = time
        if done := self.days.leave(time):
            bin_, mean, _ = done
            profile, count = self.usual.get(bin_, [0.0, 0.0])
            count = min(count + 1, 4)
            self.usual[bin_] = [profile + (mean - profile) / count, count]
            self.yesterday[bin_] = mean
        if done := self.weeks.leave(time):
            self.week[done[0]] = done[1]
        if done := self.hours.leave(time):
            bin_, mean, count = done
            old, n = self.hour.get(bin_, (0.0, 0.0))
            n = min(n + count, max(8 * count, 100))
            self.hour[bin_] = (old + (mean - old) * count / n, n)
        if self.votes > 8 and step // 12 > self.interval:
            self.lags = [self.slow + self.clock_features(time)[0]] * 3
            self.fast = self.lags[0]

    def clock_features(self, time: int) -> tuple[float, float, float]:
        bin_ = time // FIVE % 288
        usual = self.usual[bin_][0] if bin_ in self.usual else 0.0
        yesterday = self.yesterday.get(bin_, 0.0)
        return usual, yesterday, self.week.get(time // HALF % 336, yesterday)

    def factor(self, time: int) -> float:
        known = []
        for hour in range(24):
            mean, n = self.hour.get(hour, (0.0, 0.0))
            known.append(max((30 + n * mean) / (30 + n), 0.2))
        centers = np.arange(-1, 25) + 0.5
        return float(np.interp(time % DAY / HOUR, centers, [known[-1], *known, known[0]]))

    def scale(self) -> float:
        return max(self.s, 0.2 * self.s_slow, 1e-12 * self.size)

    def step(self, time: int, value: float) -> tuple[float, float, float]:
        """Score, expected, scale."""
        self.tick(time)
        features = np.zeros(7)
        unit = max(self.unit, self.s)
        if unit > 0:
            recent = np.array([*self.lags, self.fast]) - self.slow
            features = np.clip(np.r_[recent, self.clock_features(time)] / unit, -50, 50)
        expected = self.slow + unit * float(np.clip(features @ self.w, -50, 50))
        scale = self.scale() * self.factor(time)
        answer = (np.nan, np.nan, np.nan)
        if self.n >= 8:
            score = np.nan
            if np.isfinite(value):
                score = abs(value - expected) / scale if value != expected else 0.0
            answer = (score, expected, scale)
        if np.isfinite(value):
            self.learn(value, expected, features)
        return answer

    def learn(self, value: float, expected: float, features: np.ndarray) -> None:
        self.n += 1
        if self.n == 1:
            expected = value
            self.lags, self.fast, self.slow = [value] * 3, value, value
        scale, error = self.scale(), value - expected
        known = self.n > 8 and scale > 0
        limit = 6 * scale if known else np.inf
        unit = max(self.unit, self.s)
        if unit > 0 and self.n > 4 and (abs(features) < 50).all():
            bound = self.huber * scale if known else np.inf
            clipped = np.clip(np.clip(error, -bound, bound) / unit, -50, 50)
            self.p = self.p * min(max(unit / (self.fit_unit or unit), 1e-6), 1e6) ** 2
            self.fit_unit = unit
            gain = self.p @ features
            divisor = self.forget + features @ gain
            self.w = self.w + gain * clipped / divisor
            self.p = (self.p - np.outer(gain, gain) / divisor) / self.forget
            shrink = np.sqrt(np.minimum(PRIOR / np.diag(self.p), 1))
            self.p = self.p * np.outer(shrink, shrink)
        if self.n > 2:
            size = 1.2533 * abs(error)
            held = min(size, 4 * scale * 2.0**self.out) if known else size
            self.s += (held - self.s) * max(1 / (self.n - 2), 0.005)
            self.s_slow += (held - self.s_slow) * max(1 / (self.n - 2), 0.0005)
            if known:
                mean, n = self.hour.get(self.hours.slot % 24, (0.0, 0.0))
                self.hours.values.append(min(size / scale, 5 * max(mean if n else 1.0, 0.3)))
        self.out = min(self.out + 1, 60) if abs(error) > limit else 0
        if self.out > 3:
            self.lags, self.fast, self.slow = [value] * 3, value, value
        else:
            value = expected + float(np.clip(error, -limit, limit))
        most = 10 * self.unit * 2.0**self.out if self.unit > 0 and self.n > 8 else np.inf
        away, above_mean = min(abs(value - self.fast), most), float(np.clip(value - self.slow, -most, most))
        self.unit += (away - self.unit) * max(1 / self.n, 0.002)
        self.size += (abs(value) - self.size) * max(1 / self.n, 0.01)
        self.fast += (value - self.fast) * max(1 / self.n, 0.2)
        self.slow += (value - self.slow) * max(1 / self.n, 0.01)
        self.lags = [value, *self.lags[:2]]
        self.days.values.append(above_mean)
        self.weeks.values.append(above_mean)


def residual(times: np.ndarray, values: np.ndarray, memory: int = 2000, huber: float = 4.0) -> np.ndarray:
    """Score, expected and scale of one series: float64[3, n]."""
    series = Residual(memory, huber)
    return np.array([series.step(int(t), float(v)) for t, v in zip(times, values, strict=True)]).T
