"""The service assembled: sources in, alerts out, nothing acknowledged lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.apps.service.worlds import (
    HandClock,
    KeptStore,
    ListSinkSettings,
    Script,
    ScriptSettings,
    batch,
    config,
    watch,
)
from watchband.adapters.sources.push.settings import PushSettings
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.config.config import Config, Named
from watchband.apps.service.inbox import InboxClosedError
from watchband.apps.service.scores import scores_of
from watchband.apps.service.service import Service
from watchband.core.clock import Clock
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.events import SourceResumed, WatermarkMoved
from watchband.core.relabel import Relabel
from watchband.core.series import SeriesKey
from watchband.pipeline.deriving import FOLD
from watchband.testing.streams import MINUTE, START


@contextmanager
def running(found: Config, clock: Clock | None = None) -> Iterator[Service]:
    service = Service(found, clock=clock or HandClock(START + 1000 * MINUTE))
    service.start()
    try:
        yield service
    finally:
        service.stop(10)


def until(holds: Callable[[], object]) -> None:
    """Wait for another thread; a test that waits for ever has failed by then."""
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def readings(store: KeptStore) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in store.store.log("main", 0):
        for r in entry.readings:
            found[str(r.key)] = found.get(str(r.key), 0) + len(r.times)
    return found


def test_a_pushed_spike_is_told_to_the_sinks_of_its_watch() -> None:
    chat, other = ListSinkSettings(), ListSinkSettings(label="other")
    found = config(sinks={"chat": chat, "other": other}, watches={"all": watch(route=("chat",))})
    with running(found) as service:
        service.offer("push", batch(0, 200, spike=150).readings).result(10)
        until(lambda: "chat" in service.sinks and service.sinks["chat"].delivered == 1)
        assert service.sinks["chat"].latency.cumulative()[1] > 0
    assert not other.notices
    notice = chat.notices[0]
    assert notice.alert.opened == START + 150 * MINUTE
    assert notice.recent is not None
    assert len(notice.recent.times) == 200
    assert notice.recent.alert.any()


def test_a_sink_that_watches_over_it_hears_why_nothing_is_judged() -> None:
    failing = ScriptSettings(Script([TransientError("away")] * 100))
    with running(config(sources={"script": Named("script", failing)})) as service:
        assert service.courier.trouble is not None
        until(lambda: service.courier.trouble() == "no source can be read")
    with running(config()) as service:
        assert service.courier.standing("any").trouble == ""
        service.engine.busy_since = time.monotonic() - 700
        assert service.courier.standing("any").trouble.startswith("the engine is at work on one entry for 70")
        service.engine.trouble = "the disk is full"
        assert service.courier.standing("any").trouble == "the last entry could not be kept: the disk is full"
        service.engine.trouble = ""
    assert service.courier.standing("any").trouble == "the engine has ended"


def test_history_is_judged_and_told_to_nobody() -> None:
    chat = ListSinkSettings()
    script = Script([batch(0, 200, spike=150, history=True), batch(200, 50)])
    found = config({"prom": ScriptSettings(script)}, sinks={"chat": chat})
    with running(found) as service:
        until(lambda: service.inflow.pumps["prom"].health.batches == 2)
        assert [a.opened for a in service.store.alerts()] == [START + 150 * MINUTE]
        assert service.unready == []
    assert not chat.notices


def test_what_lasts_from_the_past_into_the_present_is_told_once() -> None:
    chat = ListSinkSettings()
    script = Script([batch(0, 152, spike=149, history=True), batch(152, 2, spike=149), batch(154, 50)])
    flat = watch(detector="threshold:high=30", cutoff=0.5)
    with running(config({"s": ScriptSettings(script)}, sinks={"chat": chat}, watches={"all": flat})):
        until(lambda: len(chat.notices) == 2)
        assert [(n.revision, n.alert.closed is None) for n in chat.notices] == [(1, True), (2, False)]


def test_the_past_is_over_when_it_has_come_to_the_present() -> None:
    clock = HandClock(START + 1000 * MINUTE)
    silent = Script([batch(0, 10, history=True)])
    marked = Script([replace(batch(0, 10, history=True, name="x"), events=[WatermarkMoved(clock.time - 10 * MINUTE)])])
    sources = {"silent": ScriptSettings(silent), "marked": ScriptSettings(marked)}
    with running(config(sources), clock) as service:
        until(lambda: all(pump.health.batches for pump in service.inflow.pumps.values()))
        assert service.unready == ["source silent is backfilling"]
        clock.time += 2 * MINUTE
        assert service.unready == []


def test_a_source_that_stumbles_goes_on_where_the_log_stands() -> None:
    error = TransientError("the network is away")
    error.retry_after = 0.01
    script = Script([batch(0, 10), error, batch(10, 10), PermanentError("gone")])
    store = KeptStore()
    with running(config({"prom": ScriptSettings(script), "other": ScriptSettings(Script([]))}, store=store)) as service:
        until(lambda: service.inflow.pumps["prom"].health.state == "failed")
        assert service.inflow.pumps["prom"].health.error == "gone"
        assert script.reads == [None, "0"]
        assert service.inflow.pumps["other"].health.state == "starting"
        assert service.unready == ["source other is backfilling"]
        service.clock.sleep(11)
        assert service.unready == [], "who has not answered by then is not waited for"
    assert readings(store) == {"cpu": 20}


def test_a_restart_goes_on_where_the_log_stands() -> None:
    script, store = Script([batch(0, 100), batch(100, 100)]), KeptStore()
    for _ in range(2):
        with running(config({"prom": ScriptSettings(script)}, store=store)) as service:
            until(lambda: service.inflow.pumps["prom"].health.batches or script.reads[-1] == "1")
            until(lambda: store.store.positions("main").get("prom") == "1")
    assert script.reads == [None, "1"]
    assert readings(store) == {"cpu": 200}


def test_what_was_taken_is_kept_at_the_end_and_the_rest_refused() -> None:
    store = KeptStore()
    with running(config(store=store)) as service:
        answers = [service.offer("push", batch(10 * n, 10).readings) for n in range(20)]
    assert all(a.result(0) for a in answers)
    assert readings(store) == {"cpu": 200}
    with pytest.raises(InboxClosedError):
        service.offer("push", batch(0, 1).readings)
    assert store.store.restore("main", "all") is not None


def test_series_are_relabelled_or_dropped_at_intake() -> None:
    store = KeptStore()
    rules = [
        Relabel(action="drop", source_labels=("__name__",), regex="noise.*"),
        Relabel(source_labels=("host",), regex="(.*)-[0-9]+", target_label="group"),
    ]
    own = Named("push", PushSettings(), (Relabel(target_label="host", replacement="web-1"),))
    with running(config({"push": own}, relabel=rules, store=store)) as service:
        service.offer("push", [*batch(0, 5).readings, *batch(0, 5, name="noise_1").readings]).result(10)
        assert service.inflow.pushed["push"].health.relabelled_away == 5
    assert readings(store) == {'cpu{group="web",host="web-1"}': 5}


def test_time_is_told_to_pushed_sources_that_were_ever_seen() -> None:
    clock, store = HandClock(START + 100 * MINUTE), KeptStore()
    found = config({"push": PushSettings(lateness=MINUTE), "quiet": PushSettings()}, store=store)

    def marks() -> list[tuple[str, int]]:
        events = [e for entry in store.store.log("main", 0) for e in entry.events]
        return [(e.source, e.time) for e in events if isinstance(e, WatermarkMoved | SourceResumed)]

    with running(found, clock) as service:
        assert service.ticker.tick() == 0
        service.offer("push", batch(0, 100).readings).result(10)
        until(lambda: service.inflow.pushed["push"].health.batches)
        assert service.ticker.tick() == 1
        until(lambda: marks() == [("push", START + 100 * MINUTE), ("push", START + 99 * MINUTE)])
    clock.time += 10 * MINUTE
    with running(found, clock) as service:
        clock.time += 2 * MINUTE
        assert service.ticker.tick() == 0, "a sender that was seen before is waited for"
        clock.time += 4 * MINUTE
        assert service.ticker.tick() == 1
        until(lambda: marks()[2:] == [("push", START + 110 * MINUTE), ("push", START + 115 * MINUTE)])


def test_a_reload_keeps_what_did_not_change() -> None:
    store, chat, more = KeptStore(), ListSinkSettings(), ListSinkSettings(label="more")
    kept, gone = Script([batch(0, 100)]), Script([])
    sources = {"push": PushSettings(history=None), "kept": ScriptSettings(kept), "gone": ScriptSettings(gone)}
    old = config(sources, watches={"a": watch(), "b": watch()}, sinks={"chat": chat}, store=store)
    new = config(
        {
            "push": PushSettings(history=None),
            "kept": ScriptSettings(kept),
            "new": ScriptSettings(Script([batch(0, 30, name="x")])),
        },
        watches={"a": watch(), "b": watch(cutoff=5.0), "c": watch()},
        sinks={"chat": chat, "more": more},
        store=store,
    )
    with running(old) as service:
        service.reloader.read = lambda: new
        until(lambda: service.inflow.pumps["kept"].health.batches == 1)
        pump, lane = service.inflow.pumps["kept"], service.engine.shard.lanes["a"]  # type: ignore[union-attr]
        found = service.reloader.reload()
        assert found.changed == {
            "sources": ["+new", "-gone"],
            "watches": ["+c", "~b"],
            "sinks": ["+more"],
        }
        assert service.inflow.pumps["kept"] is pump
        lanes = service.engine.shard.lanes  # type: ignore[union-attr]
        assert lanes["a"] is lane
        assert lanes["c"].state.keys[0] == SeriesKey("cpu"), "a new watch folds the log that there is"
        until(lambda: service.inflow.pumps["new"].health.batches == 1)
        assert kept.opened == 1
        service.offer("push", batch(100, 60, spike=120).readings).result(10)
        until(lambda: len(chat.notices) >= 3 and len(more.notices) >= 3)
    assert {n.alert.watch for n in more.notices} == {"a", "b", "c"}


def test_a_bad_configuration_leaves_the_old_one_running() -> None:
    def bad() -> Config:
        raise ConfigError("w.yaml:3:1: no")

    with running(config()) as service:
        service.reloader.read = bad
        with pytest.raises(ConfigError, match="no"):
            service.reloader.reload()
        assert (service.reloader.failed, service.reloader.error) == (1, "w.yaml:3:1: no")
        service.offer("push", batch(0, 10).readings).result(10)


def test_a_reload_that_fails_half_way_leaves_everything_as_it_was() -> None:
    class Failing(MemoryStore):
        fails = False

        def adopt(self, *args: Any, **given: Any) -> None:
            if self.fails:
                raise TransientError("the disk is full")
            super().adopt(*args, **given)

    kept, chat = KeptStore(Failing()), ListSinkSettings()
    old = config(sinks={"chat": chat}, store=kept)
    new = config(
        {"push": PushSettings(lateness=MINUTE)}, watches={"b": watch(cutoff=5.0)}, sinks={"x": chat}, store=kept
    )
    with running(old) as service:
        service.reloader.read = lambda: new
        service.offer("push", batch(0, 100).readings).result(10)
        Failing.fails = True
        with pytest.raises(TransientError, match="full"):
            service.reloader.reload()
        Failing.fails = False
        assert (list(service.courier.sinks), service.config) == (["chat"], old)
        service.offer("push", batch(100, 60, spike=120).readings).result(10)
        until(lambda: len(chat.notices) == 1)
        service.reloader.reload()
        assert list(service.engine.shard.lanes) == ["b"]  # type: ignore[union-attr]
        assert service.inflow.pushed["push"].lateness == MINUTE
    assert {n.alert.watch for n in chat.notices} == {"all"}


def test_a_reload_whose_expressions_fail_leaves_the_watches_as_they_were() -> None:
    class Failing(MemoryStore):
        fails = False

        def adopt(self, shard: str, name: str, *args: Any, **given: Any) -> None:
            if self.fails and name == FOLD:
                raise TransientError("the disk is full")
            super().adopt(shard, name, *args, **given)

    kept, chat = KeptStore(Failing()), ListSinkSettings()
    old = config(sinks={"chat": chat}, store=kept)
    new = config(watches={"b": watch()}, sinks={"x": chat}, store=kept, expressions={"twice": "cpu + cpu"})
    with running(old) as service:
        service.reloader.read = lambda: new
        service.offer("push", batch(0, 100).readings).result(10)
        Failing.fails = True
        with pytest.raises(TransientError, match="full"):
            service.reloader.reload()
        service.offer("push", batch(100, 60, spike=120).readings).result(10)
        until(lambda: len(chat.notices) == 1)
        assert list(service.engine.shard.lanes) == ["all"]  # type: ignore[union-attr]
        assert service.runner.expressions == {}


def test_a_reload_that_fails_at_the_sources_ends_none_of_them() -> None:
    script, other = Script([batch(0, 10)]), Script([])
    old = config({"a": ScriptSettings(script)})
    with running(old) as service:
        until(lambda: service.inflow.pumps["a"].health.batches == 1)
        pump = service.inflow.pumps["a"]

        def away() -> dict[str, str]:
            raise TransientError("the store is away")

        before, service.inflow.positions = service.inflow.positions, away
        service.reloader.read = lambda: config({"a": ScriptSettings(other)})
        with pytest.raises(TransientError, match="away"):
            service.reloader.reload()
        assert service.inflow.pumps["a"] is pump
        service.inflow.positions = before
        service.reloader.reload()
        assert service.inflow.pumps["a"] is not pump


def test_charts_that_cannot_be_kept_cost_no_alert_and_no_end() -> None:
    class Broken:
        def add(self, *given: object) -> None:
            raise sqlite3.OperationalError("the disk is full")

        flush = close = add

    store, chat = KeptStore(), ListSinkSettings()
    service = Service(config(sinks={"chat": chat}, store=store), clock=HandClock(START + 1000 * MINUTE))
    service.start()
    service.scores = cast(ScoreBook, Broken())
    service.offer("push", batch(0, 200, spike=150).readings).result(10)
    until(lambda: "chat" in service.sinks and service.sinks["chat"].delivered == 1)
    assert service.rate.per_second(service.clock.now()) > 0
    assert service.stop(10)
    assert service.phase == "stopped"


def test_charts_that_cannot_be_opened_stop_nobody(tmp_path: Path) -> None:
    (tmp_path / "scores.db").mkdir()
    assert scores_of(replace(config(), store=SqliteSettings(path=str(tmp_path)))) is None


def test_two_services_one_log_equal_one_service() -> None:
    """What a service says after a reload and a restart is what an undisturbed one says."""
    whole = np.concatenate([batch(0, 400, spike=320).readings[0].values])
    assert len(whole) == 400
    alerts = []
    for cuts in ([400], [100, 200, 400]):
        store, first = KeptStore(), 0
        for cut in cuts:
            with running(config(store=store)) as service:
                service.offer("push", batch(first, cut - first, spike=320).readings).result(10)
            first = cut
        alerts.append([a.to_dict() for a in store.store.alerts()])
    assert alerts[0] == alerts[1]
