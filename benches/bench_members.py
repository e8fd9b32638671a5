"""The members that look for what is new: on metrics, on noise and on random walks, beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import GapNovelty, ShapeNovelty
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE
POINTS = 200_000

Values = np.ndarray[Any, np.dtype[np.float64]]


def cases(points: int, peers: bool) -> list[Case]:
    """Novelty of values and of shapes."""
    return list(_novelty(min(points, POINTS)))


def _fold(detector: Detector, series: Points) -> Callable[[], object]:
    return lambda: detector.step(detector.start(series.series), series, threads=1)


def _novelty(points: int) -> Iterable[Case]:
    rng = np.random.default_rng(7)
    kinds: dict[str, Values] = {
        "a daily wave and noise": streams.daily(points, 7, MINUTES_5),
        "noise": rng.normal(size=points),
        "a random walk": np.cumsum(rng.normal(size=points)),
    }
    for kind, values in kinds.items():
        series = Points.of(streams.times(points, MINUTES_5), values)
        group = f"novelty in {kind}, {points:,} points"
        for detector in (ShapeNovelty(), ShapeNovelty(stride=1), GapNovelty()):
            named = f"watchband {detector.name}"
            note = "stride 1" if getattr(detector, "stride", 4) == 1 else ""
            yield Case(group, named, _fold(detector, series), points, detector.state_bytes_max, note)
