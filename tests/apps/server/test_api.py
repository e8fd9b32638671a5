"""The API of the dashboard, over a real socket: what was pushed is seen, filtered, paged, previewed and streamed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.apps.server.world import World
from tests.apps.service.worlds import batch, watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, START

RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three series of three hours; two spike at the end, one an hour before."""
    budgeted = watch(detector="ewma", cutoff=None, budget="1/week")
    with World(watches={"all": budgeted}) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        world.clock.time = START + 2000 * MINUTE
        for name, spike in (
            ('cpu{host="a",zone="x"}', 1998),
            ('cpu{host="b",zone="x"}', 1998),
            ('disk{host="c"}', 1900),
        ):
            push(world, 0, 2000, name, spike)
        yield world


def push(
    world: World,
    first: int,
    count: int,
    name: str,
    spike: int | None = None,
    *,
    start: int = START,
    noise: float = 0.0,
) -> None:
    """Push readings, the first at ``start``, and wait until all that follows from them is done."""
    plain = batch(first, count, spike=spike).readings
    spread = np.random.default_rng(len(name)).normal(0, noise, count)
    moved = [
        replace(r, key=SeriesKey.parse(name), times=r.times - START + start, values=r.values + spread) for r in plain
    ]
    world.service.offer("push", moved).result(10)
    world.service.engine.call(lambda: None).result(10)


def get(world: World, path: str, **query: Any) -> Any:
    answer = world.client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_series_are_found_by_text_label_state_and_range(world: World) -> None:
    everything = get(world, "series")
    assert (everything["total"], everything["next"]) == (3, None)
    assert [row["series"] for row in everything["data"]] == sorted(row["series"] for row in everything["data"])
    for query, expected in (
        ({"match": '{zone="x"}'}, 2),
        ({"text": ["CPU", 'host="a']}, 1),
        ({"state": ["ALARM"]}, 2),
        ({"state": ["OK", "ALARM"]}, 3),
        ({"score_min": 1}, 2),
        ({"score_max": 1}, 1),
        ({"watch": ["none"]}, 0),
    ):
        assert get(world, "series", **query)["total"] == expected, query
    hottest = get(world, "series", sort="-score", limit=1, spark="6h")["data"][0]
    assert hottest["anomaly_score"] > 1
    assert hottest["y"] > hottest["yhat_upper"]
    assert len(hottest["spark"]["times_ms"]) == len(hottest["spark"]["y"]) > 10


def test_pages_go_on_behind_the_last_item(world: World) -> None:
    seen, cursor = [], None
    for _ in range(3):
        page = get(world, "series", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [row["series"] for row in page["data"]]
        cursor = page["next"]
    assert cursor is None
    assert seen == [row["series"] for row in get(world, "series")["data"]]


def test_points_of_a_series_with_their_band(world: World) -> None:
    key = 'cpu{host="a",zone="x"}'
    raw = get(world, "series/points", series=key)
    assert raw["resolution"] == "raw"
    assert raw["times_ms"] == [(START + k * MINUTE) // 10**6 for k in range(2000)]
    assert {len(raw[c]) for c in ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")} == {2000}
    hours = get(world, "series/points", series=key, max_points=100)
    assert hours["resolution"] == "hourly"
    assert 30 < len(hours["times_ms"]) < 40
    # The spike outlives the roll-up.
    assert max(hours["y"]) > 45
    part = get(world, "series/points", series=key, **{"from": "2025-01-01T00:00:00Z", "to": "2025-01-01T00:01:00Z"})
    assert part["times_ms"] == []


def test_alerts_that_overlap_and_share_a_label_are_one_incident(world: World) -> None:
    opened = get(world, "incidents", state="open", spark="6h")
    assert opened["total"] == 1
    incident = opened["data"][0]
    assert (incident["series"], incident["title"]) == (2, "2 series of x are outside their bands")
    assert incident["closed"] is None
    assert incident["worst"]["spark"]["y"]
    assert [a["series"] for a in incident["alerts"]] == ['cpu{host="a",zone="x"}', 'cpu{host="b",zone="x"}']
    by_alert = get(world, f"incidents/{incident['alerts'][1]['id']}")
    assert by_alert["id"] == incident["id"]
    closed = get(world, "incidents", state="closed")["data"]
    assert "disk" in {a["metric"] for i in closed for a in i["alerts"]}
    alerts = get(world, "alerts", series='disk{host="c"}', severity=["critical", "warning", "info"])
    assert alerts["total"] >= 1
    assert all(a["closed"] for a in alerts["data"])


def test_the_fleet_says_who_is_hot_in_an_order_of_its_own(world: World) -> None:
    fleet = get(world, "fleet")
    assert sum(group["count"] for group in fleet["groups"]) == len(fleet["scores"]) == len(fleet["states"]) == 3
    assert sum(score > 1 for score in fleet["scores"]) == 2
    assert fleet["history"][-1]["outside"] == 2
    assert get(world, "fleet")["groups"] == fleet["groups"]
    summary = get(world, "summary")
    assert (summary["series"], summary["outside"], summary["budget_week"]) == (3, 2, 3.0)
    sources = get(world, "sources")["data"]
    assert {s["name"]: s["state"] for s in sources} == {"push": "on time", "remote_write": "waiting"}


def test_another_budget_is_counted_on_kept_scores(world: World) -> None:
    assert [w["budget"] for w in get(world, "watches")["data"]] == ["1/week"]
    found = get(world, "watches/all/preview", budget="12/day", period="30d")
    assert (found["series"], found["looked_at"]) == (3, 3)
    counts = [stop["alerts"] for stop in found["stops"]]
    assert counts == sorted(counts)
    assert found["in_force"]["alerts"] == next(s["alerts"] for s in found["stops"] if s["budget"] == "1/week")
    assert found["in_force"]["alerts"] == get(world, "alerts")["total"]
    assert found["asked"]["alerts"] == len(found["asked"]["list"])
    patient = get(world, "watches/all/preview", period="30d", consecutive=100)
    assert patient["asked"]["alerts"] == 0


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("series", {"match": "{"}, 400, "selector"),
        ("series", {"cursor": "nonsense"}, 400, "cursor"),
        ("series", {"limit": 0}, 400, "limit"),
        ("series", {"score_min": "nan"}, 400, "number"),
        ("series", {"spark": "soon"}, 400, "spark"),
        ("series/points", {"series": "cpu{"}, 400, "series"),
        ("series/points", {"series": "cpu", "from": "yesterday"}, 400, "from"),
        ("incidents/none", {}, 404, "No incident"),
        ("watches/none/preview", {}, 400, "Known: all"),
        ("watches/all/preview", {"budget": "cutoff:3"}, 400, "budget"),
    ],
)
def test_errors_are_problems_that_say_what(
    world: World, path: str, query: dict[str, Any], status: int, said: str
) -> None:
    answer = world.client.get(f"/api/v1/{path}", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


def test_changes_are_streamed_and_resumed(world: World) -> None:
    def events(mark: str | None, most: int, then: Any = lambda: None) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        current: dict[str, str] = {}
        headers = {"Last-Event-ID": mark} if mark else {}
        with httpx.stream("GET", f"{world.web.url}/api/v1/stream", headers=headers, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            threading.Timer(0.1, then).start()
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name:
                    current[name] = value
                elif current.get("event"):
                    found.append((current["event"], current["id"]))
                    assert json.loads(current["data"]) == {}
                    current = {}
                    if len(found) == most:
                        break
        return found

    first = events(None, 2, lambda: push(world, 2000, 1, 'disk{host="c"}'))
    assert {kind for kind, _ in first} == {"series", "sources"}
    mark = first[-1][1]
    push(world, 2001, 1, 'disk{host="c"}')
    assert {kind for kind, _ in events(mark, 2)} == {"series", "sources"}
    # Another process knows nothing of the mark: everything may have changed.
    assert {kind for kind, _ in events("other-3", 4)} == {"alerts", "series", "sources", "configuration"}


def test_pages_are_served_under_a_strict_policy(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchband.apps.server import dashboard

    monkeypatch.setattr(dashboard, "STATIC", tmp_path)
    assert "make web" in world.client.get("/explore").json()["detail"]
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Watchband</title>")
    (tmp_path / "assets" / "index-1.js").write_text("1")
    for path in ("/", "/now", "/explore", "/incident", "/settings"):
        answer = world.client.get(path)
        assert answer.status_code == 200
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    link = world.client.get("/alerts/0123456789abcdef")
    assert (link.status_code, link.headers["location"]) == (307, "../incident?id=0123456789abcdef")
    script = world.client.get("/assets/index-1.js")
    assert (script.headers["content-type"].split(";")[0], "immutable" in script.headers["cache-control"]) == (
        "text/javascript",
        True,
    )
    for path in ("/assets/../index.html", "/assets/%2e%2e%2findex.html", "/assets/none.js", "/other"):
        assert world.client.get(path).status_code == 404


OWN = {"x-watchband": "1"}


def act(world: World, path: str, body: Any = None, **headers: str) -> httpx.Response:
    host = world.web.address
    return world.client.post(f"/api/v1/{path}", json=body or {}, headers={"origin": f"http://{host}", **OWN, **headers})


def test_what_people_do_about_an_incident_is_kept_with_who_did_it(world: World) -> None:
    incident = get(world, "incidents", state="open")["data"][0]
    assert (incident["acknowledged"], incident["notes"]) == (None, [])
    member = incident["alerts"][1]["id"]
    assert act(world, f"incidents/{member}/acknowledge").status_code == 200
    assert act(world, f"incidents/{incident['id']}/notes", {"text": "the <b>disk</b>"}).status_code == 200
    found = act(world, f"incidents/{incident['id']}/snooze", {"minutes": 30}).json()
    assert found["acknowledged"]["by"] == "local"
    assert found["snoozed_until"] is not None
    assert [n["text"] for n in found["notes"]] == ["the <b>disk</b>"]
    assert get(world, f"incidents/{incident['id']}")["notes"] == found["notes"]
    audit = get(world, "audit")["data"]
    assert [(a["deed"], a["target"]) for a in audit[:3]] == [
        ("snooze", incident["id"]),
        ("note", incident["id"]),
        ("acknowledge", incident["id"]),
    ]
    # It is the store that remembers, not the process.
    assert [a.deed for a in world.store.store.acts()] == ["acknowledge", "note", "snooze"]
    assert act(world, f"incidents/{incident['id']}/unacknowledge").json()["acknowledged"] is None


def test_pages_of_others_change_nothing(world: World) -> None:
    path = f"incidents/{get(world, 'incidents', state='open')['data'][0]['id']}/acknowledge"
    before = get(world, "audit")["total"]
    for headers in (
        {"origin": "https://evil.example"},
        {"x-watchband": ""},
        {"origin": "http://evil.example:80", "host": "evil.example:80"},
        {"origin": "null"},
    ):
        answer = act(world, path, **headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json"), headers
    assert get(world, "audit")["total"] == before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("incidents/none/acknowledge", {}, 404),
        ("incidents/none/snooze", {"minutes": 0}, 400),
        ("incidents/none/snooze", {"minutes": 1e9}, 400),
        ("incidents/none/notes", {"text": ""}, 400),
        ("incidents/none/notes", {"text": "x" * 4001}, 400),
        ("incidents/none/notes", {"text": "x", "by": "somebody else"}, 400),
    ],
)
def test_acts_that_make_no_sense_are_refused(world: World, path: str, body: dict[str, Any], status: int) -> None:
    assert act(world, path, body).status_code == status
