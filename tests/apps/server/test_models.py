"""Models over HTTP: what they keep of what they promise, drift, snapshots and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock, watch
from watchband.core.duration import HOUR, MINUTE
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Lane
from watchband.pipeline.replay import check
from watchband.testing.streams import START

CPU, DISK = (SeriesKey(f"{name}_percent", {"host": "a"}) for name in ("cpu", "disk"))
HOURS = 30


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    judged = watch(detector="ewma", cutoff=None, budget="1/week", drift_every=HOUR)
    with World(watches={"all": judged}, clock=HandClock(START + HOURS * HOUR)) as world:
        feed(world, 0, HOURS * 60)
        yield world


def feed(world: World, first: int, count: int, moved: float = 0.0) -> None:
    """Noise of two series; the second moves away from what it was after 25 hours."""
    times = START + (first + np.arange(count)) * MINUTE
    noise = np.random.default_rng([7, first]).normal(size=(2, count))
    late = np.where(first + np.arange(count) >= 25 * 60, 3.0, 0.0)
    readings = [Readings(CPU, times, 50 + noise[0] + moved), Readings(DISK, times, 50 + noise[1] + late)]
    world.service.offer("push", readings).result(30)
    world.service.engine.call(lambda: None).result(30)


def test_a_model_is_listed_with_what_it_promises_and_keeps(world: World) -> None:
    (model,) = get(world, "models")["data"]
    assert (model["watch"], model["detector"], model["rule"]) == ("all", "ewma", "budget:1/1w")
    assert (model["series"], model["points"], model["warming"], model["stopped"]) == (2, 2 * HOURS * 60, 0, None)
    assert (model["nominal"], model["over"]) == (0.95, "1w")
    # The disk is at another level for the last hours, and EWMA follows: the band holds most of what it should.
    assert 0.9 < model["coverage"] < 0.97
    assert model["judged"] > 3000
    assert model["promised_rate"] == pytest.approx(1 / (7 * 24 * 60), rel=1e-3)
    assert model["anomaly_rate"] == pytest.approx(model["anomalous"] / model["judged"])
    assert model["cutoff_low"] <= model["cutoff"] <= model["cutoff_high"]
    assert model["bytes"] == world.service.engine.shard.lanes["all"].state.nbytes  # type: ignore[union-attr]
    assert model["drift"]["every"] == "1h"


def test_history_has_cut_offs_with_limits_coverage_and_rate(world: World) -> None:
    found = get(world, "models/history", watch="all")
    assert (found["step"], found["series"]) == ("1d", None)
    hourly = get(world, "models/history", watch="all", **{"from": "2026-01-05T06:00:00Z", "to": "2026-01-05T20:00:00Z"})
    columns = ("times_ms", "cutoff", "cutoff_low", "cutoff_high", "coverage", "anomaly_rate", "promised_rate", "points")
    assert {len(hourly[name]) for name in columns} == {len(hourly["times_ms"])}
    assert hourly["step"] == "1h"
    one = get(world, "models/history", watch="all", series=str(CPU))
    assert one["step"] == "1h"
    assert len(one["times_ms"]) == HOURS - 1
    assert one["points"][5] == 60
    assert one["cutoff_low"][:7].count(None) >= 7
    assert one["cutoff_low"][-1] < one["cutoff"][-1] < one["cutoff_high"][-1]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("models/history", {"watch": "nobody"}, 404),
        ("models/history", {"watch": "all", "series": "nothing"}, 404),
        ("models/history", {"watch": "all", "series": "cpu{"}, 400),
        ("models/history", {"watch": "all", "from": "2026-01-06T00:00:00Z", "to": "2026-01-05T00:00:00Z"}, 400),
        ("models/history", {"watch": "all", "from": "yesterday"}, 400),
        ("drift", {"match": "{"}, 400),
        ("drift", {"cursor": "x"}, 400),
        ("drift", {"state": "sad"}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, path: str, query: dict[str, Any], status: int) -> None:
    answer = world.client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code in (status, 400 if status == 422 else status), answer.text
    assert answer.json()["detail"]


def test_drift_names_the_series_and_the_monitor(world: World) -> None:
    found = get(world, "drift")
    assert (found["total"], [row["state"] for row in found["data"]]) == (2, ["drifting", "steady"])
    disk, cpu = found["data"]
    assert (disk["series"], cpu["series"]) == (str(DISK), str(CPU))
    values = next(m for m in disk["monitors"] if m["monitor"] == "values")
    assert values["out"]
    assert values["reading"] > values["high"]
    assert not any(m["out"] for m in cpu["monitors"])
    assert cpu["since"] is None
    assert get(world, "drift", state="drifting")["total"] == 1
    assert get(world, "drift", match="cpu_percent")["data"][0]["series"] == str(CPU)
    first = get(world, "drift", limit=1)
    assert get(world, "drift", limit=1, cursor=first["next"])["data"][0]["series"] == str(CPU)
    (model,) = get(world, "models")["data"]
    assert (model["drift"]["drifting"], model["drift"]["monitors"]["values"]) == (1, 1)


def test_metrics_tell_of_models_a_watch_at_a_time(world: World) -> None:
    page = world.client.get("/metrics").text
    assert 'watchband_model_drifting_series{monitor="values",watch="all"} 1.0' in page
    assert 'watchband_model_coverage_nominal_ratio{watch="all"} 0.95' in page
    assert "watchband_fitted_model_bytes " in page
    assert "watchband_fitted_evictions_total " in page
    for name in ("coverage", "anomaly", "anomaly_promised"):
        assert f'watchband_model_{name}_ratio{{watch="all"}} ' in page, name
    assert 'watchband_model_cutoff{watch="all"}' in page
    assert str(CPU) not in page


def test_reverting_restores_the_bits_and_replay_agrees() -> None:
    judged = watch(detector="seasonal_band", cutoff=None, budget="1/week", drift_every=HOUR)
    with World(watches={"all": judged}, clock=HandClock(START + 20 * HOUR)) as world:
        service = world.service
        feed(world, 0, 600)
        service.engine.call(service.runner.save).result(30)
        then = learned(service.runner.live().lanes["all"])
        feed(world, 600, 300, moved=40.0)
        assert learned(service.runner.live().lanes["all"]) != then
        (kept,) = get(world, "snapshots")["data"]
        assert (kept["watch"], kept["usable"], kept["entries_since"] > 0) == ("all", True, True)
        counted = service.runner.live().lanes["all"].state.prepare.points_seen.tolist()
        body = {"watch": "all", "sequence": kept["sequence"]}
        done = world.client.post("/api/v1/snapshots/revert", json=body)
        assert done.status_code == 200, done.text
        assert done.json()["series"] == 2
        lane = service.runner.live().lanes["all"]
        assert learned(lane) == then
        assert lane.state.prepare.points_seen.tolist() == counted
        act = get(world, "audit")["data"][0]
        assert (act["deed"], act["target"]) == ("revert", "all")
        assert f"entry {kept['sequence']}" in act["text"]
        feed(world, 900, 60)
        live = service.runner.live().lanes["all"].state
        # The log from its beginning, the log from the oldest snapshot, and a restart: all of them go back too.
        replayed = service.runner.ahead(service.runner.bounds[0]).lane
        assert replayed.state.same_bits(live)
        service.engine.call(service.runner.save).result(30)
        assert check(service.runner.bounds[0], service.store, "main").same
        service.engine.call(service.runner.drop).result(30)
        assert service.engine.call(service.runner.live).result(30).lanes["all"].state.same_bits(live)


def learned(lane: Lane) -> tuple[bytes, bytes]:
    return lane.state.detector.to_bytes(), lane.state.calibrate.to_bytes()


def test_some_series_go_back_and_others_stay() -> None:
    judged = watch(detector="ewma", cutoff=None, budget="1/week")
    with World(watches={"all": judged}, clock=HandClock(START + 20 * HOUR)) as world:
        service = world.service
        feed(world, 0, 300)
        service.engine.call(service.runner.save).result(30)
        before = service.runner.live().lanes["all"].state.detector.copy()
        feed(world, 300, 300)
        now = service.runner.live().lanes["all"].state.detector.copy()
        push(world, 600, 5, "new_metric")
        sequence = get(world, "snapshots", watch="all")["data"][-1]["sequence"]
        body = {"watch": "all", "sequence": sequence, "series": "disk_percent"}
        assert world.client.post("/api/v1/snapshots/revert", json=body).json()["series"] == 1
        state = service.runner.live().lanes["all"].state
        cpu, disk, new = (state.rows[key] for key in (CPU, DISK, SeriesKey("new_metric")))
        assert state.detector.take([disk]).same_bits(before.take([disk]))
        assert state.detector.take([cpu]).same_bits(now.take([cpu]))
        assert state.detector.points_seen[new] == 5


def test_what_cannot_go_back_says_why(world: World) -> None:
    for body, status, word in (
        ({"watch": "nobody", "sequence": 1}, 404, "nobody"),
        ({"watch": "all", "sequence": 10**6}, 404, "no snapshot"),
        ({"watch": "all", "sequence": 1, "series": "cpu{"}, 400, "cpu{"),
        ({"watch": "all"}, 422, "sequence"),
    ):
        answer = world.client.post("/api/v1/snapshots/revert", json=body)
        assert answer.status_code in (status, 400 if status == 422 else status), answer.text
        assert word in answer.text


def test_approved_drift_is_the_new_reference() -> None:
    judged = watch(detector="ewma", cutoff=None, budget="1/week", drift_every=HOUR, drift_alert=True)
    with World(watches={"all": judged}, clock=HandClock(START + HOURS * HOUR)) as world:
        feed(world, 0, HOURS * 60)
        told = [a for a in get(world, "alerts")["data"] if a["kind"] == "drift"]
        assert [(a["series"], a["closed"], a["severity"]) for a in told] == [(str(DISK), None, "info")]
        assert "values" in told[0]["reason"]
        body = {"watch": "all", "series": "disk_percent"}
        assert world.client.post("/api/v1/drift/approve", json=body).json()["series"] == 1
        (alert,) = [a for a in get(world, "alerts")["data"] if a["kind"] == "drift"]
        assert alert["closed"] is not None
        row = next(r for r in get(world, "drift")["data"] if r["series"] == str(DISK))
        assert (row["state"], row["blocks_left"]) == ("learning", 16)
        assert get(world, "audit")["data"][0]["deed"] == "approve"
        live = world.service.runner.live().lanes["all"].state
        assert world.service.runner.ahead(world.service.runner.bounds[0]).lane.state.same_bits(live)
