"""Questions asked of a forest beside krcf: forecast, density, neighbours; and what its further parameters cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benches.bench_forest import WARM_UP, wave
from benches.timing import Case
from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import ForestForecast, RandomCutForest, ThresholdedForest

HORIZON = 24
QUESTIONS_MAX = 500


def cases(points: int, peers: bool) -> list[Case]:
    """Each question asked of the same points, then detectors that ask them along the way."""
    return [*_asked(min(points, QUESTIONS_MAX), peers), *_along(min(points, 4 * QUESTIONS_MAX), peers)]


def _krcf(values: np.ndarray) -> object:
    import krcf

    sizes = {"dimensions": 1, "shingle_size": 8, "num_trees": 50, "sample_size": 256, "random_seed": 0}
    forest = krcf.RandomCutForest({**sizes, "internal_shingling": True})
    for row in values.tolist():
        forest.update(row)
    return forest


def _asked(n: int, peers: bool) -> list[Case]:
    values = wave(WARM_UP + n, 1)
    detector = RandomCutForest()
    state = detector.start()
    detector.step(state, Points.of(np.arange(WARM_UP), values[:WARM_UP]))
    windows = np.lib.stride_tricks.sliding_window_view(values[WARM_UP - 7 :, 0], 8)[:n]
    ours: dict[str, Callable[[], object]] = {
        f"forecast of {HORIZON} points": lambda: [detector.forecast(state, HORIZON) for _ in range(n)],
        "density by direction": lambda: detector.density(state, windows),
        "nearest neighbours": lambda: detector.neighbours(state, windows, count=10),
    }
    theirs: dict[str, Callable[[], object]] = {}
    if peers:
        forest = _krcf(values[:WARM_UP])
        rows = windows.tolist()
        theirs = {
            f"forecast of {HORIZON} points": lambda: [forest.extrapolate(HORIZON) for _ in range(n)],  # type: ignore[attr-defined]
            "density by direction": lambda: [forest.directional_density(row) for row in rows],  # type: ignore[attr-defined]
            "nearest neighbours": lambda: [forest.near_neighbor_list(row, 50) for row in rows],  # type: ignore[attr-defined]
        }
    found = []
    for question, work in ours.items():
        group = f"{question}, 50 trees of 256, shingle 8, {n:,} times"
        found.append(Case(group, f"watchband {question}", work, n))
        if question in theirs:
            found.append(Case(group, f"krcf {question}", theirs[question], n))
    holes = windows.copy()
    holes[:, 4] = np.nan
    found.append(
        Case(f"imputation, {n:,} times", "watchband one value of eight", lambda: detector.impute(state, holes), n)
    )
    return found


def _step(detector: Detector, values: np.ndarray) -> Callable[[], object]:
    state = detector.start()
    detector.step(state, Points.of(np.arange(WARM_UP), values[:WARM_UP]))
    rest = values[WARM_UP:]

    def work() -> object:
        begin = int(state.last_time[0]) + 1
        return detector.step(state, Points.of(np.arange(begin, begin + len(rest)), rest), threads=1)

    return work


def _along(n: int, peers: bool) -> list[Case]:
    values = wave(WARM_UP + n, 1)
    group = f"along the way, 50 trees of 256, shingle 8, {n:,} points"
    detectors: dict[str, Detector] = {
        "random_cut_forest": RandomCutForest(),
        "expected=True": RandomCutForest(expected=True),
        "transform=difference": RandomCutForest(transform="difference"),
        "transform=normalise": RandomCutForest(transform="normalise"),
        "time_dimension=True": RandomCutForest(time_dimension=True),
        "thresholded_forest": ThresholdedForest(),
        f"forest_forecast horizon={HORIZON}": ForestForecast(horizon=HORIZON),
    }
    found = [
        Case(group, f"watchband {name}", _step(detector, values), n, detector.state_bytes_max)
        for name, detector in detectors.items()
    ]
    if peers:
        forest, rows = _krcf(values[:WARM_UP]), values[WARM_UP:].tolist()

        def work() -> None:
            for row in rows:
                forest.score(row)  # type: ignore[attr-defined]
                forest.update(row)  # type: ignore[attr-defined]
                forest.extrapolate(HORIZON)  # type: ignore[attr-defined]

        found.append(Case(group, f"krcf score, update, extrapolate {HORIZON}", work, n))
    return found
