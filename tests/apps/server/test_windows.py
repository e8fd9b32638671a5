"""Windows and deploys made by people, over a real socket: planned, in force, ended, kept, previewed, drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock, KeptStore, watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.service.status import instant
from watchband.core.duration import DAY, HOUR
from watchband.core.events import WindowClosed, WindowOpened
from watchband.testing.streams import MINUTE, START

NOW = START + 200 * MINUTE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two series of two hundred minutes, calm so far."""
    with World(clock=HandClock(NOW)) as world:
        world.service.scores = ScoreBook(tmp_path)
        for host in ("a", "b"):
            push(world, 0, 200, f'cpu{{host="{host}"}}')
        yield world


def ask(world: World, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = world.client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def plan(world: World, **body: Any) -> Any:
    return ask(world, "POST", "windows", {"name": "upgrade", "duration": "1h", **body})


def spike(world: World, host: str, first: int, moved: bool = True) -> None:
    """Ten readings of which the last five are far outside."""
    if moved:
        world.clock.time = START + (first + 10) * MINUTE
    push(world, first, 10, f'cpu{{host="{host}"}}', first + 5)


def events(world: World) -> list[Any]:
    return [e for entry in world.store.store.log("main", 0) for e in entry.events]


def test_a_window_mutes_what_it_names_and_nothing_else(world: World) -> None:
    made = plan(world, series='cpu{host="a"}', text="new kernel")
    assert (made["state"], made["start"], made["end"]) == ("active", instant(NOW), instant(NOW + HOUR))
    assert made["origin"] == {"kind": "person", "by": "local", "at": instant(NOW), "place": None}
    opened = [e for e in events(world) if isinstance(e, WindowOpened)]
    assert [(e.title, e.series, e.start, e.end) for e in opened] == [("upgrade", 'cpu{host="a"}', NOW, NOW + HOUR)]
    for host in ("a", "b"):
        spike(world, host, 200)
    assert [a["labels"]["host"] for a in get(world, "alerts")["data"]] == ["b"]
    assert get(world, "windows")["data"][0]["matching"] == 1
    why = world.client.get("/api/v1/status/series", params={"series": 'cpu{host="a"}'}).json()
    assert "Window 'upgrade' mutes it." in str(why)


def test_an_early_end_lets_alerts_through_again(world: World) -> None:
    made = plan(world)
    world.clock.time += 5 * MINUTE
    ended = ask(world, "POST", f"windows/{made['id']}/end")
    assert (ended["state"], ended["end"], ended["ended_early"]) == ("past", instant(NOW + 5 * MINUTE), True)
    assert [e.time for e in events(world) if isinstance(e, WindowClosed)] == [NOW + 5 * MINUTE]
    spike(world, "a", 205)
    assert get(world, "alerts")["total"] == 1
    said = ask(world, "POST", f"windows/{made['id']}/end", status=400)
    assert "is not open now" in said["detail"]


def test_a_chart_shows_a_window_from_when_it_was_asked_for(world: World) -> None:
    made = plan(world, start=instant(NOW - HOUR), duration="2h")
    assert made["start"] == instant(NOW - HOUR)
    span = get(world, "windows/spans", series='cpu{host="a"}')["windows"][0]
    assert (span["start"], span["end"]) == (instant(NOW), instant(NOW + HOUR))


def test_what_is_to_come_is_changed_and_deleted(world: World) -> None:
    made = plan(world, start=instant(NOW + HOUR))
    assert (made["state"], made["can"]) == ("coming", ["change", "delete"])
    moved = ask(world, "PATCH", f"windows/{made['id']}", {"start": instant(NOW + 2 * HOUR), "duration": "30m"})
    assert (moved["start"], moved["seconds"]) == (instant(NOW + 2 * HOUR), 1800)
    lane = world.service.engine.shard.lanes["all"]  # type: ignore[union-attr]
    coming = [(w.start, w.end) for w in lane.state.upstream.windows.events() if w.end > w.start]
    assert coming == [(NOW + 2 * HOUR, NOW + 2 * HOUR + 30 * MINUTE)]
    assert ask(world, "DELETE", f"windows/{made['id']}") == {"id": made["id"]}
    assert not [w for w in lane.state.upstream.windows.events() if w.end > w.start]
    ask(world, "GET", f"windows/{made['id']}", status=404)
    audit = get(world, "audit")["data"]
    assert [a["deed"] for a in audit] == ["window"] * 3
    assert audit[-1]["text"] == f"made 'upgrade': mute *, {instant(NOW + HOUR)} for 1h"


def test_one_that_is_open_is_made_longer_and_shorter_but_not_begun_otherwise(world: World) -> None:
    made = plan(world)
    world.clock.time += 10 * MINUTE
    longer = ask(world, "PATCH", f"windows/{made['id']}", {"duration": "2h", "name": "the upgrade"})
    assert (longer["end"], longer["name"]) == (instant(NOW + 2 * HOUR), "the upgrade")
    ask(world, "PATCH", f"windows/{made['id']}", {"end": instant(NOW + 20 * MINUTE)})
    lane = world.service.engine.shard.lanes["all"]  # type: ignore[union-attr]
    assert [w.end for w in lane.state.upstream.windows.events()] == [NOW + 20 * MINUTE]
    said = ask(world, "PATCH", f"windows/{made['id']}", {"start": instant(NOW + HOUR), "duration": "1h"}, 400)
    assert "when it begins cannot be changed" in said["detail"]


def test_what_comes_again_is_said_to_the_log_in_time(world: World) -> None:
    made = plan(
        world, start=instant(NOW + HOUR), days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], zone="Europe/Dublin"
    )
    assert made["repeat"]["zone"] == "Europe/Dublin"
    lane = world.service.engine.shard.lanes["all"]  # type: ignore[union-attr]
    starts = [w.start for w in lane.state.upstream.windows.events()]
    assert starts == [NOW + HOUR, NOW + HOUR + DAY]
    world.clock.time += DAY
    assert world.service.planning.tick() == 1
    world.service.engine.call(lambda: None).result(10)
    assert world.service.planning.tick() == 0
    # The one that is open ends, those to come stay.
    world.clock.time += HOUR + MINUTE
    ended = ask(world, "POST", f"windows/{made['id']}/end")
    assert (ended["state"], ended["start"]) == ("coming", instant(NOW + HOUR + 2 * DAY))


def test_a_restart_keeps_them_and_a_new_watch_knows_them(world: World) -> None:
    made = plan(world, series='cpu{host="a"}')
    world.service.stop(10)
    with World(store=KeptStore(world.store.store), clock=world.clock, watches={"other": watch()}) as again:
        assert [w["id"] for w in get(again, "windows")["data"]] == [made["id"]]
        spike(again, "a", 200)
        spike(again, "b", 200)
        assert [a["labels"]["host"] for a in get(again, "alerts", watch="other")["data"]] == ["b"]


def test_live_equals_replay_with_windows_of_people(world: World) -> None:
    made = plan(world, series='cpu{host="a"}', action="no_learn")
    spike(world, "a", 200)
    plan(world, action="expect", factor=3, duration="20m", name="campaign")
    spike(world, "b", 210)
    ask(world, "POST", f"windows/{made['id']}/end")
    plan(world, name="quiet", duration="5m", series='cpu{host="b"}')
    spike(world, "b", 220, moved=False)
    spike(world, "a", 220)
    live = world.service.engine.shard.lanes["all"]  # type: ignore[union-attr]
    again = world.service.runner.ahead(live.bound)
    assert again.lane.state.to_bytes() == live.state.to_bytes()
    told = {a.id: a for alerts in again.alerts for a in alerts}
    assert told == {a.id: a for a in world.store.store.alerts()}


def test_the_preview_counts_what_was_alerted_at_those_times(world: World) -> None:
    spike(world, "a", 200)
    # A week later, at the same time of the week.
    world.clock.time = START + 7 * DAY + 150 * MINUTE
    asked = {"start": instant(START + 7 * DAY + 3 * HOUR), "duration": "1h"}
    found = get(world, "windows/preview", **asked)
    assert (found["series"], found["alerts"], found["looked_at"]) == (2, 1, 2)
    last = found["spans"][-1]
    assert (last["start"], last["points"]) == (instant(START + 3 * HOUR), 50)
    assert last["outside"] >= 1
    assert found["held"][0]["series"] == 'cpu{host="a"}'
    assert get(world, "windows/preview", **asked, series='cpu{host="b"}')["alerts"] == 0
    factor = get(world, "windows/preview", **asked, action="expect", factor=10)["spans"][-1]
    assert factor["outside_then"] != factor["outside"]


def test_deploys_are_named_where_an_incident_followed(world: World) -> None:
    deploy = ask(
        world, "POST", "deploys", {"name": "checkout 4.2", "labels": {"commit": "1f3a"}, "series": '{host="a"}'}
    )
    world.clock.time += 4 * MINUTE
    ask(world, "POST", "deploys", {"name": "other", "series": '{host="b"}'})
    spike(world, "a", 200)
    incident = get(world, "incidents")["data"][0]
    assert [(d["name"], d["before_seconds"] > 0) for d in incident["deploys"]] == [("checkout 4.2", True)]
    spans = get(world, "windows/spans", series='cpu{host="a"}')
    assert [d["id"] for d in spans["deploys"]] == [deploy["id"]]
    assert get(world, "deploys")["data"][1]["labels"] == {"commit": "1f3a"}
    ask(world, "DELETE", f"deploys/{deploy['id']}")
    assert get(world, "incidents")["data"][0]["deploys"] == []


def test_a_deploy_can_let_its_series_off(world: World) -> None:
    made = ask(world, "POST", "deploys", {"name": "v2", "mute": "10m", "series": '{host="a"}'})
    assert [w["id"] for w in get(world, "windows")["data"]] == made["windows"]
    spike(world, "a", 200)
    assert get(world, "alerts")["total"] == 0


def test_spans_of_the_configuration_stand_in_the_list_and_on_charts() -> None:
    exclude = (f"{instant(NOW - HOUR)}/{instant(NOW + HOUR)}",)
    with World(clock=HandClock(NOW), watches={"all": watch(exclude=exclude)}) as world:
        one = get(world, "windows")["data"][0]
        assert (one["origin"]["kind"], one["origin"]["place"], one["can"]) == ("configuration", "test.yaml", [])
        assert (one["action"], one["state"]) == ("no_learn", "active")
        assert get(world, "windows/spans", series="cpu")["windows"][0]["start"] == instant(NOW - HOUR)


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"duration": None}, "either 'end' or 'duration'"),
    ({"series": "{"}, "'series'"),
    ({"zone": "Mars/Olympus"}, "'zone'"),
    ({"start": instant(NOW - DAY)}, "over already"),
    ({"days": ["mon"], "duration": "2d"}, "comes again"),
    ({"action": "expect"}, "'factor'"),
    ({"start": "tomorrow"}, "'start'"),
    ({"until": instant(NOW - 1)}, "'until'"),
    ({"name": "   "}, "name"),
    ({"colour": "red"}, "colour"),
]


def test_what_makes_no_sense_is_refused(world: World) -> None:
    for body, said in NONSENSE:
        given = {k: v for k, v in {"name": "x", "duration": "1h", **body}.items() if v is not None}
        assert said in ask(world, "POST", "windows", given, 400)["detail"]
    assert get(world, "windows")["total"] == 0
    assert not [e for e in events(world) if isinstance(e, WindowOpened)]
