"""Limits on series and memory: the lowest priority goes first, visibly, the same in every replay."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.duration import DAY
from watchband.core.events import SeriesExpired, SeriesShed, SeriesTaken
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import RollingZscore
from watchband.pipeline import admission
from watchband.pipeline.admission import Admission, bytes_of
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.upstream import Upstream
from watchband.pipeline.watch import Watch
from watchband.testing.streams import MINUTE, START

WATCH = Watch("low", RollingZscore(window=20), Cutoff(3.5), pulse=Pulse())
LOW = Bound(WATCH, takes=lambda key: key.metric != "none", priority=10)
HIGH = Bound(
    dataclasses.replace(WATCH, name="high"), takes=lambda key: key.metric == "vip", selector="vip", priority=200
)
EACH = bytes_of(WATCH)


class Clock:
    def now(self) -> int:
        return START + 400 * DAY

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing to wait for")


def key(name: str) -> SeriesKey:
    metric, _, host = name.partition("-")
    return SeriesKey(metric, {"host": host})


def runner(store: MemoryStore, bounds: tuple[Bound, ...] = (LOW, HIGH), **limits: int) -> Runner:
    return Runner(bounds, store, shard="s", admission=Admission(**limits), clock=Clock())


def feed(to: Runner, minute: int, *names: str, points: int = 1) -> None:
    at = START + (minute + np.arange(points)) * MINUTE
    to.step("push", Batch([Readings(key(n), at, np.ones(points)) for n in names], ""))


def said(store: MemoryStore) -> list[tuple[str, str]]:
    found = []
    for entry in store.log("s", 0):
        for event in entry.events:
            assert isinstance(event, SeriesShed | SeriesTaken | SeriesExpired)
            found.append((type(event).__name__.removeprefix("Series").lower(), event.series.split('"')[1]))
    return found


def inside(found: Runner, watch: str = "low") -> list[str]:
    return [k.labels["host"] for k in found.live().lanes[watch].state.keys]


def test_of_more_series_than_there_may_be_the_new_one_of_equal_priority_stays_out() -> None:
    store = MemoryStore()
    one = runner(store, max_series=3)
    feed(one, 0, "cpu-a", "cpu-b", "cpu-c", "cpu-d", "none-x")
    feed(one, 1, "cpu-d", "cpu-e")
    assert said(store) == [("shed", "d"), ("shed", "e")]
    assert inside(one) == ["a", "b", "c"]
    room = one.admission.room if one.admission else None
    assert room == admission.Room(series=3, nbytes=3 * EACH, shed=2, sheds=2)
    (first, *_) = [e for entry in store.log("s", 0) for e in entry.events]
    assert first == SeriesShed('cpu{host="d"}', START, "more than 3 series", 10)
    assert sum(len(r.times) for e in store.log("s", 0) for r in e.readings) == 7, "what is shed is kept all the same"


def test_a_series_of_higher_priority_takes_the_place_of_the_newest_of_the_lowest() -> None:
    store = MemoryStore()
    one = runner(store, max_series=2)
    feed(one, 0, "cpu-a", "cpu-b")
    feed(one, 1, "vip-c")
    feed(one, 2, "vip-d", "cpu-a", "cpu-b")
    feed(one, 3, "vip-e")
    assert said(store) == [("shed", "b"), ("shed", "a"), ("shed", "e")]
    assert (inside(one), inside(one, "high")) == (["c", "d"], ["c", "d"])


def test_memory_is_counted_as_the_watches_declare_it() -> None:
    store = MemoryStore()
    one = runner(store, max_memory=3 * EACH)
    feed(one, 0, "cpu-a", "cpu-b", "cpu-c")
    feed(one, 1, "vip-d")
    assert said(store) == [("shed", "c"), ("shed", "b")], "a series of two watches takes the room of two"
    assert inside(one) == ["a", "d"]
    assert one.admission
    assert one.admission.room.nbytes == 3 * EACH
    lane = Lane(LOW)
    lane.state.add([key("cpu-a")])
    assert lane.state.nbytes <= EACH


def test_silent_series_are_forgotten_and_make_room() -> None:
    store = MemoryStore()
    one = runner(store, max_series=2, idle=DAY)
    feed(one, 0, "cpu-a", "cpu-b", "cpu-c", "cpu-d")
    for hour in range(1, 28):
        feed(one, hour * 60, "cpu-a", "cpu-c")
    assert said(store) == [("shed", "c"), ("shed", "d"), ("expired", "b"), ("taken", "d"), ("taken", "c")]
    assert inside(one) == ["a", "c"]
    feed(one, 28 * 60, "cpu-b")
    assert said(store)[-1] == ("shed", "b")


def test_a_restart_and_a_replay_hold_and_keep_out_the_same() -> None:
    store = MemoryStore()
    one = runner(store, max_series=2, idle=DAY)
    rng = np.random.default_rng(3)
    names = ["cpu-a", "cpu-b", "cpu-c", "vip-d", "cpu-e", "vip-f", "cpu-g"]
    for minute in range(0, 5 * 1440, 180):
        feed(one, minute, *rng.choice(names, size=2, replace=False).tolist(), points=20)
        if minute % 1440 == 720:
            one.save()
    assert {kind for kind, _ in said(store)} == {"shed", "taken", "expired"}
    again = runner(store, max_series=2, idle=DAY)
    cold = {bound.name: Lane(bound) for bound in (LOW, HIGH)}
    for entry in store.log("s", 0):
        for lane in cold.values():
            lane.fold(entry)
    for name, lane in one.live().lanes.items():
        assert lane.state.same_bits(again.live().lanes[name].state)
        assert lane.state.same_bits(cold[name].state)
        assert lane.state.upstream.shed == Upstream.from_bytes(lane.state.upstream.to_bytes()).shed
    before = said(store)
    feed(one, 6 * 1440, "cpu-a", "vip-d")
    store_of_one = said(store)[len(before) :]
    assert one.admission
    assert one.admission.room.series <= 2
    assert len(store_of_one) >= 1


def test_an_open_alert_of_a_series_that_is_shed_is_closed() -> None:
    store = MemoryStore()
    one = runner(store, (LOW, HIGH), max_series=1)
    at = START + np.arange(61) * MINUTE
    values = np.r_[np.tile([1.0, 2.0], 30), 90.0]
    one.step("push", Batch([Readings(key("cpu-a"), at, values)], ""))
    (alert,) = store.alerts()
    assert alert.closed is None
    feed(one, 61, "vip-b")
    (alert,) = store.alerts()
    assert alert.closed == START + 61 * MINUTE


def test_a_reading_from_the_future_forgets_nobody() -> None:
    store = MemoryStore()
    one = runner(store, idle=500 * DAY)
    feed(one, 0, "cpu-a")
    feed(one, 1440 * 10_000, "cpu-b")
    assert said(store) == []


@pytest.mark.parametrize("series", [20_000])
def test_a_storm_of_new_series_costs_little(series: int) -> None:
    """Each is decided without looking at all the others: this would take minutes."""
    one = runner(MemoryStore(), (LOW,), max_series=1000)
    readings = [Readings(key(f"cpu-{i}"), np.array([START]), np.ones(1)) for i in range(series)]
    assert one.admission
    events = one.admission.decide(readings, one.live().lanes, START + DAY)
    assert len(events) == series - 1000
    assert one.admission.decide(readings, one.live().lanes, START + DAY) == []
