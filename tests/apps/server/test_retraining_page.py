"""Challengers on the page Models in Chromium: none yet, one in shadow, promoted, rolled back; and for who may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_dashboard import AXE
from tests.apps.server.test_models_page import opened
from tests.apps.server.test_retraining import wait
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.apps.config.retrain import RetrainSettings
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.clock import SystemClock
from watchband.core.duration import HOUR, MINUTE
from watchband.core.ports import Readings
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey

pytestmark = pytest.mark.browser
KEYS = [SeriesKey("cpu_percent", {"host": f"web-{i}"}) for i in range(6)]
STEP = 5 * MINUTE
HOURS = 96
TOKEN = "only-to-look-at-things"


def made(**given: Any) -> World:
    judged = watch(detector="ewma", cutoff=None, sigma="2.4", retrain=RetrainSettings(every=28 * 24 * HOUR))
    return World(watches={"hosts": judged, "later": watch(match=("nothing_yet",))}, clock=SystemClock(), **given)  # type: ignore[arg-type]


def feed(world: World, first: int, last: int) -> None:
    """Noise, hour by hour before now."""
    start = world.clock.now() // HOUR * HOUR - HOURS * HOUR
    at = np.arange(first * 12, last * 12)
    noise = [np.random.default_rng([i, first]).normal(size=len(at)) for i in range(len(KEYS))]
    readings = [Readings(key, start + at * STEP, 40 + 3 * one) for key, one in zip(KEYS, noise, strict=True)]
    world.service.offer("push", readings).result(60)
    world.service.engine.call(world.service.runner.save).result(60)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with made() as world:
        feed(world, 0, HOURS - 30)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    page, said = opened(browser, world)
    yield page
    page.context.close()
    assert said == []


def card(page: Page) -> Any:
    return page.locator(".challenger")


def test_a_challenger_from_none_to_rolled_back(page: Page, world: World) -> None:
    page.goto("/models?watch=hosts")
    expect(card(page)).to_contain_text("hosts has no challenger. Model 0 judges: ewma, sigma:2.4.")
    expect(card(page)).to_contain_text("One is started every 4w")
    card(page).get_by_role("button", name="Retrain").press("Enter")
    card(page).get_by_label("Another rule").fill("sigma:4")
    card(page).get_by_label("Why").fill("quieter nights")
    card(page).get_by_role("button", name="Start a challenger").press("Enter")
    expect(card(page).get_by_text("It is watched")).to_be_visible(timeout=30_000)
    feed(world, HOURS - 30, HOURS)
    expect(card(page).locator(".sides")).to_contain_text("ewma, sigma:4.0")
    expect(card(page).locator(".tracks canvas")).to_have_count(2)
    expect(card(page).get_by_text("only the champion").first).to_be_visible()
    expect(page.locator(".model-events")).to_contain_text("Model 1 began to challenge")
    expect(page.locator(".model-events")).to_contain_text("quieter nights")
    card(page).get_by_role("button", name="Promote").click()
    expect(card(page)).to_contain_text("Model 1 judges hosts from here on")
    card(page).get_by_role("button", name="Do it").click()
    expect(card(page)).to_contain_text("Model 0 (ewma, sigma:2.4) judged before")
    expect(page.locator(".watches tbody tr").first).to_contain_text("sigma:4.0")
    card(page).get_by_role("button", name="Roll back").press("Enter")
    card(page).get_by_role("button", name="Do it").press("Enter")
    expect(card(page)).to_contain_text("Model 1 (ewma, sigma:4.0) judged before")
    expect(page.locator(".model-events li").first).to_contain_text("Model 0 was rolled back to")


def in_shadow(world: World) -> None:
    """Have a challenger that has judged for a while."""
    if world.service.runner.live().lanes["hosts"].state.upstream.lineage.challenger is None:
        wait(world, world.service.retraining.challenge("hosts", {"sigma": "5"}, "all", "local").id)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Browser, world: World, theme: Any, width: int) -> None:
    in_shadow(world)
    page, said = opened(browser, world, color_scheme=theme, viewport={"width": width, "height": 844})
    page.goto("/models?watch=hosts")
    expect(card(page).locator(".sides")).to_be_visible()
    card(page).get_by_role("button", name="Promote").click()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()
    assert said == []


def test_who_may_only_look_is_told_which_role_it_takes(browser: Browser) -> None:
    server = ServerSettings(listen="127.0.0.1:0", tokens={"eve": TokenSettings(Secret(TOKEN), "viewer")})
    with made(server=server) as world:
        feed(world, 0, 12)
        page, said = opened(browser, world, extra_http_headers={"Authorization": f"Bearer {TOKEN}"})
        page.goto("/models?watch=hosts")
        expect(card(page)).to_contain_text("hosts has no challenger")
        expect(card(page)).to_contain_text("operator")
        expect(card(page).get_by_role("button", name="Retrain")).to_have_count(0)
        page.context.close()
        assert said == []
