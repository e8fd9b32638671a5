"""A disk that fills in a served simulator: told beforehand, reached, over; on the incident page; the same replayed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.apps.server.world import World
from tests.apps.service.worlds import ListSinkSettings, watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.config.breach import BreachSettings
from watchband.apps.config.config import read_text
from watchband.apps.service.simulated import SimulatorSettings
from watchband.core.alert import Alert
from watchband.core.clock import SystemClock
from watchband.core.duration import DAY, MINUTE
from watchband.core.errors import ConfigError
from watchband.core.timestamp import parse_rfc3339
from watchband.core.wording import NO_BREAK
from watchband.pipeline.bound import Lane, last_versions

THRESHOLD, WITHIN = 65.0, 2 * DAY
START = parse_rfc3339("2026-03-03T21:40:00Z")


class Started(SystemClock):
    """A clock that goes as the machine's does, from the same moment each time: the disk fills by the time of day."""

    def __init__(self) -> None:
        self._shift = START - time.time_ns()

    def now(self) -> int:
        return super().now() + self._shift


def served(length: int, speed: str = "max", **given: Any) -> World:
    """The simulator's disk: eight days of the past, then so much of what follows."""
    plant = SimulatorSettings(what=("disk",), seed=0, interval=10 * MINUTE, history=8 * DAY, length=length, speed=speed)
    breach = BreachSettings(above=THRESHOLD, within=WITHIN)
    clock: Any = Started()
    watched = watch(
        detector="seasonal_band", cutoff=None, budget="1/month", breach=breach, no_data=False, stuck=False, drift=False
    )
    return World(sources={"plant": plant}, watches={"disks": watched}, clock=clock, **given)


def until(holds: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)


def played(world: World) -> bool:
    ended = all(pump.health.state == "ended" for pump in world.service.inflow.pumps.values())
    return ended and not world.service.inbox.waiting


def breaches(world: World) -> list[Alert]:
    return [a for a in world.service.store.alerts() if a.kind == "breach"]


def test_it_is_told_beforehand_when_it_is_reached_and_when_it_is_over() -> None:
    sink = ListSinkSettings()
    with served(8 * DAY, "4d", sinks={"people": sink}) as world:
        until(lambda: played(world) and breaches(world) and breaches(world)[0].closed is not None)
        until(lambda: len(sink.notices) >= 3)
        (alert,) = breaches(world)
        told = [n.alert for n in sink.notices if n.alert.kind == "breach"]
        assert [a.severity for a in told] == ["warning", "critical", "critical"]
        assert [a.closed is None for a in told] == [True, True, False]
        first, reached, last = (a.reason.replace(NO_BREAK, " ") for a in told)
        # Where the batch ended in which it was told, and so the last value, is the machine's affair: hours or days.
        assert re.match(
            r"disk reaches 65 in (4\d hours \(90 % interval \d+–\d+|1\.\d days \(90 % interval 1\.\d–2)\), ", first
        )
        assert " after it was foreseen" in last
        assert reached != first
        assert alert.foreseen is not None
        assert alert.foreseen.time is not None
        # It was told more than a day before it came to that.
        assert DAY < alert.foreseen.time - alert.opened < WITHIN
        assert told[0].foreseen is not None
        earliest, latest = told[0].foreseen.earliest, told[0].foreseen.latest
        assert earliest is not None
        assert latest is not None
        assert earliest <= alert.foreseen.time <= latest
        # The log folded again from its beginning decides the same.
        (bound,) = world.service.runner.bounds
        lane = Lane(bound)
        again = last_versions([lane.fold(entry).alerts for entry in world.service.store.log("main", 0)])
        assert [a.to_dict() for a in again if a.kind == "breach"] == [alert.to_dict()]
        live = world.service.engine.shard
        assert live is not None
        assert lane.state.breach is not None
        assert live.lanes["disks"].state.breach is not None
        assert lane.state.breach.same_bits(live.lanes["disks"].state.breach)


@pytest.fixture(scope="module")
def filling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The threshold is foreseen and not reached yet."""
    with served(2 * DAY) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        until(lambda: played(world) and breaches(world))
        yield world


def test_it_is_configured_by_a_mapping_and_mistakes_have_their_place() -> None:
    text = "watches:\n  disks:\n    match: disk_used_percent\n    breach: {above: 95, within: 3d, confidence: 0.9}\n"
    breach = read_text(text, "wb.yaml").watches["disks"].watch("disks").breach
    assert breach is not None
    assert (breach.above, breach.within, breach.confidence, breach.level) == (95, 3 * DAY, 0.9, 0.9)
    with pytest.raises(ConfigError, match=r"(?s)4:.*'above' or 'below'. Got 95 and 5"):
        read_text(text.replace("within: 3d", "below: 5"), "wb.yaml")
    with pytest.raises(ConfigError, match=r"(?s)4:.*abov.*Did you mean 'above'"):
        read_text(text.replace("above", "abov"), "wb.yaml")


def test_the_api_says_when(filling: World) -> None:
    every = filling.client.get("/api/v1/alerts", params={"state": "open"}).json()["data"]
    (found,) = (a for a in every if a["kind"] == "breach")
    seen = found["foreseen"]
    assert seen["threshold"] == THRESHOLD
    assert seen["level"] == 0.9
    earliest, middle, latest = (parse_rfc3339(seen[name]) for name in ("earliest", "time", "latest"))
    assert filling.service.began - DAY < earliest < middle < latest
    (incident,) = filling.client.get("/api/v1/incidents", params={"state": "open"}).json()["data"]
    assert incident["title"] == "disk is about to reach its threshold"


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_incident_page_draws_threshold_time_and_forecast(filling: World, browser: Browser, theme: str) -> None:
    axe = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
    (alert,) = breaches(filling)
    context = browser.new_context(base_url=filling.web.url, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"/incident?id={alert.id}&theme={theme}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("disk is about to reach its threshold")
    expect(page.get_by_text(re.compile(r"disk reaches 65 in"))).to_be_visible()
    facts = page.locator(".facts")
    expect(facts).to_contain_text("threshold65")
    expect(facts).to_contain_text("90\u00a0% interval")
    expect(page.get_by_text("foreseen to reach its threshold: disk")).to_be_visible()
    until(lambda: page.evaluate(WARM) > 200, 30.0)
    page.evaluate(axe.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => v.id + ': ' + v.nodes[0].html)")
    assert found == []
    context.close()


WARM = """() => {
    const canvas = document.querySelector(".chart canvas");
    if (!canvas) return 0;
    const probe = document.createElement("span");
    probe.style.color = "var(--out)";
    document.body.append(probe);
    const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const from = Math.floor(canvas.width * 0.6);
    const { data } = canvas.getContext("2d").getImageData(from, 0, canvas.width - from, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
        found += Math.abs(data[i] - r) < 20 && Math.abs(data[i + 1] - g) < 20 && Math.abs(data[i + 2] - b) < 20;
    }
    return found;
}"""
"""Pixels of the threshold's line and its interval, right of the middle where the future is."""
