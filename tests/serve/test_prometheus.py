"""A real Prometheus: scrapes ``/metrics`` with the shipped rules, writes to ``/api/v1/write``, and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters import servers
from tests.serve.process import ROOT, Process
from watchband.adapters.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.timeout(180)
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - {{job_name: watchband, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}
remote_write:
  - url: http://127.0.0.1:{port}/api/v1/write
    queue_config: {{max_backoff: 500ms, batch_send_deadline: 500ms}}
    write_relabel_configs: [{{source_labels: [__name__], regex: 'up|watchband_log_entries', action: keep}}]
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Process]:
    found = Process(tmp_path)
    yield found
    found.close()


def asked(address: str, path: str, **parameters: Any) -> Any:
    return httpx.get(f"{address}/api/v1/{path}", params=parameters, timeout=10).json()["data"]


def until(holds: Any) -> Any:
    end = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)
    return found


def test_prometheus_scrapes_it_writes_to_it_and_waits_while_it_restarts(served: Process, tmp_path: Path) -> None:
    served.start()
    rules = ROOT / "deploy" / "prometheus" / "watchband.rules.yml"
    with servers.prometheus(tmp_path, CONFIG.format(port=served.port, rules=rules)) as address:

        def received() -> float:
            query = 'watchband_source_points_received_total{source="remote_write"}'
            found = asked(address, "query", query=query)["result"]
            return float(found[0]["value"][1]) if found else 0.0

        until(lambda: received() >= 4)
        assert served.end() == 0
        time.sleep(2)
        served.start()
        until(lambda: received() >= 4)
        groups = asked(address, "rules")["groups"]
        (target,) = asked(address, "targets")["activeTargets"]
        assert target["health"] == "up", target["lastError"]
        assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
        assert served.end() == 0
        scraped = asked(address, "query", query='up{job="watchband"}[5m]')["result"][0]["values"]
    store = SqliteStore(tmp_path / "data")
    entries = list(store.log("main", 0))
    store.close()
    times = {t // 1_000_000 for e in entries for r in e.readings if r.key.metric == "up" for t in r.times.tolist()}
    assert len(times) >= 4
    # Prometheus kept what it could not hand over and sent it in order.
    assert {round(float(t) * 1000) for t, _ in scraped if round(float(t) * 1000) <= max(times)} <= times
