"""The three families of series that quality is measured on: Numenta's, services, simulated."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.events import windows_of
from watchband.evaluation.metrics.nab import NabFile, nab_file
from watchband.evaluation.simulate.world import worlds

ROOT = Path(os.environ.get("WATCHBAND_DATA", "../shared/data"))
MINUTES_5 = 300_000_000_000
FAST = 3
"""The fast form takes every third series."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Metrics that belong together: one series, or all metrics of a service.

    ``windows`` holds first and last point of every event and, for simulated ones, the last of its aftermath.
    """

    source: str
    name: str
    times: Int64
    metrics: list[Float64]
    windows: Int64


def numenta() -> list[Job]:
    """The files of the Numenta benchmark in the order of their paths; a repeated time counts once."""
    jobs = []
    for name, (times, values, windows) in numenta_rows().items():
        once, first = np.unique(times, return_index=True)
        bounds = np.searchsorted(once, windows)
        jobs.append(Job("nab", name, once, [values[first]], bounds))
    return jobs


def numenta_rows() -> dict[str, tuple[Int64, Float64, Int64]]:
    """Times, values and windows (first and last time) of every file, row by row as the file has them."""
    labels = json.loads((ROOT / "nab" / "labels" / "combined_windows.json").read_text())
    found = {}
    for name, windows in sorted(labels.items()):
        rows = np.loadtxt(ROOT / "nab" / "data" / name, delimiter=",", skiprows=1, dtype=str)
        times = rows[:, 0].astype("datetime64[ns]").astype(np.int64)
        bounds = np.array(windows, "datetime64[ns]").astype(np.int64).reshape(-1, 2)
        found[name] = times, rows[:, 1].astype(float), bounds
    return found


def numenta_files() -> dict[str, NabFile]:
    """What the rows of every file are worth by the benchmark's rules."""
    return {name: nab_file(times, windows) for name, (times, _, windows) in numenta_rows().items()}


def on_rows(times: Int64, score: Float64) -> Float64:
    """Scores of distinct times on the rows of a file: a repeated time opens nothing."""
    once, first = np.unique(times, return_index=True)
    rows = np.zeros(len(times))
    rows[first] = score[: len(once)]
    return rows


def services() -> list[Job]:
    """Every service with its metrics."""
    import pyarrow.parquet

    jobs = []
    for path in sorted((ROOT / "services").glob("*.parquet")):
        table = pyarrow.parquet.read_table(path)
        windows = windows_of(table["label"].to_numpy())
        times = np.arange(table.num_rows) * MINUTES_5
        metrics = [table[name].to_numpy().astype(float) for name in table.column_names if name.startswith("m")]
        jobs.append(Job("services", path.stem, times, metrics, windows))
    return jobs


def simulated(replicas: int = 1, seed: int = 0) -> list[Job]:
    """Worlds of every kind of metric and fault, and clean ones."""
    return [
        Job("simulated", world.family, world.times, [world.values], world.windows)
        for world in worlds(replicas=replicas, seed=seed)
    ]


SOURCES = {"services": services, "simulated": simulated, "nab": numenta}
