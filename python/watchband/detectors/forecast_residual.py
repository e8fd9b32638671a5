"""Forecast residual: how far a value is from a plain forecast of it, in the median of the last such errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector
from watchband.core.duration import HOUR, MINUTE
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Choice, Integer, Real, Span, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

MODELS = ("ridge", "seasonal_naive", "smoothing")
SLOTS_MAX = 10_080
_FLOATS = ("filled", "weights", "errors", "sorted", "slots", "run", "leads")
_INTS = ("slot_times", "head", "spells", "spell")
_HOURS_OF_A_DAY_AT_FIVE_MINUTES = 288
_SEASONS_KEPT = 5
_SEASONS_SMOOTHED = 130
_PLACE_OF_POINTS = 0
SPELLS = 16
"""The last spells of errors of which it is kept when they were, and what led to them."""
LEADS = 3
"""Parts of an error that are named."""
_PARTS = {"seasonal_naive": ("value", "season ago"), "smoothing": ("value", "level", "trend", "season")}


@dataclass(frozen=True)
class ForecastResidual(Detector):
    """Residual of a forecaster that people know, one step ahead, in a robust scale: with expected value and band.

    Works where the forecaster does: ``ridge`` for metrics that follow their last values, ``seasonal_naive`` for those
    that are as they were a season ago, ``smoothing`` for level, trend and season that change slowly. Does not work for
    levels that stay (all three follow), for noise that is wider at some hours (one scale for all), nor for sums of
    rare events.

    Score, expected and scale: ``score == abs(value - expected) / scale``, where the scale is 1.4826 times the median
    size of the last ``spread`` errors; of errors that are mostly 0, 1.2533 times their mean size. Silent until 48
    errors are known.

    Notes
    -----
    ``ridge`` is the linear model of ``watchband forecast``: ``lags`` values before, a gap holds the value before it,
    fitted on the last ``window`` points where most lags are known, anew when the clock passes a multiple of
    ``refit`` hours, so that where it is fitted does not depend on how many points came. ``alpha`` shrinks as on
    standardised lags. ``seasonal_naive`` says the value of ``season`` hours ago, where nothing came then the one
    before, up to four seasons, else the last value. ``smoothing`` moves level, damped trend and season (a slot a
    minute, as many as there are) at the three rates, and is moved by no more than 16 scales at once.

    State: 8 bytes a value of the window and the flags for ``ridge`` (26 kB at the defaults), 16 bytes a minute of the
    season for the others (29 kB for a day). Cost: O(lags) a point and O(window · lags²) a fit.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> times = np.arange(2000) * 300_000_000_000
    >>> values = 50 + 10 * np.sin(2 * np.pi * np.arange(2000) / 288) + np.random.default_rng(1).normal(size=2000)
    >>> values[1990] += 12
    >>> detector = ForecastResidual()
    >>> scores = detector.step(detector.start(), Points.of(times, values))
    >>> bool(scores.score[1990] > 8), bool(np.nanmedian(scores.score) < 1)
    (True, True)

    References
    ----------
    A. E. Hoerl, R. W. Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", Technometrics 12,
    1970, doi:10.1080/00401706.1970.10488634; P. R. Winters, "Forecasting Sales by Exponentially Weighted Moving
    Averages", Management Science 6, 1960, doi:10.1287/mnsc.6.3.324.
    """

    name: ClassVar[str] = "forecast_residual"
    one_kernel: ClassVar[bool] = True
    answers_all: ClassVar[bool] = True
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale"})
    cost: ClassVar[str] = "O(lags) a point, O(window · lags²) a fit; 1.2 µs, the others 0.2 µs"

    forecaster: str = param("ridge", Choice(MODELS), "What says the next value.", search=Among(MODELS))
    lags: int = param(
        24, Integer(1, 256), "Values before that the ridge reads.", unit="points", search=Among((12, 24, 48))
    )
    alpha: float = param(1.0, Real(0), "How much the ridge shrinks its weights.", search=Span(0.01, 100.0, log=True))
    window: int = param(
        2000, Integer(48, 100_000), "Points the ridge is fitted on.", unit="points", search=Span(500, 8000, log=True)
    )
    refit: float = param(24.0, Real(0.01, 10_000), "The ridge is fitted anew when so much has passed.", unit="hours")
    season: float = param(
        24.0, Real(0, 10_000), "Length of a season; 0 is none.", unit="hours", search=Among((24.0, 168.0))
    )
    level_rate: float = param(0.3, Real(0, 1, low_open=True), "How much of an error smoothing's level takes.")
    trend_rate: float = param(0.02, Real(0, 1), "How much of that its trend takes.")
    season_rate: float = param(0.2, Real(0, 1), "How much of the rest its season takes.")
    spread: int = param(
        288,
        Integer(8, 20_000),
        "Errors whose median size is the scale.",
        unit="points",
        search=Span(100, 2000, log=True),
    )
    width: float = param(3.0, Real(0, low_open=True), "Half width of the drawn band.", unit="scales", retunable=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.forecaster == "ridge" and self.window < 4 * self.lags:
            raise InvalidParameterError(
                f"The 'window' parameter of {type(self).__name__} must be at least 4 times 'lags' ({self.lags}). Got "
                f"{self.window}. Fit on more points, or read fewer lags."
            )
        if self.forecaster == "seasonal_naive" and not self.season:
            raise InvalidParameterError(
                f"The 'season' parameter of {type(self).__name__} must be above 0 for the forecaster 'seasonal_naive'. "
                "Got 0. Name the hours of a season, 24 for a day."
            )

    @property
    def memory_tolerance(self) -> float:  # type: ignore[override]
        return 0.005 if self.forecaster == "smoothing" else 0.0

    @property
    def memory_points(self) -> int:
        # At five minutes; where points come less often it forgets within fewer.
        day = _HOURS_OF_A_DAY_AT_FIVE_MINUTES / 24
        if self.forecaster == "ridge":
            return self.window + self.lags + int(day * self.refit) + 1 + self.spread
        seasons = _SEASONS_KEPT if self.forecaster == "seasonal_naive" else _SEASONS_SMOOTHED
        return int(seasons * day * max(self.season, 1.0)) + 2000 + self.spread

    @property
    def _ridge(self) -> bool:
        return self.forecaster == "ridge"

    @property
    def _season_ns(self) -> int:
        return 0 if self._ridge else int(self.season * HOUR)

    def layout(self) -> dict[str, Field]:
        held = self.window + self.lags if self._ridge else 1
        slots = min(max(self._season_ns // MINUTE, 1), SLOTS_MAX)
        return {
            "filled": Field("f8", held, np.nan),
            "weights": Field("f8", (self.lags if self._ridge else 0) + 2, np.nan),
            "errors": Field("f8", self.spread),
            "sorted": Field("f8", self.spread),
            "slots": Field("f8", slots, np.nan),
            "run": Field("f8", 3, np.nan),
            "known": Field("u2", held),
            "slot_times": Field("i8", slots),
            "head": Field("i8", 4),
            "spells": Field("i8", 2 * SPELLS, float(np.iinfo(np.int64).min)),
            "spell": Field("i8", 2),
            "leads": Field("f8", 2 * LEADS * SPELLS, np.nan),
        }

    def contributions(self, state: State, row: int = 0) -> dict[str, Float64]:
        """What each lag of the ridge adds to the next expected value, in units of the metric, against a flat past.

        Parameters
        ----------
        state : State
            As ``step`` left it; not changed.
        row : int, default 0
            Of the series.

        Returns
        -------
        dict of str to float
            ``lag 1`` is the last value. Empty for the other forecasters, and while nothing is fitted.
        """
        weights = state.arrays["weights"][row]
        if not self._ridge or np.isnan(weights[0]):
            return {}
        filled, points = state.arrays["filled"][row], int(state.arrays["head"][row, _PLACE_OF_POINTS])
        back = np.arange(1, self.lags + 1)
        before = filled[(points - back) % len(filled)]
        parts = weights[self.lags - back] * (before - np.nanmedian(filled))
        return {f"lag {k}": part for k, part in zip(back.tolist(), parts, strict=True)}

    def leads(self, state: State, row: int, opened: int, decided: int) -> tuple[tuple[str, float], ...]:
        spells = state.arrays["spells"][row].reshape(SPELLS, 2)
        there = np.flatnonzero((spells[:, 0] <= decided) & (spells[:, 1] >= opened))
        if not len(there):
            return ()
        names = _PARTS.get(self.forecaster) or ("value", *(f"lag {k + 1}" for k in range(self.lags)), "usual level")
        place = there[np.argmax(spells[there, 0])]
        found = state.arrays["leads"][row].reshape(SPELLS, LEADS, 2)[place].tolist()
        return tuple((names[int(k)], round(share, 3)) for k, share in found if share > 0 and 0 <= k < len(names))

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.forecast_residual(
            [state.arrays[name] for name in _FLOATS],
            state.arrays["known"],
            [state.arrays[name] for name in _INTS],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.forecaster,
            self.alpha,
            self._season_ns,
            int(self.refit * HOUR),
            (self.level_rate, self.trend_rate, self.season_rate),
            self.width,
            threads,
        )
