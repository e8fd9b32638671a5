"""The report in a real browser: quiet console, no traffic, zoom, theme, phone, what assistive technology is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.apps.pictures import detection_view, series_view
from watchband.apps.library.report import _file, write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

RANGE = "page => { const c = charts[page].range; return [c[0], c[1]]; }"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    views = [series_view("cpu", 1_000, seed=k, alerts=k % 3, host=f"web-{k}") for k in range(6)]
    views.append(series_view("</script>&<b>", n=60, alerts=0))
    path = write_report(detection_view(*views), tmp_path_factory.mktemp("report") / "report.html")
    return path.as_uri()


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_report(detection_view(series_view("cpu", 4_000)), tmp_path_factory.mktemp("single") / "report.html")
    return path.as_uri()


class Watched:
    """A page whose console and traffic are kept."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1440, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light")
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.page.wait_for_function("charts.length > 0")

        self.page.set_default_timeout(8_000)

    def range(self, chart: int = 0) -> tuple[float, float]:
        low, high = self.page.evaluate(RANGE, chart)
        return low, high

    def width(self, chart: int = 0) -> float:
        low, high = self.range(chart)
        return high - low


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser, address)
    yield watched
    watched.context.close()
    assert watched.said == []
    assert [url for url in watched.asked if not url.startswith(("file:", "data:"))] == []


def test_charts_are_drawn_when_they_come_into_view(opened: Watched) -> None:
    page = opened.page
    assert page.locator(".card.series").count() == 7
    assert 0 < page.locator(".plot svg").count() < 7
    page.locator("#s6").scroll_into_view_if_needed()
    page.wait_for_selector("#s6 .plot svg")
    assert page.locator("#s0 .value-out").count() == 1


def test_keys_zoom_and_step(opened: Watched) -> None:
    page, whole = opened.page, opened.width()
    page.locator("#s0 .chart").focus()
    page.keyboard.press("+")
    assert opened.width() == pytest.approx(whole / 2)
    page.keyboard.press("+")
    page.keyboard.press("-")
    assert opened.width() == pytest.approx(whole / 2)
    page.keyboard.press("Escape")
    assert opened.width() == pytest.approx(whole / 4)
    page.keyboard.press("0")
    assert opened.width() == pytest.approx(whole)
    before = page.locator("#s0 .readout").inner_text()
    page.keyboard.press("ArrowRight")
    after = page.locator("#s0 .readout").inner_text()
    assert after != before
    page.keyboard.press("[")
    assert "score" in page.locator("#s0 .readout .is-out").last.inner_text()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.card').id") == "s1"


def test_dragging_selects_a_span_and_double_click_goes_back(opened: Watched) -> None:
    page, whole = opened.page, opened.width()
    page.locator("#s0").scroll_into_view_if_needed()
    box = page.locator("#s0 .plot").bounding_box()
    assert box
    middle = box["y"] + 100
    page.mouse.move(box["x"] + 300, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, middle)
    assert opened.width() == pytest.approx(whole), "while dragging nothing is rescaled"
    page.mouse.move(box["x"] + 500, middle)
    page.mouse.up()
    assert opened.width() == pytest.approx(whole * 200 / (box["width"] - 60), rel=0.02)
    assert re.search(r"#s0/\d+/\d+$", page.url)
    page.mouse.dblclick(box["x"] + 300, middle)
    assert opened.width() == pytest.approx(whole)


def test_the_overview_moves_the_window(opened: Watched) -> None:
    page = opened.page
    page.locator("#s0 [data-act=in]").click()
    page.locator("#s0 [data-act=in]").click()
    low, high = opened.range()
    page.locator("#s0 .overview").scroll_into_view_if_needed()
    box = page.locator("#s0 .overview").bounding_box()
    assert box
    place = page.evaluate(
        """() => { const c = charts[0], [a, b] = c.full;
                   return LEFT + ((c.range[0] + c.range[1]) / 2 - a) / (b - a) * (c.right - LEFT); }"""
    )
    page.mouse.move(box["x"] + place, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + place + 40, box["y"] + 20)
    page.mouse.up()
    assert opened.range()[0] != low
    assert opened.width() == pytest.approx(high - low)


def test_an_alert_opens_its_chart_at_its_time(opened: Watched) -> None:
    page, whole = opened.page, opened.width()
    page.locator(".alert a").first.click()
    page.wait_for_function("charts[0].range[1] - charts[0].range[0] < charts[0].full[1] - charts[0].full[0]")
    assert opened.width() < whole


def test_the_table_says_what_the_chart_shows(opened: Watched) -> None:
    page = opened.page
    page.locator("#s0 .chart").focus()
    page.keyboard.press("t")
    rows = page.locator("#s0 .points tbody tr")
    rows.first.wait_for()
    assert rows.count() == page.evaluate(
        "Math.min(200, charts[0].s.hot && [...charts[0].s.flags].filter(f => f & 2).length + 40)"
    )
    assert page.locator("#s0 .points tr.is-out").count() > 0


def test_series_are_found_by_name(opened: Watched) -> None:
    page = opened.page
    page.keyboard.press("/")
    page.keyboard.type("web-4")
    assert page.locator(".card.series:visible").count() == 1
    assert page.locator("#found").inner_text() == "1 of 7 series"


def test_the_theme_switches(opened: Watched) -> None:
    page = opened.page
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(243, 245, 247)"
    page.locator("#theme-switch").click()
    page.locator("#theme-switch").click()
    assert page.evaluate(ground) == "rgb(13, 17, 22)"
    page.keyboard.press("d")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == "rgb(13, 17, 22)"


@pytest.mark.parametrize("which", ["address", "single"])
def test_on_a_phone_nothing_is_cut_off(browser: Browser, request: pytest.FixtureRequest, which: str) -> None:
    watched = Watched(browser, request.getfixturevalue(which), width=390, height=844)
    watched.page.locator("#s0 .overview").scroll_into_view_if_needed()
    watched.page.wait_for_selector("#s0 .plot svg")
    wide = watched.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    small = watched.page.evaluate(
        """() => [...document.querySelectorAll('button, summary, input')]
           .filter(e => e.offsetParent && e.offsetHeight < 40).map(e => e.outerHTML)"""
    )
    watched.context.close()
    assert wide[0] <= wide[1]
    assert small == []
    assert watched.said == []


def test_everything_has_a_name_and_a_place(opened: Watched) -> None:
    page = opened.page
    assert page.locator("h1").count() == 1
    assert page.locator("header, main, footer, nav").count() == 4
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, summary, dialog, [role], section, nav')]
           .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
           .filter(e => e.getAttribute('role') !== 'status').map(e => e.outerHTML)"""
    )
    assert unnamed == []
    for image in page.locator("svg[role=img]").all():
        assert len(image.get_attribute("aria-label") or "") > 20
    dangling = page.evaluate(
        """() => ['aria-labelledby', 'aria-describedby'].flatMap(name => [...document.querySelectorAll(`[${name}]`)]
           .filter(e => !document.getElementById(e.getAttribute(name)))).length"""
    )
    assert dangling == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_any_span_has_round_ticks(opened: Watched) -> None:
    for days in (0.0001, 0.01, 0.5, 3, 40, 300, 4_000):
        ticks = opened.page.evaluate(f"timeTicks(17e11, 17e11 + {days} * DAY, 900)")
        assert 3 <= len(ticks) <= 13, days
        assert len({label for _, label, _ in ticks}) >= 3
        assert all(17e11 <= t <= 17e11 + days * 864e5 for t, _, _ in ticks)


def test_printing_draws_every_chart(opened: Watched) -> None:
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator(".plot svg").count() == 7


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT = [
    *[
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3")
        for ground in ("surface", "canvas", "sunken", "hover", "out-wash")
    ],
    *[(ink, "critical-wash") for ink in ("ink", "ink-2", "ink-3")],
    *[("out", ground) for ground in ("surface", "sunken", "hover", "out-wash")],
    ("on-ink", "ink"),
]
MARKS = [(m, "surface") for m in ("band-edge", "expected", "control", "critical", "warning", "info", "ok", "out")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_apart(theme: int) -> None:
    tokens = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", _file("report.css"))
    }
    for pairs, floor in ((TEXT, 4.5), (MARKS, 3.0)):
        for front, back in pairs:
            assert contrast(tokens[front][theme], tokens[back][theme]) >= floor, (front, back)


def test_the_page_needs_no_file_beside_it(single: str) -> None:
    assert [p.name for p in Path(single.removeprefix("file://")).parent.iterdir()] == ["report.html"]
