"""Models of forecasts: each is fitted on the first part of a grid and then looks ahead from any place of it."""

from __future__ import annotations

from watchband.analysis.forecast.models.band import Band
from watchband.analysis.forecast.models.model import Fitted as Fitted
from watchband.analysis.forecast.models.model import Model as Model
from watchband.analysis.forecast.models.naive import Persistence, SeasonalNaive, Trend
from watchband.analysis.forecast.models.ridge import Ridge, RidgeCalendar
from watchband.analysis.forecast.models.smoothing import Smoothing

MODELS: dict[str, type[Model]] = {
    m.name: m for m in (Persistence, SeasonalNaive, Trend, Smoothing, Band, Ridge, RidgeCalendar)
}
"""The simplest first: of two that are as good the earlier is taken."""
