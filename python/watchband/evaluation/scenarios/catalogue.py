"""Every scene by its name."""

from __future__ import annotations

from watchband.evaluation.scenarios import calendars, levels, lives, outages, readings
from watchband.evaluation.scenarios.scene import Scene

SCENES: dict[str, Scene] = {
    one.name: one for module in (outages, levels, calendars, readings, lives) for one in module.SCENES
}
