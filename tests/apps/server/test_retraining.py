"""Retraining over HTTP: a challenger in shadow, the rule, promotion, refusal and rollback, kept through a restart."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import watchband as wb
from tests.apps.server.test_api import get
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock, watch
from tests.champions import readings as labelled
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.apps.service.trained import trained
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.ports import Readings
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.pipeline.lineage import fold_name
from watchband.testing.streams import START

KEYS = [SeriesKey("cpu_percent", {"host": f"h{i}"}) for i in range(12)]
STEP = 10 * MINUTE
A_DAY = DAY // STEP


def readings(first: int, count: int, spread: float = 1.0, outage: tuple[int, int] | None = None) -> list[Readings]:
    """Noise of twelve hosts, point by point the same however it is cut; the first has an outage."""
    at = np.arange(first, first + count)
    found = []
    for number, key in enumerate(KEYS):
        noise = np.array([np.random.default_rng([number, i]).normal() for i in at.tolist()])
        values = 50 + spread * noise
        if outage is not None and number == 0:
            values = values + np.where((at >= outage[0]) & (at < outage[1]), 60.0, 0.0)
        found.append(Readings(key, START + at * STEP, values))
    return found


def feed(world: World, first: int, count: int, **given: Any) -> None:
    for start in range(first, first + count, 72):
        some = min(72, first + count - start)
        world.clock.time = START + (start + some) * STEP
        world.service.offer("push", readings(start, some, **given)).result(60)
    world.service.engine.call(lambda: None).result(60)


def learned(world: World, **asked: Any) -> dict[str, Any]:
    """Start a challenger and wait until it stands in shadow."""
    answer = world.client.post("/api/v1/models/challengers", json={"watch": "all"} | asked)
    assert answer.status_code == 200, answer.text
    task = answer.json()["id"]
    wait(world, task)
    found = get(world, f"tasks/{task}")
    assert found["state"] == "done", found["error"]
    (one,) = get(world, "models/challengers", watch="all")["data"]
    return dict(one["challenger"])


RETRAIN = RetrainSettings(shadow=6 * DAY, approval="none")


def world_of(**given: Any) -> World:
    judged = watch(**{"detector": "ewma", "cutoff": None, "sigma": "2.2", "retrain": RETRAIN} | given)
    return World(watches={"all": judged}, clock=HandClock(START))


def events(world: World) -> list[tuple[str, int]]:
    return [(one["event"], one["model"]) for one in reversed(get(world, "models/events")["data"])]


def one_of(world: World) -> dict[str, Any]:
    (found,) = get(world, "models/challengers", watch="all")["data"]
    return dict(found)


OUTAGE = (4 * A_DAY, 4 * A_DAY + 12)


def test_a_quieter_challenger_is_promoted_by_the_rule_and_rolled_back() -> None:
    with world_of() as world:
        feed(world, 0, 3 * A_DAY)
        one = learned(world, sigma="5")
        assert (one["number"], one["rule"], one["outcome"]) == (1, "sigma:5.0", "waiting")
        feed(world, 3 * A_DAY, 2 * A_DAY, outage=OUTAGE)
        incident = next(i for i in get(world, "incidents")["data"] if i["worst"]["severity"] == "critical")
        assert world.client.post(f"/api/v1/incidents/{incident['id']}/acknowledge").status_code == 200
        assert world.service.retraining.tick() == 0
        feed(world, 5 * A_DAY, 5 * A_DAY)
        side = one_of(world)["challenger"]
        assert (side["outcome"], side["confirmed"], side["lost"]) == ("better", 1, [])
        assert side["challenger"]["false"] < 0.1 * side["champion"]["false"]
        assert side["spared"]["low"] > 0
        assert {a["by"] for a in side["alerts"]} <= {"both", "champion", "challenger"}
        before = world.service.runner.live().lanes["all"].state.copy()
        assert world.service.retraining.tick() == 1
        found = one_of(world)
        assert (found["champion"]["rule"], found["challenger"], found["former"]["number"]) == ("sigma:5.0", None, 0)
        assert get(world, "models")["data"][0]["rule"] == "sigma:5.0"
        answer = world.client.post("/api/v1/models/rollback", json={"watch": "all", "why": "too quiet"})
        assert (answer.status_code, answer.json()["model"]) == (200, 0)
        state = world.service.runner.live().lanes["all"].state
        assert all(state.stages[s].same_bits(before.stages[s]) for s in ("prepare", "detector", "calibrate"))
        assert events(world) == [("started", 1), ("promoted", 1), ("rolled back", 0)]
        deeds = [a["deed"] for a in get(world, "audit")["data"]]
        assert deeds[:3] == ["roll back", "promote", "acknowledge"]


def test_a_blind_challenger_is_refused_as_soon_as_it_misses_what_was_confirmed() -> None:
    with world_of() as world:
        feed(world, 0, 3 * A_DAY)
        learned(world, cutoff=1000)
        feed(world, 3 * A_DAY, 2 * A_DAY, outage=OUTAGE)
        assert world.service.retraining.tick() == 0
        incident = next(i for i in get(world, "incidents")["data"] if i["worst"]["severity"] == "critical")
        world.client.post(f"/api/v1/incidents/{incident['id']}/acknowledge")
        side = one_of(world)["challenger"]
        assert (side["outcome"], side["lost"]) == ("worse", [incident["id"]])
        assert world.service.retraining.tick() == 1
        assert events(world) == [("started", 1), ("refused", 1)]
        assert one_of(world)["challenger"] is None
        assert not world.service.runner.live().shadows.lanes


def test_drift_is_noticed_a_challenger_learns_the_new_normal_and_waits_for_approval() -> None:
    asked = RetrainSettings(on_drift=("values",), shadow=2 * DAY, history=2 * DAY)
    given = {"budget": "1/day", "sigma": None, "drift": True, "drift_every": 4 * HOUR, "retrain": asked}
    with world_of(**given) as world:
        feed(world, 0, 6 * A_DAY)
        assert world.service.retraining.tick() == 0
        feed(world, 6 * A_DAY, 3 * A_DAY, spread=3.0)
        assert get(world, "models")["data"][0]["drift"]["drifting"] > 0
        assert world.service.retraining.tick() == 1
        wait(world, world.service.retraining.learning("all"))
        assert get(world, "models/events")["data"][0]["why"].startswith("drift: ")
        feed(world, 9 * A_DAY, 3 * A_DAY, spread=3.0)
        assert one_of(world)["challenger"]["outcome"] != "waiting"
        answer = world.client.post("/api/v1/models/promote", json={"watch": "all", "model": 1})
        assert answer.status_code == 200
        # What is measured against what was is measured anew.
        assert get(world, "models")["data"][0]["drift"]["drifting"] == 0
        assert get(world, "models/history", watch="all", model=0)["step"] == "1d"


def wait(world: World, task: str | None) -> None:
    while task and get(world, f"tasks/{task}")["state"] in ("waiting", "running"):
        time.sleep(0.05)


def test_what_cannot_be_is_refused_with_a_reason() -> None:
    with world_of() as world:
        feed(world, 0, A_DAY)

        def refused(path: str, **body: Any) -> str:
            answer = world.client.post(f"/api/v1/models/{path}", json=body)
            assert answer.status_code in (400, 404, 422), answer.text
            return str(answer.json().get("detail"))

        assert "no watch 'nobody'" in refused("challengers", watch="nobody")
        assert "no challenger" in refused("promote", watch="all", model=1)
        assert "no former model" in refused("rollback", watch="all")
        assert "no model 7 in shadow" in refused("refuse", watch="all", model=7)
        assert "detector" in refused("challengers", watch="all", detector="no_such_detector")
        assert "Leave 'detector' out" in refused(
            "challengers", watch="all", detector="rolling_median", learned="cutoff"
        )
        learned(world, learned="cutoff")
        assert "has a challenger, model 1" in refused("challengers", watch="all")
        answer = world.client.post("/api/v1/models/refuse", json={"watch": "all", "model": 1, "why": "no need"})
        assert answer.status_code == 200
        assert events(world) == [("started", 1), ("refused", 1)]
        object.__setattr__(world.service.config.engine, "max_shadows", 0)
        assert "at most 0 may be" in refused("challengers", watch="all")


def test_only_the_cut_off_is_learned_anew_where_that_is_asked() -> None:
    with world_of(sigma="3,train=100") as world:
        feed(world, 0, 2 * A_DAY)
        assert learned(world, learned="cutoff")["number"] == 1
        shard = world.service.runner.live()
        ours, theirs = shard.lanes["all"].state, shard.shadows.lanes[fold_name("all", 1)].state
        feed(world, 2 * A_DAY, A_DAY)
        assert theirs.detector.same_bits(ours.detector)
        assert get(world, "models/events")["data"][0]["learned"] == "cutoff"


def test_the_schedule_starts_one_and_a_former_model_leaves_in_time() -> None:
    asked = RetrainSettings(every=2 * DAY, shadow=DAY, keep=DAY)
    with world_of(retrain=asked) as world:
        feed(world, 0, A_DAY)
        assert world.service.retraining.tick() == 0
        feed(world, A_DAY, 2 * A_DAY)
        assert world.service.retraining.tick() == 1
        wait(world, world.service.retraining.learning("all"))
        assert get(world, "models/events")["data"][0]["why"] == "schedule"
        world.client.post("/api/v1/models/promote", json={"watch": "all", "model": 1})
        feed(world, 3 * A_DAY, 2 * A_DAY)
        assert world.service.retraining.tick() >= 1
        assert ("over", 0) in events(world)


def test_a_restart_finds_the_models_as_they_were() -> None:
    with world_of() as world:
        feed(world, 0, 2 * A_DAY)
        learned(world, detector="rolling_median", sigma="4")
        feed(world, 2 * A_DAY, A_DAY)
        world.client.post("/api/v1/models/promote", json={"watch": "all", "model": 1})
        feed(world, 3 * A_DAY, A_DAY)
        before, store = one_of(world), world.store
    judged = watch(detector="ewma", cutoff=None, sigma="2.2", retrain=RETRAIN)
    with World(watches={"all": judged}, store=store, clock=HandClock(START + 4 * DAY)) as again:
        after = one_of(again)
        assert after["champion"] == before["champion"]
        assert after["former"] == before["former"]
        assert after["champion"]["detector"] == "rolling_median"


def test_a_trained_model_challenges_and_its_file_is_kept(tmp_path: Path) -> None:
    times, values, marks = labelled()
    asked: Any = {"candidates": "isolation_forest", "features": "value4", "trials": 2, "budget": "4/day"}
    wb.train((times, values), marks, metric="cpu", out=tmp_path / "model", **asked)
    with World(watches={"all": watch(retrain=RETRAIN)}, clock=HandClock(START + DAY)) as world:
        at = START + np.arange(1000) * MINUTE
        world.service.offer("push", [Readings(SeriesKey("cpu"), at, values[:1000])]).result(60)
        one = learned(world, model=str(tmp_path / "model"))
        assert (one["detector"], one["settings"]["budget"]) == ("isolation_forest", "4/1d")
        answer = world.client.post("/api/v1/models/promote", json={"watch": "all", "model": 1})
        assert answer.status_code == 200
        world.service.offer("push", [Readings(SeriesKey("cpu"), at + DAY, values[1000:2000])]).result(60)
        assert get(world, "models")["data"][0]["detector"].startswith("isolation_forest:")
        missing = world.client.post("/api/v1/models/challengers", json={"watch": "all", "model": str(tmp_path / "no")})
        assert missing.status_code == 404
    found = trained(str(tmp_path / "model"), SqliteSettings(path=str(tmp_path / "store")))
    assert f"model={tmp_path / 'store' / 'models'}" in found["detector"]
    assert len(list((tmp_path / "store" / "models").iterdir())) == 1


def test_a_model_file_of_the_machine_is_for_an_admin() -> None:
    server = ServerSettings(listen="127.0.0.1:0", tokens={"ann": TokenSettings(Secret("a-token-of-ann"), "operator")})
    with World(watches={"all": watch()}, clock=HandClock(START), server=server) as world:
        feed(world, 0, 10)
        for body in ({"model": "/etc"}, {"detector": "isolation_forest:model=/etc/passwd"}):
            answer = world.client.post(
                "/api/v1/models/challengers",
                json={"watch": "all", **body},
                headers={"Authorization": "Bearer a-token-of-ann"},
            )
            assert (answer.status_code, answer.json()["role"]) == (403, "admin")
