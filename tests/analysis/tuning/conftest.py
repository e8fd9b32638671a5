"""Series that tuning is tried on: a daily course with spikes that are labelled, or labels over nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from watchband.analysis.tuning.material import Series
from watchband.core.duration import MINUTE
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label

STEP = 5 * MINUTE
Make = Callable[..., Series]


def daily(name: str = "cpu", seed: int = 0, points: int = 3000, size: float = 10.0, every: int = 90) -> Series:
    """A swing of 20 a day with noise of 1, a spike of ``size`` about every ``every`` points; 0 labels mere noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(points) * STEP
    values = 50 + 20 * np.sin(2 * np.pi * np.arange(points) / 288) + rng.normal(0, 1, points)
    labels = []
    for begin in range(300, points - 60, every):
        at = begin + int(rng.integers(0, every // 2))
        values[at : at + 2] += size
        labels.append(Label(name, int(times[at]), int(times[at + 1]), settled=int(times[at + 12])))
    return Series(SeriesKey(name), times, values, tuple(labels))


@pytest.fixture
def make() -> Make:
    return daily
