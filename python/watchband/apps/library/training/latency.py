"""What a champion costs: processor time a sample, alone and in a batch, on the machine that trained it."""

from __future__ import annotations

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
    times, values = longest.times[: BATCH + ALONE], longest.values[: BATCH + ALONE]
    alone = min(ALONE, len(times) // 2)
    state = watch.start([longest.key])
    cut = len(times) - alone
    begun = time.process_time_ns()
    watch.step(state, Raw.of(times[:cut], values[:cut]), threads=1)
    batch = (time.process_time_ns() - begun) / max(cut, 1)
    spent = []
    for at in range(cut, len(times)):
        begun = time.process_time_ns()
        watch.step(state, Raw.of(times[at : at + 1], values[at : at + 1]), threads=1)
        spent.append(time.process_time_ns() - begun)
    return {
        "batch_us_per_sample": round(batch / 1e3, 3),
        "alone_us_per_sample": round(float(np.median(spent)) / 1e3, 3) if spent else None,
        "batch_samples": cut,
        "alone_samples": alone,
        "says": "processor time of the whole watch on one thread of the machine that trained",
    }
