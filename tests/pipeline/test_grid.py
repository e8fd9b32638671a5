"""Grids: each watch says what it says alone, bit for bit, also through bytes and a runner."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.detector import Detector
from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, RollingZscore
from watchband.pipeline.grid import Grid, GridResults
from watchband.pipeline.policy import Policy
from watchband.pipeline.presets import Auto
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget, Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch
from watchband.testing.streams import MINUTE

KEYS = [SeriesKey("cpu", {"host": "a"}), SeriesKey("cpu", {"host": "b"})]
DETECTORS: tuple[Detector, ...] = (Ewma(), Auto())


def watches(detector: Detector) -> list[Watch]:
    return [
        Watch("detect", detector),
        Watch("detect", detector, Budget(3, 86_400_000_000_000)),
        Watch("detect", detector, policy=Policy(consecutive=3, direction="above")),
        Watch("other", detector, Cutoff(4.0) if detector.name == "ewma" else Budget(1, 86_400_000_000_000)),
    ]


def readings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    values[n // 2 : n // 2 + 6] += 12
    values[rng.random(n) < 0.02] = np.nan
    return np.arange(n, dtype=np.int64) * 5 * MINUTE, values


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_every_watch_says_what_it_says_alone(detector: Detector) -> None:
    alone = watches(detector)
    grid = Grid.of(alone)
    times, values = readings(700, 1)
    spans = [(int(times[100]), int(times[140]))]
    raw = Raw.fleet([(times, values), (times[:500], values[100:600])])
    state = grid.start(KEYS)
    results = grid.step(state, raw, excluded=spans, flush=True)
    assert len(results.every) == len(alone)
    for said, watch in zip(results.every, alone, strict=True):
        own = watch.start(KEYS)
        expected = watch.step(own, raw, excluded=spans, flush=True)
        assert said.same_bits(expected)
        assert [repr(a) for a in said.alerts] == [repr(a) for a in expected.alerts]
        assert said.alerts, "the burst is found by each of them"


def test_series_join_and_states_travel() -> None:
    detector = RollingZscore(window=30)
    grid = Grid.of([Watch("a", detector, Cutoff(4)), Watch("b", detector, Cutoff(6))])
    times, values = readings(400, 2)
    whole, cut = grid.start(KEYS), grid.start()
    expected = grid.step(whole, Raw.fleet([(times, values)] * 2), flush=True)
    cut.add(KEYS[:1])
    first = grid.step(cut, Raw.of(times[:150], values[:150]))
    cut = grid.load(cut.to_bytes())
    assert cut.copy().same_bits(cut)
    cut.add(KEYS)
    rest = grid.step(cut, Raw.fleet([(times[150:], values[150:]), (times, values)]), flush=True)
    for at in range(2):
        one = Results.joined([first.every[at].of(0), rest.every[at].of(0)])
        assert one.same_bits(expected.every[at].of(0))
        assert rest.every[at].of(1).same_bits(expected.every[at].of(1))
    assert cut.same_bits(whole)
    assert cut.nbytes < 2 * sum(o.nbytes for o in cut.others)


def test_a_runner_runs_a_grid() -> None:
    alone = watches(Ewma())
    times, values = readings(600, 3)
    found: list[Results] = []
    runner = Runner(Grid.of(alone), MemoryStore(), on_results=found.append)
    for start in range(0, 600, 100):
        part = slice(start, start + 100)
        runner.step("file", Batch([Readings(KEYS[0], times[part], values[part])], str(start + 100)))
        runner._live = None  # as after a failed step: restored from the log
    runner.finish()
    every = [r.every for r in found if isinstance(r, GridResults)]
    for at, watch in enumerate(alone):
        expected = watch.step(watch.start(KEYS[:1]), Raw.of(times, values), flush=True)
        assert Results.joined([r[at] for r in every]).same_bits(expected)


def test_what_makes_no_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="one watch or more"):
        Grid.of([])
    with pytest.raises(ConfigError, match="share detector and prepare"):
        Grid.of([Watch("a", Ewma()), Watch("a", RollingZscore())])
    grid = Grid.of([Watch("a", Ewma()), Watch("b", Ewma())])
    with pytest.raises(StateCorruptError, match="2 watches"):
        grid.load(grid.start(KEYS).to_bytes()[:-3])
