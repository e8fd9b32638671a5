"""The report of a tuning in a real browser: quiet, no traffic, keys, themes, a phone without sideways scrolling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import watchband as wb
from tests.apps.test_tune import WRONG, frame, readings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("report")
    times, values, _ = readings()
    made: dict[str, Path] = {
        "objective": wb.tune(*frame(), **WRONG).report(folder / "objective.html"),
        "budget": wb.tune((times, values), detector="ewma", budget="1/day").report(folder / "budget.html"),
    }
    return {name: path.as_uri() for name, path in made.items()}


def opened(browser: Browser, address: str, width: int, height: int) -> tuple[Page, list[str], list[str]]:
    page = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light").new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, said, asked


@pytest.mark.parametrize("name", ["objective", "budget"])
@pytest.mark.parametrize("width", [390, 1280])
def test_quiet_self_contained_and_no_wider_than_the_screen(
    browser: Browser, addresses: dict[str, str], name: str, width: int
) -> None:
    page, said, asked = opened(browser, addresses[name], width, 844)
    assert said == []
    assert asked == [addresses[name]]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == 1
    charts = page.locator("svg[role=img]")
    assert charts.count() >= 1
    assert all(charts.nth(i).get_attribute("aria-label") for i in range(charts.count()))


def test_keys_walk_fold_and_switch_themes(browser: Browser, addresses: dict[str, str]) -> None:
    page, said, _ = opened(browser, addresses["objective"], 1280, 900)
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.getAttribute('aria-labelledby')")
    page.keyboard.press("j")
    assert (first, page.evaluate("document.activeElement.getAttribute('aria-labelledby')")) == ("use", "table")
    page.keyboard.press("t")
    assert page.evaluate("[...document.querySelectorAll('details')].every(d => d.open)")
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("?")
    assert page.evaluate("document.querySelector('#keys').open")
    page.keyboard.press("Escape")
    assert said == []
