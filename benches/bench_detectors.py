"""Points a second and bytes a series of every registered detector, and of others that do the same work."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benches.plain_c import compiled
from benches.timing import Case
from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import Ewma, RollingMedian, RollingZscore
from watchband.pipeline.catalogue import CATALOGUE
from watchband.testing import streams

SECONDS_MAX = 1.5
"""What one run may take: slower work gets fewer points, and its row says so."""
FLEET = 1000
MINUTES_5 = 5 * streams.MINUTE

Values = np.ndarray[Any, np.dtype[np.float64]]


def cases(points: int, peers: bool) -> list[Case]:
    """Every detector on one series and on a fleet; then same work, others beside us."""
    found = [*_everyone(points), *_fleet(points), *_one_by_one(points, peers)]
    noise = np.random.default_rng(4).normal(0, 1, points)
    for window in (288, 2016, 10_000):
        found += _medians("noise", noise, window, peers)
        found += _medians("a smooth season", streams.daily(points, 4, MINUTES_5, 0.1), window, peers)
    return [*found, *_deviations(points, 288, peers), *_weighted(points, peers)]


def _affordable(points: int, seconds: Callable[[int], float]) -> int:
    """As many points as one run may take, judged by a small one."""
    small = min(points, 2000)
    return max(small, min(points, int(SECONDS_MAX / max(seconds(small), 1e-9) * small)))


def _series(n: int) -> Points:
    return Points.of(streams.times(n, MINUTES_5), streams.daily(n, 1, MINUTES_5))


def _fold(detector: Detector, points: Points) -> Callable[[], object]:
    return lambda: detector.step(detector.start(points.series), points, threads=1)


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _registered() -> Iterable[Detector]:
    return (CATALOGUE.build({"type": name}) for name in CATALOGUE.names())


def _everyone(points: int) -> Iterable[Case]:
    for detector in _registered():
        n = _affordable(points, lambda k, d=detector: _timed(_fold(d, _series(k))))  # type: ignore[misc]
        note = "" if n == points else f"{n:,} points"
        group = f"one series of {points:,} points, defaults, one thread"
        yield Case(group, detector.name, _fold(detector, _series(n)), n, detector.state_bytes_max, note)


def _fleet(points: int) -> Iterable[Case]:
    for detector in _registered():
        n = _affordable(points, lambda k, d=detector: _timed(_fold(d, _series(k))))  # type: ignore[misc]
        length = max(1, n // FLEET)
        one = streams.daily(length, 2, MINUTES_5)
        fleet = Points.fleet([(streams.times(length, MINUTES_5), one + i) for i in range(FLEET)])
        group = f"{FLEET:,} series of {max(1, points // FLEET):,} points, defaults, one thread"
        note = "" if n == points else f"{length:,} points each"
        yield Case(group, detector.name, _fold(detector, fleet), len(fleet), detector.state_bytes_max, note)


def _one_by_one(points: int, peers: bool) -> Iterable[Case]:
    n = min(points, 50_000)
    values = np.random.default_rng(3).normal(0, 1, n)
    moments, numbers = streams.times(n, MINUTES_5).tolist(), values.tolist()
    group = f"one Python call a point, {n:,} points of noise, score and learn"

    def ours(detector: Detector) -> Callable[[], object]:
        def work() -> None:
            state, call = detector.start(), detector.step_one
            for moment, number in zip(moments, numbers, strict=True):
                call(state, moment, number)

        return work

    for detector in (RollingZscore(window=288), RollingMedian(window=288), Ewma(half_life=100)):
        yield Case(group, f"watchband {detector.name}", ours(detector), n, detector.state_bytes_max)
    for detector in _registered():
        if detector.one_kernel and detector.name not in ("rolling_zscore", "rolling_median", "ewma"):
            few = _affordable(n, lambda k, d=detector: _timed(_fold(d, _series(k))))  # type: ignore[misc]
            if few == n:
                yield Case(group, f"watchband {detector.name}", ours(detector), n, detector.state_bytes_max)
    if not peers:
        return
    from river import anomaly, stats

    def gaussian(window: int | None) -> Callable[[], object]:
        def work() -> None:
            model = anomaly.GaussianScorer(window_size=window)
            score, learn = model.score_one, model.learn_one
            for number in numbers:
                score(None, number)
                learn(None, number)

        return work

    def quantile() -> None:
        model = stats.RollingQuantile(0.5, window_size=288)
        for number in numbers:
            model.get()
            model.update(number)

    yield Case(group, "river GaussianScorer(288)", gaussian(288), n)
    yield Case(group, "river GaussianScorer()", gaussian(None), n, note="no window: all points so far")
    yield Case(group, "river RollingQuantile(0.5, 288)", quantile, n, note="median only")
    few = min(n, 2000)
    yield Case(group, "pysad MedianAbsoluteDeviation(288)", _pysad(numbers[:few]), few, note=f"{few:,} points")


def _pysad(numbers: list[float]) -> Callable[[], object]:
    from pysad.models import MedianAbsoluteDeviation

    rows = np.array(numbers)[:, None]

    def work() -> None:
        model = MedianAbsoluteDeviation(window_size=288)
        for row in rows:
            model.fit_score_partial(row)

    return work


def _medians(what: str, values: Values, window: int, peers: bool) -> Iterable[Case]:
    points = len(values)
    group = f"median and MAD of {window:,}, {points:,} points of {what}"
    detector = RollingMedian(window=window)
    series = Points.of(streams.times(points), values)
    ours = Case(group, "watchband rolling_median", _fold(detector, series), points, detector.state_bytes_max)
    if not peers:
        yield ours
        return
    import bottleneck
    import pandas as pd

    frame = pd.Series(values)

    def twice(median: Callable[[Values], Values]) -> Callable[[], object]:
        return lambda: median(np.abs(values - median(values)))

    def move(x: Values) -> Values:
        return np.asarray(bottleneck.move_median(x, window, min_count=1))

    def sliding(x: Values) -> None:
        for start in range(0, len(x) - window + 1, 1000):
            part = np.lib.stride_tricks.sliding_window_view(x[start : start + 999 + window], window)
            median = np.median(part, axis=1)
            np.median(np.abs(part - median[:, None]), axis=1)

    few = min(points, max(2 * window, 20_000_000 // window))
    yield Case(group, "bottleneck move_median", lambda: move(values), points, note="median only")
    yield ours
    if what != "noise":
        return
    yield Case(group, "bottleneck move_median twice", twice(move), points, note="not the exact MAD")
    yield Case(group, "pandas rolling median", lambda: frame.rolling(window).median(), points, note="median only")
    if few > window:
        counted = few - window + 1
        yield Case(group, "numpy sliding window", lambda: sliding(values[:few]), counted, note=f"{counted:,} windows")


def _against_c(group: str, name: str, values: Values, *parameters: float) -> Iterable[Case]:
    work = compiled(name, values, *parameters)
    note = "three columns; missing values, floors and overflow are not its concern"
    if work is None:
        work, note = (lambda: None), "no C compiler here (cc): nothing to compare with"
    yield Case(group, "plain C, cc -O3", work, len(values), note=note)


def _deviations(points: int, window: int, peers: bool) -> Iterable[Case]:
    group = f"mean and deviation of {window:,}, {points:,} points of noise"
    values = np.random.default_rng(5).normal(0, 1, points)
    detector = RollingZscore(window=window)
    series = Points.of(streams.times(points), values)
    yield from _against_c(group, "rolling_zscore", values, window)
    yield Case(group, "watchband rolling_zscore", _fold(detector, series), points, detector.state_bytes_max)
    if not peers:
        return
    import bottleneck
    import pandas as pd

    rolling = pd.Series(values).rolling(window)

    def moving() -> object:
        mean = bottleneck.move_mean(values, window, min_count=window)
        return np.abs(values - mean) / bottleneck.move_std(values, window, min_count=window, ddof=1)

    yield Case(group, "bottleneck move_mean, move_std", moving, points)
    yield Case(group, "pandas rolling mean, std", lambda: (values - rolling.mean()) / rolling.std(), points)


def _weighted(points: int, peers: bool) -> Iterable[Case]:
    group = f"exponentially weighted z-score, {points:,} points of noise"
    values = np.random.default_rng(6).normal(0, 1, points)
    detector = Ewma(half_life=100)
    series = Points.of(streams.times(points), values)
    gain = -math.expm1(-math.log(2) / 100)
    yield from _against_c(group, "ewma", values, gain, 3.0, 0.99)
    yield Case(group, "watchband ewma", _fold(detector, series), points, detector.state_bytes_max)
    if peers:
        import pandas as pd

        weighted = pd.Series(values).ewm(halflife=100)
        note = "nothing is clipped"
        yield Case(
            group, "pandas ewm mean, std", lambda: (values - weighted.mean()) / weighted.std(), points, note=note
        )
