"""What an operator sees over HTTP: metrics, health, readiness, reload, status."""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as families

from tests.apps.server.world import World
from tests.apps.service.test_service import until
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
from watchband.apps.config.config import Config
from watchband.apps.server.settings import ServerSettings
from watchband.core.errors import ConfigError, FencedError, PermanentError, TransientError
from watchband.core.ports import Commit
from watchband.testing.streams import MINUTE, START


def numbers(world: World) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = {}
    for family in families(world.client.get("/metrics").text):
        for s in family.samples:
            found[s.name, frozenset(s.labels.items())] = s.value
    return found


def number(world: World, name: str, **labels: str) -> float:
    return numbers(world)[name, frozenset(labels.items())]


def push(world: World, first: int, count: int, **given: Any) -> None:
    before = world.service.inflow.pushed["push"].health.batches
    world.service.offer("push", batch(first, count, **given).readings).result(10)
    until(lambda: world.service.inflow.pushed["push"].health.batches > before)
    # What follows an entry is done before an errand is.
    world.service.engine.call(lambda: None).result(10)


def test_metrics_count_what_happened() -> None:
    chat = ListSinkSettings(errors=[PermanentError("no such channel")])
    with World(sinks={"chat": chat}, server=ServerSettings(listen="127.0.0.1:0", export=("cpu",))) as world:
        world.clock.time = START + 201 * MINUTE
        push(world, 0, 152, spike=150)
        until(lambda: number(world, "watchband_deliveries_total", sink="chat", outcome="dead") == 1)
        push(world, 152, 48)
        push(world, 100, 5)
        until(lambda: number(world, "watchband_deliveries_total", sink="chat", outcome="delivered") == 1)
        source = {"source": "push", "kind": "push"}
        assert number(world, "watchband_source_points_received_total", **source) == 205
        assert number(world, "watchband_source_up", **source) == 1
        assert number(world, "watchband_source_state", state="up", **source) == 1
        assert number(world, "watchband_source_lag_seconds", **source) == 120
        assert number(world, "watchband_watch_readings_late_total", watch="all") == 5
        assert number(world, "watchband_watch_points_total", watch="all") == 200
        assert number(world, "watchband_watch_points_anomalous_total", watch="all") >= 1
        assert number(world, "watchband_alerts_opened_total", watch="all", kind="value") == 1
        assert number(world, "watchband_alerts_open", watch="all", severity="critical") == 0
        assert number(world, "watchband_log_entries") == 3
        assert number(world, "watchband_delivery_latency_seconds_count", sink="chat") == 1
        inside = number(world, "watchband_watch_points_inside_total", watch="all")
        banded = number(world, "watchband_watch_points_banded_total", watch="all")
        assert 0.9 < inside / banded < 1
        series = {"watch": "all", "series": "cpu", "metric": "cpu"}
        assert number(world, "watchband_series_value", **series) == pytest.approx(batch(0, 200).readings[0].values[-1])
        assert number(world, "watchband_series_lower", **series) < number(world, "watchband_series_upper", **series)
        assert number(world, "process_resident_memory_bytes") > 0


def test_a_source_that_never_spoke_has_no_lag_and_is_not_zero() -> None:
    with World() as world:
        names = {name for name, _ in numbers(world)}
        assert "watchband_source_lag_seconds" not in names
        assert number(world, "watchband_source_state", source="push", kind="push", state="starting") == 1


def test_single_series_are_shown_up_to_a_limit() -> None:
    with World(server=ServerSettings(listen="127.0.0.1:0", export=("*",), export_max=2)) as world:
        for name in ("a", "b", "c"):
            push(world, 995, 5, name=name)
        shown = [labels for name, labels in numbers(world) if name == "watchband_series_value"]
        assert (len(shown), number(world, "watchband_series_left_out")) == (2, 1)


def test_openmetrics_for_whoever_asks() -> None:
    with World() as world:
        push(world, 0, 10)
        answer = world.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert any(f.name == "watchband_build" for f in openmetrics(answer.text))


def test_promtool_finds_nothing_wrong_with_the_metrics() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "This test needs promtool: apt-get install prometheus"
    with World(sinks={"chat": ListSinkSettings()}, server=ServerSettings(listen="127.0.0.1:0", export=("*",))) as world:
        push(world, 0, 200, spike=150)
        until(lambda: number(world, "watchband_deliveries_total", sink="chat", outcome="delivered") >= 1)
        page = world.client.get("/metrics").content
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_what_nobody_serves_is_counted_as_one() -> None:
    with World() as world:
        for path in ("/a", "/b", "/c"):
            answer = world.client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert world.client.get("/api/v1/points").status_code == 405
        assert number(world, "watchband_http_requests_total", route="other", status="404") == 3


def test_readiness_says_why_not() -> None:
    script = Script([batch(0, 10, history=True)])
    with World(starts=False, sources={"prom": ScriptSettings(script)}) as world:
        assert world.client.get("/readyz").json() == {"ready": False, "reasons": ["starting"]}
        assert world.client.get("/healthz").status_code == 200
        world.service.start()
        until(lambda: world.service.inflow.pumps["prom"].health.batches == 1)
        answer = world.client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["source prom is backfilling"])
        world.service.inflow.pumps["prom"].health.took(batch(10, 10), 10, START)
        assert world.client.get("/readyz").status_code == 200
        world.service.engine.trouble = "the disk is full"
        assert world.client.get("/readyz").json()["reasons"] == ["the last entry could not be kept: the disk is full"]
        assert number(world, "watchband_store_up") == 0


class Failing(MemoryStore):
    """A store that does not take what it should, as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[Exception] = []
        self.leads = True
        self.asked = threading.Event()

    def commit(self, commit: Commit) -> None:
        if self.errors:
            raise self.errors.pop(0)
        super().commit(commit)

    def lead(self, timeout: float = 0.0) -> bool:
        self.asked.set()
        return self.leads


def test_a_store_that_fails_is_tried_again_and_the_sender_waits() -> None:
    store = Failing()
    store.errors = [TransientError("the disk is full")]
    with World(store=KeptStore(store)) as world:
        push(world, 0, 10)
        assert (number(world, "watchband_engine_retries_total"), number(world, "watchband_store_up")) == (1, 1)


def test_a_process_that_was_overtaken_stands_by_and_takes_over_again() -> None:
    store = Failing()
    with World(store=KeptStore(store)) as world:
        push(world, 0, 152, spike=150)
        (alert,) = world.service.book.open()
        store.errors, store.leads = [FencedError("another process leads")], False
        point = {"series": "cpu", "time": "2024-01-01T10:00:00Z", "value": 1}
        answer = world.client.post("/api/v1/points", json=point)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        until(lambda: world.service.engine.standby)
        assert world.client.get("/readyz").json()["reasons"] == ["standing by: another process leads"]
        assert world.client.post("/api/v1/points", json=point).status_code == 503
        # What the other process does meanwhile is restored.
        closed = replace(alert, closed=alert.opened + 10 * MINUTE)
        MemoryStore.commit(store, Commit("main", store.head("main") + 1, batch(152, 5).readings, alerts=[closed]))
        store.leads = True
        until(lambda: not world.service.engine.standby)
        assert world.client.post("/api/v1/points", json=point).status_code == 200
        shard = world.service.engine.shard
        assert shard is not None
        assert shard.lanes["all"].state.prepare.points_seen.sum() == 158
        assert world.service.book.open() == []


def test_a_standby_starts_when_it_leads() -> None:
    store = Failing()
    store.leads = False
    with World(store=KeptStore(store), starts=False, clock=HandClock()) as world:
        starting = threading.Thread(target=world.service.start)
        starting.start()
        until(lambda: world.service.phase == "standby")
        assert world.client.get("/readyz").json()["reasons"] == ["standing by: another process leads"]
        assert world.client.get("/metrics").status_code == 200
        store.leads = True
        starting.join(10)
        assert world.client.get("/readyz").status_code == 200


def test_reload_over_http() -> None:
    found: list[Config | Exception] = []

    def read() -> Config:
        given = found.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    with World() as world:
        world.service.reloader.read = read
        more = config(store=world.store, watches={"all": watch(), "more": watch(match=("cpu",))})
        found += [ConfigError("w.yaml:2:1: Unknown key 'wathces'."), replace(more, hash="abc")]
        answer = world.client.post("/-/reload")
        assert (answer.status_code, "w.yaml:2:1" in answer.json()["detail"]) == (400, True)
        assert number(world, "watchband_config_last_reload_successful") == 0
        assert number(world, "watchband_config_reloads_total", outcome="failure") == 1
        assert "wathces" in world.client.get("/api/v1/status").json()["config"]["last_error"]
        answer = world.client.post("/-/reload")
        assert answer.json() == {"hash": "abc", "changed": {"watches": ["+more"]}, "restart_needed": []}
        assert number(world, "watchband_config_last_reload_successful") == 1


def test_status_says_what_learns_and_until_when() -> None:
    with World(watches={"all": watch(cutoff=None, budget="1/week", detector="light")}) as world:
        world.clock.time = START + 12 * MINUTE
        push(world, 0, 10)
        status = world.client.get("/api/v1/status").json()
        (found,) = status["watches"]
        assert status["states"] == {"OK": 0, "ALARM": 0, "INSUFFICIENT_DATA": 1, "NO_DATA": 0}
        assert (found["series"], found["learning"], found["states"]) == (1, 1, status["states"])
        learner = found["learning_series"][0]
        assert learner["series"] == "cpu"
        assert learner["points_left"] > 0
        assert found["nominal_coverage"] is None
        push(world, 10, 60)
        assert number(world, "watchband_watch_band_nominal_ratio", watch="all") == pytest.approx(1 - 60 / 604_800)
        assert learner["ready"] > status["now"]


def test_status_says_why_a_series_did_not_alert() -> None:
    with World(
        sources={"push": PushSettings()}, watches={"all": watch(consecutive=3), "low": watch(direction="below")}
    ) as world:
        push(world, 0, 151, spike=150)
        found = world.client.get("/api/v1/status/series", params={"series": "cpu", "points": 3}).json()
        reasons = {s["watch"]: " ".join(s["reasons"]) for s in found["series"]}
        assert "1 of 3 consecutive points are beyond the limit" in reasons["all"]
        assert "on the side that is not watched" in reasons["low"]
        assert [len(s["points"]) for s in found["series"]] == [3, 3]
        assert found["series"][0]["state"] == "OK"
        assert found["series"][0]["age_seconds"] == 850 * 60
        again = world.client.get("/api/v1/status/series", params={"match": '{__name__="cpu"}', "limit": 1}).json()
        assert (len(again["series"]), again["total"]) == (1, 2)
        assert world.client.get("/api/v1/status/series", params={"series": "mem"}).json() == {"series": [], "total": 0}
        assert world.client.get("/api/v1/status/series", params={"series": "cpu{"}).status_code == 400
        assert world.client.get("/api/v1/status/series", params={"limit": 0}).status_code == 400


def test_alerts_are_listed_newest_first() -> None:
    with World() as world:
        push(world, 0, 200, spike=50)
        push(world, 200, 200, spike=300)
        push(world, 400, 52, spike=451)
        found = world.client.get("/api/v1/status/alerts").json()
        assert [a["opened"] for a in found["alerts"]] == sorted((a["opened"] for a in found["alerts"]), reverse=True)
        assert found["total"] == 3
        assert world.client.get("/api/v1/status/alerts", params={"open": True}).json()["total"] == 1
        assert world.client.get("/api/v1/status/alerts", params={"watch": "none"}).json()["total"] == 0


def test_expressions_are_kept_and_say_what_they_left_out() -> None:
    with World(expressions={"ratio": "errors / requests", "twice": "errors * 2"}) as world:
        push(world, 0, 3, name="errors")
        push(world, 1, 1, name="errors")
        assert number(world, "watchband_expression_readings_waiting") == 3
        # Both expressions read the series.
        assert number(world, "watchband_expression_readings_left_out_total", reason="late") == 2
        push(world, 0, 3, name="requests")
        assert number(world, "watchband_expression_readings_waiting") == 0
        kept = world.kept()
        assert kept["ratio"] == [1, 1, 1]
        assert kept["twice"] == [2 * value for value in batch(0, 3).readings[0].values.tolist()]
