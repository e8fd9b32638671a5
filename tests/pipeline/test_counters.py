"""Counters by name: judged as rates in a watch of everything, beside plain numbers that are left as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.apps.service.test_service import running
from tests.apps.service.worlds import config, watch
from watchband.apps.config.config import read_config
from watchband.apps.config.watches import WatchSettings
from watchband.apps.service.status import status_of
from watchband.core.ports import Commit, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Lane
from watchband.pipeline.counters import is_counter
from watchband.testing.streams import MINUTE, START

COUNTER, GAUGE = SeriesKey("http_requests_total", {"job": "web"}), SeriesKey("thread_count")


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("http_requests_total", True),
        ("http_request_duration_seconds_bucket", True),
        ("http_request_duration_seconds_sum", True),
        ("response_size_bytes_count", True),
        ("total", False),
        ("thread_count", False),
        ("queue_sum", False),
        ("node_memory_MemTotal_bytes", False),
        ("total_requests", False),
    ],
)
def test_names_say_what_counts_up(metric: str, expected: bool) -> None:
    assert is_counter(metric) is expected


def entries(cut: int) -> list[Commit]:
    """Two series, the first a counter that is reset once, the other a plain number."""
    counted = np.cumsum(np.full(40, 120.0))
    counted[25:] -= counted[25] - 60.0
    plain = np.full(40, 7.0) + np.arange(40) % 3
    found = []
    for number, first in enumerate(range(0, 40, cut), 1):
        part = slice(first, min(first + cut, 40))
        times = START + np.arange(part.start, part.stop) * MINUTE
        readings = [Readings(COUNTER, times, counted[part]), Readings(GAUGE, times, plain[part])]
        found.append(Commit("s", number, readings if number % 2 else readings[::-1]))
    return found


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_only_what_counts_up_becomes_a_rate_over_its_reset(cut: int) -> None:
    lane = Lane(WatchSettings(detector="light").bound("w"))
    shown: dict[SeriesKey, list[float]] = {COUNTER: [], GAUGE: []}
    for entry in entries(cut):
        results = lane.fold(entry)
        for row, y in zip(results.row.tolist(), results.y.tolist(), strict=True):
            shown[results.keys[row]].append(y)
    assert shown[GAUGE] == (np.full(40, 7.0) + np.arange(40) % 3).tolist()
    assert np.isnan(shown[COUNTER][0])
    assert shown[COUNTER][1:25] == [2.0] * 24
    assert shown[COUNTER][25] == 1.0, "what it counted since it began again"
    again = lane.bound.watch.load(lane.state.to_bytes())
    assert again.counters().tolist() == [key == COUNTER for key in again.keys]
    again.drop([again.keys[0]])
    assert again.counters().tolist() == [again.keys[0] == COUNTER]


@pytest.mark.parametrize(("given", "rates"), [(False, set()), (True, {COUNTER, GAUGE}), (None, {COUNTER})])
def test_a_watch_may_say_it_for_all_of_its_series(given: bool | None, rates: set[SeriesKey]) -> None:
    lane = Lane(WatchSettings(detector="light", counter=given).bound("w"))
    results = lane.fold(entries(40)[0])
    first = {results.keys[row]: y for row, y in reversed(list(zip(results.row.tolist(), results.y, strict=True)))}
    assert {key for key, y in first.items() if np.isnan(y)} == rates


def test_plain_watches_keep_their_states() -> None:
    bare = WatchSettings(detector="light", counter=False).bound("w")
    assert "by_name" not in repr(bare.fingerprint)
    assert bare.fingerprint != WatchSettings(detector="light").bound("w").fingerprint


def test_status_counts_them() -> None:
    with running(config(watches={"all": watch(), "raw": watch(counter=False)})) as service:
        service.offer("push", list(entries(40)[0].readings)).result(10)
        assert [w["counters"] for w in status_of(service)["watches"]] == [1, 0]


def test_a_query_that_is_a_rate_under_a_counters_name_is_doubted(tmp_path: Path) -> None:
    text = """
sources:
  prom: {{url: "http://localhost:9090", kind: prometheus, queries: {{requests_total: "sum(rate(requests_total[5m]))"}}}}
watches: {{all: {{match: "*"{}}}}}
sinks: {{out: {{kind: stdout}}}}
"""
    path = tmp_path / "watchband.yaml"
    path.write_text(text.format(""))
    assert "its rate would be taken again" in read_config(path).warnings[0].message
    path.write_text(text.format(", counter: false"))
    assert not read_config(path).warnings
