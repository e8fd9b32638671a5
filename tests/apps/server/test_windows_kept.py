"""Windows of people over a restart, on the stores that last: they stand in the list and in force, and replay agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.test_windows import NOW, ask, plan, spike
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock
from tests.servers.postgres import Server
from watchband.adapters.stores.postgres.settings import PostgresSettings
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.service.status import instant
from watchband.core.duration import DAY, HOUR
from watchband.core.secret import Secret
from watchband.testing.streams import MINUTE


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        return SqliteSettings(path=str(tmp_path / "data"))
    server: Server = request.getfixturevalue("postgres")
    return PostgresSettings(url=server.database(), password=Secret(server.password))


def test_what_people_planned_outlives_the_process(settings: Any) -> None:
    clock = HandClock(NOW)
    with World(store=settings, clock=clock) as world:
        for host in ("a", "b"):
            push(world, 0, 200, f'cpu{{host="{host}"}}')
        muted = plan(world, series='cpu{host="a"}', duration="2h", text="naïve – ünïcode")
        nightly = plan(world, name="nightly", start=instant(NOW + HOUR), days=["mon", "thu"], zone="Europe/Dublin")
        deploy = ask(world, "POST", "deploys", {"name": "v2", "labels": {"commit": "1f3a"}})
        ended = plan(world, name="ended")
        ask(world, "POST", f"windows/{ended['id']}/end")
        before = get(world, "windows")["data"]
        world.service.engine.call(world.service.runner.save).result(10)
    with World(store=settings, clock=clock) as world:
        assert get(world, "windows")["data"] == before
        assert {w["id"] for w in before} == {muted["id"], nightly["id"], ended["id"]}
        assert get(world, "deploys")["data"][0]["id"] == deploy["id"]
        assert world.service.planning.tick() == 0, "the log has all of it"
        for host in ("a", "b"):
            spike(world, host, 200)
        assert [a["labels"]["host"] for a in get(world, "alerts")["data"]] == ["b"]
        live = world.service.engine.shard.lanes["all"]  # type: ignore[union-attr]
        assert world.service.runner.ahead(live.bound).lane.state.to_bytes() == live.state.to_bytes()
    clock.time += 3 * DAY + MINUTE
    with World(store=settings, clock=clock) as world:
        # It was away when the next ones were to be told: it told them as it came.
        world.service.engine.call(lambda: None).result(10)
        known = {
            w.name.partition("@")[0]
            for lane in world.service.engine.shard.lanes.values()  # type: ignore[union-attr]
            for w in lane.state.upstream.windows.events()
            if w.end > clock.time
        }
        wanted = {
            p.id
            for p in world.service.planning.plans()
            if p.action != "deploy" and list(p.occurrences(clock.time, clock.time + DAY))
        }
        assert known >= wanted


def test_what_another_process_planned_meanwhile_is_not_taken_back() -> None:
    with World(clock=HandClock(NOW)) as world:
        push(world, 0, 200, 'cpu{host="a"}')
        made = plan(world, duration="2h")
        planning = world.service.planning
        # As this one would stand behind a lead that it lost and won again: with what it knew before.
        stale = planning._plans.pop(made["id"])
        assert stale.id == made["id"]
        planning._stale = True
        assert planning.tick() == 0, "it reads first what is wanted"
        assert [w["state"] for w in get(world, "windows")["data"]] == ["active"]
        planning._plans.clear()
        world.service._restored()
        assert planning.tick() == 0
        assert [w["id"] for w in get(world, "windows")["data"]] == [made["id"]]
