"""Forest forecast: a random cut forest that forecasts after every point, with intervals that hold what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Integer, Real, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.detectors.forest.base import Forest
from watchband.detectors.forest.forecast import Forecast


@dataclass(frozen=True)
class ForestForecast(Forest):
    """A random cut forest that keeps how wrong its forecasts were.

    Works where a metric's shape repeats and one wants to see it coming: a band around the next point, and forecasts of
    the next ``horizon`` points with intervals that contain the promised share of what comes. Does not work for
    metrics that only grow, unless ``transform="difference"`` is taken.

    Score: that of ``RandomCutForest``, expected depth turned over. Expected is the forecast made one point before,
    lower and upper its interval; of several values those of the first, and ``beside`` has those of the others. Scale is
    NaN: the score is no distance.

    Parameters
    ----------
    horizon, errors, level, and those of RandomCutForest
        See the table of the page ``docs/detectors/forest_forecast.md``.

    Notes
    -----
    Split conformal intervals: the forecast plus quantiles of the last ``errors`` errors made that many steps ahead. The
    share left out is moved a little with every hit and miss (adaptive conformal inference), which holds the
    promise where errors grow or depend on each other. There is no interval until ``2 / (1 - level)`` errors are known.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721. I. Gibbs, E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021,
    arXiv:2106.00170.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> rng = np.random.default_rng(1)
    >>> values = np.sin(np.arange(3000) / 10) + rng.normal(0, 0.1, 3000)
    >>> detector = ForestForecast(horizon=5, level=0.9)
    >>> state = detector.start()
    >>> scores = detector.step(state, Points.of(np.arange(3000), values))
    >>> inside = (values >= scores.lower) & (values <= scores.upper)
    >>> bool(0.87 < inside[1000:].mean() < 0.93)
    True
    >>> detector.forecast(state).values.shape
    (1, 5, 1)
    """

    name: ClassVar[str] = "forest_forecast"
    cost: ClassVar[str] = "O(trees · (log samples + horizon)) a point, 20 µs"

    horizon: int = param(12, Integer(1, 256), "Points ahead that are forecast.", unit="points")
    errors: int = param(
        256, Integer(16, 4096), "Errors of each step ahead that are kept.", search=Among((128, 256, 512))
    )
    level: float = param(0.9, Real(0.1, 0.99), "Share of what comes that intervals contain.")

    @property
    def memory_points(self) -> int:
        return super().memory_points + self.horizon

    @property
    def _steps(self) -> int:
        return self.horizon * self.dims

    def layout(self) -> dict[str, Field]:
        return {
            **super().layout(),
            "cast": Field("f8", self.horizon * self._steps, np.nan),
            "shifts": Field("f8", self._steps),
            "errors": Field("f4", self._steps * self.errors),
            "cast_counts": Field("i8", 1 + self._steps),
        }

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        self._check_dims(points)
        (i64, f32, u16, f64), fresh = self._arrays(state)
        own = state.arrays
        scores.beside.extend(np.full(len(points), np.nan) for _ in range(3 * (self.dims - 1)))
        _kernels.random_cut_cast(
            ([*i64, own["cast_counts"]], [*f32, own["errors"]], u16, [*f64, own["cast"], own["shifts"]]),
            (points.rows, points.offsets, points.times, points.values),
            # Handed on as they are where that is all: point by point they are no arrays.
            [*scores.outputs(), *scores.beside] if scores.beside else scores.outputs(),
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            (self._silent, self.frozen, False),
            (self.horizon, self.errors, 1 - self.level),
            threads,
        )
        if fresh:
            self._check_trees(state, points.rows)

    def forecast(self, state: State, horizon: int | None = None, *, level: float | None = None) -> Forecast:
        """Values to come with intervals by the errors that were made so far.

        Parameters
        ----------
        state : State
            What was learned; it is left as it is.
        horizon : int, optional
            Points ahead, at most the detector's ``horizon``, which is meant if none.
        level : float, optional
            Share of what comes that the intervals contain; the detector's if none. Only at that one they are adapted.

        Returns
        -------
        Forecast
            ``lower`` and ``upper`` are NaN while too few errors are known.

        Raises
        ------
        InvalidParameterError
            ``horizon`` or ``level`` is out of range.
        """
        self.check_state(state)
        steps = self.horizon if horizon is None else horizon
        level = self.level if level is None else level
        if not 1 <= steps <= self.horizon or not 0 < level < 1:
            raise InvalidParameterError(
                f"This forecast reaches from 1 to {self.horizon} points, at a 'level' between 0 and 1. Got {steps!r} "
                f"and {level!r}; build it with a longer 'horizon'."
            )
        n = state.series
        count = state.arrays["cast_counts"]
        rows = state.arrays["cast"].reshape(n, self.horizon, self._steps)
        newest = rows[np.arange(n), (count[:, 0] - 1) % self.horizon].reshape(n, self.horizon, self.dims)
        lower, upper = self._ends(state, level)
        values = np.where((count[:, :1] > 0)[:, :, None], newest, np.nan)[:, :steps]
        return Forecast(values, values + lower[:, :steps], values + upper[:, :steps])

    def _ends(self, state: State, level: float) -> tuple[Float64, Float64]:
        """What lies between forecasts and the ends of their intervals: float64[series, horizon, dims] each."""
        errors = state.arrays["errors"].reshape(state.series, self._steps, self.errors).astype(np.float64)
        kept = np.minimum(state.arrays["cast_counts"][:, 1:], self.errors)
        errors[np.arange(self.errors) >= kept[:, :, None]] = np.inf
        errors.sort(axis=2)
        outside = 1 - level
        last = np.maximum(kept - 1, 0)
        place = np.clip((kept + 1) * (outside + state.arrays["shifts"]) / 2 - 1, 0, last)
        ends = []
        for at in (place, np.clip(kept - 1 - place, 0, last)):
            below = at.astype(np.int64)
            above = np.minimum(below + 1, last)
            low, high = (np.take_along_axis(errors, k[:, :, None], axis=2)[:, :, 0] for k in (below, above))
            with np.errstate(invalid="ignore"):
                end = low + (high - low) * (at - below)
            known = (kept + 1) * outside >= 2
            ends.append(np.where(known, end, np.nan).reshape(-1, self.horizon, self.dims))
        return ends[0], ends[1]
