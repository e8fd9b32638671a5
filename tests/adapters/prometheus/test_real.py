"""Debian's Prometheus and VictoriaMetrics: days of the past, their limits and their words."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from tests.adapters import servers
from watchband.adapters.sources.prometheus.settings import Prometheus
from watchband.core.duration import DAY, MINUTE, SECOND
from watchband.core.errors import PermanentError
from watchband.testing.clock import VirtualClock

STEP = 5 * MINUTE
SPAN = 8 * DAY
HOSTS = ("a", "b")
pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True)
class Server:
    """Eight days of ``load`` of two hosts, a reading every five minutes, until ``end``."""

    url: str
    end: int
    name: str


def value(moment: int, host: str) -> float:
    return moment // STEP % 977 + HOSTS.index(host) / 4


def past() -> tuple[list[int], int]:
    """Moments in seconds; they end before what the server holds in memory begins."""
    end = (time.time_ns() - 4 * 60 * MINUTE) // STEP * STEP
    return [t // SECOND for t in range(end - SPAN + STEP, end + STEP, STEP)], end


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    moments, end = past()
    lines = ["# TYPE load gauge"]
    lines += [f'load{{host="{h}"}} {value(t * SECOND, h)} {t}' for h in HOSTS for t in moments]
    text = "\n".join([*lines, "# EOF", ""])
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, "", "--query.max-samples=3000", openmetrics=text) as url:
        yield Server(url, end, "prometheus")


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    moments, end = past()
    lines = [
        json.dumps(
            {
                "metric": {"__name__": "load", "host": h},
                "values": [value(t * SECOND, h) for t in moments],
                "timestamps": [t * 1000 for t in moments],
            }
        )
        for h in HOSTS
    ]
    with servers.victoria_metrics(tmp_path_factory.mktemp("victoria"), "-search.maxSamplesPerQuery=20000") as url:
        servers.imported(url, "\n".join(lines))
        yield Server(url, end, "victoria")


@pytest.fixture(params=["prometheus", "victoria"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def pulled(server: Server, queries: dict[str, str], backfill: int = SPAN, step: int = STEP) -> dict[str, list]:
    settings = Prometheus(url=server.url, queries=queries, every=STEP, step=step, lateness=0, backfill=backfill)
    source = settings.open("prom", clock=VirtualClock(server.end))
    found: dict[str, list] = {}
    with contextlib.closing(source):
        for batch in source.history():
            for one in batch.readings:
                found.setdefault(str(one.key), []).extend(zip(one.times.tolist(), one.values.tolist(), strict=True))
    assert source.problems == {}
    return found


def test_eight_days_come_back_as_they_were_written(server: Server) -> None:
    found = pulled(server, {"load": "load", "total": "sum(load)"})
    moments = list(range(server.end - SPAN + STEP, server.end + 1, STEP))
    for host in HOSTS:
        assert found[f'load{{host="{host}"}}'] == [(t, value(t, host)) for t in moments]
    assert found["total"] == [(t, sum(value(t, h) for h in HOSTS)) for t in moments]
    assert len(found) == 3


def test_more_steps_than_a_server_answers_at_once(server: Server) -> None:
    """Eight days at one minute are 11,520 steps; a Prometheus answers 11,000, this one 3,000 samples at once."""
    found = pulled(server, {"load": "load"}, step=MINUTE)
    times = np.array([t for t, _ in found['load{host="a"}']])
    assert len(times) >= 11_520 - 5
    assert (np.diff(times) == MINUTE).all()


def test_a_query_that_no_server_understands_is_told_in_its_words(server: Server) -> None:
    with pytest.raises(PermanentError, match=r"parse error|unparsed data|cannot parse"):
        pulled(server, {"load": "sum(load"}, backfill=DAY)


def test_an_expression_that_cannot_be_computed_waits(server: Server) -> None:
    settings = Prometheus(
        url=server.url, queries={"load": "load", "bad": "load * on () load"}, every=STEP, lateness=0, backfill=DAY
    )
    source = settings.open("prom", clock=VirtualClock(server.end))
    reading = source.read()
    names = {r.key.metric for _ in range(1) for r in next(reading).readings}
    assert "load" in names
    assert "duplicate" in source.problems["bad"]
    source.close()


def test_the_same_readings_whenever_a_pull_begins(server: Server) -> None:
    """The grid is of the step, not of the moment of asking."""
    found = []
    for offset in (0, 17 * SECOND + 123_456_789, STEP - 1):
        later = Server(server.url, server.end + offset - STEP, server.name)
        found.append(pulled(later, {"load": "load"}, backfill=DAY))
    assert found[0] == found[1] == found[2]
