"""The page of windows in Chromium: a window is planned, seen on the chart, ended; deploys; keys, roles, phone, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_api import push
from tests.apps.server.test_dashboard import AXE
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.server.dashboard import STATIC
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.apps.service.status import instant
from watchband.core.clock import SystemClock
from watchband.core.secret import Secret
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
HOT = 'latency_seconds{service="web"}'
N = 600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    assert (STATIC / "index.html").is_file(), "The dashboard is not built: make web"
    clock: Any = SystemClock()
    with World(watches={"all": watch(close_after=60)}, clock=clock) as world:
        world.service.scores = ScoreBook(tmp_path)
        end = clock.now() // MINUTE
        push(world, 0, N, HOT, N - 10, start=(end - N + 1) * MINUTE, noise=0.2)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(base_url=world.web.url, timezone_id="Europe/Dublin", reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def ask(world: World, path: str, **body: Any) -> Any:
    answer = world.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def audited(page: Page) -> list[Any]:
    """What axe finds; by the debugger, since the policy lets the page itself load no script of others."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]


def test_a_window_is_planned_by_keyboard_seen_on_the_chart_and_ended(page: Page, world: World) -> None:
    page.goto("/windows")
    expect(page.get_by_role("heading", level=1)).to_have_text("No window is active")
    page.keyboard.press("n")
    page.keyboard.type("kernel upgrade")
    page.get_by_label("Series").fill('{service="web"}')
    page.get_by_role("button", name="30m").click()
    expect(page.get_by_role("region", name="What it would hold back")).to_contain_text("in the last four weeks")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 window active")
    active = page.locator(".open-windows li")
    expect(active).to_contain_text("kernel upgrade")
    expect(active).to_contain_text("(1 series)")
    expect(active).to_contain_text("local")
    page.goto(f"/explore?series={HOT}&span=6%20h")
    expect(page.get_by_role("list", name="Windows and deploys in this range")).to_contain_text("mute: kernel upgrade")
    expect(page.locator(".series .chart")).to_have_attribute("aria-label", re.compile("mute: kernel upgrade"))
    page.goto("/windows")
    page.get_by_role("button", name="End now: kernel upgrade").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No window is active")
    expect(page.locator(".plans tbody")).to_contain_text("ended early")


def test_what_somebody_else_plans_appears_and_what_is_to_come_is_changed_and_deleted(page: Page, world: World) -> None:
    # Neither open now nor on a day that this test depends on.
    soon = instant(world.service.clock.now() // MINUTE * MINUTE + 120 * MINUTE)
    page.goto("/windows")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    ask(world, "windows", name="backup", duration="1h", start=soon, days=["mon", "sun"], zone="UTC")
    expect(page.locator("tr", has_text="backup")).to_contain_text(re.compile(r"Mon, Sun at \d\d:\d\d.* UTC"))
    page.get_by_role("button", name="Change: backup").click()
    name = page.get_by_label("Name")
    expect(name).to_have_value("backup")
    name.fill("weekly backup")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("weekly backup")).to_be_visible()
    page.get_by_role("button", name="Delete: weekly backup").click()
    expect(page.get_by_role("button", name="Delete: weekly backup")).to_have_count(0)


def test_a_deploy_stands_in_the_list_on_the_incident_and_in_its_timeline(page: Page, world: World) -> None:
    page.goto("/windows")
    expect(page.get_by_text("No deploy was told of")).to_be_visible()
    incident = world.client.get("/api/v1/incidents").json()["data"][0]
    onset = world.service.clock.now() - 14 * MINUTE
    ask(world, "deploys", name="checkout 4.2", labels={"commit": "1f3a"}, time=instant(onset))
    expect(page.locator(".deploy-list")).to_contain_text("commit 1f3a")
    page.goto(f"/incident?id={incident['id']}")
    expect(page.locator(".timeline")).to_contain_text(re.compile(r"deploy checkout 4\.2, \d+\smin.* before"))
    expect(page.locator(".member .chart").first).to_have_attribute("aria-label", re.compile("deploy checkout"))


def test_who_may_not_plan_sees_the_list_the_preview_and_whom_to_ask(browser: Browser) -> None:
    tokens = {"ann": TokenSettings(Secret("a-long-enough-token"), "admin")}
    clock: Any = SystemClock()
    with World(clock=clock, server=ServerSettings(listen="127.0.0.1:0", tokens=tokens)) as world:
        push(world, 0, 50, HOT, start=clock.now() - 50 * MINUTE)
        context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
        page = context.new_page()
        page.goto("/windows?name=upgrade&series=latency_seconds&length=2h")
        expect(page.get_by_label("Name")).to_have_value("upgrade")
        expect(page.get_by_text("Planning a window needs the role operator.")).to_be_visible()
        expect(page.get_by_role("button", name="Plan it")).to_have_count(0)
        expect(page.get_by_text("No alert of latency_seconds opened")).to_be_visible()
        context.close()


def test_a_selector_that_is_none_is_told_where_it_is_written(browser: Browser, world: World) -> None:
    context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/windows?series=cpu%7B")
    expect(page.get_by_role("region", name="What it would hold back")).to_contain_text("'series'")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_with_windows_and_deploys(page: Page, world: World, theme: str) -> None:
    ask(world, "windows", name="upgrade", duration="1h", series='{service="web"}', text="why")
    ask(world, "windows", name="night", duration="1h", days=["mon", "tue"], zone="Europe/Dublin", action="no_learn")
    ask(world, "deploys", name="v2")
    for path in ("/windows", f"/explore?series={HOT}"):
        page.goto(f"{path}{'&' if '?' in path else '?'}theme={theme}")
        expect(page.get_by_text("upgrade").first).to_be_visible()
        page.wait_for_timeout(600)
        assert audited(page) == [], path


def test_a_phone_shows_it_in_one_column(browser: Browser, world: World) -> None:
    ask(
        world,
        "windows",
        name="a rather long name of a window, as people give them",
        duration="1h",
        series='{service=~"web|checkout|search"}',
    )
    context = browser.new_context(base_url=world.web.url, viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto("/windows")
    expect(page.locator(".open-windows li")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
