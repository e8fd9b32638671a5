"""Calibration by a budget, point by point: every past score is kept with its weight, nothing is tabulated."""

from __future__ import annotations

import math

import numpy as np

RATIO = 1.035
LN100 = math.log(100)


def bin_of(score: float) -> int:
    return 0 if score <= 1e-4 else min(int(math.log(score / 1e-4) / math.log(RATIO)) + 1, 639)


def edge(bin_: int) -> float:
    return 0.0 if bin_ == 0 else 1e-4 * RATIO ** (bin_ - 1)


class Pareto:
    """Generalised Pareto tails averaged over their shape, with the predictive correction for k points."""

    def __init__(self, excesses: np.ndarray, weights: np.ndarray, total: float) -> None:
        self.k, self.share = weights.sum(), weights.sum() / total
        mean, top = np.average(excesses, weights=weights), excesses.max()
        ends = -0.97 / top * np.arange(1, 8) / 7
        self.theta = np.r_[ends, 1e-4 / mean, np.geomspace(0.03, 6, 12) / mean]
        self.xi = np.array([np.average(np.log1p(t * excesses), weights=weights) for t in self.theta])
        fit = -self.k * (np.log(self.xi / self.theta) + self.xi + 1) - (self.xi - 0.1) ** 2 / (2 * 0.3**2)
        self.weight = np.exp(fit - fit.max()) / np.exp(fit - fit.max()).sum()

    def ln_p(self, excess: float) -> float:
        inside = np.maximum(1 + self.theta * excess, 0)
        tail = float(np.sum(self.weight * inside ** (-1 / self.xi)))
        return math.log(self.share) - self.k * math.log1p(-math.log(tail) / self.k)


class Row:
    """One side: all its scores, when each was learned, with which weight."""

    def __init__(self, half_life: float, share: float) -> None:
        self.half_life, self.share = half_life, share
        self.bins: list[int] = []
        self.weights: list[float] = []
        self.fit: Pareto | None = None
        self.start = 0

    def decayed(self) -> tuple[np.ndarray, np.ndarray]:
        age = np.arange(len(self.bins))[::-1]
        return np.array(self.bins), np.array(self.weights) * 0.5 ** (age / self.half_life)

    def learn(self, score: float, weight: float, seen: int) -> None:
        self.bins.append(bin_of(score))
        self.weights.append(weight)
        every = 32 if seen < 1024 else 64 if seen < 4096 else 128
        if seen == 250 or (seen > 250 and seen % every == 0):
            self.refit()

    def refit(self) -> None:
        bins, weights = self.decayed()
        total, self.fit = weights.sum(), None
        wanted = max(0.05 * total, min(0.15 * total, 50))
        self.start = bins.max() + 1
        while self.start > 1 and weights[bins >= self.start].sum() < wanted:
            self.start -= 1
        tail = bins >= self.start
        if weights[tail].sum() >= 8:
            middles = np.array([(edge(b) + edge(b + 1)) / 2 for b in bins[tail]])
            self.fit = Pareto(self.tamed(bins[tail], middles - edge(self.start), weights[tail]), weights[tail], total)

    @staticmethod
    def tamed(bins: np.ndarray, excesses: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """One value may be a wonder: it counts no further out than four times the next."""
        believed = [b for b in bins if weights[bins >= b].sum() > 1.5]
        return np.minimum(excesses, 4 * excesses[bins == max(believed)][0]) if believed else excesses

    def ln_p(self, score: float, width: float, least: float) -> float:
        bins, weights = self.decayed() if self.bins else (np.zeros(1), np.zeros(1))
        bin_, total = bin_of(score), weights.sum()
        g, own = weights[bins >= bin_].sum(), weights[bins == bin_].sum()
        sure = g - 2 * math.sqrt(g)
        often = math.log(sure / total) if sure > 0 else -math.inf
        prior = max(math.log(self.share) - 0.5 * (score / (2.5 * width)) ** 2, often, least if bin_ else 0.0)
        if self.fit is None:
            return min(prior, 0.0)
        ceiling = math.log(self.fit.share)
        if bin_ >= self.start:
            found = max(self.fit.ln_p(max(score - edge(self.start), 0.0)), min(often, ceiling))
        else:
            found = max(math.log((g - own / 2 + 0.5) / (total + 1)), ceiling)
        return min(prior, found, 0.0)


class Counts:
    """A metric that counts: every whole value that came where fewer than four were expected."""

    def __init__(self, half_life: float) -> None:
        self.half_life, self.run = half_life, 0
        self.values: list[float] = []
        self.weights: list[float] = []
        self.at: list[int] = []

    def least(self, value: float, expected: float, bins: int) -> tuple[float, float]:
        """Ln of the least p above and below; ``bins`` scores were learned in all."""
        none = (-math.inf, -math.inf)
        if self.run < 100 or expected >= 4 or not 0 <= value < 8 or value % 1 or not self.values:
            return none
        values = np.array(self.values)
        weights = np.array(self.weights) * 0.5 ** ((bins - np.array(self.at)) / self.half_life)
        total = weights.sum()

        def often(g: float) -> float:
            sure = g - 2 * math.sqrt(g)
            return math.log(sure / total) if sure > 0 and g >= 0.02 * total else -math.inf

        above = often(weights[values >= value].sum()) if value > expected else -math.inf
        return above, often(weights[values <= value].sum()) if value < expected else -math.inf

    def look(self, value: float) -> None:
        self.run = self.run + 1 if value >= 0 and value % 1 == 0 else 0

    def learn(self, value: float, expected: float, weight: float, bins: int) -> None:
        if value >= 0 and value % 1 == 0 and expected < 4:
            self.values.append(value)
            self.weights.append(weight)
            self.at.append(bins)


class Voter:
    """A further member of an ensemble: one row, with its own count."""

    def __init__(self, half_life: float) -> None:
        self.row, self.seen = Row(half_life, 1.0), 0

    @property
    def ready(self) -> bool:
        return self.seen >= 250 and self.row.fit is not None

    def alone(self, score: float) -> float:
        if math.isnan(score) or not self.ready:
            return math.nan
        return -self.row.ln_p(score, math.inf, -math.inf)

    def learn(self, score: float, weight: float) -> None:
        if math.isnan(score):
            return
        self.seen += 1
        if self.seen > 100:
            self.row.learn(score, weight, self.seen)


class Calibrate:
    """One series around 0 under a budget, both ways; ``weights`` of an ensemble's members, the band's first."""

    def __init__(self, half_life: float, weights: tuple[float, ...] = (1.0,)) -> None:
        self.half_life, self.weights = half_life, weights
        self.voters = [Voter(half_life) for _ in weights[1:]]
        self.counts = Counts(half_life)
        self.rows = [Row(half_life, 0.5), Row(half_life, 0.5)]
        self.highest = [[0.0, 0.0], [0.0, 0.0]]
        self.seen, self.lively = 0, 0
        self.held, self.quiet = 0, 0
        self.incidents, self.excess, self.armed, self.peak, self.peak_quiet = 0.0, 0.0, 0.0, 0.0, 0
        self.means: list[float] = []

    @property
    def heard(self) -> int:
        return max(self.seen, *(voter.seen for voter in self.voters), 0)

    def shares(self) -> list[float]:
        """The weights of those who cannot speak yet go to those who can."""
        ready = [self.seen >= 20, *(voter.ready for voter in self.voters)]
        whole = sum(weight for weight, speaks in zip(self.weights, ready, strict=True) if speaks)
        return [weight / whole if speaks else 1.0 for weight, speaks in zip(self.weights, ready, strict=True)]

    def step(self, z: float, further: tuple[float, ...] = ()) -> tuple[float, list[float]]:
        """-ln of the calibrated p, and of each member's own; NaN while nothing is said. A NaN score is none."""
        shares, heard = self.shares(), [self.seen, *(v.seen for v in self.voters)]
        alone = [self.band_alone(z), *(v.alone(score) for v, score in zip(self.voters, further, strict=True))]
        each = [
            min(max(math.log(share) + n, 0.0), 4 * math.log(seen + 10)) if not math.isnan(n) else n
            for n, share, seen in zip(alone, shares, heard, strict=True)
        ]
        voices = [n for k, n in enumerate(alone) if k == 0 or self.weights[k] >= 1e-3]
        known = [min(max(n, 0.0), 14.0) for n in voices if not math.isnan(n)]
        self.means += [float(np.mean(known))] if known else []
        nats = max((n for n in each if not math.isnan(n)), default=math.nan)
        late = self.heard >= 250
        answers = [self.second_level(n) if late and not math.isnan(n) else n for n in (nats, *each)]
        self.learn(z, further, nats)
        return answers[0], answers[1:]

    def grade(self, limit: float) -> float:
        """What the members found together up to the last point that any of them judged, ``limit`` nats as 1."""
        slow = 0.0
        for heard, mean in enumerate(self.means, 1):
            slow += (mean - slow) / min(heard, 32)
        grade = 3 * (self.means[-1] / 4 + slow * 3 / 4) / limit
        return grade if grade <= 0.8 else 1 - 0.2 * math.exp((0.8 - grade) / 0.2)

    def band_alone(self, z: float) -> float:
        if self.seen < 20 or math.isnan(z):
            return math.nan
        least = -math.inf if self.lively >= 10 else math.log(0.1 / (self.seen + 2))
        nats = -math.inf
        counted = self.counts.least(z, 0.0, len(self.rows[0].bins))
        sides = (max(z, 0.0), max(-z, 0.0))
        for row, side, (_, second), often in zip(self.rows, sides, self.highest, counted, strict=True):
            age = max(self.seen / 250, 1) ** 0.75 if row.fit else 1
            found = max(row.ln_p(side, max(second / 3.2, 1) * age, least), often)
            nats = max(nats, math.log(row.share) - found)
        return nats

    def second_level(self, nats: float) -> float:
        ln_rate = math.log((self.incidents + 5) / (self.armed + 500))
        size = min(max((self.excess + 10) / (self.incidents + 10), 0.7), 2.5)
        k = self.incidents + 10
        if nats > LN100:
            return -ln_rate + k * math.log1p((nats - LN100) / (size * k))
        return nats * min(-ln_rate / LN100, 1)

    def learn(self, z: float, further: tuple[float, ...], nats: float) -> None:
        self.seen += not math.isnan(z)
        heard = max(self.seen, *(v.seen + (not math.isnan(s)) for v, s in zip(self.voters, further, strict=True)), 0)
        weight = 1.0
        if not math.isnan(nats):
            weight = self.hold(nats)
            if heard > 250:
                self.count(nats)
        for voter, score in zip(self.voters, further, strict=True):
            voter.learn(score, weight)
        if not math.isnan(z):
            self.learn_band(z, [max(z, 0.0), max(-z, 0.0)], weight)

    def learn_band(self, z: float, sides: list[float], weight: float) -> None:
        self.counts.look(z)
        self.lively += 0.05 < max(sides) < 12
        for two, side in zip(self.highest, sides, strict=True):
            if weight == 1:
                two[:] = sorted([*two, side])[::-1][:2]
        if self.seen <= 100:
            return
        for row, side in zip(self.rows, sides, strict=True):
            row.learn(side, weight, self.seen)
        self.counts.learn(z, 0.0, weight, len(self.rows[0].bins))

    def hold(self, nats: float) -> float:
        if not self.held:
            self.held, self.quiet = int(nats >= 1.5 * LN100), 0
            return 1.0
        self.held += 1
        self.quiet = self.quiet + 1 if nats < LN100 else 0
        weight = 0.1 if self.held <= 101 else 1.0
        if self.quiet >= 12:
            self.held = 0
        return weight

    def count(self, nats: float) -> None:
        keep = 0.5 ** (1 / (1.4 * self.half_life))
        self.incidents, self.excess, self.armed = self.incidents * keep, self.excess * keep, self.armed * keep
        if nats > LN100:
            self.incidents += self.peak == 0
            higher = max(self.peak, min(nats - LN100, 7))
            self.excess, self.peak, self.peak_quiet = self.excess + higher - self.peak, higher, 0
        elif self.peak:
            self.peak_quiet += 1
            if self.peak_quiet >= 12:
                self.peak = 0.0
        self.armed += self.peak == 0


def nats(z: np.ndarray, half_life: float) -> np.ndarray:
    """-ln p of every point of one series of signed distances."""
    series = Calibrate(half_life)
    return np.array([series.step(float(value))[0] for value in z])


def several(
    z: np.ndarray, further: list[np.ndarray], weights: tuple[float, ...], half_life: float, limit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-ln p of every point of an ensemble, of each member [member, point], and the grades, NaN without a score."""
    series = Calibrate(half_life, weights)
    whole, each, grades = [], [], []
    for i in range(len(z)):
        before = len(series.means)
        all_of_them, own = series.step(float(z[i]), tuple(float(f[i]) for f in further))
        whole.append(all_of_them)
        each.append(own)
        grades.append(series.grade(limit) if len(series.means) > before else math.nan)
    return np.array(whole), np.array(each).T, np.array(grades)
