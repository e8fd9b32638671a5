"""Rolling z-score: distance from the mean of the last values in their standard deviations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Flag, Integer, Real, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State


@dataclass(frozen=True)
class RollingZscore(Detector):
    """Distance from the mean of the last ``window`` values, in their standard deviations.

    Works for metrics without seasons whose noise is close to normal. Does not work where values swing with the hour
    (the window then holds the swing) or have a heavy tail; one spike inside the window hides the next one.

    Notes
    -----
    The inclusive form, which older tools use, cannot score above ``(window - 1) / sqrt(window)`` with ``ddof=1``:
    3.1754 for a window of 12, so that a cut-off of 3 hardly ever fires. Where the whole window is one value the
    scale is 0: an equal value scores 0, any other 1e9.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> detector = RollingZscore(window=4)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(5), [1.0, 2.0, 1.0, 2.0, 6.0]))
    >>> scores.score.round(3)
    array([  nan,   nan,   nan,   nan, 7.794])
    """

    name: ClassVar[str] = "rolling_zscore"
    one_kernel: ClassVar[bool] = True
    answers_all: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    cost: ClassVar[str] = "O(1) a point, amortised; 13 ns at a window of 288"
    memory_tolerance: ClassVar[float] = 1e-9
    """The same window gives sums that differ in rounding where its blocks are cut elsewhere."""

    window: int = param(
        60,
        Integer(2, 10_000),
        "Values the mean and deviation are taken over.",
        unit="points",
        search=Span(10, 2016, log=True),
    )
    ddof: int = param(1, Integer(0, 1), "Divisor of the variance is the number of values minus this.")
    inclusive: bool = param(False, Flag(), "Count the point itself into its window, as older tools do; caps the score.")
    width: float = param(
        3.0, Real(0, low_open=True), "Half width of the drawn band.", unit="deviations", retunable=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inclusive and self.window < 3:
            raise InvalidParameterError(
                "The 'window' parameter of RollingZscore must be an integer from 3 to 10000 with inclusive=true: "
                f"of two values each has the same z-score. Got {self.window}."
            )

    @property
    def memory_points(self) -> int:
        # A trailing window still holds the point when it judges the window-th one after it.
        return self.window + (not self.inclusive)

    def layout(self) -> dict[str, Field]:
        return {
            "values": Field("f8", self.window),
            "squares": Field("f8", self.window),
            "sums": Field("f8", 4),
            "head": Field("i8", 2),
        }

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.rolling_zscore(
            state.arrays["values"],
            state.arrays["squares"],
            state.arrays["sums"],
            state.arrays["head"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.window,
            self.ddof,
            self.inclusive,
            self.width,
            threads,
        )
