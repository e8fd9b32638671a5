"""Series without and with drift, folded through a watch block by block, for tests and for the bench."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchband.apps.config.watches import WatchSettings
from watchband.core.duration import DAY
from watchband.core.points import Float64
from watchband.core.series import SeriesKey
from watchband.pipeline.drift import Drift
from watchband.pipeline.raw import Raw
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState

START = 1_772_236_800 * 10**9 // DAY * DAY
KINDS = ("noise", "memory", "daily", "weekly", "counts", "rare counts", "heavy tail", "gaps")


def series(kind: str, days: int, a_day: int, seed: int) -> Float64:
    """One series without drift: float64[days * a_day]."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    n = days * a_day
    k, noise = np.arange(n), rng.normal(size=n)
    day = np.sin(2 * np.pi * k / a_day)
    if kind == "noise":
        return 50 + 3 * noise
    if kind == "memory":
        return 50 + autoregressive(noise, 0.9)
    if kind == "daily":
        return 50 + 20 * day + 3 * autoregressive(noise, 0.5)
    if kind == "weekly":
        work = (k // a_day) % 7 < 5
        return 50 + 20 * day * np.where(work, 1.0, 0.3) + 10 * work + 3 * noise
    if kind == "counts":
        return rng.poisson(20 * (1.2 + day)).astype(float)
    if kind == "rare counts":
        return rng.poisson(0.02, size=n).astype(float)
    if kind == "heavy tail":
        return np.exp(0.5 * noise + (rng.random(n) < 0.01) * rng.exponential(1.0, n) + 0.3 * day)
    values = 50 + 10 * day + 3 * noise
    values[rng.random(n) < 0.3] = np.nan
    return values


def autoregressive(noise: Float64, share: float) -> Float64:
    """Noise with a memory."""
    found, last = np.empty(len(noise)), 0.0
    for i, one in enumerate(noise.tolist()):
        last = share * last + one
        found[i] = last
    return found


def watch(detector: str = "light", **given: object) -> Watch:
    """A watch with a week's budget and monitors."""
    return replace(WatchSettings(detector=detector).watch("w"), drift=Drift(**given))  # type: ignore[arg-type]


@dataclass
class Told:
    """What monitors said after each day: bool[days, series, 5]."""

    out: NDArray[np.bool_]
    state: WatchState

    @property
    def openings(self) -> int:
        """How often a series began to drift."""
        any_ = self.out.any(axis=2)
        return int((any_[1:] & ~any_[:-1]).sum() + any_[0].sum())


def fold(watch: Watch, values: list[Float64], a_day: int) -> Told:
    """Fold series of one length through a watch, a day at a time."""
    n, many = len(values[0]), len(values)
    table = np.stack(values)
    state = watch.start([SeriesKey(f"s{i}") for i in range(many)])
    times = START + np.arange(n) * (DAY // a_day)
    out = []
    for first in range(0, n, a_day):
        part = slice(first, first + a_day)
        offsets = np.arange(many + 1, dtype=np.int64) * len(times[part])
        rows = np.arange(many, dtype=np.int32)
        watch.step(state, Raw(np.tile(times[part], many), table[:, part].ravel(), offsets, rows))
        assert watch.drift is not None
        assert state.drift is not None
        out.append(watch.drift.health(state.drift).out)
    return Told(np.array(out), state)
