"""The report of a backtest: what it says, and how it behaves in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import watchband as wb
from tests.apps.test_report_browser import MARKS, TEXT, contrast
from watchband.apps.library.backtest.page import render
from watchband.apps.library.backtest.result import Backtest
from watchband.apps.library.report import _file
from watchband.evaluation.labels import Label
from watchband.testing.streams import MINUTE, START

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

N = 1500


def made(splits: int = 2, labelled: bool = True) -> Backtest:
    """Three series of a frame, one with a name that wants to be HTML; a spike found, one missed, one unlabelled."""
    import pandas as pd

    rng = np.random.default_rng(3)
    times = START + 5 * MINUTE * np.arange(N)
    frame = pd.DataFrame(
        {"time": pd.to_datetime(times), **{name: rng.normal(20, 1, N) for name in ("cpu", "</script>", "quiet")}}
    )
    frame.loc[900:905, "cpu"] += 30
    frame.loc[1200:1203, "cpu"] += 30
    labels = [
        Label("cpu", int(times[900]), int(times[905]), "spike"),
        Label("quiet", int(times[1000]), int(times[1040]), "drift"),
    ]
    return wb.backtest(
        frame,
        detector=["ewma", "rolling_zscore"],
        cutoff=8,
        labels=labels if labelled else None,
        splits=splits,
        baselines=True,
    )


@pytest.fixture(scope="module")
def found() -> Backtest:
    return made()


def test_what_the_page_says(found: Backtest) -> None:
    text = render(found)
    assert "ewma finds 1 of 2 events" in text
    assert "No alert opened in this <b>drift</b>" in text
    assert re.search(r"expected 1\d\.?\d*–2\d", text), "the sentence of the false alert"
    assert "for comparison" in text
    assert text.count("</script>") == 2, "a series cannot end the script"
    assert "style=" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_without_labels_it_counts_alerts() -> None:
    text = render(made(splits=0, labelled=False))
    assert "times a week" in text
    assert "Worst mistakes" not in text
    assert "Strangest alerts" in text
    assert text.count("band widths above") >= 2
    assert "event F1" not in text


def test_what_was_not_kept_is_said(tmp_path: Path) -> None:
    times, values = START + MINUTE * np.arange(400), np.random.default_rng(1).normal(size=400)
    found = wb.backtest((times, values), detector="ewma", cutoff=2, labels=[], scores=False, out=tmp_path / "out")
    assert "the scores were not kept" in (tmp_path / "out" / "report.html").read_text()
    assert found.mistakes()


class Opened:
    """A page whose console and traffic are kept."""

    def __init__(self, browser: Browser, address: str, width: int) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def close(self) -> None:
        self.context.close()
        assert self.said == []
        assert [url for url in self.asked if not url.startswith(("file:", "data:"))] == []


@pytest.fixture(scope="module")
def address(found: Backtest, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("backtest") / "report.html"
    path.write_text(render(found))
    return path.as_uri()


@pytest.mark.browser
def test_candidates_are_switched_by_button_and_key(browser: Browser, address: str) -> None:
    opened = Opened(browser, address, 1440)
    page = opened.page
    shown = "document.querySelectorAll('.lane [data-of]:not([hidden])').length"
    of = "[...document.querySelectorAll('.lane [data-of]:not([hidden])')].map(e => e.dataset.of).join('')"
    assert page.evaluate(shown) == 6
    assert set(page.evaluate(of)) == {"0"}
    page.get_by_role("button", name="rolling_zscore").click()
    assert set(page.evaluate(of)) == {"1"}
    assert page.locator("#switched").inner_text() == "Showing rolling_zscore"
    page.keyboard.press("3")
    assert set(page.evaluate(of)) == {"2"}
    assert page.locator("[aria-pressed=true]").inner_text() == "static threshold 3 σ"
    page.keyboard.press("9")
    assert set(page.evaluate(of)) == {"2"}
    opened.close()


@pytest.mark.browser
def test_keys_walk_and_open(browser: Browser, address: str) -> None:
    opened = Opened(browser, address, 1440)
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.innerText") == first
    page.keyboard.press("t")
    assert page.locator("details.points[open] tbody tr").count() >= 2
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 22)"
    opened.close()


@pytest.mark.browser
def test_everything_has_a_name(browser: Browser, address: str) -> None:
    opened = Opened(browser, address, 1440)
    page = opened.page
    assert page.locator("h1").count() == 1
    assert page.locator("header, main, footer").count() == 3
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, a, summary, dialog, [role], section')]
           .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label')))
           .filter(e => e.getAttribute('role') !== 'status').map(e => e.outerHTML)"""
    )
    assert unnamed == []
    for image in page.locator("svg[role=img]").all():
        assert len(image.get_attribute("aria-label") or "") > 20
    dangling = page.evaluate(
        """() => [...document.querySelectorAll('[aria-labelledby]')]
           .filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))).length"""
    )
    assert dangling == 0
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [718, 760, 794])
def test_on_paper_nothing_is_cut_off(browser: Browser, address: str, width: int) -> None:
    """A4 with wide, usual and no margins."""
    opened = Opened(browser, address, width)
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "[...document.querySelectorAll('.scroll, pre')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert opened.page.evaluate(cut) == 0
    opened.close()


@pytest.mark.browser
def test_on_a_phone_nothing_is_cut_off(browser: Browser, address: str) -> None:
    opened = Opened(browser, address, 390)
    page = opened.page
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    small = page.evaluate(
        "[...document.querySelectorAll('button, summary')].filter(e => e.offsetParent && e.offsetHeight < 40).length"
    )
    assert small == 0
    hidden = page.evaluate(
        "[...document.querySelectorAll('td')].filter(e => getComputedStyle(e).display === 'none').length"
    )
    assert hidden == 0
    opened.close()


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_marks_can_be_told_from_their_ground(theme: int) -> None:
    tokens = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", _file("report.css"))
    }
    for front, back in [*MARKS, *TEXT, ("surface", "out"), ("ink-3", "surface"), ("on-ink", "ink")]:
        assert contrast(tokens[front][theme], tokens[back][theme]) >= 3, (front, back)
