"""Risk over the API: states of a fleet as its points stream, why, and that an alert of it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.server.risk_world import fill, risk_world
from tests.apps.server.world import World
from tools.risk_fleet import STRUCK, hosts


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with risk_world(tmp_path_factory.mktemp("risk")) as world:
        fill(world)
        yield world


def asked(world: World, path: str, status: int = 200, **given: Any) -> Any:
    answer = world.client.get(f"/api/v1/{path}", params=given)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_struck_hosts_are_critical_and_no_other(world: World) -> None:
    found = asked(world, "risk/entities", state="Critical")
    assert [e["entity"] for e in found["data"]] == list(STRUCK)
    one = found["data"][0]
    assert one["category"] in ("latency", "CPU bottleneck", "network saturation")
    assert "latency" in one["reason"]
    assert "(usual" in one["reason"]
    assert set(one["anomalies"]) >= {"latency"}
    assert one["known"]
    assert one["missing"] == []
    assert found["total"] == len(STRUCK)


def test_the_page_has_counts_ribbons_scatter_and_words(world: World) -> None:
    found = asked(world, "risk")
    counts = {row["state"]: row for row in found["counts"]}
    assert found["entities"] == found["judged"] == len(hosts())
    assert counts["Critical"]["entities"] == counts["Critical"]["change"] == 3
    assert counts["Idle"]["entities"] == 6
    assert sum(row["entities"] for row in found["counts"]) == len(hosts())
    assert [r["entity"] for r in found["ribbons"][:3]] == sorted(STRUCK)
    assert found["ribbons"][0]["spans"][-1][2] == "Critical"
    assert found["over_time"]["critical"][-1] == 3
    assert max(found["over_time"]["critical"][:100]) == 0
    assert len(found["scatter"]["points"]) == len(hosts())
    assert [row["state"] for row in found["heat"]["rows"]] == ["Idle", "Normal", "High Load", "Critical"]
    assert len(found["heat"]["rows"][0]["values"]) == len(found["heat"]["features"]) == 10
    assert found["critical"]["entities"] == 3
    assert found["fit"]["groups"] >= 4
    assert "latency +" in found["words"][3]["text"]


def test_an_alert_comes_by_the_ordinary_way_with_its_reason(world: World) -> None:
    alerts = asked(world, "alerts", watch="risk", state="open")["data"]
    assert {a["labels"]["host"] for a in alerts} == set(STRUCK)
    assert {a["severity"] for a in alerts} == {"critical"}
    assert "is Critical since" in alerts[0]["reason"]
    assert "Latency" in alerts[0]["reason"]
    # The other watch takes every series, and leaves the states to their own.
    assert not asked(world, "series", match="risk_state", watch="all")["data"]
    assert asked(world, "series", match="risk_state", watch="risk")["total"] == len(hosts())


def test_series_are_filtered_by_the_risk_of_their_entity(world: World) -> None:
    found = asked(world, "series", risk="Critical", watch="all", limit=100)
    assert {row["labels"]["host"] for row in found["data"]} == set(STRUCK)
    assert found["total"] == 10 * len(STRUCK)
    assert {row["risk"] for row in found["data"]} == {"Critical"}


def test_now_and_the_metrics_have_the_counts(world: World) -> None:
    summary = asked(world, "summary")
    assert summary["entities"] == len(hosts())
    assert {row["state"]: row["entities"] for row in summary["risk"]}["Critical"] == 3
    assert 'watchband_risk_entities{state="Critical"} 3.0' in world.client.get("/metrics").text


def test_what_cannot_be_asked_is_refused(world: World) -> None:
    assert "period" in asked(world, "risk", 400, period="5m")["detail"]
    asked(world, "risk/entities", 400, state="Angry")
    asked(world, "risk/entities", 400, cursor="nonsense")


def test_pages_of_entities_go_on_behind_the_last(world: World) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        found = asked(world, "risk/entities", limit=9, **({"cursor": cursor} if cursor else {}))
        seen += [e["entity"] for e in found["data"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == len(hosts())
    assert seen[:3] == list(STRUCK)


def test_without_a_model_it_says_how_to_make_one() -> None:
    with World() as world:
        found = asked(world, "risk")
        assert found == {
            "configured": False,
            "command": "watchband risk metrics.csv --by host --save risk.json",
            "setting": "risk: {model: risk.json}",
        }
        assert asked(world, "risk/entities")["data"] == []
        assert asked(world, "summary")["risk"] is None
