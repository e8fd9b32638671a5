"""A made-up company for pictures: four services, eighty machines, and an incident that is 25 minutes old."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

MINUTE = 60 * 10**9
NOW = 1_772_248_680_000_000_000
"""Saturday, 28 February 2026, 03:18 UTC."""
DAYS = 6
SERVICES = ("checkout", "cart", "search", "payments")
MACHINES = 80
METRICS = ("cpu_percent", "memory_percent", "disk_io_percent", "network_mbit", "open_files")
SEED = 7


def times(step: int) -> Int64:
    """Up to now, one a step."""
    n = DAYS * 1440 * MINUTE // step
    return NOW - np.arange(n - 1, -1, -1, dtype=np.int64) * step


def daily(at: Int64, phase: float = 0.0) -> Float64:
    """From 0 in the night to 1 in the afternoon."""
    hours = (at % (1440 * MINUTE)) / (60 * MINUTE)
    return np.asarray(0.5 - 0.5 * np.cos((hours - 3 - phase) / 24 * 2 * np.pi), np.float64)


def since(at: Int64, minutes: float, rise: float = 3.0) -> Float64:
    """0 before that many minutes ago, then up to 1."""
    return np.asarray(np.clip((at - (NOW - minutes * MINUTE)) / (rise * MINUTE), 0.0, 1.0), np.float64)


def services() -> list[Readings]:
    """Every minute. A deploy of checkout 25 minutes ago slows it; its callers follow. Search exports at night."""
    at = times(MINUTE)
    found = []
    for index, service in enumerate(SERVICES):
        rng = np.random.default_rng([SEED, index])
        day = daily(at, index / 2)
        hurt = {"checkout": since(at, 25), "cart": 0.55 * since(at, 21), "payments": 0.45 * since(at, 18)}.get(
            service, 0.0
        )
        export = 1.0 * ((at > NOW - 70 * MINUTE) & (service == "search"))
        columns = {
            "request_latency_ms": (240 + 130 * day) * (1 + rng.normal(0, 0.05, len(at))) + 900 * hurt,
            "requests_per_second": (120 + 400 * day) * (1 + rng.normal(0, 0.04, len(at))) * (1 - 0.5 * hurt),
            "error_ratio": np.clip(0.004 + rng.normal(0, 0.0008, len(at)) + 0.09 * hurt, 0, 1),
            "queue_length": np.clip(14 + 20 * day + rng.normal(0, 2.5, len(at)) + 160 * hurt + 90 * export, 0, None),
        }
        # A short fault in the afternoon of a day before, so that there is a past to look at.
        start = NOW - ((2 + index) * 1440 - 700) * MINUTE
        past = (at > start) & (at < start + 22 * MINUTE)
        columns["request_latency_ms"][past] += 600
        for metric, values in columns.items():
            key = SeriesKey(metric, {"service": service, "region": "eu-west-1"})
            found.append(Readings(key, at, np.round(values, 5)))
    return found


def fleet() -> list[Readings]:
    """Every five minutes; three machines are busier than they should be."""
    at = times(5 * MINUTE)
    found = []
    for machine in range(MACHINES):
        rng = np.random.default_rng([SEED, 100 + machine])
        host = f"{('web', 'db', 'job', 'cache')[machine % 4]}-{machine // 4 + 1:02d}"
        day = daily(at, rng.uniform(-1, 1))
        busy = since(at, 25) if machine in (8, 20, 41) else 0.0
        for metric in METRICS:
            level = 20 + 25 * rng.uniform() + 20 * day * rng.uniform()
            values = level + rng.normal(0, 1.5, len(at)) + (35 * busy if metric != "memory_percent" else 0.0)
            # Slowly another: the band follows, and what it was learned from is no more.
            slow = machine in (17, 50) and metric == "open_files"
            values += 10 * since(at, 3 * 1440, 3 * 1440) if slow else 0.0
            found.append(
                Readings(SeriesKey(metric, {"host": host, "role": host.split("-")[0]}), at, np.round(values, 3))
            )
    return found
