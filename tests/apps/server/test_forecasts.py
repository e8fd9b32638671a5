"""The endpoint that looks ahead, over a real socket, and what the dashboard draws of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.core.clock import SystemClock
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.core.timestamp import parse_rfc3339

SERIES, SHAPELESS = 'requests{service="shop"}', "shapes"
STEP = 10 * MINUTE
N = 10 * DAY // STEP


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock: Any = SystemClock()
    watches = {
        "shop": watch(match=("requests",), detector="seasonal_band", cutoff=None, budget="1/week"),
        "shapes": watch(match=(SHAPELESS,), detector="random_cut_forest:trees=10", cutoff=None, budget="1/week"),
    }
    with World(watches=watches, clock=clock) as world:
        world.service.scores = ScoreBook(tmp_path_factory.mktemp("scores"))
        end = clock.now() // STEP * STEP
        times = end - (N - 1 - np.arange(N)) * STEP
        wave = 100 + 40 * np.sin(2 * np.pi * (times % DAY) / DAY)
        values = wave + np.random.default_rng(1).normal(0, 3, N)
        for name in (SERIES, SHAPELESS):
            world.service.offer("push", [Readings(SeriesKey.parse(name), times, values)]).result(30)
        world.service.engine.call(lambda: None).result(30)
        yield world


def asked(world: World, status: int = 200, **given: str) -> dict[str, Any]:
    answer = world.client.get("/api/v1/series/forecast", params={"series": SERIES} | given)
    assert answer.status_code == status, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_the_band_goes_on_where_the_points_end(world: World) -> None:
    found = asked(world, horizon="6h")
    points = world.client.get("/api/v1/series/points", params={"series": SERIES}).json()
    assert found["watch"] == "shop"
    assert found["says"] == ""
    assert found["times_ms"][0] == points["times_ms"][-1] + STEP // 1_000_000
    assert len(found["times_ms"]) == 6 * HOUR // STEP == len(found["yhat"]) == len(found["yhat_upper"])
    assert parse_rfc3339(found["until"]) == found["times_ms"][-1] * 1_000_000
    truth = 100 + 40 * np.sin(2 * np.pi * (np.array(found["times_ms"]) * 1_000_000 % DAY) / DAY)
    assert np.abs(np.array(found["yhat"]) - truth).mean() < 5
    assert (np.array(found["yhat_lower"]) < truth).all()
    assert (np.array(found["yhat_upper"]) > truth).all()
    assert found["error"] < found["persistence_error"]
    assert found["tried"] > 40


def test_asking_changes_nothing_of_what_is_watched(world: World) -> None:
    def states() -> dict[str, bytes]:
        shard = world.service.engine.shard
        assert shard is not None
        return world.service.look(lambda: {name: lane.state.to_bytes() for name, lane in shard.lanes.items()})

    before = states()
    first = asked(world, horizon="2d")
    assert asked(world, horizon="2d") == first
    assert states() == before


def test_up_to_a_time_is_the_same_as_so_far(world: World) -> None:
    some = asked(world, horizon="3h")
    assert asked(world, to=some["until"]) == some
    nothing = asked(world, to="2020-01-01T00:00:00Z")
    assert nothing["times_ms"] == []
    assert "not behind the last point" in nothing["says"]


def test_it_is_cut_where_it_was_not_tried_and_says_so(world: World) -> None:
    found = asked(world, horizon="2w")
    assert found["sees_s"] <= 10 * 86_400 / 3
    assert found["times_ms"][-1] - found["times_ms"][0] <= found["sees_s"] * 1000
    assert "a third of its kept history" in found["says"]


def test_a_detector_without_an_expectation_says_so(world: World) -> None:
    found = asked(world, series=SHAPELESS)
    assert found["times_ms"] == []
    assert found["until"] is None
    assert "'random_cut_forest' has no expectation of its own" in found["says"]


def test_what_was_never_seen_is_no_error_and_what_makes_no_sense_is(world: World) -> None:
    assert "has not seen a point" in asked(world, series='requests{service="new"}')["says"]
    for given, said in (
        ({"series": "other"}, "No watch takes the series"),
        ({"series": 'a{b="'}, "b"),
        ({"watch": "none"}, "No watch 'none'"),
        ({"horizon": "soon"}, "soon"),
        ({"horizon": "1y"}, "reaches 8w at most"),
        ({"to": "tomorrow"}, "tomorrow"),
        ({"horizon": "1d", "to": "2030-01-01T00:00:00Z"}, "not both"),
    ):
        assert said in asked(world, 400, **given)["detail"]
    assert "forecast" in world.client.get("/api/v1/about").json()["features"]


@pytest.mark.browser
def test_explore_draws_it_says_how_far_and_is_switched_by_a_key(world: World, browser: Browser) -> None:
    context = browser.new_context(base_url=world.web.url, reduced_motion="reduce")
    page = context.new_page()
    with page.expect_response(re.compile("/api/v1/series/forecast")) as answer:
        page.goto(f"/explore?series={SERIES}")
    assert len(answer.value.json()["times_ms"]) > 10
    line = page.get_by_text(re.compile(r"^Ahead until .* expects, with its band\. Tried from \d+ moments"))
    expect(line).to_be_visible()
    button = page.get_by_role("button", name="Forecast")
    expect(button).to_have_attribute("aria-pressed", "true")
    # Blue right of the line where data end: the hatch is there, and gone when it is switched off.
    assert blue(page) > 50
    page.keyboard.press("f")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(line).not_to_be_visible()
    page.keyboard.press("f")
    expect(line).to_be_visible()
    page.goto(f"/explore?series={SHAPELESS}")
    expect(page.get_by_text("has no expectation of its own")).to_be_visible()
    context.close()


def blue(page: Any) -> int:
    """Pixels of the forecast's colour in the last twentieth of the chart."""
    script = """() => {
        const canvas = document.querySelector(".chart canvas");
        const probe = document.createElement("span");
        probe.style.color = "var(--forecast)";
        document.body.append(probe);
        const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
        probe.remove();
        const from = Math.floor(canvas.width * 0.94);
        const { data } = canvas.getContext("2d").getImageData(from, 0, canvas.width - from, canvas.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4) {
            found += Math.abs(data[i] - r) < 30 && Math.abs(data[i + 1] - g) < 30 && Math.abs(data[i + 2] - b) < 30;
        }
        return found;
    }"""
    return int(page.evaluate(script))
