"""A stream read by the service: what comes out of order waits for its lateness, and is judged in order."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.apps.service.test_service import until
from tests.apps.service.worlds import KeptStore, config
from tests.servers.moto import KEYS
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.apps.service.service import Service
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.ports import Arrival
from watchband.testing.kinesis.server import KinesisServer


@pytest.mark.parametrize("lateness", [0, 5 * MINUTE])
def test_records_out_of_order(lateness: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a producer leaves them that sends again what failed: one record behind two later ones."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server, store = KinesisServer(), KeptStore()
    stream = server.stream("metrics")
    now = SystemClock().now() // MINUTE * MINUTE
    order = [0, 1, 2, 4, 5, 3, 6, 7, 8, 9]

    def put(step: int) -> None:
        time = now + (step - 60) * MINUTE
        stream.put("a", json.dumps({"series": "cpu", "time": time, "value": step}).encode())

    settings = Kinesis(
        stream="metrics", endpoint_url=server.url, limit=1, every=SECOND // 5, lateness=lateness, delay=0
    )
    service = Service(config({"stream": settings}, store=store), clock=SystemClock())
    service.start()
    try:
        health = service.inflow.pumps["stream"].health
        until(lambda: health.batches >= 1)
        for step in order:
            put(step)
        until(lambda: health.points >= len(order))
        assert health.behind_s is not None
    finally:
        service.stop(10)
        server.close()
    entries = [one for entry in store.store.log("main", 0) for one in entry.readings]
    late = [one.times.tolist() for one in entries if one.arrival is Arrival.LATE]
    assert sorted(np.concatenate([one.values for one in entries]).tolist()) == list(range(10))
    # Without lateness the third comes behind the fifth: kept, counted, and not judged.
    assert late == ([] if lateness else [[now - 57 * MINUTE]])
