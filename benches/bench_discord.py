"""Left discord beside stumpy, and beside the definition in numpy: each new window against the past ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.core.points import Points
from watchband.detectors import LeftDiscord
from watchband.testing import streams

LENGTH = 100
EXCLUSION = 26
"""The nearest lag that stumpy compares with at this length: one more than a quarter."""
FEW = 1000

Values = np.ndarray[Any, np.dtype[np.float64]]


def cases(points: int, peers: bool) -> list[Case]:
    """Shapes of 100 points looked for in the last 2,000 and 10,000, on noise (nothing costs less or more on others)."""
    found = []
    for window in (2000, 10_000):
        values = np.random.default_rng(0).normal(0, 1, max(min(points, 200_000_000 // window), 2))
        group = f"left discord, shapes of {LENGTH} points in the last {window:,}"
        detector = LeftDiscord(length=LENGTH, window=window, exclusion=EXCLUSION)
        series = Points.of(streams.times(len(values)), values)
        found.append(
            Case(group, "watchband left_discord", _fold(detector, series), len(values), detector.state_bytes_max)
        )
        if peers:
            few = min(FEW, len(values))
            note = f"{few:,} points; profiles to both sides"
            found.append(Case(group, "stumpy stumpi(egress)", _stumpi(values, window, few), few, note=note))
            few = min(FEW * 20 // (window // 100), len(values))
            found.append(
                Case(group, "numpy, all past windows", _brute(values, window, few), few, note=f"{few:,} points")
            )
    return found


def _fold(detector: LeftDiscord, points: Points) -> Callable[[], object]:
    return lambda: detector.step(detector.start(), points, threads=1)


def _cycle(values: Values, n: int) -> Values:
    return np.resize(values, n)


def _stumpi(values: Values, window: int, few: int) -> Callable[[], object]:
    """Goes on with one stream: what it costs to begin one is not counted."""
    import numba
    import stumpy

    # Threads that wait for work would count as its time.
    numba.set_num_threads(1)
    # Its profile holds one window more than the new one can be compared with.
    stream = stumpy.stumpi(_cycle(values, window + LENGTH), LENGTH, egress=True)

    def work() -> float:
        for value in values[:few].tolist():
            stream.update(value)
        return float(stream.left_P_[-1])

    return work


def _brute(values: Values, window: int, few: int) -> Callable[[], object]:
    """Past windows are kept z-normalised, so that a point costs one product of a matrix with a vector."""
    every = np.lib.stride_tricks.sliding_window_view(_cycle(values, window + few + LENGTH - 1), LENGTH)
    norms = (every - every.mean(axis=1, keepdims=True)) / every.std(axis=1, keepdims=True)

    def work() -> float:
        best = 0.0
        for end in range(window, window + few):
            correlation = norms[end - window : end - EXCLUSION + 1] @ norms[end] / LENGTH
            best = max(best, np.sqrt(max(1 - correlation.max(), 0.0)))
        return best

    return work
