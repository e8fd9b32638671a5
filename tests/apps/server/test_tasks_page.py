"""The tray of tasks in Chromium: an export from Explore, a budget over every series, one that is cancelled, axe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_api import push
from tests.apps.server.test_windows_page import audited
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.server.dashboard import STATIC
from watchband.apps.service.tasks import Found, Task
from watchband.core.clock import SystemClock
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
N = 300


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert (STATIC / "index.html").is_file(), "The dashboard is not built: make web"
    clock: Any = SystemClock()
    with World(watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}, clock=clock) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        end = clock.now() // MINUTE
        for host in ("a", "b"):
            push(world, 0, N, f'cpu{{host="{host}"}}', start=(end - N + 1) * MINUTE, noise=0.2)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    for task in world.service.tasks.all():
        world.service.tasks.drop(task.id)
    context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_an_export_runs_in_the_corner_and_is_taken_from_there(page: Page, tmp_path: Path) -> None:
    page.goto("/explore?q=host%3Da")
    page.get_by_role("button", name="All points as CSV").click()
    tray = page.get_by_role("complementary", name="Tasks")
    expect(tray).to_contain_text(f"{N} points of 1 series")
    expect(tray.get_by_role("status")).to_have_text('Done: points of {host="a"} as CSV')
    with page.expect_download() as taken:
        tray.get_by_role("link", name="Download").click()
    taken.value.save_as(tmp_path / "points.csv")
    assert len((tmp_path / "points.csv").read_text().splitlines()) == N + 1
    page.goto("/alerts")
    expect(tray).to_contain_text("1 task done")
    tray.get_by_role("button", name="Dismiss").click()
    expect(tray.get_by_role("button")).to_have_count(0)


def test_progress_is_seen_and_a_task_is_cancelled(page: Page, world: World) -> None:
    gate = threading.Event()

    def work(task: Task) -> Found:
        while not gate.wait(0.02):
            task.progress("folding the log", 3, 10)
        return Found({})

    page.goto("/")
    world.service.tasks.start("replay", "all against its log", "local", work)
    bar = page.get_by_role("progressbar", name="all against its log")
    expect(bar).to_have_attribute("aria-valuenow", "30")
    expect(page.get_by_role("complementary", name="Tasks")).to_contain_text("folding the log")
    for theme in ("light", "dark"):
        page.goto(f"/?theme={theme}")
        expect(bar).to_be_visible()
        assert audited(page) == [], theme
    page.get_by_role("button", name="Cancel: all against its log").click()
    expect(page.get_by_role("complementary", name="Tasks")).to_contain_text("Cancelled")
    gate.set()


def test_a_budget_over_every_series_is_shown_on_its_page(page: Page, world: World) -> None:
    task = world.client.post(
        "/api/v1/tasks", json={"kind": "budget", "watch": "all", "budget": "1/day", "period": "1w"}
    )
    assert task.status_code == 200
    page.goto("/")
    page.get_by_role("link", name="See it").click()
    expect(page.locator(".curve-card")).to_contain_text("every series was counted")
    expect(page.locator(".answer")).to_contain_text("at 1 a day")
    page.get_by_role("slider", name="Alerts you can take, per series").press("ArrowLeft")
    expect(page).not_to_have_url("**task=**")
    expect(page.locator(".curve-card")).to_contain_text("2 series")
