"""Several watches over one log: each its own fold, and none stops the others."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.pipeline.faulty import KEYS, ListSink, ListSource, batches
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.alert import Alert
from watchband.core.errors import ConfigError
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, RollingZscore
from watchband.pipeline.bound import Bound
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

Z = Watch("z", RollingZscore(window=20), Cutoff(3.5))
E = Watch("e", Ewma(), Cutoff(5))
ALL = batches()


def alerts_of(store: MemoryStore, watch: str) -> list[Alert]:
    return [a for a in store.alerts() if a.watch == watch]


def alone(watch: Watch | Bound) -> tuple[list[Alert], ListSink]:
    store, sink = MemoryStore(), ListSink()
    Runner(watch, store, [sink]).run(ListSource(ALL))
    return list(store.alerts()), sink


def test_each_says_what_it_says_alone_and_tells_its_own_sinks() -> None:
    store = MemoryStore()
    first, second = ListSink(name="first"), ListSink(name="second")
    only_a = Bound(Z, lambda key: key == KEYS[0], "a", ["first"])
    Runner([only_a, Bound(E, sinks=["first", "second"])], store, [first, second], shard="0").run(ListSource(ALL))
    z, _ = alone(dataclasses.replace(only_a, sinks=None))
    e, told = alone(E)
    assert z
    assert {a.series for a in z} == {KEYS[0]}
    assert alerts_of(store, "z") == z
    assert alerts_of(store, "e") == e
    assert second.told == told.told
    assert {n.alert.watch for n in first.notices.values()} == {"z", "e"}


@pytest.mark.parametrize("cut", [0, 3, 6, 10])
def test_a_watch_that_comes_later_learns_the_past_and_tells_nobody_of_it(cut: int) -> None:
    store, sink = MemoryStore(), ListSink()
    Runner([Z], store, [sink], shard="0").run(ListSource(ALL[:cut]))
    Runner([Z, E], store, [sink], shard="0").run(ListSource(ALL))
    expected, told = alone(E)
    assert alerts_of(store, "e") == expected
    assert expected
    past = {a.id for a in expected if a.decided <= int(ALL[cut - 1].readings[0].times[-1])} if cut else set()
    mine = {n.alert.id for n in sink.notices.values() if n.alert.watch == "e"}
    opened = {n.alert.id for n in told.notices.values()}
    assert mine >= opened - past
    assert not {n.alert.id for n in sink.notices.values() if n.alert.id in past and n.alert.closed is not None}
    assert sum(n.alert.watch == "z" for n in sink.notices.values()) == len(alone(Z)[1].notices)


def test_a_watch_with_other_parameters_starts_anew_and_the_rest_goes_on() -> None:
    store = MemoryStore()
    Runner([Z, E], store, shard="0", snapshot_points=100).run(ListSource(ALL[:6]))
    wider = dataclasses.replace(Z, detector=RollingZscore(window=40))
    runner = Runner([wider, E], store, shard="0")
    before = store.restore("0", "e")
    runner.run(ListSource(ALL))
    assert before
    assert {a.id for a in alone(wider)[0]} <= {a.id for a in alerts_of(store, "z")}
    assert alerts_of(store, "e") == alone(E)[0]


def test_a_retuned_watch_keeps_its_state() -> None:
    store = MemoryStore()
    Runner([Z], store, shard="0", snapshot_points=100).run(ListSource(ALL))
    looser = dataclasses.replace(Z, rule=Cutoff(9))
    lane = Runner([looser], store, shard="0").live().lanes["z"]
    assert lane.state.detector.same_bits(Runner([Z], store, shard="0").live().lanes["z"].state.detector)
    assert store.restore("0", "z") is not None


class Fragile(Watch):
    """Fails at a value that is larger than ``limit``."""

    limit = 50.0

    def step(self, state: Any, raw: Any, **options: Any) -> Any:
        if len(raw) and np.nanmax(raw.values) > self.limit:
            raise ArithmeticError("too large")
        return super().step(state, raw, **options)


class Sturdy(Fragile):
    """The same, repaired."""

    limit = np.inf


def test_a_watch_that_fails_stands_still_and_catches_up_when_it_is_repaired() -> None:
    store, sink = MemoryStore(), ListSink()
    fragile = Fragile("f", RollingZscore(window=20), Cutoff(3.5))
    runner = Runner([fragile, E], store, [sink], shard="0", snapshot_points=100)
    runner.run(ListSource(ALL))
    assert str(runner.stopped["f"]) == "too large"
    assert alerts_of(store, "e") == alone(E)[0]
    assert store.head("0") == len(ALL)
    stood = store.fold("0", "f")
    assert stood is not None
    assert 0 < stood.decided < len(ALL)
    # Still broken: nothing changes, and the other goes on.
    again = Runner([fragile, E], store, [sink], shard="0")
    again.live()
    assert list(again.stopped) == ["f"]
    repaired = Sturdy("f", RollingZscore(window=20), Cutoff(3.5))
    runner = Runner([repaired, E], store, [sink], shard="0")
    runner.live()
    runner.courier.deliver()
    expected, told = alone(repaired)
    assert alerts_of(store, "f") == expected
    # What it missed is told, each alert as it is by now.
    assert {n.alert.id for n in sink.notices.values() if n.alert.watch == "f"} == {a.id for a in expected}
    assert told.notices


def test_the_only_watch_does_not_fail_in_silence() -> None:
    with pytest.raises(ArithmeticError, match="too large"):
        Runner(Fragile("f", Ewma(), Cutoff(5)), MemoryStore()).run(ListSource(ALL))


def test_batches_of_several_sources_are_one_entry() -> None:
    store = MemoryStore()
    runner = Runner([E], store, shard="0")
    other = Batch([Readings(SeriesKey("pushed"), np.array([5]), np.array([1.0]))], "")
    assert runner.take([("list", ALL[0]), ("push", other), ("push", other)])
    (entry,) = store.log("0", 0)
    assert dict(entry.positions) == {"list": "1"}
    assert [len(r.times) for r in entry.readings if r.key.metric == "pushed"] == [2]
    assert runner.take([("list", ALL[0])]) == {}
    assert runner.take([("list", ALL[0]), ("push", other)])["e"] is not None
    assert store.head("0") == 2


def test_names_are_unique() -> None:
    with pytest.raises(ConfigError, match="different names"):
        Runner([E, E], MemoryStore())
    with pytest.raises(ConfigError, match="different names"):
        Runner([], MemoryStore())


def open_alerts(store: MemoryStore) -> set[str]:
    return {a.id for a in store.alerts() if a.closed is None}


def left_open() -> tuple[MemoryStore, ListSink, Runner, set[str]]:
    """A watch that ends in the middle of an incident."""
    store, sink = MemoryStore(), ListSink()
    runner = Runner([dataclasses.replace(Z, rule=Cutoff(2.5)), E], store, [sink], shard="0")
    at = next(n for n, batch in enumerate(ALL, 1) if runner.step("list", batch) and open_alerts(store))
    assert {a.watch for a in store.alerts() if a.closed is None} >= {"z"}
    return store, sink, runner, open_alerts(store) if at else set()


@pytest.mark.parametrize("alive", [True, False])
def test_what_a_changed_watch_no_longer_knows_of_is_closed_and_told(alive: bool) -> None:
    store, sink, runner, before = left_open()
    other = [Bound(dataclasses.replace(Z, detector=Ewma(), rule=Cutoff(500))), Bound(E)]
    if alive:
        runner.rebind(other)
    else:
        runner = Runner(other, store, [sink], shard="0")
        runner.live()
    runner.courier.deliver()
    closed = {a.id: a.policies for a in store.alerts() if a.closed is not None and a.watch == "z" and a.id in before}
    assert closed
    assert set(closed.values()) == {("watch changed",)}
    assert {n.alert.id for n in sink.notices.values() if n.alert.closed is not None} >= closed.keys()
    assert not {a.id for a in store.alerts() if a.watch == "z"} & open_alerts(store)


@pytest.mark.parametrize("alive", [True, False])
def test_what_a_removed_watch_left_open_is_closed_and_told(alive: bool) -> None:
    store, sink, runner, before = left_open()
    if alive:
        runner.rebind([Bound(E)])
    else:
        runner = Runner([E], store, [sink], shard="0")
        runner.live()
    runner.courier.deliver()
    mine = [a for a in store.alerts() if a.watch == "z" and a.id in before]
    assert mine
    assert all(a.closed is not None and a.policies[-1] == "watch removed" for a in mine)
    assert {n.alert.id for n in sink.notices.values() if n.alert.closed is not None} >= {a.id for a in mine}
    assert store.fold("0", "z") is None


def test_a_restart_alone_closes_nothing() -> None:
    store, sink, _, before = left_open()
    told = len(sink.notices)
    Runner([dataclasses.replace(Z, rule=Cutoff(2.5)), E], store, [sink], shard="0").live()
    assert open_alerts(store) == before
    assert len(sink.notices) == told
