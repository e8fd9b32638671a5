"""Explore in Chromium, against a real server: comparing, files, panning, filters, zones, 10,000 series, a restart."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.apps.server.test_api import push
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from tests.serve.process import Process
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.core.clock import SystemClock
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE

pytestmark = pytest.mark.browser
HOT = 'latency_seconds{host="a",service="web"}'
CPU = 'cpu_percent{host="a",service="web"}'
CALM = 'queue_length{host="c",service="jobs"}'
N = 1500
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock: Any = SystemClock()
    with World(watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}, clock=clock) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        end = clock.now() // MINUTE
        for name, spike in ((HOT, N - 5), (CPU, N - 4), (CALM, None)):
            push(world, 0, N, name, spike, start=(end - N + 1) * MINUTE, noise=1.0)
        yield world


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    context = browser.new_context(base_url=world.web.url, timezone_id="Asia/Kolkata", reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def at(series: str, **more: str) -> str:
    rest = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    return f"/explore?series={quote(series)}{rest}"


def seen(page: Page) -> tuple[float, float]:
    """The range that the address names, in ms."""
    given = parse_qs(urlsplit(page.url).query)
    one: list[float] = page.evaluate("times => times.map(Date.parse)", [given["from"][0], given["to"][0]])
    return one[0], one[1]


def shown(page: Page) -> None:
    expect(page.locator(".recent tbody tr").first).to_be_visible()


def test_series_are_compared_on_one_axis_and_the_address_says_so(page: Page) -> None:
    page.goto(at(HOT))
    shown(page)
    page.keyboard.press("c")
    page.get_by_role("button", name=f"Compare with {CALM}").click()
    page.get_by_role("button", name=f"Compare with {CPU}").click()
    others = page.locator(".compared .other")
    expect(others).to_have_count(2)
    assert parse_qs(urlsplit(page.url).query)["with"] == [CALM, CPU]
    expect(others.first.locator(".readout")).to_contain_text("expected")
    page.reload()
    expect(others).to_have_count(2)
    # One crosshair: each says its own value at the same time.
    shown(page)
    plot = page.locator(".chart .u-over").first.bounding_box()
    assert plot is not None
    page.mouse.move(plot["x"] + plot["width"] * 0.4, plot["y"] + 40)
    times = page.locator(".readout b:first-child")
    expect(times).to_have_count(3)
    expect(times.nth(1)).to_have_text(times.nth(0).inner_text())
    expect(times.nth(2)).to_have_text(times.nth(0).inner_text())
    page.get_by_role("button", name=f"Remove {CPU} from the comparison").last.click()
    expect(others).to_have_count(1)


def test_what_is_shown_is_handed_over_as_files(page: Page, world: World) -> None:
    page.goto(at(HOT, span="6 h", **{"with": CALM}))
    shown(page)
    expect(page.locator(".compared .other canvas")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "points.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(), newline="")))
    assert {row["series"] for row in rows} == {HOT, CALM}
    assert {(row["series"], row["unit"]) for row in rows} == {(HOT, "s"), (CALM, "")}
    assert 300 < sum(row["series"] == HOT for row in rows) <= 361
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    picture = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename.endswith(".png")
    assert picture[:8] == PNG
    wide, high = (int.from_bytes(picture[k : k + 4], "big") for k in (16, 20))
    assert wide > 600
    assert high > 450, "both charts, title and legend"
    incident = world.client.get("/api/v1/incidents?state=open").json()["data"][0]["id"]
    page.goto(f"/incident?id={incident}")
    expect(page.locator(".member canvas")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert Path(download.value.path()).read_bytes()[:8] == PNG


def test_the_range_is_panned_brushed_and_zoomed_by_mouse_and_keys(page: Page) -> None:
    page.goto(at(HOT, span="6 h"))
    shown(page)
    plot = page.locator(".chart .u-over").first.bounding_box()
    assert plot is not None
    middle = plot["x"] + plot["width"] / 2, plot["y"] + 60
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("from="))
    near = seen(page)
    page.keyboard.down("Shift")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + plot["width"] / 4, middle[1], steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).not_to_have_url(re.compile(re.escape(quote(page.evaluate("t => new Date(t).toISOString()", near[0])))))
    panned = seen(page)
    assert panned[1] - panned[0] == pytest.approx(near[1] - near[0], rel=1e-6)
    assert near[0] - panned[0] == pytest.approx((near[1] - near[0]) / 4, rel=0.05)
    page.locator(".chart").first.focus()
    page.keyboard.press("-")
    far = seen(page)
    assert far[1] - far[0] == pytest.approx(2 * (panned[1] - panned[0]), rel=1e-6)
    page.keyboard.press("Backspace")
    assert seen(page) == panned
    page.keyboard.press("PageUp")
    assert seen(page)[0] < panned[0]
    window = page.get_by_role("slider", name="Range shown")
    window.focus()
    before = seen(page)
    page.keyboard.press("ArrowRight")
    assert seen(page)[0] > before[0]
    page.keyboard.press("0")
    expect(page).to_have_url(re.compile("span=all"))
    expect(page).not_to_have_url(re.compile("from="))


def test_filters_take_ranges_and_name_the_one_that_clashes(page: Page) -> None:
    page.goto("/explore")
    field = page.get_by_role("searchbox")
    field.type("score>1 ")
    expect(page.get_by_text("2 series", exact=True)).to_be_visible()
    field.type("service=jobs")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.get_by_text("No series has all of")).to_be_visible()
    expect(page.get_by_role("button", name="without anomaly score from 1: 1 series")).to_be_visible()
    page.get_by_role("button", name="without service is jobs: 2 series").click()
    expect(page.get_by_text("2 series", exact=True)).to_be_visible()
    expect(page.locator(".matches")).to_contain_text("Outside their band")


def test_times_are_of_the_viewers_zone_with_utc_beside_them(page: Page, world: World) -> None:
    page.goto(at(HOT))
    cell = page.locator(".recent tbody tr td").first
    expect(cell).to_be_visible()
    utc = cell.get_attribute("title")
    assert utc is not None
    assert utc.endswith("Z")
    local = page.evaluate(
        "t => new Intl.DateTimeFormat('en-GB', {timeZone: 'Asia/Kolkata', hour: '2-digit', minute: '2-digit'})"
        ".format(Date.parse(t))",
        utc,
    )
    expect(cell).to_contain_text(local)
    expect(page.locator(".recent .aside")).to_contain_text(re.compile("Asia/(Kolkata|Calcutta)"))
    expect(page.locator(".readout").first).to_contain_text(f"{utc[11:16]} UTC")


def test_anomalies_stand_out_in_the_table_and_it_is_reached_by_a_key(page: Page) -> None:
    page.goto(at(HOT))
    shown(page)
    hot = page.locator(".recent tr.anomaly")
    expect(hot.first).to_be_visible()
    expect(hot.first).to_contain_text(re.compile("alert opened|open alert|anomaly"))
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Recent points")).to_be_focused()


def test_ten_thousand_series_are_a_list_of_some_rows(browser: Browser) -> None:
    """What stands in the page does not grow with the fleet, and the last of them can be found."""
    clock: Any = SystemClock()
    with World(watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}, clock=clock) as world:
        rng, n = np.random.default_rng(0), 60
        times = (clock.now() // MINUTE - n + 1 + np.arange(n)) * MINUTE
        for part in range(10):
            some = [
                SeriesKey("load", {"host": f"h{k:05d}", "service": f"s{k % 20}"})
                for k in range(part * 1000, part * 1000 + 1000)
            ]
            world.service.offer("push", [Readings(key, times, rng.normal(10, 1, n)) for key in some]).result(60)
        world.service.engine.call(lambda: None).result(60)
        context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
        page = context.new_page()
        page.goto("/explore")
        expect(page.get_by_text("200 of 10,000 series")).to_be_visible(timeout=30_000)
        rows = page.locator(".matches .match")
        assert rows.count() < 60
        page.locator(".matches ul").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        expect(page.get_by_text("400 of 10,000 series")).to_be_visible(timeout=30_000)
        assert rows.count() < 60
        page.get_by_role("searchbox").fill("h09999")
        expect(page.get_by_text("1 series", exact=True)).to_be_visible(timeout=30_000)
        page.goto("/")
        strip = page.locator(".fleet canvas")
        expect(strip).to_have_attribute("aria-label", re.compile("10,000 series"), timeout=30_000)
        assert page.evaluate("document.querySelectorAll('*').length") < 1500
        context.close()


def test_a_page_lives_on_through_a_restart_of_the_service(browser: Browser, tmp_path: Path) -> None:
    """A process that ends and another in its place: stale, then live again by itself, with what came meanwhile."""
    served, end = Process(tmp_path, watches={"all": {"detector": "ewma", "budget": "1/week"}}), time.time_ns() // MINUTE

    def put(values: list[float], last: int) -> None:
        lines = "".join(f"queue value={v} {(last - len(values) + 1 + k) * MINUTE}\n" for k, v in enumerate(values))
        served.client.post("/write", content=lines).raise_for_status()

    try:
        served.start()
        put([10.0 + k % 3 for k in range(100)], end)
        context = browser.new_context(base_url=str(served.client.base_url), reduced_motion="reduce")
        page = context.new_page()
        page.goto("/explore")
        shown(page)
        newest = page.locator(".recent tbody tr").first
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        assert served.end() == 0
        expect(page.get_by_role("alert").filter(has_text="said nothing")).to_be_visible(timeout=30_000)
        expect(page.locator("html")).to_have_class(re.compile("is-stale"))
        # What was known stays to be read.
        expect(newest).to_contain_text("10")
        served.start()
        put([777.0], end + 1)
        # Nobody touches the page.
        expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=45_000)
        expect(newest).to_contain_text("777", timeout=30_000)
        expect(page.get_by_role("alert").filter(has_text="said nothing")).to_have_count(0)
        context.close()
    finally:
        served.close()
