"""What the API and the pages say of a watch over several metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.apps.server.test_dashboard import AXE
from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.apps.config.watches import WatchSettings
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

NAMES = ("cpu_ratio", "mem_ratio", "pod_ratio")
LEAD = 'cpu_ratio{cluster="x"}'
N = 400


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock: Any = SystemClock()
    judge = "local_outlier_factor:features=none,window=200,refit_every=100"
    watches = {
        "ratios": WatchSettings(join=NAMES, detector=judge, cutoff=2.5, tell_after=0),
        "alone": watch(match=("mem_ratio",)),
    }
    with World(watches=watches, clock=clock) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        times = clock.now() // MINUTE * MINUTE - (N - 1 - np.arange(N)) * MINUTE
        values = np.array([0.62, 0.65, 0.19]) + np.random.default_rng(2).normal(0, [0.02, 0.03, 0.007], (N, 3))
        values[390] = [0.62, 0.30, 0.19]
        for k in (2, 0, 1):
            key = SeriesKey(NAMES[k], {"cluster": "x"})
            world.service.offer("push", [Readings(key, times, values[:, k])]).result(30)
        world.service.engine.call(lambda: None).result(30)
        yield world


def got(world: World, path: str, **given: str) -> Any:
    answer = world.client.get(path, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_alert_goes_by_the_leading_metric_and_names_the_one_that_was_strange(world: World) -> None:
    (alert,) = got(world, "/api/v1/alerts", watch="ratios")["data"]
    assert alert["series"] == LEAD
    assert "What made it strange: mem_ratio" in alert["reason"]


def test_every_view_of_the_series(world: World) -> None:
    rows = got(world, "/api/v1/series")["data"]
    assert {(row["series"], row["watch"]) for row in rows} == {(LEAD, "ratios"), ('mem_ratio{cluster="x"}', "alone")}
    points = got(world, "/api/v1/series/points", series=LEAD)
    assert points["watch"] == "ratios"
    assert len(points["times_ms"]) == N
    assert got(world, "/api/v1/series/points", series='mem_ratio{cluster="x"}')["watch"] == "alone"
    found = got(world, "/api/v1/series/forecast", series=LEAD, horizon="1h")
    assert "several metrics together" in found["says"]
    for path in ("watches", "summary", "status", "fleet", "incidents", "drift", "models", "config", "windows"):
        got(world, f"/api/v1/{path}")
    preview = world.client.get("/api/v1/watches/alone/preview")
    assert preview.status_code == world.client.get("/api/v1/watches/ratios/preview").status_code or preview.is_success
    (mine,) = [one for one in got(world, "/api/v1/watches")["data"] if one["name"] == "ratios"]
    assert mine["join"] == list(NAMES)


def test_the_other_columns_of_the_series(world: World) -> None:
    lead = got(world, "/api/v1/series/points", series=LEAD)
    together = [f'{name}{{cluster="x"}}' for name in NAMES]
    assert lead["join"] == together
    assert "join" not in got(world, "/api/v1/series/points", series=together[1]), "it is watched by itself as well"
    for k, key in enumerate(together):
        found = got(world, "/api/v1/series/points", series=key, watch="ratios")
        assert (found["series"], found["watch"], found["join"]) == (key, "ratios", together)
        assert found["times_ms"] == lead["times_ms"]
        assert found["y"][390] == pytest.approx((0.62, 0.30, 0.19)[k])
        assert found["anomaly_score"][390] == lead["anomaly_score"][390] > 1, "the verdict is that of the whole point"
        assert set(found["yhat_lower"]) == {None}
        assert got(world, "/api/v1/series/points", series=key, watch="ratios", resolution="hourly")["y_max"]
    pods = got(world, "/api/v1/series/points", series=together[2])
    assert pods["watch"] == "ratios", "nobody else has it"
    table = world.client.get("/api/v1/series/points.csv", params={"series": together[2]})
    assert len(table.text.splitlines()) == N + 1
    assert got(world, "/api/v1/series", match="pod_ratio")["data"] == [], "what is judged goes by the leading metric"
    (keys,) = world.service.besides.recent.names()[:1]
    world.service.scores.flush()  # type: ignore[union-attr]
    assert got(world, "/api/v1/series/points", series=together[2])["y"] == pods["y"]
    assert world.client.get("/api/v1/series/points", params={"series": "disk"}).status_code == 400
    assert keys[0].startswith("ratios")


def test_a_prediction_of_one_metric_passes_it_by(world: World) -> None:
    answer = world.client.post("/predict", json={"series": 'mem_ratio{cluster="x"}', "value": 0.6})
    assert answer.status_code == 200, answer.text
    assert "alone" in answer.text
    assert "ratios" not in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_draw_every_column(browser: Browser, world: World, theme: str) -> None:
    (incident,) = got(world, "/api/v1/incidents")["data"]
    page = browser.new_page(base_url=world.web.url, reduced_motion="reduce")
    try:
        page.goto(f"/incident?id={incident['id']}&theme={theme}")
        expect(page.locator(".member.joined b")).to_have_text(["mem_ratio", "pod_ratio"])
        expect(page.locator(".member.joined .value").first).to_contain_text("0.6")
        page.evaluate(AXE.read_text())
        assert [v["id"] for v in page.evaluate("axe.run(document.querySelector('.members'))")["violations"]] == []
        page.goto(f"/explore?series={quote(LEAD)}&watch=ratios&theme={theme}")
        below = page.locator(".compared.joined .other")
        expect(below.locator("header b")).to_have_text([f'{name}{{cluster="x"}}' for name in NAMES[1:]])
        expect(below.locator("canvas")).to_have_count(2)
        expect(below.locator(".readout").first).to_contain_text("0.6")
        page.evaluate(AXE.read_text())
        assert [v["id"] for v in page.evaluate("axe.run(document.querySelector('.joined'))")["violations"]] == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.close()
