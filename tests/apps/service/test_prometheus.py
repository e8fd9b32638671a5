"""A Prometheus read by the service: its past judged, a query that fails told, a restart without repeats or gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.adapters.prometheus.api import Api
from tests.apps.service.test_service import until
from tests.apps.service.worlds import KeptStore, config
from watchband.adapters.sources.prometheus.settings import Prometheus
from watchband.apps.config.config import Config
from watchband.apps.service.service import Service
from watchband.core.clock import SystemClock
from watchband.core.duration import SECOND


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(lambda query, time: [{"metric": {"host": "a"}, "value": str(time % 60)}], SystemClock())
    refused = (400, b'{"errorType":"bad_data","error":"parse error: unexpected end of input"}')
    server.refuse = lambda query, first, last: refused if query == "sum(" else None
    yield server
    server.close()


def settings(api: Api, store: KeptStore) -> Config:
    queries = {"load": "load", "wrong": "sum("}
    prom = Prometheus(url=api.url, queries=queries, every=SECOND, lateness=0, backfill=120 * SECOND)
    return config({"prom": prom}, store=store)


def test_the_past_comes_first_and_a_restart_leaves_no_gap(api: Api) -> None:
    store = KeptStore()
    for _ in range(2):
        service = Service(settings(api, store), clock=SystemClock())
        service.start()
        try:
            health = service.inflow.pumps["prom"].health
            until(lambda health=health: health.state == "up" and health.batches >= 2)  # type: ignore[misc]
            assert health.error.startswith("wrong: The server refused the query (400 bad_data): parse error")
        finally:
            service.stop(10)
    times = [t for entry in store.store.log("main", 0) for r in entry.readings for t in r.times.tolist()]
    assert len(times) >= 123
    assert set(np.diff(times).tolist()) == {SECOND}
