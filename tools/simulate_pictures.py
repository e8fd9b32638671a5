"""Draw the pictures of docs/simulate.md: every kind of metric, every fault, an incident among services."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from watchband.apps.library.plot import Theme
from watchband.apps.library.simulation.picture import Panel, draw_picture
from watchband.core.duration import HOUR
from watchband.evaluation.simulate.delivery import Playable
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.metric_types import METRICS
from watchband.evaluation.simulate.placing import FaultSpec
from watchband.evaluation.simulate.scenes.mesh import Mesh
from watchband.evaluation.simulate.series import Simulated

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
THEMES: tuple[Theme, ...] = ("light", "dark")
DAY = 288
SEED = 8


def panel(series: Playable, name: str = "") -> Panel:
    """A series as a panel."""
    times, values = series.grid(0, series.points)
    here = values == values
    return name or series.name, times[here], values[here], series.labels


def kinds() -> list[Panel]:
    """A week of every kind but the constant one."""
    return [panel(Simulated(kind, seed=5, points=7 * DAY)) for kind in METRICS if kind != "constant"]


def faults() -> list[Panel]:
    """Every fault in two weeks of CPU, the leak among them; a broken ratio beside the metric it is to go with."""
    found = []
    for name in FAULT_TYPES:
        spec = FaultSpec(name, when=0.6, size=None if FAULT_TYPES[name].size is None else 7.0)
        if name == "dip":
            spec = FaultSpec(name, when=0.6, size=-7.0)
        found.append(panel(Simulated("cpu", seed=5, points=14 * DAY, faults=[spec]), "cpu"))
    return found


def incident() -> list[Panel]:
    """Latency of the services of a mesh around its incident."""
    mesh = Mesh(services=7, incidents=1, seed=SEED, points=5 * DAY)
    found = [panel(series) for series in mesh.series if series.name.startswith("latency")]
    middle = next(labels[0].start for *_, labels in found if labels)
    return [(name, times[near], values[near], labels) for name, times, values, labels in found
            if (near := np.abs(times - middle) < 12 * HOUR).any()]  # fmt: skip


def main() -> None:
    for name, panels in (("kinds", kinds()), ("faults", faults()), ("incident", incident())):
        for theme in THEMES:
            suffix = "" if theme == "light" else "-dark"
            path = draw_picture(panels, IMAGES / f"simulate-{name}{suffix}.png", theme=theme, dpi=100)
            # A few dozen colours are all there are, and a quarter of the bytes.
            Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
