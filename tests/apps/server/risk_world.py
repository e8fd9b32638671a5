"""A service with a model of risk and a fleet of hosts: idle, normal and busy ones, three of which come into trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.analysis.risk.artifact import save
from watchband.analysis.risk.fit import Settings, fit
from watchband.analysis.risk.rows import Rows
from watchband.apps.config.risk import RiskSettings
from watchband.core.clock import SystemClock
from watchband.core.duration import HOUR, MINUTE
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.features.cloudwatch10 import CLOUDWATCH10, NAMES

STEP = 5 * MINUTE
STRUCK = ("web-12", "web-13", "web-14")
TROUBLE = 8
"""Slots that the trouble lasts."""


def hosts() -> list[str]:
    """Names of the fleet."""
    return [f"{kind}-{n:02}" for kind, count in (("batch", 6), ("web", 16), ("db", 6)) for n in range(1, count + 1)]


def values_of(name: str, times: Int64, end: int, trouble: bool) -> Float64:
    """Ten features of a host, float64[n, 10]; the world ends at a busy hour, whatever the clock says."""
    rng = np.random.default_rng(abs(hash_of(name)))
    day = 0.5 + 0.5 * np.cos(2 * np.pi * ((times - end) % (24 * HOUR)) / (24 * HOUR))
    base = {"batch": 4.0 + 4 * day, "web": 22 + 34 * day, "db": 66 + 16 * day}[name.partition("-")[0]]
    cpu = np.clip(base + rng.normal(0, 2, len(times)), 0.5, 100)
    latency = 8 + 0.4 * cpu + rng.normal(0, 2, len(times))
    connections = 4 * cpu + rng.normal(0, 8, len(times))
    if trouble:
        cpu[-TROUBLE:] = rng.uniform(94, 99, TROUBLE)
        latency[-TROUBLE:] *= 9
        connections[-TROUBLE:] *= 2
    n = len(times)
    return np.stack(
        [
            cpu, np.clip(0.6 * cpu + 20 + rng.normal(0, 2, n), 0, 100), 0.6 * cpu + rng.normal(0, 1, n) + 4,
            0.4 * cpu + rng.normal(0, 1, n) + 4, 1.6 * cpu + rng.normal(0, 3, n) + 9, cpu + rng.normal(0, 3, n) + 9,
            latency, np.maximum(np.round(0.05 * cpu + rng.normal(0, 1, n)), 0), 60 + 2 * cpu + rng.normal(0, 5, n),
            np.maximum(connections, 0),
        ],
        axis=1,
    )  # fmt: skip


def hash_of(name: str) -> int:
    """The same number for a name in every process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(name))


def fleet_rows(names: Sequence[str], times: Int64, end: int) -> Rows:
    """Rows of quiet hosts."""
    values = np.concatenate([values_of(name, times, end, trouble=False) for name in names])
    return Rows(np.repeat(np.arange(len(names)), len(times)).astype(np.int32), np.tile(times, len(names)), values)


def fit_model(path: Path, end: int) -> Path:
    """A model of the fleet's two days before."""
    times = end - 24 * HOUR - np.arange(288)[::-1] * STEP
    names = hosts()
    rows = fleet_rows(names, times, end)
    found = fit(rows.chunks, CLOUDWATCH10, names, STEP, Settings(sample=1_500))
    profile = {**found.labeller.profile, "by": ["host"]}
    save(replace(found.labeller, profile=profile), path)
    return path


def readings_of(name: str, times: Int64, values: Float64) -> list[Readings]:
    """All metrics of a host."""
    return [Readings(SeriesKey(m, {"host": name}), times, values[:, f]) for f, m in enumerate(NAMES)]


def risk_world(folder: Path, hours: int = 26) -> World:
    """The world, with its readings waiting in ``fill``; use it as a context manager, then call ``fill``."""
    clock: Any = SystemClock()
    end = clock.now() // STEP * STEP
    world = World(clock=clock, watches={"all": watch(match=("*",))})
    settings = RiskSettings(model=str(fit_model(folder / "risk.json", end)))
    config = world.service.config
    world.service.config = replace(config, risk=settings, watches={"risk": settings.watch, **config.watches})
    world.end, world.hours = end, hours  # type: ignore[attr-defined]
    return world


def fill(world: World) -> None:
    """Send the fleet's last hours, the trouble at their end."""
    end, hours = world.end, world.hours  # type: ignore[attr-defined]
    times = end - np.arange(hours * 12)[::-1] * STEP
    every = {name: values_of(name, times, end, name in STRUCK) for name in hosts()}
    for start in range(0, len(times), 48):
        cut = slice(start, start + 48)
        readings = [r for name, values in every.items() for r in readings_of(name, times[cut], values[cut])]
        world.service.offer("push", readings).result(60)
    world.service.engine.call(lambda: None).result(60)
