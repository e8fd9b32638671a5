"""The rule of the sensors: five readings in a row, one a minute, and people know within ten minutes of the onset."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.watches import WatchSettings
from watchband.core.duration import MINUTE
from watchband.core.errors import TransientError
from watchband.core.events import SourceResumed, WatermarkMoved
from watchband.core.ports import Batch, Notice, Readings
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.scenes.evaporator import EVENT, evaporator
from watchband.pipeline.runner import Runner

TRACK = evaporator().series[0]
KEY = SeriesKey(TRACK.name, {"room": "cold-1"})
ONSET = int(TRACK.times[EVENT[0]])
LIVE_FROM = 600


class Minutes:
    """A clock that is moved by hand; retries wait on it."""

    def __init__(self) -> None:
        self.time = 0

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)


@dataclass
class Pager:
    """Notes when it was told what; away for some minutes."""

    clock: Minutes
    away: tuple[int, int] = (0, 0)
    name: str = "pager"
    told: list[tuple[int, Notice]] = field(default_factory=list)

    def write(self, notice: Notice) -> None:
        if self.away[0] <= self.clock.now() < self.away[1]:
            raise TransientError("away")
        self.told.append((self.clock.now(), notice))


def readings(first: int, last: int) -> list[Readings]:
    return [Readings(KEY, TRACK.times[first:last].copy(), np.asarray(TRACK.values[first:last]).copy())]


def run(watch: WatchSettings, store: MemoryStore, pager: Pager, restarts: tuple[int, ...] = (), lag: int = 0) -> None:
    """The past as history, then a reading a minute, each in an entry of its own and ``lag`` minutes under way."""
    clock = pager.clock

    def runner() -> Runner:
        return Runner(watch.bound("cold"), store, [pager], shard="main", clock=clock, snapshot_points=50)

    live = runner()
    live.step("sse", Batch(readings(0, LIVE_FROM), "", history=True))
    for minute in range(LIVE_FROM, len(TRACK.times)):
        clock.time = int(TRACK.times[minute]) + lag * MINUTE + 2_000_000_000
        if minute in restarts:
            live = runner()
            live.step("sse", Batch([], "", [SourceResumed(clock.time)]))
        live.step("sse", Batch(readings(minute, minute + 1), str(minute), [WatermarkMoved(int(TRACK.times[minute]))]))
        live.courier.deliver()


@pytest.mark.parametrize("detector", ["auto", "light", "random_cut_forest"])
def test_five_readings_in_a_row_are_told_within_ten_minutes(detector: str) -> None:
    clock = Minutes()
    pager = Pager(clock)
    run(WatchSettings(detector=detector, consecutive=5, direction="above"), MemoryStore(), pager)
    opened = [(at, n) for at, n in pager.told if n.alert.closed is None and n.revision == 1]
    assert [n.alert.opened for _, n in opened] == [ONSET]
    assert 4 * MINUTE <= opened[0][0] - ONSET <= 10 * MINUTE
    assert opened[0][1].alert.decided == ONSET + 4 * MINUTE
    assert pager.told[-1][1].alert.closed is not None, "that it ended is told too"


def test_a_restart_in_the_middle_a_lag_and_a_pager_that_is_away_leave_it_so() -> None:
    clock, store = Minutes(), MemoryStore()
    pager = Pager(clock, away=(ONSET, ONSET + 7 * MINUTE))
    run(WatchSettings(consecutive=5, direction="above"), store, pager, restarts=(720, 724, 725), lag=1)
    at, notice = pager.told[0]
    assert (notice.alert.opened, notice.alert.decided) == (ONSET, ONSET + 4 * MINUTE)
    assert at - ONSET <= 10 * MINUTE


def test_four_readings_in_a_row_are_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.asarray(TRACK.values).copy()
    values[EVENT[0] + 4 : EVENT[1] + 1] = 27.1
    monkeypatch.setattr(
        "tests.scenes.test_sensors_rule.TRACK", type("Short", (), {"times": TRACK.times, "values": values})
    )
    pager = Pager(Minutes())
    run(WatchSettings(consecutive=5, direction="above"), MemoryStore(), pager)
    assert not pager.told
