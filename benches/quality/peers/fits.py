"""Seasonal fits: a curve through the last two weeks, made anew every day, and how far each value lies from it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np

from watchband.core.points import Float64, Int64

DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
DAYS = 14
"""Days of the past that a fit sees."""
FEWEST = 200
HARMONICS = {DAY_NS: 8, WEEK_NS: 3}

Fit = Callable[[Int64, Float64, Int64], tuple[Float64, Float64]]
"""From times and values of the past and times of the next day to the curve over the past and over the day."""


def refitted(fit: Fit, times: Int64, values: Float64) -> Float64:
    """Distance from the curve of the last daily fit, in standard deviations of the values it was fitted to.

    Days are counted from the first point on; the first fit is made when there are enough points.
    """
    score = np.full(len(values), np.nan)
    day = (times - times[0]) // DAY_NS
    starts = np.flatnonzero(np.diff(day, prepend=-1))
    for begin, end in zip(starts, [*starts[1:], len(times)], strict=True):
        first = int(np.searchsorted(times, times[begin] - DAYS * DAY_NS))
        if begin - first < FEWEST:
            continue
        past = slice(first, begin)
        within, ahead = fit(times[past], values[past], times[begin:end])
        scale = float(np.std(values[past] - within))
        floor = 1e-6 * max(float(np.abs(values[past]).max()), 1.0)
        score[begin:end] = np.abs(values[begin:end] - ahead) / max(scale, floor)
    return score


def harmonics(past: Int64, values: Float64, ahead: Int64) -> tuple[Float64, Float64]:
    """A level and waves of the day, and of the week after two of them; a slight ridge keeps short pasts sane."""
    weeks = (past[-1] - past[0]) >= 2 * WEEK_NS - DAY_NS
    periods = {period: n for period, n in HARMONICS.items() if period == DAY_NS or weeks}

    def columns(times: Int64) -> Float64:
        found = [np.ones(len(times))]
        for period, count in periods.items():
            angle = 2 * np.pi * (times % period) / period
            for k in range(1, count + 1):
                found += [np.sin(k * angle), np.cos(k * angle)]
        return np.stack(found, axis=1)

    known = columns(past)
    ridge = 1e-3 * len(past) * np.eye(known.shape[1])
    ridge[0, 0] = 0
    weights = np.linalg.solve(known.T @ known + ridge, known.T @ values)
    return known @ weights, columns(ahead) @ weights


def prophet(past: Int64, values: Float64, ahead: Int64) -> tuple[Float64, Float64]:
    """Prophet at its defaults, without the drawn uncertainty, which the scale of the fit stands for."""
    import pandas

    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from prophet import Prophet

    with warnings.catch_warnings():
        # It is behind pandas.
        warnings.simplefilter("ignore")
        model = Prophet(uncertainty_samples=0)
        model.fit(pandas.DataFrame({"ds": past.astype("datetime64[ns]"), "y": values}), seed=1)
        every = np.concatenate([past, ahead]).astype("datetime64[ns]")
        curve = model.predict(pandas.DataFrame({"ds": every}))["yhat"].to_numpy()
    return curve[: len(past)], curve[len(past) :]


def seasonal_fit(times: Int64, values: Float64) -> Float64:
    """Harmonic regression."""
    return refitted(harmonics, times, values)


def prophet_fit(times: Int64, values: Float64) -> Float64:
    """Taylor and Letham, "Forecasting at Scale", 2018."""
    return refitted(prophet, times, values)
