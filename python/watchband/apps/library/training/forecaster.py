"""``ridge_forecaster.wbm`` and its figures: one step ahead, on the last fifth, beside what needs no model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from watchband.analysis.forecast.grid import Grid, grid_of
from watchband.analysis.forecast.models.naive import Persistence, SeasonalNaive
from watchband.analysis.forecast.models.ridge import Linear, Ridge
from watchband.analysis.tuning.material import Series
from watchband.core import artifact
from watchband.core.duration import format_duration
from watchband.core.errors import DataError, StateCorruptError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.metrics.forecast import mae, rmse

KIND = "ridge_forecaster"
FILE = "ridge_forecaster.wbm"
FITTED_SHARE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Forecaster:
    """A linear model of the last values, fitted once.

    Parameters
    ----------
    linear : Linear
        Its weights.
    step : int
        Distance of two lags, ns.
    alpha : float
        What it was fitted with.
    checksum : str
        Of its file; empty where it has none yet.
    """

    linear: Linear
    step: int
    alpha: float
    checksum: str = ""

    def ahead(self, grid: Grid, origins: Int64, horizon: int) -> Float64:
        """Forecasts from places of a grid of the same step: float64[m, horizon].

        Raises
        ------
        DataError
            A grid of another step.
        """
        if grid.step != self.step:
            raise DataError(
                f"This forecaster was fitted on steps of {format_duration(self.step)}. Got "
                f"{format_duration(grid.step)}."
            )
        return self.linear.ahead(grid, origins, horizon)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write it; its checksum."""
        document = {"alpha": self.alpha, "lags": len(self.linear.weights), "step_ns": self.step}
        arrays = {"weights": self.linear.weights, "intercept": np.array([self.linear.intercept])}
        return artifact.write(path, KIND, document, arrays)


def load_forecaster(path: str | os.PathLike[str]) -> Forecaster:
    """Read a forecaster back.

    Raises
    ------
    StateError, NotThereError
        As ``core.artifact.read``; or its arrays make no sense.
    """
    found = artifact.read(path, KIND)
    weights, intercept = found.arrays.get("weights"), found.arrays.get("intercept")
    step, alpha = found.document.get("step_ns"), found.document.get("alpha")
    sound = (
        weights is not None and intercept is not None and isinstance(step, int) and step > 0
        and isinstance(alpha, float | int) and weights.ndim == 1 and len(weights) == found.document.get("lags")
        and intercept.shape == (1,) and weights.dtype == intercept.dtype == np.float64
        and bool(np.isfinite(weights).all() and np.isfinite(intercept).all())
    )  # fmt: skip
    if not sound or weights is None or intercept is None or not isinstance(step, int):
        raise StateCorruptError(f"{path} is no forecaster: its weights make no sense. {artifact.ADVICE}")
    return Forecaster(Linear(weights, float(intercept[0])), step, float(found.document["alpha"]), found.checksum)


@dataclass(frozen=True, slots=True, eq=False)
class Forecasted:
    """A forecaster with what it is worth.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted on the first four fifths.
    metrics : dict
        What ``forecast_metrics.json`` holds.
    key : SeriesKey
        Of the series.
    times, actual : int64[m], float64[m]
        The last fifth, and what came then.
    told : dict of str to float64[m]
        What was expected one step before, by the forecaster and the baselines.
    """

    forecaster: Forecaster
    metrics: dict[str, Any]
    key: SeriesKey
    times: Int64
    actual: Float64
    told: dict[str, Float64]


def forecast(series: Series, *, alpha: float = 1.0, lags: int = 24) -> Forecasted:
    """Fit on the first four fifths of the steps that have all lags, and look one step ahead over the others.

    Raises
    ------
    DataError
        The series is too short, or keeps no distance between readings.
    """
    grid = grid_of(series.times, series.values, name=str(series.key))
    season = grid.season()
    until = lags + int(FITTED_SHARE * (len(grid) - lags))
    fitted = Ridge(alpha=alpha, lags=lags).fit(grid, until, season)
    assert isinstance(fitted, Linear)
    origins = np.arange(until - 1, len(grid) - 1)
    actual = grid.values[origins + 1]
    told = {"ridge": fitted.ahead(grid, origins, 1)[:, 0]}
    told["persistence"] = Persistence().ahead(grid, origins, 1)[:, 0]
    if season:
        told["seasonal_naive"] = SeasonalNaive().fit(grid, until, season).ahead(grid, origins, 1)[:, 0]
    metrics = {
        "series": str(series.key),
        "resample_rule": format_duration(grid.step),
        "lags": lags,
        "model": f"Ridge(alpha={alpha:g})",
        "fitted_steps": until - lags,
        "tested_steps": len(origins),
        "mae": mae(actual, told["ridge"]),
        "rmse": rmse(actual, told["ridge"]),
        "baselines": {
            name: {"mae": mae(actual, said), "rmse": rmse(actual, said)}
            for name, said in told.items()
            if name != "ridge"
        },
    }
    return Forecasted(Forecaster(fitted, grid.step, alpha), metrics, series.key, grid.times[origins + 1], actual, told)


def write_forecast(found: Forecasted, folder: Path, timezone: str) -> None:
    """The forecaster, its figures and its picture, under the names they are known by."""
    from watchband.apps.library.outputs.documents import write_json
    from watchband.apps.library.training.picture import write_picture

    found.forecaster.save(folder / FILE)
    write_json(found.metrics, folder / "forecast_metrics.json")
    write_picture(found, folder / "forecast_plot.png", timezone=timezone)
