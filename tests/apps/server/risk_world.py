"""A service with a model of risk and a fleet of hosts, three of which come into trouble."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from tools.risk_fleet import STEP, fit_model, fleet_readings
from watchband.apps.config.risk import RiskSettings
from watchband.core.clock import SystemClock


def risk_world(folder: Path) -> World:
    """The world; use it as a context manager, then call ``fill``."""
    clock: Any = SystemClock()
    world = World(clock=clock, watches={"all": watch(match=("*",))})
    settings = RiskSettings(model=str(fit_model(folder / "risk.json", clock.now() // STEP * STEP)))
    config = world.service.config
    world.service.config = replace(config, risk=settings, watches={"risk": settings.watch, **config.watches})
    return world


def fill(world: World) -> None:
    """Send the fleet's last hours, the trouble at their end."""
    for readings in fleet_readings(world.service.clock.now() // STEP * STEP):
        world.service.offer("push", readings).result(60)
    world.service.engine.call(lambda: None).result(60)
