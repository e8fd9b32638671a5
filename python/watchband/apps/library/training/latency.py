"""What a champion costs: processor time a sample, alone and in a batch, on the machine that trained it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from watchband.analysis.tuning.material import Series
from watchband.pipeline.raw import Raw
from watchband.pipeline.watch import Watch

BATCH, ALONE = 4000, 200
"""Points of a batch, and points that come one by one behind it."""


def latency(watch: Watch, series: Sequence[Series]) -> dict[str, Any]:
    """Microseconds of processor time a point through the whole watch; figures of this machine and this moment."""
    longest = max(series, key=lambda one: len(one.times))
    longest = dataclasses.replace(longest, further=None if watch.join is None else longest.further)
    times = longest.times[: BATCH + ALONE]
    alone = min(ALONE, len(times) // 2)
    state = watch.start([longest.key])
    cut = len(times) - alone
    begun = time.process_time_ns()
    watch.step(state, _cut(longest, 0, cut), threads=1)
    batch = (time.process_time_ns() - begun) / max(cut, 1)
    spent = []
    for at in range(cut, len(times)):
        begun = time.process_time_ns()
        watch.step(state, _cut(longest, at, at + 1), threads=1)
        spent.append(time.process_time_ns() - begun)
    return {
        "batch_us_per_sample": round(batch / 1e3, 3),
        "alone_us_per_sample": round(float(np.median(spent)) / 1e3, 3) if spent else None,
        "batch_samples": cut,
        "alone_samples": alone,
        "says": "processor time of the whole watch on one thread of the machine that trained",
    }


def _cut(series: Series, start: int, stop: int) -> Raw:
    here = slice(start, stop)
    further = None if series.further is None else series.further[here]
    return dataclasses.replace(Raw.of(series.times[here], series.values[here]), further=further)
