"""Slow, obvious version of ``light_band`` in UTC, one point after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np

DAY = 86_400.0
PER_MEAN = 1.2533141373155003


def clip(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))


@dataclass
class Node:
    """What a node says and how often it was visited, in 32 bits as the state keeps them."""

    value: float = 0.0
    visits: np.float32 = field(default_factory=lambda: np.float32(0))

    @property
    def says(self) -> float:
        return self.value if self.visits > 0.75 else 0.0

    def teach(self, part: float, seconds: float, wanted: float) -> None:
        visit = np.float32(part) * np.float32(seconds / 3600)
        self.visits = min(self.visits + visit, np.float32(12))
        if self.visits > 0:
            self.value = float(np.float32(self.value + float(visit / self.visits) * (wanted - self.value)))


@dataclass
class Table:
    """Nodes and the sums behind their weight."""

    nodes: list[Node]
    xy: float = 0.0
    xx: float = 0.0

    def weight(self, prior: float, start: float) -> float:
        return max(0.0, min(1.0, (self.xy + start * prior) / (self.xx + prior))) if self.xx + prior > 0 else 0.0

    def learn(self, said: float, wanted: float, seconds: float) -> None:
        keeps = 1 - seconds / (14 * DAY)
        self.xy = keeps * self.xy + seconds * said * wanted
        self.xx = keeps * self.xx + seconds * said * said


@dataclass
class Run:
    values: list[float] = field(default_factory=list)
    since: int = 0
    outside: int = 0
    inside: int = 0


class LightBand:
    """``step`` gives expected value, scale and whether the point is held or adopted."""

    def __init__(self, hold_hours: float = 24.0, hold_points: int = 36) -> None:
        self.hold, self.hold_points = hold_hours * 3600, hold_points
        self.head: list[float] = []
        self.hours = Table([Node() for _ in range(24)])
        self.week = Table([Node() for _ in range(168)])
        self.factors = [1.0] * 24
        self.seen = 0
        self.first = self.last = self.interval = None
        self.level = self.rest = self.lag_xy = self.lag_xx = self.near = self.far = 0.0
        self.doubt, self.usual, self.streak = 1.0, 3.0, 0
        self.run = Run()
        self.quantum = self.changes = self.value = self.whole = self.negative = 0.0

    def pass_time(self, time: int) -> float:
        if self.first is None:
            self.first = self.last = time
            return 0.0
        seconds, self.last = (time - self.last) * 1e-9, time
        usual = self.interval = self.interval or seconds
        self.interval = usual + 0.02 * (min(seconds, 4 * usual) - usual)
        if seconds > 1.5 * usual:
            self.doubt, self.rest = 1.0, 0.0
        return min(seconds, 2 * usual)

    def learn_habits(self, value: float, seconds: float) -> None:
        step, self.value = abs(value - self.value), value
        self.whole += ((value == math.floor(value)) - self.whole) * max(1 / (self.seen + 1), 0.005)
        self.negative = max(self.negative, float(value < 0))
        self.changes -= self.changes * min(seconds / (7 * DAY), 1.0)
        if self.seen == 0 or step == 0:
            return
        self.changes += 1
        if self.quantum == 0:
            self.quantum = step
        elif step < self.quantum:
            self.quantum = min(max(0.8 * self.quantum, step), 16 * step)
        else:
            self.quantum = min(1.05 * self.quantum, step)

    def begin(self) -> None:
        self.level = median(self.head)
        away = [abs(v - self.level) for v in self.head]
        self.far = 1.4826 * median(away) or PER_MEAN * sum(away) / len(away)
        self.near = self.far

    def step(self, time: int, value: float) -> tuple[float, float, int]:
        seconds, known = self.pass_time(time), math.isfinite(value)
        if len(self.head) < 8:
            if known:
                self.learn_habits(value, 0.0)
                self.head.append(value)
                self.seen += 1
                if len(self.head) == 8:
                    self.begin()
            return math.nan, math.nan, 0
        place = (time // 10**9 % int(DAY) + time % 10**9 * 1e-9) / 3600
        day, i = (time // (10**9 * int(DAY)) + 3) % 7, int(place)
        part = place - i
        self.hour, self.of_week = [(i, 1 - part), ((i + 1) % 24, part)], day * 24 + i
        self.nodes = [(self.of_week, 1 - part), ((self.of_week + 1) % 168, part)]
        daily = sum(share * self.hours.nodes[at].says for at, share in self.hour)
        weekly = sum(share * self.week.nodes[at].says for at, share in self.nodes)
        square = self.far**2
        weight = self.hours.weight(7200 * square, 0.5)
        season = weight * daily + self.week.weight(2 * DAY * square, 0.0) * weekly
        lag = max(0.0, min(1.0, self.lag_xy / (self.lag_xx + 10 * square))) if square > 0 else 0.0
        expected = self.level + season + lag * self.rest
        factor = sum(share * self.factors[at] for at, share in self.hour)
        near = self.near * factor
        variance = near**2 + max(0.0, square - near**2) * self.doubt
        variance *= 1 + 12 / self.seen
        if self.whole > 0.99 and not self.negative and square >= 0.4 * self.level:
            variance = max(variance, min(max(expected, 0.25 * self.level), 1e6))
        sure = 1.0 if self.quantum <= 0.1 * abs(self.level) else min(self.changes / 8, 1.0)
        scale = max(math.sqrt(variance), 1e-4 * abs(self.level), 0.3 * self.quantum * sure)
        flag = 0
        if known:
            parts = (daily, weekly, weight, season, lag, factor)
            flag = self.learn(value, (value - expected) / scale if scale > 0 else 0.0, seconds, parts)
        else:
            self.coast(lag)
            flag = int(self.run.outside >= 3)
        return expected, scale, flag

    def coast(self, lag: float) -> None:
        self.rest *= lag
        self.doubt = max(1 - (1 - self.doubt) * lag**2, 1e-3)

    def outside(self, z: float) -> bool:
        if self.seen < 20:
            return False
        gate = max(5.0, min(20.0, 1.5 * self.usual))
        far, sign = abs(z) > 0.6 * gate, int(math.copysign(1, z))
        self.streak = 0 if not far else self.streak + sign if self.streak * sign > 0 else sign
        if not self.run.values:
            self.usual = max(1.0, min(20.0, self.usual * (1.2 if abs(z) > self.usual else 1 - 0.2 / 99)))
        return abs(z) > gate or (far and (abs(self.streak) >= 3 or self.run.outside >= 3))

    def judge(self, outside: bool, u: float) -> int:
        run = self.run
        if not run.values:
            if not outside:
                return 0
            run.since = self.last
        run.values.append(u)
        run.outside += outside
        run.inside = 0 if outside else run.inside + 1
        if run.inside >= 4:
            self.run, self.streak = Run(), 0
            return 0
        lasted, known = (self.last - run.since) * 1e-9, (run.since - self.first) * 1e-9
        if outside and run.outside >= self.hold_points and lasted >= min(self.hold, 0.5 * known):
            steps = [abs(b - a) for a, b in pairwise(run.values)]
            away = [abs(v - sum(run.values[:k]) / k) for k, v in enumerate(run.values) if k]
            self.level = sum(run.values) / len(run.values)
            self.near = 0.886 * sum(steps) / len(steps)
            self.far = max(PER_MEAN * sum(away) / len(away), self.near)
            self.rest, self.doubt = clip(u - self.level, 3 * self.far), 1.0
            self.run, self.streak = Run(), 0
            return 2
        return int(run.outside >= 3)

    def learn(self, value: float, z: float, seconds: float, parts: tuple[float, ...]) -> int:
        daily, weekly, weight, season, lag, factor = parts
        self.learn_habits(value, seconds)
        outside = self.outside(z)
        rest = value - self.level - season
        error = rest - lag * self.rest
        flag = self.judge(outside, value - season)
        self.seen += 1
        if flag == 2:
            return flag
        out = self.run.outside
        share = 1.0 if not outside or out <= 2 else 0.1 if out <= 36 else 0.0
        away = min(abs(rest), 4 * self.far) if self.far > 0 else abs(rest)
        gain = share * max(1 / self.seen, min(seconds / (2 * DAY), 1 / 125))
        self.far += gain * (PER_MEAN * away - self.far)
        clipped = clip(rest, 3 * self.far)
        if outside:
            if share > 0:
                self.learn_season(0.5 * clipped, seconds, daily, weekly, weight, season)
            self.coast(lag)
            return flag
        if self.doubt == 0:
            near = self.near * factor
            away = min(abs(error), 4 * near) if near > 0 else abs(error)
            self.near += max(1 / self.seen, 1 / 125) * (PER_MEAN * away / factor - self.near)
            if self.near > 0:
                ratio = max(0.1, min(4.0, PER_MEAN * away / self.near))
                for at, part in self.hour:
                    step = part * min(seconds / 3600, 1.0) / (1 + self.hours.nodes[at].visits)
                    self.factors[at] = max(0.1, self.factors[at] + step * (ratio - self.factors[at]))
            self.lag_xy += self.rest * clipped - self.lag_xy / 500
            self.lag_xx += self.rest**2 - self.lag_xx / 500
        self.learn_season(clipped, seconds, daily, weekly, weight, season)
        known = (self.last - self.first) * 1e-9
        self.level += min(0.1, seconds / max(seconds, 1e-9, min(known, 7 * DAY))) * clipped
        self.rest, self.doubt = clipped, 0.0
        return flag

    def learn_season(
        self, rest: float, seconds: float, daily: float, weekly: float, weight: float, season: float
    ) -> None:
        seconds = min(seconds, 3600.0)
        for_hour, for_week = rest + weight * daily, rest + season - weight * daily
        self.hours.learn(daily, for_hour, seconds)
        self.week.learn(weekly, for_week, seconds)
        for at, part in self.hour:
            self.hours.nodes[at].teach(part, seconds, for_hour)
        for at, part in self.nodes:
            self.week.nodes[at].teach(part, seconds, for_week)
