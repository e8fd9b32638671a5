"""``wb.forecast``: from a frame, arrays or files to what comes next, with intervals that hold what they promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchband.analysis.forecast.grid import grid_of
from watchband.analysis.forecast.outcome import Aim, forecast_grid
from watchband.analysis.forecast.outcome import Forecast as Outcome
from watchband.analysis.forecast.rolling import Tell, known_models
from watchband.apps.library.feeds import Feed, open_source
from watchband.apps.library.forecasting.result import Forecasts
from watchband.apps.library.options import Options
from watchband.apps.library.tuning.readings import gathered
from watchband.core.duration import format_duration, parse_duration
from watchband.core.errors import ConfigError, DataError

SERIES_MAX = 1000


@dataclass(frozen=True)
class Request:
    """What is wanted; the flags of ``watchband forecast``."""

    horizon: str = "1d"
    model: str = "auto"
    level: float = 0.9
    above: tuple[float, ...] = ()
    below: tuple[float, ...] = ()
    season: str | None = None
    series: tuple[str, ...] = ()

    @property
    def aims(self) -> list[Aim]:
        """The thresholds with their sides."""
        return [*(Aim(float(x), 1) for x in self.above), *(Aim(float(x), -1) for x in self.below)]


def forecast(
    source: Any,
    horizon: str = "1d",
    *,
    model: str = "auto",
    level: float = 0.9,
    above: float | Sequence[float] = (),
    below: float | Sequence[float] = (),
    season: str | None = None,
    series: str | Sequence[str] = (),
    range: str | tuple[float | None, float | None] | None = None,  # noqa: A002
    resample: str | None = None,
    interval: str | None = None,
    timezone: str = "UTC",
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    out: str | Path | None = None,
) -> Forecasts:
    """Forecast every series, with intervals out of the errors that were made on its own past.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As ``watchband.detect`` takes it.
    horizon : str, default "1d"
        How far ahead.
    model : str, default "auto"
        A model, several with commas, or ``auto``: the one with the least error over rolling origins is taken.
    level : float, default 0.9
        Share of what comes that intervals are to contain, 0.5 to 0.99.
    above, below : float or several
        Thresholds: when are they reached, from below or from above.
    season : str, optional
        Length of the season; a day (of days a week) where two of them are there, ``0`` for none.
    series : str or several
        Only these series, as they are printed; all if none.
    range, resample, interval, timezone, time, value, label, metric
        As in ``watchband.detect``: lowest and highest value there can be, buckets, time zone, columns.
    out : path, optional
        Folder for ``forecast.csv``, ``forecast_metrics.json``, plots and ``report.html``.

    Raises
    ------
    ConfigError
        An option that cannot be.
    DataError
        Input that cannot be read, or not one series that can be forecast.

    Examples
    --------
    >>> import numpy as np
    >>> hours = np.arange(400)
    >>> used = 40 + 0.1 * hours + np.random.default_rng(1).normal(0, 0.3, 400)
    >>> found = forecast((hours * 3_600_000_000_000, used), "5d", above=90)
    >>> found.series[0].passages[0].chance
    1.0
    """
    options = Options(range=range, resample=resample, interval=interval, timezone=timezone)
    columns = {"time": time, "value": _several(value), "label": _several(label), "metric": metric}
    asked = Request(horizon, model, level, _several(above), _several(below), season, _several(series))
    found = run(open_source(source, options, columns), options, asked)
    if out is not None:
        found.write(out)
    return found


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str | int | float) else tuple(given)


def run(feed: Feed, options: Options, asked: Request, tell: Tell = lambda _: None, command: str = "") -> Forecasts:
    """Forecast what a feed has.

    Raises
    ------
    ConfigError, DataError
        See ``forecast``. Series that cannot be forecast are left out with their reason, unless none can.
    """
    models, horizon = known_models(asked.model), parse_duration(asked.horizon)
    wanted = gathered(feed)
    if asked.series:
        missing = [name for name in asked.series if name not in {str(key) for key in wanted}]
        if missing:
            known = ", ".join(str(key) for key in list(wanted)[:5])
            raise ConfigError(f"There is no series {missing[0]!r} in {feed.title}. It has {known}.")
        wanted = {key: found for key, found in wanted.items() if str(key) in asked.series}
    if len(wanted) > SERIES_MAX:
        raise ConfigError(
            f"A forecast takes {SERIES_MAX} series at once. Got {len(wanted)}; choose some with --series."
        )
    done: list[Outcome] = []
    left: dict[str, str] = {}
    low, high = options.limits()
    limits = (-math.inf if low is None else low, math.inf if high is None else high)
    bucket = parse_duration(options.resample) if options.resample else 0
    for key, (times, values) in wanted.items():
        try:
            grid = grid_of(times, values, name=str(key), resample=bucket)
            steps = horizon // grid.step
            if steps < 1:
                raise DataError(f"{key} has a point every {format_duration(grid.step)}: '--horizon' must be longer.")
            season = None if asked.season is None else _steps(asked.season, grid.step)
            done.append(
                forecast_grid(
                    key,
                    grid,
                    steps,
                    models=models,
                    level=asked.level,
                    season=season,
                    aims=asked.aims,
                    limits=limits,
                    tell=lambda name, key=key: tell(f"{key}: {name}"),  # type: ignore[misc]
                )
            )
        except DataError as error:
            left[str(key)] = str(error)
    if not done:
        raise DataError(next(iter(left.values())) if left else f"There is no series in {feed.title}.")
    return Forecasts(done, left, feed.title, feed.notes, options.timezone, command)


def _steps(text: str, step: int) -> int:
    if text.strip() == "0":
        return 0
    return round(parse_duration(text) / step)
