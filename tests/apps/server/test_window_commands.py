"""``watchband window`` and ``watchband deploy`` against a service that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.apps.server.test_api import get, push
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock
from tests.apps.test_cli import run
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.apps.service.status import instant
from watchband.core.duration import HOUR
from watchband.core.secret import Secret
from watchband.testing.streams import MINUTE, START

NOW = START + 200 * MINUTE
TOKEN = "one-that-is-long-enough"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(clock=HandClock(NOW)) as world:
        push(world, 0, 200, 'cpu{host="a"}')
        yield world


def said(world: World, *words: Any) -> Result:
    return run(*words, "--url", world.web.url, width=200)


def test_a_window_is_planned_listed_ended_and_deleted(world: World) -> None:
    made = json.loads(said(world, "window", "add", "upgrade", "--series", "cpu", "--for", "2h", "--json").stdout)
    assert (made["state"], made["end"]) == ("active", instant(NOW + 2 * HOUR))
    listed = said(world, "window", "list", "--state", "active").stdout
    assert listed.startswith(f"active  {made['id']}  mute 'upgrade' cpu, ")
    assert "Ended" in said(world, "window", "end", made["id"]).stdout
    coming = ("window", "add", "night", "--at", instant(NOW + HOUR), "--days", "mon-fri", "--zone", "Europe/Dublin")
    told = said(world, *coming, "--expect", "3").stdout
    assert "expect x3 'night' *" in told
    assert "mon tue wed thu fri at" in told
    night = get(world, "windows", state="coming")["data"][0]["id"]
    assert said(world, "window", "delete", night).stdout == f"Deleted {night}.\n"
    assert get(world, "windows", state="coming")["total"] == 0


def test_a_preview_plans_nothing(world: World) -> None:
    before = get(world, "windows")["total"]
    told = said(world, "window", "add", "x", "--preview").stdout
    assert "1 series now; 0 alerts of * opened at these times in the last four weeks." in told
    assert told.endswith("Nothing was planned.\n")
    assert get(world, "windows")["total"] == before


def test_a_deploy_is_noted_with_what_is_known_of_it(world: World) -> None:
    told = said(world, "deploy", "checkout 4.2", "--label", "commit=1f3a", "--no-learn", "10m").stdout
    assert "Windows: w" in told
    assert get(world, "deploys")["data"][0]["labels"] == {"commit": "1f3a"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("window", "end", "w00000000"), "There is no window or deploy"),
        (("window", "end", "../about"), "An id is written like"),
        (("window", "add", "x", "--for", "soon"), "'duration'"),
        (("window", "add", "x", "--days", "someday"), "Days are written"),
        (("window", "add", "x", "--no-learn", "--expect", "2"), "exclude each other"),
        (("deploy", "x", "--label", "commit"), "KEY=VALUE"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(world: World, words: tuple[str, ...], message: str) -> None:
    result = said(world, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_token_is_asked_for_and_taken_from_a_file(tmp_path: Path) -> None:
    server = ServerSettings(listen="127.0.0.1:0", tokens={"ci": TokenSettings(Secret(TOKEN), "admin")})
    with World(clock=HandClock(NOW), server=server) as world:
        refused = said(world, "deploy", "v2")
        assert refused.exit_code == 2
        assert "--token-file" in refused.stderr
        file = tmp_path / "token"
        file.write_text(TOKEN + "\n")
        assert said(world, "deploy", "v2", "--token-file", file).exit_code == 0
        assert get(world, "deploys")["data"][0]["by"] == "ci"


def test_nobody_answers() -> None:
    result = run("window", "list", "--url", "http://127.0.0.1:1", width=200)
    assert result.exit_code == 2
    assert "Is 'watchband serve' running?" in result.stderr
