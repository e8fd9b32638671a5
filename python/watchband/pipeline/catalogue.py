"""Every detector that can be named: the single ones and the presets, ensembles with a name."""

from __future__ import annotations

from watchband import detectors
from watchband.core.detector import Detector
from watchband.core.registry import Registry

PRESETS = {
    "auto": "watchband.pipeline.presets:Auto",
    "light": "watchband.pipeline.presets:Light",
    "novelty": "watchband.pipeline.presets:Novelty",
    "seed001": "watchband.pipeline.seed001:Seed001",
    "vote": "watchband.pipeline.vote:Vote",
}

CATALOGUE: Registry[Detector] = Registry(
    "detector",
    Detector,  # type: ignore[type-abstract]
    {**detectors.DETECTORS.table, **PRESETS},
    detectors.DETECTORS.group,
)
