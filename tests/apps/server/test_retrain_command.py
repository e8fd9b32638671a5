"""``watchband retrain`` against a service that runs."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import Result

from tests.apps.server.test_api import push
from tests.apps.server.world import World
from tests.apps.service.worlds import HandClock
from tests.apps.test_cli import run
from watchband.testing.streams import MINUTE, START


def test_a_challenger_from_start_to_rollback() -> None:
    with World(clock=HandClock(START + 300 * MINUTE)) as world:
        push(world, 0, 300, 'cpu{host="a"}')

        def said(*words: Any, code: int = 0) -> Result:
            done = run("retrain", *words, "--url", world.web.url, width=200)
            assert done.exit_code == code, done.output
            return done

        assert said("history").stdout == "Nothing has happened to models yet.\n"
        told = said("start", "all", "--rule", "sigma:4", "--why", "a test").stdout
        assert told.startswith("Model 1 of all judges in shadow. Promoted after 1w")
        assert "model 1 challenges (rolling_zscore, sigma:4.0)" in said("list").stdout
        assert "judges from here on" in said("promote", "all", "1").stdout
        assert "model 0 judged before" in said("list", "all").stdout
        assert said("rollback", "all").stdout == "Model 0 of all judges again.\n"
        assert said("refuse", "all", "1").stdout == "Model 1 of all is gone.\n"
        found = json.loads(said("history", "all", "--json").stdout)["data"]
        assert [one["event"] for one in found] == ["refused", "rolled back", "promoted", "started"]
        assert "model 1 started by local: a test" in said("history").stdout
        assert "It learns: task" in said("start", "all", "--cutoff", "--no-wait").stdout
        assert "no watch 'x'" in said("start", "x", code=2).stderr
