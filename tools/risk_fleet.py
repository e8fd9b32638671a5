"""A fleet of hosts with ten metrics each, and a model of their risk: idle, normal and busy ones, some in trouble.

Everything is counted from the end, so that the world ends at a busy hour whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from watchband.analysis.risk.artifact import save
from watchband.analysis.risk.fit import Settings, fit
from watchband.analysis.risk.rows import Rows
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.features.cloudwatch10 import CLOUDWATCH10, NAMES

STEP = 5 * MINUTE
STRUCK = ("web-12", "web-13", "web-14")
FORMERLY = ("web-03", "web-09")
"""Hosts that were in trouble when the model was fitted."""
TROUBLE = 8
"""Slots that the trouble lasts."""


def hosts() -> list[str]:
    """Names of the fleet."""
    return [f"{kind}-{n:02}" for kind, count in (("batch", 6), ("web", 16), ("db", 6)) for n in range(1, count + 1)]


def values_of(name: str, times: Int64, end: int, trouble: bool, before: int = 0) -> Float64:
    """Ten features of a host, float64[n, 10]; its trouble, if any, ends so many slots before the last."""
    rng = np.random.default_rng(sum(ord(letter) * 31**place for place, letter in enumerate(name)))
    n = len(times)
    day = 0.5 + 0.5 * np.cos(2 * np.pi * ((times - end) % DAY) / DAY)
    base = {"batch": 4.0 + 4 * day, "web": 22 + 34 * day, "db": 68 + 14 * day}[name.partition("-")[0]]
    cpu = np.clip(base + rng.normal(0, 2, n), 0.5, 100)
    latency = 8 + 0.4 * cpu + rng.normal(0, 2, n)
    connections = 4 * cpu + rng.normal(0, 8, n)
    if trouble:
        struck = slice(n - TROUBLE - before, n - before)
        cpu[struck] = rng.uniform(94, 99, TROUBLE)
        latency[struck] *= 9
        connections[struck] *= 2
    return np.stack(
        [
            cpu, np.clip(0.6 * cpu + 20 + rng.normal(0, 2, n), 0, 100), 0.6 * cpu + rng.normal(0, 1, n) + 4,
            0.4 * cpu + rng.normal(0, 1, n) + 4, 1.6 * cpu + rng.normal(0, 3, n) + 9, cpu + rng.normal(0, 3, n) + 9,
            latency, np.maximum(np.round(0.05 * cpu + rng.normal(0, 1, n)), 0), 60 + 2 * cpu + rng.normal(0, 5, n),
            np.maximum(connections, 0),
        ],
        axis=1,
    )  # fmt: skip


def fit_model(path: Path, end: int, sample: int = 1_500) -> Path:
    """A model of the fleet's day before the last."""
    times = end - DAY - np.arange(DAY // STEP)[::-1] * STEP
    names = hosts()
    values = np.concatenate([values_of(name, times, end, name in FORMERLY, 40 + 7 * k) for k, name in enumerate(names)])
    rows = Rows(np.repeat(np.arange(len(names)), len(times)).astype(np.int32), np.tile(times, len(names)), values)
    found = fit(rows.chunks, CLOUDWATCH10, names, STEP, Settings(sample=sample))
    save(replace(found.labeller, profile={**found.labeller.profile, "by": ["host"]}), path)
    return path


def fleet_readings(end: int, length: int = 26 * HOUR, slots: int = 48) -> Iterator[Sequence[Readings]]:
    """The fleet's last hours, so many slots at a time; the trouble is at their end."""
    times = end - np.arange(length // STEP)[::-1] * STEP
    every = {name: values_of(name, times, end, name in STRUCK) for name in hosts()}
    for start in range(0, len(times), slots):
        cut = slice(start, start + slots)
        yield [
            Readings(SeriesKey(metric, {"host": name}), times[cut], values[cut, f])
            for name, values in every.items()
            for f, metric in enumerate(NAMES)
        ]
