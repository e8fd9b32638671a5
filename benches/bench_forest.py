"""Random Cut Forest beside krcf, rrcf and pysad: the same points, trees, samples and shingle, score and update."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from benches.other_forests import python_forests
from benches.timing import Case
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors import RandomCutForest

SEASON = 288
WARM_UP = 3000
"""Points that both have seen before the clock starts."""
POINTS_MAX = 2000
FLEET = 400


def cases(points: int, peers: bool) -> list[Case]:
    """One value, more trees, several values; then many forests in turns, none of them in the cache."""
    found: list[Case] = []
    for trees, dims in ((50, 1), (100, 1), (50, 8)):
        found += _side_by_side(min(points, POINTS_MAX), trees, dims, peers)
    found += _learning(min(points, POINTS_MAX), peers)
    found += _attributing(min(points, POINTS_MAX), peers)
    return [*found, *_alone(min(points, POINTS_MAX)), *_fleet(min(points, POINTS_MAX))]


def wave(n: int, dims: int) -> np.ndarray:
    """A season with its second harmonic, noise and one spike in five hundred; further values shifted in phase."""
    rng = np.random.default_rng(7)
    phase = 2 * np.pi * (np.arange(n)[:, None] + 37 * np.arange(dims)) / SEASON
    values = 10 * np.sin(phase) + 4 * np.sin(2 * phase) + rng.normal(0, 0.5, (n, dims))
    spikes = rng.random((n, dims)) < 0.002
    return np.where(spikes, values + rng.choice([-15.0, 15.0], (n, dims)), values)


def _ours(detector: RandomCutForest, values: np.ndarray, above: float | None = None) -> Callable[[], object]:
    """Each run goes on where the last one ended: a forest that is full, as in service."""
    state = detector.start()
    detector.step(state, Points.of(np.arange(WARM_UP), values[:WARM_UP]))
    rest = values[WARM_UP:]

    def work() -> object:
        begin = int(state.last_time[0]) + 1
        points = Points.of(np.arange(begin, begin + len(rest)), rest)
        if above is not None:
            return detector.attribute(state, points, above=above, threads=1)
        return detector.step(state, points, threads=1)

    return work


def _theirs(trees: int, values: np.ndarray, calls: str) -> Callable[[], object]:
    import krcf

    forest = krcf.RandomCutForest(
        {
            "dimensions": values.shape[1],
            "shingle_size": 8,
            "num_trees": trees,
            "sample_size": 256,
            "random_seed": 0,
            "internal_shingling": True,
        }
    )
    for row in values[:WARM_UP].tolist():
        forest.update(row)
    rest = values[WARM_UP:].tolist()

    def work() -> None:
        for row in rest:
            if calls != "update":
                forest.score(row)
            if calls == "all":
                forest.attribution(row)
            forest.update(row)

    return work


def _side_by_side(n: int, trees: int, dims: int, peers: bool) -> Iterable[Case]:
    values = wave(WARM_UP + n, dims)
    detector = RandomCutForest(trees=trees, dims=dims)
    group = (
        f"score and update, {trees} trees of 256, shingle 8, {dims} value(s) a point, {n:,} points after {WARM_UP:,}"
    )
    size = detector.state_bytes_max
    yield Case(group, "watchband random_cut_forest", _ours(detector, values), n, size)
    if peers:
        yield Case(group, "krcf score, update", _theirs(trees, values, "both"), n)
    if peers and (trees, dims) == (50, 1):
        yield from python_forests(group, trees, values)


def _learning(n: int, peers: bool) -> Iterable[Case]:
    values = wave(WARM_UP + n, 1)
    group = f"update only, 50 trees of 256, shingle 8, {n:,} points"
    yield Case(group, "watchband measure=none", _ours(RandomCutForest(measure="none"), values), n)
    if peers:
        yield Case(group, "krcf update", _theirs(50, values, "update"), n)


def _attributing(n: int, peers: bool) -> Iterable[Case]:
    values = wave(WARM_UP + n, 1)
    group = f"score, attribution of every point and update, 50 trees of 256, shingle 8, {n:,} points"
    for above in (0.0, 1.5):
        name = "watchband attribute" + (f" above {above}" if above else "")
        yield Case(group, name, _ours(RandomCutForest(), values, above), n)
    if peers:
        yield Case(group, "krcf score, attribution, update", _theirs(50, values, "all"), n)


def _alone(n: int) -> Iterable[Case]:
    """One call a point."""
    values = wave(WARM_UP + n, 1)
    detector = RandomCutForest()
    state = detector.start()
    detector.step(state, Points.of(np.arange(WARM_UP), values[:WARM_UP]))
    numbers = values[WARM_UP:, 0].tolist()

    def work() -> None:
        begin = int(state.last_time[0]) + 1
        for moment, number in enumerate(numbers, begin):
            detector.step_one(state, moment, number)

    yield Case(f"one Python call a point, 50 trees, {n:,} points", "watchband random_cut_forest", work, n)


def _fleet(n: int) -> Iterable[Case]:
    """One point of each forest, then the next of each."""
    detector = RandomCutForest()
    one = wave(WARM_UP + n, 1)
    state = detector.start()
    detector.step(state, Points.of(np.arange(WARM_UP), one[:WARM_UP]))
    fleet = State.stack([state] * FLEET)
    rounds = max(1, n // FLEET)

    def work() -> None:
        begin = int(fleet.last_time[0]) + 1
        for moment in range(begin, begin + rounds):
            values = np.full((FLEET, 1), one[WARM_UP + moment % n, 0])
            times, offsets = np.full(FLEET, moment), np.arange(FLEET + 1)
            detector.step(fleet, Points(times, values, offsets, np.arange(FLEET, dtype=np.int32)), threads=1)

    group = f"{FLEET:,} forests of 50 trees in turns, a point each"
    yield Case(group, "watchband random_cut_forest", work, rounds * FLEET, detector.state_bytes_max)
