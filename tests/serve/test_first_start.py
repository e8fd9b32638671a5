"""A first start over a real Prometheus: the past is read, bands exist at once, and it says what would have paged."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from tests.adapters import servers
from tests.serve.process import Process

pytestmark = pytest.mark.timeout(180)
STEP, DAYS = 60, 4
SPIKE = 86_400
"""Seconds before the end at which the load is high for an hour."""


def history(end: int) -> str:
    """Four days of two hosts, one of which had an hour of trouble."""
    lines = ["# TYPE load gauge"]
    for host in ("a", "b"):
        for t in range(end - DAYS * 86_400, end, STEP):
            value = 50 + 20 * math.sin(t / 86_400 * 2 * math.pi) + (t // STEP * 7919 % 13) / 13
            trouble = host == "b" and end - SPIKE <= t < end - SPIKE + 3600
            lines.append(f'load{{host="{host}"}} {value + 60 * trouble:.3f} {t}')
    return "\n".join([*lines, "# EOF", ""])


def test_what_would_have_paged_is_said_and_told_to_nobody(tmp_path: Path) -> None:
    end = (int(time.time()) - 4 * 3600) // STEP * STEP
    with servers.prometheus(tmp_path, openmetrics=history(end)) as url:
        source = {
            "kind": "prometheus",
            "url": url,
            "queries": {"load": "load"},
            "every": "20s",
            "step": "20s",
            "lateness": "10s",
            "backfill": "5d",
        }
        watches = {"hosts": {"match": "load", "detector": "seasonal_band", "budget": "1/week"}}
        served = Process(tmp_path, sources={"prom": source}, watches=watches)
        try:
            served.start("--log-format", "json")
            served.until(lambda: '"ready"' in served.said())
            lines = [json.loads(line) for line in served.said().splitlines()]
            status = served.asked("/api/v1/status")
            alerts = served.asked("/api/v1/status/alerts")["alerts"]
            assert served.end() == 0
        finally:
            served.close()
    said = [line["message"] for line in lines]
    assert said.index("reading the past") < said.index("ready")
    (found,) = [line for line in lines if line["message"] == "what would have paged in the last week"]
    assert found["alerts"] == len(alerts) >= 1
    assert 'load{host="b"}' in {alert["series"] for alert in alerts}
    assert status["states"]["INSUFFICIENT_DATA"] == 0
    assert status["sources"][0]["points"] > 2 * DAYS * 86_400 / STEP * 0.9
    assert not (tmp_path / "alerts.jsonl").exists() or not (tmp_path / "alerts.jsonl").read_text()
