"""The API's own page in a browser: every endpoint is there, what it shows is true, to ask there asks the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_pages_of_docs import filled
from tests.apps.server.test_sub_path import PREFIX, Proxy
from tests.apps.server.world import World
from watchband.apps.server.description import operations

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from filled(Path(tmp_path_factory.mktemp("scores")))


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(base_url=world.web.url, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    # Nothing but the service is asked: it works without a network.
    page.on("request", lambda r: None if r.url.startswith(world.web.url) else said.append(r.url))
    yield page
    context.close()
    assert [text for text in said if "status of 4" not in text] == []


def test_every_endpoint_is_on_the_page(page: Page, world: World) -> None:
    page.goto("/docs")
    every = list(operations(world.client.get("/api/v1/openapi.json").json()))
    expect(page.locator(".endpoint")).to_have_count(len(every))
    expect(page.get_by_role("heading", level=2)).to_have_text(["Incidents", "Series", "Points", "Watches", "Service"])
    for path, method, _ in every:
        summary = page.locator(f".endpoint summary:has(.method:text-is('{method.upper()}'))")
        expect(summary.filter(has=page.get_by_text(path, exact=True))).to_have_count(1)


def test_search_narrows_and_stays_in_the_address(page: Page) -> None:
    page.goto("/docs")
    expect(page.locator(".endpoint").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("post unacknowledge")
    expect(page.locator(".endpoint")).to_have_count(1)
    page.wait_for_url("**q=post+unacknowledge")
    page.reload()
    expect(page.locator(".endpoint")).to_have_count(1)
    page.get_by_role("searchbox").fill("xyzzy")
    expect(page.get_by_text("No endpoint has")).to_be_visible()


def test_an_endpoint_opens_by_keyboard_and_has_its_example(page: Page, world: World) -> None:
    page.goto("/docs?q=v1/series")
    one = page.locator("#get-api-v1-series summary")
    one.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**at=get-api-v1-series**")
    shown = page.locator("#get-api-v1-series")
    expect(shown.get_by_text("Needs the role viewer or operator or admin.")).to_be_visible()
    expect(shown.locator("td.mono").first).to_have_text("match")
    expect(shown.locator("figure", has_text="With curl").locator("pre")).to_contain_text(
        f"{world.web.url}/api/v1/series"
    )
    expect(shown.locator("figure", has_text="Answer 200").locator("pre")).to_contain_text('"anomaly_score"')
    expect(shown.locator(".refusals dt")).to_have_text(["400", "401", "403", "503", "4XX", "5XX"])
    shown.locator("figure", has_text="With curl").get_by_role("button", name="Copy").click()
    expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl --get")


def test_to_try_it_asks_the_service(page: Page) -> None:
    page.goto("/docs?at=get-api-v1-series")
    form = page.locator("#get-api-v1-series form.try")
    form.get_by_label("match").fill('cpu{host="a"}')
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text("200")
    expect(form.locator("pre")).to_contain_text('"total": 1')
    form.get_by_label("limit").fill("0")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text("400")
    expect(form.locator("pre")).to_contain_text("greater than or equal to 1")


def test_what_must_be_given_is_asked_for_and_changes_cannot_be_tried(page: Page) -> None:
    page.goto("/docs?at=get-api-v1-incidents-incident")
    form = page.locator("#get-api-v1-incidents-incident form.try")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_have_text("")
    form.get_by_label("incident").fill("a/b")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_contain_text("404")
    page.goto("/docs?at=post-predict")
    expect(page.locator("#post-predict")).to_contain_text("Example of a body")
    expect(page.locator("#post-predict form.try")).to_have_count(0)


def test_below_a_path_of_a_proxy_it_asks_there(browser: Browser, world: World) -> None:
    proxy = Proxy(world.web.address)
    try:
        page = browser.new_page()
        page.goto(f"{proxy.url}docs?at=get-health")
        form = page.locator("#get-health form.try")
        expect(page.locator("#get-health figure", has_text="With curl")).to_contain_text(f"{PREFIX}health")
        form.get_by_role("button", name="Send").click()
        expect(form.locator("pre")).to_contain_text("healthy")
        assert f"{PREFIX}health" in proxy.asked
        page.close()
    finally:
        proxy.stop()
