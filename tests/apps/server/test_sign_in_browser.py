"""Signing in, roles and keys in Chromium: by the service's own page, and below a path of a proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_api import push
from tests.apps.server.test_dashboard import AXE
from tests.apps.server.test_sign_in import LONG, SHUT
from tests.apps.server.test_sub_path import Proxy
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.core.clock import SystemClock
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
NAME = 'queue_length{host="c"}'


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock: Any = SystemClock()
    budgeted = watch(detector="ewma", cutoff=None, budget="1/week")
    with World(watches={"all": budgeted}, clock=clock, server=SHUT) as world:
        world.client.headers["authorization"] = f"Bearer {LONG}"
        end = clock.now() // MINUTE
        push(world, 0, 500, NAME, 497, start=(end - 499) * MINUTE)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=world.web.url)
    page = context.new_page()
    said: list[str] = []
    # That it was refused, the browser notes by itself.
    page.on("console", lambda m: said.append(m.text) if m.type == "error" and "status of 40" not in m.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def key(world: World, name: str, role: str) -> tuple[str, str]:
    found = world.client.post("/api/v1/keys", json={"name": name, "role": role}).json()
    return found["key"]["id"], found["secret"]


def enter(page: Page, secret: str) -> None:
    page.get_by_label("Key or token").fill(secret)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_leads_back_to_the_page_that_was_asked_for(page: Page, world: World) -> None:
    number, secret = key(world, "ann", "viewer")
    page.goto("/explore?q=queue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_label("Key or token")).to_be_focused()
    expect(page.get_by_role("navigation")).to_have_count(0)
    enter(page, "not a key")
    expect(page.get_by_role("alert")).to_contain_text("no key that is in force")
    enter(page, secret)
    expect(page).to_have_url(re.compile(r"/explore\?q=queue"))
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=15_000)
    expect(page.locator(".person")).to_contain_text("ann viewer")
    assert page.evaluate("document.cookie") == ""
    page.reload()
    expect(page.locator(".person")).to_contain_text("ann viewer")
    # It ends while the page is open.
    world.client.delete(f"/api/v1/keys/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your session has ended", timeout=15_000)
    expect(page).to_have_url(re.compile(r"/explore\?q=queue"))


def test_each_role_sees_the_buttons_that_it_may_use(page: Page, world: World) -> None:
    incident = world.client.get("/api/v1/incidents").json()["data"][0]["id"]
    for name, role, acknowledge, reload in (("v", "viewer", 0, 0), ("o", "operator", 1, 0), ("a", "admin", 1, 1)):
        page.goto(f"/incident?id={incident}")
        enter(page, key(world, name, role)[1])
        expect(page.locator(".person")).to_contain_text(role)
        expect(page.get_by_role("button", name=re.compile("Acknowledge"))).to_have_count(acknowledge)
        page.goto("/settings")
        expect(page.locator(".person")).to_contain_text(role)
        expect(page.get_by_role("button", name="Reload")).to_have_count(reload)
        expect(page.get_by_role("heading", name="API keys")).to_have_count(reload)
        if role == "viewer":
            expect(page.get_by_text("This needs the role operator.").first).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Sign in|Your session has ended"))


def test_an_admin_makes_a_key_sees_it_once_and_takes_it_back(page: Page, world: World) -> None:
    page.goto("/settings")
    enter(page, LONG)
    card = page.locator(".keys-card")
    card.get_by_label("Whose").fill("grafana")
    card.get_by_label("Role").select_option("viewer")
    card.get_by_role("button", name="Make a key").click()
    shown = card.locator(".once input")
    expect(shown).to_be_visible()
    secret = shown.input_value()
    card.get_by_role("button", name="Copy").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    headers = {"authorization": f"Bearer {secret}"}
    assert world.another().get("/api/v1/about", headers=headers).json()["user"] == "grafana"
    card.get_by_role("button", name="I have it").click()
    expect(shown).to_have_count(0)
    assert secret not in page.content()
    row = card.get_by_role("row").filter(has_text="grafana")
    row.get_by_role("button", name="Revoke the key of grafana").click()
    card.get_by_role("button", name="Keep it").click()
    row.get_by_role("button", name="Revoke the key of grafana").click()
    card.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("revoked")
    assert world.another().get("/api/v1/about", headers=headers).status_code == 401
    # A name that is taken is said where it was wanted.
    card.get_by_label("Whose").fill("boss")
    card.get_by_role("button", name="Make a key").click()
    expect(card.get_by_role("alert").filter(has_text="is taken")).to_be_visible()
    expect(page.get_by_text("revoked the key of").first).to_be_visible()


def test_below_a_path_of_a_proxy(browser: Browser, world: World) -> None:
    proxy = Proxy(world.web.address, ("GET", "POST", "DELETE"))
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    try:
        page.goto(f"{proxy.url}settings")
        enter(page, LONG)
        expect(page.locator(".person")).to_contain_text("boss admin")
        (cookie,) = context.cookies()
        assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == ("/ops/watchband/", True, "Strict")
        page.locator(".keys-card").get_by_label("Whose").fill("behind a proxy")
        page.locator(".keys-card").get_by_role("button", name="Make a key").click()
        expect(page.locator(".once")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Key or token")).to_be_visible()
        assert context.cookies() == []
    finally:
        context.close()
        proxy.stop()


def test_on_loopback_one_may_sign_in_to_do_more(browser: Browser) -> None:
    with World() as world:
        secret = world.client.post("/api/v1/keys", json={"name": "ann", "role": "admin"}).json()["secret"]
        context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
        page = context.new_page()
        page.goto("/settings")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Back without signing in").click()
        page.get_by_role("button", name="Sign in").click()
        enter(page, secret)
        expect(page.locator(".person")).to_contain_text("ann admin")
        expect(page.get_by_role("button", name="Reload")).to_be_visible()
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, world: World, theme: str) -> None:
    page.goto(f"/settings?theme={theme}")
    expect(page.get_by_label("Key or token")).to_be_visible()
    for inside in (False, True):
        if inside:
            enter(page, LONG)
            expect(page.locator(".keys-card form")).to_be_visible()
            page.locator(".keys-card").get_by_label("Whose").fill(f"axe {theme}")
            page.locator(".keys-card").get_by_role("button", name="Make a key").click()
            expect(page.locator(".once")).to_be_visible()
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]] == []


def test_a_phone_shows_it(browser: Browser, world: World) -> None:
    context = browser.new_context(base_url=world.web.url, viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto("/settings")
    expect(page.get_by_label("Key or token")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    enter(page, LONG)
    expect(page.locator(".keys-card form")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
