"""What sources have to give in a simulated world: readings with incidents, and everything that goes wrong with them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from watchband.core.duration import MINUTE
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey

Kind = Literal["pull", "push", "held"]
Pairs = list[tuple[int, float]]


@dataclass
class Feed:
    """A source: batches in order, and how far they have been taken.

    ``pull`` has positions and says its watermark; ``push`` sends again what was not acknowledged; ``held`` is pushed
    to, with an allowed lateness of five minutes, and comes in no order.
    """

    name: str
    kind: Kind
    batches: list[Batch]
    lasts: list[int]
    """Of each batch the newest minute so far."""
    at: int = 0
    acknowledged: list[Batch] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.at >= len(self.batches)


def feed_of(name: str, kind: Kind, keys: list[SeriesKey], minutes: int, rng: random.Random) -> Feed:
    """A feed of some series over so many minutes."""
    truth = {key: _truth(minutes, rng) for key in keys}
    batches: list[Batch] = []
    lasts: list[int] = []
    start, history = 0, kind == "pull" and rng.random() < 0.5
    while start < minutes:
        width = rng.choice((1, 4, 8, 8, 16))
        stop = min(minutes, start + width)
        readings = [_slice(key, truth[key], start, stop, kind, rng) for key in keys]
        readings = [r for r in readings if len(r.times)]
        old = history and stop < minutes // 3
        mark = [] if kind != "pull" or old or rng.random() < 0.1 else [WatermarkMoved((stop - 1) * MINUTE)]
        batches.append(Batch(readings, str(len(batches) + 1) if kind == "pull" else "", mark, old))
        lasts.append(stop - 1)
        start = stop
    if kind != "pull":
        _mixed(batches, rng)
        lasts += [lasts[-1]] * (len(batches) - len(lasts))
    return Feed(name, kind, batches, lasts)


def _truth(minutes: int, rng: random.Random) -> list[float]:
    """Values with incidents, a stretch that stands still, and one that is missing."""
    values = [20.0 + rng.gauss(0, 1) for _ in range(minutes)]
    for _ in range(rng.randint(0, 2)):
        at, length, size = rng.randrange(minutes), rng.randint(1, 6), rng.choice((-30.0, 15.0, 60.0))
        for i in range(at, min(minutes, at + length)):
            values[i] += size
    if rng.random() < 0.3:
        at = rng.randrange(minutes)
        for i in range(at, min(minutes, at + rng.randint(5, 40))):
            values[i] = values[at]
    if rng.random() < 0.4:
        at = rng.randrange(minutes)
        for i in range(at, min(minutes, at + rng.randint(4, 30))):
            values[i] = math.inf
    return values


def _slice(key: SeriesKey, truth: list[float], start: int, stop: int, kind: Kind, rng: random.Random) -> Readings:
    pairs: Pairs = []
    for minute in range(start, stop):
        luck = rng.random()
        if luck < 0.03 or truth[minute] == math.inf:
            continue
        pairs.append((minute, math.nan if luck < 0.06 else truth[minute]))
        if luck > 0.97:
            pairs.append((minute, truth[minute] + (rng.random() < 0.5)))
    if rng.random() < (0.9 if kind == "held" else 0.1):
        rng.shuffle(pairs)
    if pairs and start and rng.random() < 0.08:
        pairs.append((rng.randrange(start), 99.0))
    times = np.array([m for m, _ in pairs], np.int64) * MINUTE
    return Readings(key, times, np.array([v for _, v in pairs], np.float64))


def _mixed(batches: list[Batch], rng: random.Random) -> None:
    """Some batches arrive behind later ones, some twice."""
    for i in range(len(batches) - 1):
        if rng.random() < 0.1:
            batches[i], batches[i + 1] = batches[i + 1], batches[i]
    if rng.random() < 0.3:
        batches.append(batches[rng.randrange(len(batches))])
