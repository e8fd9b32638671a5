"""Forecasts: our models beside scikit-learn pipelines and Prophet over the same series, with the errors they made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models import MODELS, Ridge
from watchband.core.duration import MINUTE
from watchband.core.points import Float64, Int64

STEP, DAY, LAGS = 5 * MINUTE, 288, 24
ORIGINS = 20


def cases(points: int, peers: bool) -> list[Case]:
    """A series of four weeks, or shorter for small sizes: fit on four fifths, then a day ahead from 20 places."""
    n = min(max(points // 125, 5 * DAY), 28 * DAY)
    grid = _series(n)
    until = int(0.8 * n)
    origins = np.linspace(until, n - 1 - DAY, ORIGINS).astype(np.int64) if n - 1 - DAY > until else np.array([until])
    horizon = min(DAY, n - 1 - int(origins[-1]))
    actual = np.stack([grid.values[at + 1 : at + 1 + horizon] for at in origins.tolist()])
    group, count = "fit, then a day ahead from 20 places", n + actual.size
    found = []
    for name in ("ridge", *(m for m in MODELS if m != "ridge")):

        def work(name: str = name) -> Float64:
            return MODELS[name]().fit(grid, until, DAY).ahead(grid, origins, horizon)

        found.append(Case(group, f"watchband, {name}", work, count, note=_error(work, actual)))
    if peers:
        told: tuple[tuple[str, Callable[..., Float64]], ...] = (
            ("scikit-learn, pipeline", _pipeline),
            ("prophet", _prophet),
        )
        for name, peer in told:

            def theirs(peer: Callable[..., Float64] = peer) -> Float64:
                return peer(grid, until, origins, horizon)

            found.append(Case(group, name, theirs, count, note=_error(theirs, actual)))
        found += _one_step(grid, until)
    return found


def _series(n: int) -> Grid:
    """A day with two peaks, a quieter weekend, and noise that lingers."""
    at, rng = np.arange(n), np.random.default_rng(1)
    noise = np.zeros(n)
    for i, fresh in enumerate(rng.normal(0, 2, n)):
        noise[i] = 0.85 * noise[i - 1] + fresh
    phase = 2 * np.pi * at / DAY
    week = np.where(at // DAY % 7 >= 5, 0.7, 1.0)
    return Grid(0, STEP, 100 + week * (30 * np.sin(phase) + 12 * np.sin(2 * phase)) + noise)


def _error(work: Callable[[], Float64], actual: Float64) -> str:
    return f"MAE {float(np.nanmean(np.abs(work() - actual))):.2f}"


def _pipeline(grid: Grid, until: int, origins: Int64, horizon: int) -> Float64:
    """As it is written in many notebooks: shifted columns, a pipeline, and a loop that predicts step by step."""
    import pandas as pd
    from sklearn.linear_model import Ridge as Linear
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    series = pd.Series(grid.values[:until])
    table = pd.concat({k: series.shift(k) for k in range(1, LAGS + 1)}, axis=1).dropna()
    model: Any = make_pipeline(StandardScaler(), Linear(1.0)).fit(table.to_numpy(), series[table.index])
    found = np.empty((len(origins), horizon))
    for row, at in enumerate(origins.tolist()):
        past = list(grid.values[at + 1 - LAGS : at + 1])
        for k in range(horizon):
            found[row, k] = model.predict(np.array(past[::-1][:LAGS])[None, :])[0]
            past.append(found[row, k])
    return found


def _prophet(grid: Grid, until: int, origins: Int64, horizon: int) -> Float64:
    """Fitted once, as our models are; it does not read what came after, so from each place it tells the same."""
    import logging

    import pandas as pd
    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    times = pd.to_datetime(grid.times)
    model = Prophet(uncertainty_samples=0)
    model.fit(pd.DataFrame({"ds": times[:until], "y": grid.values[:until]}))
    places = (origins[:, None] + np.arange(1, horizon + 1)).ravel()
    told = model.predict(pd.DataFrame({"ds": times[places]}))
    return np.asarray(told["yhat"].to_numpy(), np.float64).reshape(len(origins), horizon)


def _one_step(grid: Grid, until: int) -> list[Case]:
    """One step ahead over the last fifth: where a pipeline can predict all rows at once."""
    from sklearn.linear_model import Ridge as Linear

    origins = np.arange(until, len(grid) - 1)
    actual = grid.values[origins + 1][:, None]
    windows = np.lib.stride_tricks.sliding_window_view(grid.values, LAGS)

    def ours() -> Float64:
        return Ridge().fit(grid, until, 0).ahead(grid, origins, 1)

    def theirs() -> Float64:
        model = Linear(1.0).fit(windows[: until - LAGS], grid.values[LAGS:until])
        told: Float64 = model.predict(windows[origins - LAGS + 1])[:, None]
        return told

    group = "fit, then one step ahead over a fifth"
    return [
        Case(group, "watchband, ridge", ours, len(grid), note=_error(ours, actual)),
        Case(group, "scikit-learn, Ridge", theirs, len(grid), note=_error(theirs, actual)),
    ]
