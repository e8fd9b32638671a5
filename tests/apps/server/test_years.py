"""Twenty years of a series: a chart asks for few points, an anomaly outlives every roll-up, a table is streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.apps.server.test_api import get, push
from tests.apps.server.world import World
from tests.apps.service.worlds import KeptStore, watch
from watchband.adapters.stores.scored.book import ScoreBook
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.service.views import table
from watchband.core.clock import SystemClock
from watchband.core.duration import DAY, HOUR
from watchband.core.keeping import Rollups, Trim
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339
from watchband.testing.streams import MINUTE, START

OLD = 'orders_seconds{shop="Nuts, \\"Bolts\\"",zone="x"}'
YEARS = 20
HOURS = YEARS * 365 * 24
SPIKE = 60_000
"""The hour that had an anomaly."""
RECENT = 2000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("years")
    kept = SqliteSettings(path=str(folder)).open(clock=SystemClock())
    hours = START // HOUR * HOUR - np.arange(HOURS, 0, -1) * HOUR
    mean = 100 + 10 * np.sin(np.arange(HOURS) / 24 * 2 * np.pi)
    high = np.where(np.arange(HOURS) == SPIKE, 500.0, mean + 2)
    anomalies = (np.arange(HOURS) == SPIKE).astype(np.int64)
    count, row = np.full(HOURS, 60), np.zeros(HOURS, np.int32)
    key = SeriesKey.parse(OLD)
    kept.trim(Trim("s", 0, Rollups([key], row, hours, count, mean - 2, high, mean * 60, anomalies)))
    with World(watches={"all": watch(detector="ewma", cutoff=None, budget="1/week")}, store=KeptStore(kept)) as world:
        world.service.scores = ScoreBook(folder / "scores")
        world.clock.time = START + RECENT * MINUTE
        push(world, 0, RECENT, OLD, RECENT - 5)
        yield world
    kept.close()


def asked(world: World, **query: Any) -> Any:
    return get(world, "series/points", series=OLD, max_points=12_000, **query)


def test_twenty_years_are_days_and_the_anomaly_is_among_them(world: World) -> None:
    answer = world.client.get("/api/v1/series/points", params={"series": OLD, "max_points": 12_000})
    found = answer.json()
    assert found["resolution"] == "daily"
    assert YEARS * 365 <= len(found["times_ms"]) <= YEARS * 365 + 3
    assert len(answer.content) < 1_000_000
    hot = [k for k, n in enumerate(found["anomalies"]) if n]
    spike = START // HOUR * HOUR - (HOURS - SPIKE) * HOUR
    assert spike // 10**6 in [found["times_ms"][k] for k in hot]
    assert max(found["y_max"]) == 500
    assert 500 in [found["y"][k] for k in hot]
    some = get(world, "series/points", series=OLD, max_points=800)
    assert (some["resolution"], len(some["times_ms"]) <= 800) == ("monthly", True)
    assert max(some["y_max"]) == 500


def test_nearer_it_becomes_hours_and_then_points(world: World) -> None:
    until = START + RECENT * MINUTE
    month = asked(world, **{"from": format_rfc3339(START - 30 * DAY), "to": format_rfc3339(until)})
    assert month["resolution"] == "hourly"
    assert 24 * 30 <= len(month["times_ms"]) <= 24 * 32
    assert np.all(np.diff(month["times_ms"]) > 0)
    day = asked(world, **{"from": format_rfc3339(START + 100 * MINUTE), "to": format_rfc3339(until)})
    assert (day["resolution"], len(day["times_ms"])) == ("raw", RECENT - 100)
    assert "y_min" not in day
    # Hours of points with their bands come last: they know more than the store's.
    assert month["yhat_upper"][-1] is not None
    assert month["yhat_upper"][0] is None


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_has_every_point_with_time_unit_and_series(world: World) -> None:
    push(world, 0, 3, '=HYPERLINK{a="b"}', start=START)
    since = format_rfc3339(START - 10 * HOUR)
    answer = world.client.get("/api/v1/series/points.csv", params={"series": [OLD, '=HYPERLINK{a="b"}'], "from": since})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="points.csv"'
    assert "content-length" not in answer.headers
    rows = rows_of(answer.text)
    mine = [r for r in rows if r["series"] == OLD]
    assert [r["resolution"] for r in mine] == ["hourly"] * 10 + ["raw"] * RECENT
    assert {r["unit"] for r in mine} == {"s"}
    assert mine[10]["time"] == format_rfc3339(START)
    assert (mine[0]["yhat"], mine[0]["y_max"] != "", mine[-1]["y_max"]) == ("", True, "")
    assert float(mine[-1]["yhat_upper"]) > float(mine[-1]["yhat_lower"])
    # Nobody's spreadsheet runs the name of a series.
    assert {r["series"] for r in rows} == {OLD, '\'=HYPERLINK{a="b"}'}
    days = world.client.get("/api/v1/series/points.csv", params={"series": OLD, "resolution": "daily"})
    assert YEARS * 365 <= len(rows_of(days.text)) <= YEARS * 365 + 3


def test_a_table_ends_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_MAX", 1000)
    lines = world.client.get("/api/v1/series/points.csv", params={"series": OLD}).text.splitlines()
    assert len(lines) == 1002
    assert lines[-1].startswith('"cut after 1000 rows; ask from=')


@pytest.mark.parametrize(
    ("query", "status"),
    [({"series": "{"}, 400), ({}, 400), ({"series": OLD, "watch": "none"}, 400), ({"series": [OLD] * 9}, 400)],
)
def test_what_is_no_series_is_refused(world: World, query: dict[str, Any], status: int) -> None:
    assert world.client.get("/api/v1/series/points.csv", params=query).status_code == status
