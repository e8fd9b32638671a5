"""Features that made an alert strange, on the pages: Now, the incident, in both themes and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.apps.server.test_dashboard import AXE
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.core.clock import SystemClock
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
N = 500
DETECTOR = "local_outlier_factor:window=200,refit_every=100"


def made() -> World:
    """A fitted detector that sees a jump three minutes ago."""
    clock: Any = SystemClock()
    return World(watches={"ratios": watch(detector=DETECTOR, cutoff=None, budget="1/week", tell_after=0)}, clock=clock)


def filled(world: World) -> World:
    end = world.clock.now() // MINUTE
    times = (end - N + 1 + np.arange(N)) * MINUTE
    y = 0.6 + 0.02 * np.sin(np.arange(N) / 3) + np.random.default_rng(0).normal(0, 0.002, N)
    y[-3:] += 0.3
    key = SeriesKey("cluster_cpu_ratio", {"cluster": "north"})
    world.service.offer("push", [Readings(key, times, y)]).result(60)
    return world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with made() as world:
        yield filled(world)


def test_the_api_says_the_shares(world: World) -> None:
    (alert,) = world.client.get("/api/v1/alerts", params={"state": "open"}).json()["data"]
    shares = [one["share"] for one in alert["features"]]
    assert 0 < len(shares) <= 3
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_incident_shows_what_made_it_strange(browser: Browser, world: World, theme: str) -> None:
    (incident,) = world.client.get("/api/v1/incidents", params={"state": "open"}).json()["data"]
    features = incident["worst"]["features"]
    page = browser.new_page(base_url=world.web.url, reduced_motion="reduce")
    try:
        page.goto(f"/incident?id={incident['id']}&theme={theme}")
        card = page.locator(".strange-card")
        expect(card.get_by_role("heading")).to_have_text("What made it strange")
        expect(card.locator("li .name")).to_have_text([one["name"] for one in features])
        expect(card.locator("li .number").first).to_contain_text("%")
        wide = [float(card.locator("rect.share").nth(k).get_attribute("width") or 0) for k in range(len(features))]
        assert wide == pytest.approx([100 * one["share"] for one in features])
        expect(page.locator(".member")).to_have_count(1)
        expect(page.locator(".strange li")).to_have_count(len(features))  # once, beside the only chart
        page.goto(f"/?theme={theme}")
        expect(page.locator(".incident .strange li")).to_have_count(len(features))
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document.querySelector('.incident'))")
        assert [v["id"] for v in found["violations"]] == []
    finally:
        page.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, world: World) -> None:
    (incident,) = world.client.get("/api/v1/incidents", params={"state": "open"}).json()["data"]
    page = browser.new_page(base_url=world.web.url, viewport={"width": 390, "height": 844})
    try:
        for path in ("/", f"/incident?id={incident['id']}"):
            page.goto(path)
            expect(page.locator(".strange li").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.close()
