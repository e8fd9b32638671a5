"""Residual: how far a value is from what recursive least squares expected, in the residual's scale at that hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.params import Integer, Real, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

_FLOATS = ("weights", "cov", "run", "hours", "day", "counts", "week")
_WIDTHS = _kernels.residual_widths()


@dataclass(frozen=True)
class Residual(Detector):
    """Residual of a robust recursive least squares forecast, in its scale per hour of day.

    The forecast is linear in the last three values, a fast and a slow mean, the usual value of this time of day,
    yesterday's and last week's. Works for metrics that follow themselves or the clock, with noise that may be wider
    at some hours. Does not work for sums of rare events, for seasons other than the day and the week, nor where a
    slow drift is the anomaly: lags follow it.

    Score, expected and scale: ``score == abs(value - expected) / scale``. Silent for 8 values.

    State: 10,480 bytes at any setting: profiles of the day (288 slots) and the week (336), seven weights with their
    covariance. Cost: O(1) a point.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> times = np.arange(2000) * 300_000_000_000
    >>> values = 50 + 10 * np.sin(2 * np.pi * np.arange(2000) / 288)
    >>> values += np.random.default_rng(1).normal(size=2000)
    >>> values[-1] += 9
    >>> detector = Residual()
    >>> scores = detector.step(detector.start(), Points.of(times, values))
    >>> bool(scores.score[-1] > 6), bool(np.nanmedian(scores.score) < 1)
    (True, True)

    References
    ----------
    L. Ljung, "System Identification: Theory for the User", 2nd ed., 1999, section 11.2 (recursive least squares with
    forgetting); P. J. Huber, "Robust Estimation of a Location Parameter", 1964, doi:10.1214/aoms/1177703732.
    """

    name: ClassVar[str] = "residual"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale"})
    memory_tolerance: ClassVar[float] = 0.005
    cost: ClassVar[str] = "O(1) a point, 0.2 µs"

    memory: int = param(
        2000,
        Integer(300, 100_000),
        "Points after which the fit counts an error 1/e.",
        unit="points",
        search=Span(500, 20_000, log=True),
    )
    huber: float = param(
        4.0, Real(1, 100), "Errors teach the fit at most this much.", unit="scales", search=Span(2.0, 10.0)
    )
    width: float = param(3.0, Real(0, low_open=True), "Half width of the drawn band.", unit="scales", retunable=True)

    @property
    def memory_points(self) -> int:
        # A fit that follows quickly passes what it once learned on through the profile of the week.
        return max(8000 + 4 * self.memory, 6_000_000 // self.memory)

    def layout(self) -> dict[str, Field]:
        widths = dict(zip((*_FLOATS, "clock"), _WIDTHS, strict=True))
        fills = {"week": np.nan}
        fields = {name: Field("f8", widths[name], fills.get(name, 0.0)) for name in _FLOATS}
        return {**fields, "clock": Field("i8", widths["clock"])}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.residual(
            [state.arrays[name] for name in _FLOATS],
            state.arrays["clock"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            1 - 1 / self.memory,
            self.huber,
            self.width,
            threads,
        )
