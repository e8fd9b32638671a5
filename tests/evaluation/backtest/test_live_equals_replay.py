"""Live equals replay, bit for bit: point by point, in batches, by backtest, and with a restart in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.detector import Detector
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, SeasonalBand
from watchband.evaluation.backtest.replay import ReplaySource, replay, split
from watchband.evaluation.simulate.world import World
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Prepare
from watchband.pipeline.presets import Auto
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

KEY = SeriesKey("cpu_percent", {"host": "a"})
DAY = 86_400_000_000_000


def the_log(points: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """A simulated metric as it arrives: one reading repeated, some missing, some NaN."""
    world = World("cpu", "level_shift", seed=4, points=3000)
    rng = np.random.default_rng(5)
    first = world.events[0].first - points // 2
    times, values = world.times[first : first + points].copy(), world.values[first : first + points].copy()
    values[rng.random(points) < 0.01] = np.nan
    keep = rng.random(points) > 0.02
    times, values = times[keep], values[keep]
    return np.insert(times, 400, times[399]), np.insert(values, 400, values[399])


class Live:
    """A source that brings so many readings at a time, as a live one does."""

    name = "live"

    def __init__(self, times: np.ndarray, values: np.ndarray, points: int) -> None:
        self.parts = split(times, values, points)

    def read(self, position: str | None = None) -> Iterator[Batch]:
        for number in range(int(position or 0), len(self.parts)):
            yield Batch([Readings(KEY, *self.parts[number])], str(number + 1))

    def close(self) -> None:
        pass


def live(watch: Watch, points: int, restart_after: int | None = None) -> tuple[Results, list[str]]:
    """What a live run says; after a restart a new process goes on from the same store."""
    times, values = the_log()
    store, told = MemoryStore(), list[Results]()
    source = Live(times, values, points)
    runner = Runner(watch, store, on_results=told.append, snapshot_points=200)
    if restart_after is not None:
        runner.run(source, stop=lambda: len(told) >= restart_after)
        runner = Runner(watch, store, on_results=told.append, snapshot_points=200)
    runner.run(source)
    runner.finish()
    return Results.joined(told), [repr(a) for a in store.alerts()]


def replayed(watches: list[Watch], points: int) -> list[tuple[Results, list[str]]]:
    times, values = the_log()
    told: list[list[Results]] = [[] for _ in watches]

    def take(results: tuple[Results, ...]) -> None:
        for mine, said in zip(told, results, strict=True):
            mine.append(said)

    replay(watches, ReplaySource(KEY, lambda: split(times, values, points)), MemoryStore(), observe=take)
    joined = [Results.joined(mine) for mine in told]
    return [(one, [repr(a) for a in one.alerts]) for one in joined]


def same(one: tuple[Results, list[str]], other: tuple[Results, list[str]]) -> None:
    assert one[0].same_bits(other[0])
    assert one[1] == other[1]


@pytest.mark.parametrize("detector", [Ewma(), SeasonalBand(), Auto()], ids=lambda d: d.name)
def test_live_equals_replay(detector: Detector) -> None:
    watches = [
        Watch("detect", detector, Budget(1, DAY)),
        Watch("detect", detector, Budget(1)),
        Watch("detect", detector, Budget(1, DAY), Policy(consecutive=2, close_after=5)),
    ]
    by_backtest = replayed(watches, 256)
    assert by_backtest[0][1], "the level shift alerts"
    for watch, expected in zip(watches, by_backtest, strict=True):
        same(live(watch, 97), expected)
        same(live(watch, 50, restart_after=7), expected)
    same(live(watches[0], 1), by_backtest[0])
    assert by_backtest[0][1] != by_backtest[1][1], "the watches differ"


def test_also_where_gaps_are_filled_and_readings_resampled() -> None:
    watch = Watch("detect", Ewma(), Budget(1, DAY), prepare=Prepare(resample_ns=900_000_000_000, gap="linear"))
    expected = replayed([watch], 300)[0]
    same(live(watch, 1), expected)
    same(live(watch, 31, restart_after=3), expected)


def test_nothing_after_the_end_is_known() -> None:
    times, values = the_log()
    until = int(times[500])
    other = values.copy()
    other[times >= until] = 1e9

    def said(these: Iterable[float]) -> Results:
        told: list[Results] = []
        source = ReplaySource(KEY, lambda: split(times, np.asarray(these), 64), until)
        replay([Watch("detect", Auto())], source, MemoryStore(), observe=lambda r: told.append(r[0]))
        return Results.joined(told)

    assert said(values).same_bits(said(other))
    assert said(values).time.max() < until
