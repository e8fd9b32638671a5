"""Band: what the detector ``seasonal_band`` expects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models.model import Fitted, Model
from watchband.core.points import Float64, Int64, Points
from watchband.core.state import State
from watchband.detectors.seasonal_band import SeasonalBand


@dataclass(frozen=True)
class Band(Model, Fitted):
    """The expected value of ``seasonal_band``: the fold that watches is the one that forecasts.

    It learns as it goes, so there is nothing to fit: from each place it has seen what came before.
    """

    name: ClassVar[str] = "seasonal_band"
    says: ClassVar[str] = "the band that watches"

    detector: SeasonalBand = field(default_factory=SeasonalBand)

    def fit(self, grid: Grid, until: int, season: int) -> Fitted:
        return self

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        state, start, times = self.detector.start(), 0, grid.times
        states = []
        for at in origins.tolist():
            part = slice(start, at + 1)
            self.detector.step(state, Points.of(times[part], grid.values[part]), threads=1)
            states.append(state.copy())
            start = at + 1
        steps = grid.step * np.arange(1, horizon + 1, dtype=np.int64)
        nothing = np.full(horizon, np.nan)
        future = Points.fleet([(grid.start + grid.step * at + steps, nothing) for at in origins.tolist()])
        return self.detector.step(State.stack(states), future).expected.reshape(len(origins), horizon)
