"""Prometheus evaluating bands by recording rules, beside Watchband folding the same series: CPU a series and hour."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil

from benches.service.fold import folded, keys_of, values_of
from tests.adapters.servers import prometheus

DAY = 1440
INTERVAL_S = 10
EVALUATIONS = 6
# A band as people write it in PromQL: between the mean of a day and this hour of yesterday, widened by the spread.
RULES = """\
groups:
  - name: band
    interval: {interval}s
    rules:
      - {{record: "band:middle:26h", expr: "avg_over_time(requests[26h])"}}
      - {{record: "band:spread:26h", expr: "stddev_over_time(requests[26h])"}}
      - {{record: "band:yesterday:1h", expr: "avg_over_time(requests[1h] offset 23h30m)"}}
      - {{record: "band:upper", expr: "(band:middle:26h + band:yesterday:1h) / 2 + 3 * band:spread:26h"}}
      - {{record: "band:lower", expr: "(band:middle:26h + band:yesterday:1h) / 2 - 3 * band:spread:26h"}}
      - {{alert: OutsideBand, expr: "requests > band:upper or requests < band:lower", for: 3m}}
"""


@dataclass(frozen=True)
class Ruled:
    """What an hour of one series at a reading a minute costs."""

    series: int
    evaluations: int
    rules_ms: float
    rules_mb: float
    light_ms: float
    auto_ms: float

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.series:,} series, one reading a minute, CPU of an hour of one series:",
            f"  Prometheus, six rules over 26 h every minute {self.rules_ms:,.2f} ms "
            f"({self.evaluations} evaluations, {self.rules_mb:,.0f} MB)",
            f"  Watchband stores and judges it: light {self.light_ms:,.2f} ms ({self.rules_ms / self.light_ms:,.1f} x "
            f"cheaper), auto {self.auto_ms:,.2f} ms ({self.rules_ms / self.auto_ms:,.1f} x)",
        ]


def beside_rules(series: int) -> Ruled:
    """Both over the same series."""
    evaluations, cpu_s, rss = _prometheus(series)
    light, auto = folded("light", series, 10), folded("auto", max(series // 10, 10), 10)
    hour = 60.0
    return Ruled(
        series,
        evaluations,
        1e3 * hour * cpu_s / evaluations / series,
        rss / 1e6,
        1e-6 * hour * light.ns_a_point,
        1e-6 * hour * auto.ns_a_point,
    )


def _prometheus(series: int) -> tuple[int, float, int]:
    """Evaluations, their CPU seconds and the memory of a Prometheus with a day of history."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "band.yml").write_text(RULES.format(interval=INTERVAL_S))
        config = f"rule_files: ['{folder / 'band.yml'}']\nglobal: {{evaluation_interval: {INTERVAL_S}s}}\n"
        with prometheus(folder, config, openmetrics=_history(series)) as url:
            process = _process_of(url)
            first, began = _done(url, 1), sum(process.cpu_times()[:2])
            last = _done(url, first + EVALUATIONS)
            return last - first, sum(process.cpu_times()[:2]) - began, process.memory_info().rss


def _history(series: int) -> str:
    end = int(time.time()) // 60 * 60
    values = np.array([values_of(series, minute) for minute in range(DAY)])
    lines = ["# TYPE requests gauge"]
    for n, key in enumerate(keys_of(series)):
        lines += [f"{key} {values[m, n]:.2f} {end - 60 * (DAY - 1 - m)}" for m in range(DAY)]
    return "\n".join([*lines, "# EOF", ""])


def _process_of(url: str) -> psutil.Process:
    port = int(url.rpartition(":")[2])
    for one in psutil.Process().children(recursive=True):
        if any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in one.net_connections()):
            return one
    raise RuntimeError(f"no child of this process listens on {port}")


def _done(url: str, least: int) -> int:
    """How many times the rules were evaluated, once that is so often."""
    while True:
        for line in httpx.get(f"{url}/metrics").text.splitlines():
            if line.startswith("prometheus_rule_group_iterations_total{") and float(line.split()[-1]) >= least:
                return int(float(line.split()[-1]))
        time.sleep(0.2)
