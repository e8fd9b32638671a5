"""Every curl of docs/api.md, docs/predict.md and the README, run by a shell against a service that really runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.world import World
from tests.apps.service.test_service import until
from tests.apps.service.worlds import watch
from watchband.adapters.sources.push.metric_stream import MetricStreamSettings
from watchband.adapters.sources.push.settings import PushSettings, RemoteWriteSettings
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.service.tasks import Found
from watchband.core.errors import ConfigError
from watchband.testing.streams import MINUTE, START

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("api.md", "predict.md", "../README.md")
DEFAULT = "http://127.0.0.1:8470"
MAY_BE_EMPTY = ("severity=critical", "/deliveries", "/risk/", "state=done")
TIMED_OUT = 28
"""How curl ends when its own time is over, as it must with a stream."""


def commands() -> list[str]:
    """One a command, lines that go on joined."""
    pages = "\n".join((DOCS / name).read_text() for name in PAGES)
    blocks = re.findall(r"^```sh\n(.*?)^```", pages, re.MULTILINE | re.DOTALL)
    every = [c.strip() for block in blocks for c in re.split(r"\n(?=curl)", block.replace("\\\n", " "))]
    return list(dict.fromkeys(c for c in every if c.startswith("curl ")))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from filled(tmp_path_factory.mktemp("scores"))


def filled(scores: Path) -> Iterator[World]:
    """A service in which something has happened."""
    sources = {
        "push": PushSettings(history=None),
        "remote_write": RemoteWriteSettings(history=None),
        "aws": MetricStreamSettings(history=None),
    }
    with World(sources=sources, watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}) as world:
        world.service.scores = ScoreBook(scores)
        world.service.reloader.read = lambda: world.service.config
        world.clock.time = START + 2000 * MINUTE
        for host, spike in (("a", 1998), ("b", None)):
            push(world, 0, 2000, f'cpu{{host="{host}"}}', spike)
        world.service.engine.call(world.service.runner.save).result(10)
        yield world


def challenger(world: World) -> int:
    """The number of the challenger; one is started where there is none."""

    def learning() -> str | None:
        return world.service.retraining.learning("all")

    until(lambda: learning() is None)
    for _ in range(2):
        (one,) = get(world, "models/challengers", watch="all")["data"]
        if one["challenger"] is not None:
            break
        world.service.retraining.challenge("all", {}, "all", "local")
        until(lambda: learning() is None)
    return int(one["challenger"]["number"])


def ran(world: World, command: str) -> subprocess.CompletedProcess[str]:
    incident = get(world, "incidents")["data"][0]["id"]
    snapshot = str(get(world, "snapshots")["data"][0]["sequence"])
    made = {
        name.upper(): world.client.post(f"/api/v1/{name}s", json={"name": "x", **more}).json()["id"]
        for name, more in (("window", {"duration": "1h"}), ("deploy", {}))
        if f"${name.upper()}" in command
    }
    if "$TASK" in command:
        made["TASK"] = world.service.tasks.start("test", "x", "local", lambda task: Found({"data": [1]})).id
        until(lambda: world.service.tasks.of(made["TASK"]).state == "done")
    if re.search("MODEL|models/events|models/rollback", command):
        made["MODEL"] = str(challenger(world))
    if "models/rollback" in command:
        with suppress(ConfigError):
            world.service.retraining.promote("all", int(made["MODEL"]), "local")
    command = command.replace("curl ", "curl --silent --show-error --write-out '\\n%{http_code}' ", 1)
    return subprocess.run(
        ["/bin/sh", "-c", command.replace(DEFAULT, world.web.url)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **made, "INCIDENT": incident, "SNAPSHOT": snapshot, "no_proxy": "*"},
        check=False,
    )


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_page_does_what_it_says(world: World, command: str) -> None:
    done = ran(world, command)
    body, _, status = done.stdout.rpartition("\n")
    if "/retry" in command:
        # All were told here: nothing was given up.
        assert (status, json.loads(body)["title"]) == ("404", "Not Found")
        return
    assert status == ("204" if "precision=s" in command else "200"), done
    if "/stream" in command:
        assert done.returncode == TIMED_OUT
        assert body.startswith("retry: 2000\n\n")
        assert ("event: alerts" in body) == ("Last-Event-ID" in command)
        return
    assert done.returncode == 0
    if "points.csv" in command:
        assert len(body.splitlines()) == 1 + 2
        return
    if not body.startswith(("{", "[")):
        assert re.search(r"/metrics|/healthz|precision=s", command), "only these are no JSON"
        return
    answer = json.loads(body)
    if "data" in answer and not any(part in command for part in MAY_BE_EMPTY):
        assert answer["data"], "The example shows nothing."
    if "series/points" in command:
        assert answer["resolution"] == "raw"
        assert len(answer["times_ms"]) == 2000


def test_every_endpoint_has_an_example(world: World) -> None:
    paths = world.client.get("/api/v1/openapi.json").json()["paths"]
    elsewhere = ("/api/v1/write", "/api/v1/keys", "/api/v1/session")
    shown = [re.search(rf"{DEFAULT}(/[^ '\"?]*)", c).group(1) for c in commands()]  # type: ignore[union-attr]
    for path in paths:
        # Remote write is snappy over protobuf, which no command line can say; keys are on a page of their own.
        if not path.startswith(elsewhere):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
            assert any(re.fullmatch(pattern, one) for one in shown), path
