"""The page Models in Chromium: what is promised and kept, what drifts, and the way back with a second press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.apps.server.test_dashboard import AXE
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.core.clock import SystemClock
from watchband.core.duration import HOUR, MINUTE
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

pytestmark = pytest.mark.browser
CPU, DISK = (SeriesKey(f"{name}_percent", {"host": "a"}) for name in ("cpu", "disk"))
HOURS = 30


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock: Any = SystemClock()
    judged = watch(detector="ewma", cutoff=None, budget="1/week", drift_every=HOUR, match=("{host=~'.+'}",))
    promises_nothing = watch(detector="light", match=("nothing_yet",))
    with World(watches={"hosts": judged, "later": promises_nothing}, clock=clock) as world:
        n = HOURS * 60
        times = (clock.now() // HOUR * HOUR - n * MINUTE) + np.arange(n, dtype=np.int64) * MINUTE
        noise = np.random.default_rng(7).normal(size=(2, n))
        late = np.where(np.arange(n) >= 25 * 60, 3.0, 0.0)
        for part in (slice(0, n // 2), slice(n // 2, n)):
            readings = [
                Readings(CPU, times[part], 50 + noise[0, part]),
                Readings(DISK, times[part], 50 + noise[1, part] + late[part]),
            ]
            world.service.offer("push", readings).result(60)
            world.service.engine.call(world.service.runner.save).result(60)
        yield world


def opened(browser: Browser, world: World, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(base_url=world.web.url, reduced_motion="reduce", **options).new_page()
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    return page, said


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    page, said = opened(browser, world)
    yield page
    page.context.close()
    assert said == []


def test_the_page_begins_with_what_is_kept_of_the_promise(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation").first.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Coverage 9\d(\.\d)?\s% of nominal 95\s%$"))
    expect(page.get_by_text(re.compile("points were anomalous, 0.0099"))).to_be_visible()
    row = page.locator(".watches tbody tr").first
    expect(row).to_contain_text("ewma · 1/week")
    expect(row).to_contain_text("of 95")
    for name in ("Cut-off", "Coverage", "Anomaly rate"):
        expect(
            page.locator(".track").filter(has=page.get_by_role("heading", name=name)).locator("canvas")
        ).to_be_visible()
    page.get_by_role("button", name="last day").click()
    expect(page).to_have_url(re.compile("period=1d"))


def test_a_watch_that_promises_nothing_says_so(page: Page) -> None:
    page.goto("/models?watch=later")
    expect(
        page.get_by_text("This watch is light: nothing looks for drift.").or_(page.locator(".drift"))
    ).to_be_visible()
    expect(page.get_by_text("Nothing is kept of this range yet").first).to_be_visible()
    expect(page.locator(".watches tbody tr").nth(1)).to_contain_text("nothing promised")


def test_what_drifts_opens_its_own_history(page: Page) -> None:
    page.goto("/models")
    card = page.locator(".card.drift")
    expect(card).to_contain_text("1 of 2 series")
    expect(card).to_contain_text(re.compile(r"values distance 0\.\d+, at most"))
    card.get_by_role("link", name="disk_percent").click()
    expect(page).to_have_url(re.compile("series=disk_percent"))
    expect(page.get_by_text("Of disk_percent")).to_be_visible()
    expect(page.locator(".track canvas").first).to_be_visible()
    page.get_by_role("button", name="All series").click()
    expect(page.get_by_text("Of all 2 series")).to_be_visible()


def test_reverting_asks_first_and_is_written_down(page: Page, world: World) -> None:
    page.goto("/models?watch=hosts")
    card = page.locator(".card.snapshots")
    expect(card.get_by_role("listitem")).to_have_count(2)
    before = world.service.runner.live().sequence
    older = card.get_by_role("listitem").nth(1)
    older.get_by_role("button", name="Revert").click()
    expect(older).to_contain_text("forgets what it learned since")
    older.get_by_role("button", name="Leave it").click()
    expect(older).not_to_contain_text("forgets")
    assert world.service.runner.live().sequence == before
    older.get_by_role("button", name="Revert").click()
    older.get_by_role("button", name="Do it").click()
    expect(card.get_by_text("Reverted: 2 series of it are what they were.")).to_be_visible()
    expect(card.get_by_role("listitem")).to_have_count(3)
    page.goto("/settings")
    expect(page.get_by_text("reverted a model of")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Browser, world: World, theme: Any, width: int) -> None:
    page, said = opened(browser, world, color_scheme=theme, viewport={"width": width, "height": 844})
    page.goto("/models?watch=hosts")
    expect(page.locator(".track canvas").nth(2)).to_be_visible()
    page.locator(".card.snapshots").get_by_role("button", name="Revert").first.click()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    # Nothing is wider than the window, on a phone too.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()
    assert said == []
