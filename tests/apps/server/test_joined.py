"""What the API says of a watch over several metrics, and that every page of it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

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


def test_a_prediction_of_one_metric_passes_it_by(world: World) -> None:
    answer = world.client.post("/predict", json={"series": 'mem_ratio{cluster="x"}', "value": 0.6})
    assert answer.status_code == 200, answer.text
    assert "alone" in answer.text
    assert "ratios" not in answer.text
