"""The page of risk in Chromium: counts, ribbons, filter, live, Now, Explore, phone, axe, and no model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.risk_world import fill, risk_world
from tests.apps.server.test_dashboard import AXE
from tests.apps.server.world import World
from tools.risk_fleet import STEP, STRUCK, hosts, values_of
from watchband.apps.server.dashboard import STATIC
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.features.cloudwatch10 import NAMES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert (STATIC / "index.html").is_file(), "The dashboard is not built: make web"
    with risk_world(tmp_path_factory.mktemp("risk")) as world:
        fill(world)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    yield from opened(browser, world.web.url)


def opened(browser: Browser, url: str, **given: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=url, timezone_id="Europe/Dublin", reduced_motion="reduce", **given)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def audited(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]


def test_the_first_glance_says_how_many_are_critical_and_what_they_share(page: Page) -> None:
    page.goto("/risk")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"3 of {len(hosts())} entities are Critical")
    expect(page.locator(".head-line")).to_contain_text(re.compile(r"all of them: latency, since \d\d:\d\d"))
    expect(page.locator(".states button", has_text="Critical")).to_contain_text("3 more than an hour ago")
    chart = page.locator(".risk-time svg")
    expect(chart).to_have_attribute("aria-label", re.compile("in High Load and 3 in Critical.*web-12: Critical"))
    expect(chart.locator("rect.state-critical")).to_have_count(3)
    expect(page.locator(".risk-scatter .dot")).to_have_count(len(hosts()))
    expect(page.locator(".risk-scatter .dot.state-critical")).to_have_count(3)
    expect(page.locator(".heat tbody tr")).to_have_count(4)
    expect(page.locator(".heat [class^=warm]").first).to_be_visible()
    expect(page.locator(".in-words li").first).to_contain_text("Critical: latency +")
    assert page.title().startswith("3 Critical")


def test_states_and_letters_filter_the_list_and_the_address_holds_them(page: Page) -> None:
    page.goto("/risk")
    rows = page.locator(".entities tbody tr")
    expect(rows).to_have_count(len(hosts()))
    expect(rows.first).to_contain_text(re.compile(r"web-12.*latency \d+ ms \(usual"))
    page.locator(".states button", has_text="Critical").click()
    expect(rows).to_have_count(3)
    assert "state=Critical" in page.url
    page.get_by_role("searchbox").fill("14")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("No entity is in these states")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(len(hosts()))
    page.get_by_role("button", name="6 h", exact=True).click()
    expect(page.get_by_role("heading", name="Risk over the last 6 h")).to_be_visible()
    assert "span=6" in page.url


def test_an_entity_leads_to_its_series_and_explore_filters_by_risk(page: Page) -> None:
    page.goto("/risk")
    page.get_by_role("link", name="web-13").click()
    expect(page).to_have_url(re.compile("explore"))
    expect(page.locator(".match").first).to_contain_text("web-13")
    page.goto("/explore?q=risk%3DCritical%20name%3DLatency_ms")
    expect(page.locator(".match")).to_have_count(len(STRUCK))


def test_now_has_the_bars(page: Page) -> None:
    page.goto("/")
    risk = page.locator(".card", has_text=f"Risk of {len(hosts())} entities")
    expect(risk.locator("li")).to_have_count(4)
    expect(risk.locator("li", has_text="Critical")).to_contain_text("+3")
    expect(page.locator(".incident").first).to_contain_text("is Critical since")


def test_another_host_in_trouble_appears_by_itself(page: Page, world: World) -> None:
    page.goto("/risk")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 of 28")
    end = (world.service.clock.now() // STEP + 1) * STEP
    times = np.array([end], np.int64)
    values = values_of("web-07", times, end, trouble=False)
    values[0, [0, 6]] = 99.0, 400.0
    key = {"host": "web-07"}
    world.service.offer("push", [Readings(SeriesKey(m, key), times, values[:, f]) for f, m in enumerate(NAMES)])
    expect(page.get_by_role("heading", level=1)).to_have_text("4 of 28 entities are Critical")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, theme: str) -> None:
    page.goto(f"/risk?theme={theme}")
    expect(page.locator(".entities tbody tr").first).to_be_visible()
    expect(page.locator(".risk-scatter .dot").first).to_be_visible()
    assert audited(page) == []


def test_a_phone_has_no_sideways_scroll(browser: Browser, world: World) -> None:
    for page in opened(browser, world.web.url, viewport={"width": 390, "height": 844}, has_touch=True):
        page.goto("/risk")
        expect(page.locator(".entities tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_a_model_the_page_says_how_to_make_one(browser: Browser) -> None:
    with World() as bare:
        for page in opened(browser, bare.web.url):
            page.goto("/risk")
            expect(page.get_by_role("heading", level=1)).to_have_text("Risk is not set up: there is no model")
            expect(page.get_by_text("watchband risk metrics.csv --by host --save risk.json")).to_be_visible()
            assert audited(page) == []
            page.goto("/")
            expect(page.get_by_text("Risk of")).to_have_count(0)
