"""Rolling origins: what each model would have said from many places of the past, and which of them is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from watchband.analysis.forecast.grid import Grid
from watchband.analysis.forecast.models import MODELS, Model
from watchband.core.duration import format_duration
from watchband.core.errors import DataError, InvalidParameterError
from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.forecast import mae, rmse

ORIGINS_MAX = 200
ORIGINS_MIN = 20
FITTED_SHARE = 0.5
"""Share of the places before the first origin, from which models are fitted for the trial."""
TIE = 0.02
"""A simpler model is taken if its error is larger by no more than this share."""
BASELINES = ("persistence", "seasonal_naive")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """How a model did from places of the past.

    Parameters
    ----------
    name : str
        Of the model.
    errors : float64[m, h]
        What came minus what was expected, from every origin; NaN where nothing came. Empty where it cannot be fitted.
    chosen_on, mae, rmse : float
        Mean absolute error over the earlier half of the origins, and the figures over the later half, on which nothing
        was chosen; NaN where it cannot be fitted.
    says : str
        Why it cannot be fitted; empty where it can.
    """

    name: str
    errors: Float64
    chosen_on: float = float("nan")
    mae: float = float("nan")
    rmse: float = float("nan")
    says: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The trials of all models and what came of them.

    Parameters
    ----------
    origins : int64[m]
        Places from which was looked ahead.
    trials : dict of str to Trial
        By name, the simplest first.
    chosen : str
        The model that is taken.
    why : str
        In a sentence.
    """

    origins: Int64
    trials: dict[str, Trial]
    chosen: str
    why: str


def origins_of(grid: Grid, horizon: int, season: int) -> Int64:
    """Places from which the past is looked at as if it were the present.

    Raises
    ------
    DataError
        The series is too short for the horizon; the message says how long it may be.
    """
    n = len(grid)
    first = max(int(FITTED_SHARE * (n - horizon)), min(2 * season, n // 2), 24)
    last = n - 1 - horizon
    if last - first + 1 < ORIGINS_MIN:
        longest = n - max(n // 2, 24) - ORIGINS_MIN
        room = f"up to {format_duration(longest * grid.step)} ahead" if longest > 0 else "nothing"
        raise DataError(
            f"{n} steps of {format_duration(grid.step)} are too few to try a forecast of "
            f"{format_duration(horizon * grid.step)} on: {ORIGINS_MIN} places with as much before and behind them are "
            f"needed. This past allows {room}; give more of it, or ask for less."
        )
    found = np.unique(np.linspace(first, last, ORIGINS_MAX).astype(np.int64))
    # From a place without a value one would look ahead from something older than it seems.
    known = found[np.isfinite(grid.values[found])]
    return known if len(known) >= ORIGINS_MIN else found


def tried(grid: Grid, names: Sequence[str], horizon: int, season: int, tell: Tell = lambda _: None) -> Choice:
    """Try models on the past, and take the one with the least error.

    Parameters
    ----------
    grid : Grid
        The series.
    names : sequence of str
        Models that may be taken; persistence and the seasonal naive one are tried in any case.
    horizon, season : int
        Steps.
    tell : callable, optional
        Hears the name of each model before it is tried.

    Raises
    ------
    DataError
        The series is too short, or no model can be fitted.

    Notes
    -----
    Every model is fitted once, on what lies before the first origin, and then looks ahead from each of up to 200
    origins, having seen what came before it. The mean absolute error over all steps from the earlier half of the
    origins decides; figures are those of the later half.
    """
    origins = origins_of(grid, horizon, season)
    actual = np.stack([grid.values[at + 1 : at + 1 + horizon] for at in origins.tolist()])
    trials = {}
    for name in [*dict.fromkeys([*BASELINES, *(m for m in MODELS if m in names)])]:
        tell(name)
        trials[name] = _trial(MODELS[name](), grid, origins, actual, season)
    ordered = {name: trials[name] for name in MODELS if name in trials}
    chosen, why = _choose(ordered, names)
    return Choice(origins, ordered, chosen, why)


def _trial(model: Model, grid: Grid, origins: Int64, actual: Float64, season: int) -> Trial:
    horizon = actual.shape[1]
    try:
        fitted = model.fit(grid, int(origins[0]) + 1, season)
        told = fitted.ahead(grid, origins, horizon)
    except DataError as error:
        return Trial(model.name, np.empty((0, horizon)), says=str(error))
    if not np.isfinite(told).all():
        return Trial(model.name, np.empty((0, horizon)), says="It ran away: its forecasts were no numbers.")
    half = len(origins) // 2
    return Trial(
        model.name,
        actual - told,
        mae(actual[:half].ravel(), told[:half].ravel()),
        mae(actual[half:].ravel(), told[half:].ravel()),
        rmse(actual[half:].ravel(), told[half:].ravel()),
    )


def _choose(trials: dict[str, Trial], names: Sequence[str]) -> tuple[str, str]:
    usable = {name: trials[name] for name in trials if name in names and np.isfinite(trials[name].chosen_on)}
    if not usable:
        said = "; ".join(f"{name}: {trials[name].says}" for name in names if name in trials)
        raise DataError(f"None of the models can be tried on this series. {said}")
    if len(usable) == 1:
        name = next(iter(usable))
        others = [n for n in names if n != name]
        return name, "It was asked for." if not others else "No other could be tried."
    least = min(t.chosen_on for t in usable.values())
    name = next(name for name, t in usable.items() if t.chosen_on <= least * (1 + TIE))
    best = min(usable, key=lambda n: usable[n].chosen_on)
    if name == best:
        return name, "It had the least error over the earlier half of the trials."
    return name, f"It is simpler than {best}, whose error over the earlier half of the trials was less by under 2 %."


def known_models(text: str) -> list[str]:
    """Names of models from ``auto`` or a list with commas.

    Raises
    ------
    InvalidParameterError
        An unknown one.

    Examples
    --------
    >>> known_models("ridge,persistence")
    ['ridge', 'persistence']
    """
    if text == "auto":
        return list(MODELS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names:
        raise InvalidParameterError(
            f"The models of a forecast are {', '.join(MODELS)}, or auto for the best of them. Got {text!r}."
        )
    return names
