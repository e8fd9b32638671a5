"""Deliveries over the API: what waits, what was given up, how sinks do, and trying again, written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.server.test_api import act, get, push
from tests.apps.server.world import World
from tests.apps.service.test_service import until
from tests.apps.service.worlds import ListSinkSettings, watch
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.apps.service.status import instant
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError
from watchband.core.secret import Secret
from watchband.testing.streams import MINUTE, START

BROKEN = PermanentError("no such channel")
AWAY = TransientError("the pager does not answer", retry_after=90)


@pytest.fixture
def world() -> Iterator[World]:
    """One alert: the chat refuses its notice for good, the pager is away."""
    sinks = {"chat": ListSinkSettings(errors=[BROKEN]), "pager": ListSinkSettings(errors=[AWAY])}
    with World(sinks=sinks, watches={"all": watch(route=("chat", "pager"))}) as world:
        world.clock.time = START + 200 * MINUTE
        push(world, 0, 200, "cpu", 198)
        until(lambda: len(world.store.store.dead_letters()) == 1)
        until(lambda: world.service.courier.lanes["pager"].failures == 1)
        yield world


def test_what_is_not_delivered_is_listed_with_why_and_when_next(world: World) -> None:
    found = get(world, "deliveries")
    assert (found["total"], found["waiting"], found["dead"], found["next"]) == (2, 1, 1, None)
    dead, waiting = found["data"]
    assert (dead["state"], dead["sink"], dead["error"], dead["next_try"]) == ("dead", "chat", str(BROKEN), None)
    assert (waiting["state"], waiting["sink"], waiting["tries"]) == ("waiting", "pager", 1)
    assert waiting["error"] == str(AWAY)
    assert waiting["next_try"] == instant(world.clock.now() + 90 * SECOND)
    assert dead["alert"]["id"] == waiting["alert"]["id"] == get(world, "alerts")["data"][0]["id"]
    sinks = {s["name"]: s for s in found["sinks"]}
    assert (sinks["chat"]["state"], sinks["chat"]["dead"], sinks["chat"]["error"]) == ("refused", 1, str(BROKEN))
    assert (sinks["pager"]["state"], sinks["pager"]["waiting"], sinks["pager"]["error"]) == ("failing", 1, str(AWAY))
    assert sinks["pager"]["next_try"] == waiting["next_try"]
    assert sinks["chat"]["next_try"] is None


def test_they_are_chosen_and_paged(world: World) -> None:
    assert [d["sink"] for d in get(world, "deliveries", state="waiting")["data"]] == ["pager"]
    assert [d["state"] for d in get(world, "deliveries", sink="chat")["data"]] == ["dead"]
    assert get(world, "deliveries", sink="none")["total"] == 0
    first = get(world, "deliveries", limit=1)
    assert get(world, "deliveries", limit=1, cursor=first["next"])["data"][0]["sink"] == "pager"
    assert world.client.get("/api/v1/deliveries", params={"state": "lost"}).status_code == 400


def test_what_was_given_up_is_delivered_again_and_that_is_written_down(world: World) -> None:
    notice = get(world, "deliveries", state="dead")["data"][0]["id"]
    assert act(world, "deliveries/retry", {"ids": [notice], "sink": "pager"}).status_code == 404
    answer = act(world, "deliveries/retry", {"ids": [notice]})
    assert (answer.status_code, answer.json()) == (200, {"retried": 1})
    chat: Any = world.service.config.sinks["chat"]
    until(lambda: [n.id for n in chat.notices] == [notice])
    until(lambda: get(world, "deliveries")["dead"] == 0)
    assert {s["name"]: s["state"] for s in get(world, "deliveries")["sinks"]} == {"chat": "well", "pager": "failing"}
    written = get(world, "audit")["data"]
    assert [(a["deed"], a["by"], a["target"]) for a in written] == [("retry", "local", notice)]
    assert written[0]["text"] == f"1 of chat: {notice}"
    # Nothing is left to be tried again.
    assert act(world, "deliveries/retry", {}).status_code == 404


@pytest.mark.parametrize("body", [{"ids": []}, {"ids": ["x" * 201]}, {"all": True}, {"ids": "x"}])
def test_what_is_no_choice_is_refused(world: World, body: dict[str, Any]) -> None:
    assert act(world, "deliveries/retry", body).status_code == 400
    assert get(world, "deliveries")["dead"] == 1


def test_only_who_may_change_things_delivers_again() -> None:
    tokens = {"app": TokenSettings(Secret("app-token")), "ann": TokenSettings(Secret("ann-token"), "admin")}
    server = ServerSettings(listen="127.0.0.1:0", tokens=tokens)
    with World(sinks={"chat": ListSinkSettings()}, server=server) as world:
        for token, status in (("wrong", 401), ("app-token", 403), ("ann-token", 404)):
            answer = act(world, "deliveries/retry", {}, authorization=f"Bearer {token}")
            assert answer.status_code == status, token
        assert get(world, "deliveries")["sinks"][0]["state"] == "well"


def test_pages_of_others_deliver_nothing(world: World) -> None:
    assert act(world, "deliveries/retry", {}, origin="https://evil.example").status_code == 403
    assert get(world, "deliveries")["dead"] == 1
