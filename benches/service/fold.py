"""Entries of many series through runner and SQLite store in this process: what lies behind the HTTP server."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.config.watches import WatchSettings
from watchband.core.points import Float64
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.runner import Runner

MINUTE = 60_000_000_000
START = 1_760_000_040_000_000_000
SHARD = "main"


def keys_of(count: int) -> list[SeriesKey]:
    """Series as a cluster has them."""
    return [
        SeriesKey("requests", {"pod": f"web-{n}", "namespace": f"shop-{n % 50}", "code": "200"}) for n in range(count)
    ]


def values_of(count: int, minute: int) -> Float64:
    """A daily wave with noise, each series at its own level; a pure function of its arguments."""
    noise = np.random.default_rng(minute).normal(0.0, 1.0, count)
    return np.asarray(50.0 + np.arange(count) % 100 + 10.0 * np.sin(2 * np.pi * minute / 1440) + noise)


def batch(keys: list[SeriesKey], minute: int) -> Batch:
    """One reading of each series."""
    times, values = np.full(len(keys), START + minute * MINUTE), values_of(len(keys), minute)
    return Batch([Readings(key, times[i : i + 1], values[i : i + 1]) for i, key in enumerate(keys)], "")


@dataclass(frozen=True)
class Folded:
    """What it took."""

    detector: str
    series: int
    points: int
    cpu_s: float
    wall_s: float
    state_bytes: int
    log_bytes: int
    snapshot_s: float
    restore_s: float

    @property
    def ns_a_point(self) -> float:
        """CPU time of the process for one reading, stored and judged."""
        return 1e9 * self.cpu_s / self.points

    def lines(self) -> list[str]:
        """For people."""
        state = self.state_bytes / self.series
        return [
            f"{self.detector}, {self.series:,} series, {self.points // self.series} entries of one reading each:",
            f"  CPU {self.ns_a_point:,.0f} ns a reading ({1e9 / self.ns_a_point:,.0f} readings a CPU second), "
            f"{self.points / self.wall_s:,.0f} a second of the clock",
            f"  state {state:,.0f} bytes a series ({1e9 / state:,.0f} series a GB), "
            f"log {self.log_bytes / self.points:.1f} bytes a reading on disk",
            f"  CPU of a snapshot {self.snapshot_s:.2f} s; of a restart from it and {TAIL} entries "
            f"{self.restore_s:.2f} s",
        ]


TAIL = 5
"""Entries behind the snapshot that a restart folds."""
WARM = 3


def folded(detector: str, series: int, entries: int) -> Folded:
    """Fold and store entries, then restore."""
    keys = keys_of(series)
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteStore(directory)
        runner = _runner(detector, store)
        cpu = wall = 0.0
        for minute in range(WARM + entries):
            given = batch(keys, minute)
            began, at = time.process_time(), time.perf_counter()
            runner.take([("push", given)])
            if minute >= WARM:
                cpu += time.process_time() - began
                wall += time.perf_counter() - at
        (lane,) = runner.live().lanes.values()
        size = sum(p.stat().st_size for p in Path(directory).iterdir() if p.is_file())
        began = time.process_time()
        runner.save()
        snapshot = time.process_time() - began
        for minute in range(WARM + entries, WARM + entries + TAIL):
            runner.take([("push", batch(keys, minute))])
        state_bytes = lane.state.nbytes
        store.close()
        store = SqliteStore(directory)
        began = time.process_time()
        _runner(detector, store).live()
        restore = time.process_time() - began
        store.close()
    return Folded(detector, series, series * entries, cpu, wall, state_bytes, size, snapshot, restore)


def _runner(detector: str, store: SqliteStore) -> Runner:
    return Runner([WatchSettings(detector=detector).bound("all")], store, shard=SHARD, snapshot_points=10**12)
