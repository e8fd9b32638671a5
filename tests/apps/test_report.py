"""The report: one page, nothing to fetch, nothing in the data can break out, every anomaly is in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.apps.pictures import detection_view, series_view
from watchband.apps.library import report
from watchband.apps.library.report import notebook_html, render, write_report
from watchband.apps.library.view import DetectionView, SeriesView

EVIL = "</script><script>alert(1)</script><!--<b onload='x'>&amp;\u2028\""


class Outline(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br", "wbr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def times_of(series: dict[str, Any]) -> np.ndarray:
    block = base64.b64decode(series["data"])
    return series["t0"] + np.frombuffer(block, "<u4", series["n"]) * series["tick"]


@pytest.fixture(scope="module")
def page() -> str:
    return render(detection_view(series_view(), series_view("memory_bytes", unit="", seed=1, host="a")))


def test_it_is_one_page_with_a_heading_and_landmarks(page: str) -> None:
    outline = Outline(page)
    names = [tag for tag, _ in outline.tags]
    assert names.count("h1") == names.count("main") == names.count("header") == names.count("footer") == 1
    ids = [a["id"] for _, a in outline.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert not [a for _, a in outline.tags if "style" in a or any(k.startswith("on") for k in a)]
    assert [a for tag, a in outline.tags if tag == "html"] == [{"lang": "en"}]


def test_nothing_is_fetched(page: str) -> None:
    assert not re.findall(r"(?:src|href|action|data)=\"(?!#|data:image)", page)
    assert not re.findall(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(", page)
    addresses = set(re.findall(r"https?://[^\s\"'%]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_only_our_own_script_and_style_may_run(page: str) -> None:
    policy = next(a["content"] for _, a in Outline(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    for tag, pattern in (("script", r"<script>(.*?)</script>"), ("style", r"<style>(.*?)</style>")):
        (text,) = re.findall(pattern, page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_script_is_short_and_cannot_end_its_element() -> None:
    script = report._file("report.js")
    assert len(script.splitlines()) <= 400
    assert "</" not in script
    assert "<!--" not in script


def test_a_name_cannot_break_out() -> None:
    view = series_view(EVIL, alerts=1, host=EVIL)
    view.notes = [EVIL]
    page = render(detection_view(view, series_view(), title=EVIL))
    assert "alert(1)" in page
    assert len(re.findall(r"<script", page)) == 2
    outline = Outline(page)
    assert not [a for _, a in outline.tags if "onload" in a]
    assert str(view.key) in [s["name"] for s in data_of(page)["series"]]


def test_the_verdict_says_what_is_wrong_first() -> None:
    def heading(view: DetectionView) -> str:
        found = re.search(r"<h1>(.*?)</h1>", render(view))
        assert found
        return found[1].replace("\u00a0", " ")

    assert heading(detection_view(series_view(alerts=0))) == "All quiet"
    assert heading(detection_view(series_view(alerts=2))) == "2 critical alerts"
    assert heading(detection_view(series_view(alerts=3), series_view(alerts=0, host="b"))) == (
        "3 critical alerts, in 1 of 2 series"
    )
    unjudged = series_view(alerts=0)
    unjudged.anomaly_score[:] = np.nan
    assert heading(detection_view(unjudged)) == "No verdict yet"
    assert heading(DetectionView([], [])) == "No verdict yet"


def test_all_that_was_asked_for_is_said(page: str) -> None:
    for words in (
        "critical",
        "Data quality",
        "out of order",
        "rolling_zscore:window=288",
        "budget:1/week",
        "direction",
    ):
        assert words in page
    assert "watchband detect made-up.csv --out result" in page
    assert "most severe first" in page


def test_the_numbers_can_be_read_back(page: str) -> None:
    view = series_view()
    series = next(s for s in data_of(page)["series"] if s["name"] == "cpu")
    block, n = base64.b64decode(series["data"]), series["n"]
    assert n == len(view) == len(block) // 25
    columns = np.frombuffer(block, "<f4", 5 * n, 4 * n).reshape(5, n).astype(float)
    y, score = columns[0] + series["base"], columns[4]
    np.testing.assert_allclose(y, view.y, atol=1e-5)
    np.testing.assert_allclose(score, view.anomaly_score, atol=1e-5)
    np.testing.assert_array_equal(times_of(series), view.times / 1e6)


def test_a_metric_with_a_known_unit_is_scaled() -> None:
    view = series_view("memory_bytes", unit="", alerts=0)
    for values in (view.y, view.yhat, view.yhat_lower, view.yhat_upper):
        values *= 1024.0**3
    series = data_of(render(detection_view(view)))["series"][0]
    assert series["unit"] == "GiB"
    assert 20 < series["base"] < 60


@pytest.mark.parametrize("zone", ["UTC", "Europe/Dublin", "Asia/Kolkata", "America/St_Johns"])
def test_local_time_changes_where_the_zone_changes(zone: str) -> None:
    view = detection_view(series_view(n=60_000, alerts=0))  # 208 days from 14 November 2023
    view.timezone = zone
    offsets = data_of(render(view))["offsets"]
    assert len(offsets) == (2 if zone in ("Europe/Dublin", "America/St_Johns") else 1)
    if zone == "Europe/Dublin":
        assert offsets[1] == [1_711_846_800_000, 3_600_000, "IST"]  # 31 March 2024, 01:00 UTC


def test_empty_and_tiny_series_are_drawn() -> None:
    empty = series_view(n=300, alerts=0)
    none = SeriesView(
        empty.key,
        "",
        *(
            getattr(empty, n)[:0]
            for n in ("times", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed")
        ),
    )
    one = empty.take(np.array([299]))
    Outline(render(detection_view(none)))
    Outline(render(detection_view(none, one)))


def test_many_long_series_stay_under_five_megabytes_and_keep_every_anomaly(tmp_path: Path) -> None:
    views = [series_view("cpu", 20_000, seed=k, host=f"web-{k}") for k in range(50)]
    path = write_report(detection_view(*views), tmp_path / "report.html")
    assert path.stat().st_size < 5e6
    drawn = {s["name"]: s for s in data_of(path.read_text(encoding="utf-8"))["series"]}
    for view in views:
        kept = times_of(drawn[str(view.key)])
        assert np.isin(view.times[view.anomalous] / 1e6, kept).all()


def test_a_notebook_shows_verdict_alerts_and_charts_without_script() -> None:
    text = notebook_html(detection_view(series_view(EVIL), series_view(alerts=0)))
    outline = Outline(text)
    tags = [tag for tag, _ in outline.tags]
    assert "script" not in tags
    assert tags.count("svg") == 2
    assert tags.count("li") == 2
    assert "2 critical alerts" in text.replace("\u00a0", " ")
    assert notebook_html(DetectionView([], []))


def test_the_same_view_gives_the_same_page() -> None:
    assert render(detection_view(series_view())) == render(detection_view(series_view()))
