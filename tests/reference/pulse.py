"""Silence and standing still, series by series and in words: no arrays, no sentinels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from watchband.pipeline.pulse import Pulse

TWO_WEEKS = 14 * 86_400e9


@dataclass
class Told:
    """What was told: where it begins, when that was known, when it was over."""

    what: str
    since: int
    known: int
    over: int | None = None


@dataclass
class Heart:
    """One series."""

    pulse: Pulse
    last: int | None = None
    readings: int = 0
    step: float = 0.0
    gap: float = 0.0
    rare_gap: float = 0.0
    value: float = math.nan
    run: int = 0
    run_from: int = 0
    longest: float = 0.0
    rare_run: float = 0.0
    moves: float = 0.0
    moved: float = 0.0
    heard: int | None = None
    rounds: int = 0
    excused: int | None = None
    silent: Told | None = None
    ended: bool = False
    stuck: Told | None = None
    told: list[Told] = field(default_factory=list)

    def patience(self, arriving: bool) -> float:
        p = self.pulse
        enough = self.readings >= (4 if self.gap <= 1.5 * self.step else 16)
        listened = self.rounds >= 3 or (arriving and self.heard is None)
        if not (p.missed and enough and listened):
            return math.inf
        steps = min(p.missed * self.step, max(2 * self.step, p.most_ns))
        return max(steps, 2 * self.gap, p.least_ns)

    def wait(self, now: int, arriving: bool) -> None:
        if self.last is None or self.ended:
            return
        if self.silent is None:
            base = max(self.last, self.excused) if self.excused is not None else self.last
            patience = self.patience(arriving)
            if now - base <= patience:
                return
            self.silent = Told("silence", base + int(self.step), base + int(patience))
            self.told.append(self.silent)
        if self.pulse.ends_ns and now - self.silent.known > self.pulse.ends_ns:
            self.silent.what, self.silent.over = "ended", self.silent.known + self.pulse.ends_ns
            if self.stuck:
                self.stuck.over = self.silent.over
            self.silent, self.ended, self.stuck = None, True, None

    def read(self, time: int, value: float, seen: int | None) -> None:
        if math.isnan(value) or (self.last is not None and time <= self.last):
            return
        waited = 0.0
        if seen is not None and (self.heard is None or seen > self.heard):
            self.heard, self.rounds = seen, self.rounds + 1
            waited = max(0.0, float(seen - self.last)) if self.last is not None else 0.0
        if self.last is None:
            self.run_from, self.value, self.run = time, value, 1
        else:
            self.wait(time, True)
            self.learn(time, waited)
            self.compare(time, value)
        self.last, self.readings = time, self.readings + 1

    def learn(self, time: int, waited: float) -> None:
        assert self.last is not None
        gap = float(time - self.last)
        size = max(gap, waited)
        was_told = self.silent is not None or self.ended
        if self.silent:
            self.silent.over = max(time, self.silent.known)
        self.silent, self.ended = None, False
        if self.excused is not None and self.excused > self.last:
            return
        if was_told:
            if self.rare_gap >= 0.5 * size:
                self.gap = max(self.gap, size)
            self.rare_gap = size
        else:
            self.gap = max(self.gap * (1.0 - min(math.log(2) / TWO_WEEKS * gap, 0.5)), size)
        if self.readings == 1:
            self.step = gap
        elif gap > self.step:
            self.step = min(self.step * 1.05, gap)
        else:
            self.step = max(self.step / 1.05, gap)

    def compare(self, time: int, value: float) -> None:
        if value != self.value:
            if self.stuck:
                self.stuck.over, self.stuck = time, None
                if self.rare_run >= 0.5 * self.run:
                    self.longest = max(self.longest, float(self.run))
                self.rare_run = float(self.run)
            else:
                lasted = min(math.log(2) / TWO_WEEKS * float(time - self.run_from), 0.5)
                self.longest = max(self.longest * (1.0 - lasted), float(self.run))
            self.moves += (1.0 - self.moves) / 200.0
            self.moved, self.value, self.run, self.run_from = self.moves, value, 1, time
            return
        self.moves -= self.moves / 200.0
        self.run += 1
        usual = self.readings >= 200 and self.moved > 0.5 and value != 0 and not self.stuck
        excused = self.excused is not None and self.excused > time
        if self.pulse.equal and usual and not excused and self.run > max(self.pulse.equal, 3.0 * self.longest):
            self.stuck = Told("stuck", self.run_from, time)
            self.told.append(self.stuck)
