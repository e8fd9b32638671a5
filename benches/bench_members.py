"""The members that look for what is new: on metrics, on noise and on random walks, beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import GapNovelty, HalfSpaceTrees, ShapeNovelty
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE
POINTS = 200_000

Values = np.ndarray[Any, np.dtype[np.float64]]


def cases(points: int, peers: bool) -> list[Case]:
    """Novelty of values and of shapes; half-space trees of several widths."""
    return [*_novelty(min(points, POINTS)), *_half_spaces(points, peers)]


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


def _half_spaces(points: int, peers: bool) -> Iterable[Case]:
    """River's defaults, and ours, in the unit cube that river expects."""
    rng = np.random.default_rng(8)
    for dims, most in ((1, 50_000), (16, 50_000), (256, 20_000), (4096, 2000)):
        n = min(points, most)
        values = rng.random((n, dims))
        series = Points.of(streams.times(n), values)
        group = f"half-space trees, 10 of height 8, window 250, {dims:,} values a point"
        for trees, note in ((10, f"{n:,} points"), (25, f"{n:,} points, 25 trees")):
            detector = HalfSpaceTrees(dims=dims, trees=trees)
            yield Case(group, "watchband half_space_trees", _fold(detector, series), n, detector.state_bytes_max, note)
        if peers:
            few = min(n, 1500 if dims < 1000 else 100)
            rows = [dict(enumerate(row)) for row in values[:few].tolist()]
            yield Case(group, "river HalfSpaceTrees", _river(rows), few, note=f"{few:,} points, as dicts")
            if dims <= 16:
                yield Case(group, "pysad HalfSpaceTrees", _pysad(values[:few]), few, note=f"{few:,} points")


def _river(rows: list[dict[int, float]]) -> Callable[[], object]:
    from river import anomaly

    def work() -> None:
        model = anomaly.HalfSpaceTrees(seed=1)
        for row in rows:
            model.score_one(row)
            model.learn_one(row)

    return work


def _pysad(values: Values) -> Callable[[], object]:
    from pysad.models import HalfSpaceTrees as Theirs

    low, high = np.zeros(values.shape[1]), np.ones(values.shape[1])

    def work() -> None:
        model = Theirs(low, high, window_size=250, num_trees=10, max_depth=8, random_state=1)
        for row in values:
            model.fit_score_partial(row)

    return work
