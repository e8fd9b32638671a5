"""The configuration over the API: every value with its origin, no secret, what waits for a restart, reloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.apps.server.test_api import act, get
from tests.apps.server.world import World
from watchband.apps.config.config import read_config
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.secret import Secret

TEXT = """\
sources:
  push: {}
expressions:
  double: cpu * 2
watches:
  web:
    match: 'cpu{env="prod"}'
    detector: ewma
    budget: 1/week
    route: [hook]
sinks:
  hook:
    kind: webhook
    url: ${HOOK}
    authorization: hunter2-in-clear
engine:
  drain: 12s
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A service that was reloaded from a file."""
    file = tmp_path / "watchband.yaml"
    file.write_text(TEXT)
    with World() as world:
        store, server = world.service.config.store, world.service.config.server

        def read() -> Any:
            found = read_config(file, {"HOOK": "https://hooks.example/T0/very-secret-path"})
            return replace(found, store=store, server=server)

        world.service.reloader.read = read
        answer = world.client.post("/-/reload")
        assert answer.status_code == 200, answer.text
        yield world


def values(found: dict[str, Any], section: str, name: str | None = None) -> dict[str, tuple[str | None, str]]:
    part = next(s for s in found["sections"] if s["name"] == section)
    entry = next(e for e in part["entries"] if e["name"] == name)
    return {v["key"]: (v["value"], v["from"].rpartition("/")[2]) for v in entry["values"]}


def test_every_value_says_where_it_comes_from(world: World) -> None:
    found = get(world, "config")
    web = values(found, "watches", "web")
    assert web["detector"] == ("ewma", "watchband.yaml:8:5")
    assert web["budget"] == ("1/week", "watchband.yaml:9:5")
    assert web["route"] == ("[hook]", "watchband.yaml:10:5")
    assert web["consecutive"][1] == "default"
    assert values(found, "sources", "push")["kind"] == ("push", "watchband.yaml:2:3")
    assert values(found, "expressions")["double"] == ("cpu * 2", "watchband.yaml:4:3")
    engine = values(found, "engine")
    assert engine["drain"] == ("12s", "watchband.yaml:17:3")
    assert engine["idle"] == ("2w", "default")
    assert [s["name"] for s in found["sections"]][:3] == ["sources", "relabel", "expressions"]
    assert found["path"].endswith("watchband.yaml")
    assert len(found["hash"]) == 16


def test_no_secret_and_nothing_of_the_environment_is_shown(world: World) -> None:
    text = world.client.get("/api/v1/config").text
    assert "hunter2" not in text
    assert "very-secret-path" not in text
    hook = values(get(world, "config"), "sinks", "hook")
    assert hook["authorization"] == ("(secret)", "watchband.yaml:15:5")
    assert hook["url"] == ("(from the environment)", "watchband.yaml:14:5")


def test_what_waits_for_a_restart_and_what_a_reload_did_is_said(world: World, tmp_path: Path) -> None:
    found = get(world, "config")
    assert (found["reloads"], found["failed_reloads"], found["last_error"]) == (1, 0, None)
    assert found["restart_needed"] == ["engine"]
    assert [s["name"] for s in found["sections"] if s["waits"]] == ["engine"]
    (tmp_path / "watchband.yaml").write_text(TEXT.replace("detector: ewma", "detector: emwa"))
    refused = world.client.post("/-/reload")
    assert refused.status_code == 400
    found = get(world, "config")
    assert (found["reloads"], found["failed_reloads"]) == (1, 1)
    assert "watchband.yaml:8" in found["last_error"]
    assert values(found, "watches", "web")["detector"][0] == "ewma"
    refusal, first = get(world, "audit")["data"]
    assert (refusal["deed"], refusal["by"], first["deed"]) == ("reload", "local", "reload")
    assert refusal["text"].startswith("refused: ")
    assert "+web" in first["text"]
    assert "waits for a restart: engine" in first["text"]


def test_a_reload_is_news(world: World) -> None:
    mark = world.service.changes.mark
    world.client.post("/-/reload")
    assert world.service.changes.since(mark) == ["configuration"]


def test_who_has_no_token_sees_no_configuration() -> None:
    tokens = {"app": TokenSettings(Secret("app-token"), "operator")}
    with World(server=ServerSettings(listen="127.0.0.1:0", tokens=tokens)) as world:
        assert world.client.get("/api/v1/config").status_code == 401
        answer = world.client.get("/api/v1/config", headers={"authorization": "Bearer app-token"})
        assert answer.status_code == 200
        assert "app-token" not in answer.text
        server = values(answer.json(), "server")
        assert server["tokens.app.token"][0] == "(secret)"


def test_pages_of_others_see_and_reload_nothing(world: World) -> None:
    other = {"origin": "https://evil.example"}
    assert world.client.get("/api/v1/config", headers=other).status_code == 403
    assert world.client.post("/-/reload", headers=other).status_code == 403
    assert act(world, "../../-/reload").status_code == 200
