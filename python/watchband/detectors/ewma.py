"""Exponentially weighted moving average: distance from a level that follows the metric and forgets smoothly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.params import Integer, Maybe, Real, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State


@dataclass(frozen=True)
class Ewma(Detector):
    """Distance from an exponentially weighted mean, in scales of its own recent errors; outliers count clipped.

    Works for metrics that wander without a season, with the smallest state of all detectors. Does not work where
    values swing with the hour faster than the half-life, and adopts a level that stays: a jump of R scales is
    normal after about ``0.36 * half_life * ln R`` points at the default clip.

    Notes
    -----
    A value ``k`` points ago has weight ``0.5 ** (k / half_life)``, divided by the sum of all weights, so that the
    start is unbiased. A residual is learned as at most ``clip`` scales (Huber's score function), and its mean square
    is divided by what clipping leaves of a normal law. The scale is that of the next residual: the noise and the
    error of the mean together. The first ``warm_up`` values are folded only when all of them are there, drawn in to
    ``clip`` robust scales from their median, so that an outlier among them does no harm.

    References
    ----------
    P. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964,
    doi:10.1214/aoms/1177703732. Taken: the clipped score and the consistency factor of the scale; changed: both
    are folded recursively with exponential weights.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> detector = Ewma(half_life=10, warm_up=4)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(6), [5.0, 6.0, 5.0, 6.0, 5.0, 20.0]))
    >>> scores.score.round(3)
    array([   nan,    nan,    nan,    nan,  0.799, 24.235])
    """

    name: ClassVar[str] = "ewma"
    one_kernel: ClassVar[bool] = True
    answers_all: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    cost: ClassVar[str] = "O(1) a point; 14 ns"
    memory_tolerance: ClassVar[float] = 1e-3

    half_life: float = param(
        60.0,
        Real(0.5, 1_000_000),
        "Points after which a value counts half as much.",
        unit="points",
        search=Span(6.0, 2000.0, log=True),
    )
    clip: float | None = param(
        3.0,
        Maybe(Real(1.5)),
        "Residuals beyond this are learned as this; none learns them in full.",
        unit="scales",
        search=Span(2.0, 8.0),
    )
    warm_up: int = param(12, Integer(3, 1000), "Values seen before the first opinion.", unit="points")
    scale_min: float = param(0.0, Real(0), "Smallest noise that is ever assumed.", unit="units of the metric")
    width: float = param(3.0, Real(0, low_open=True), "Half width of the drawn band.", unit="scales", retunable=True)

    @property
    def memory_points(self) -> int:
        # A clipped outlier moves mean and scale by a few hundredths of a scale; each value that is clipped while it
        # fades delays the fading, and the tighter the clip, the more of them. An outlier of c scales moves the variance
        # by their square, which takes 2 log2 c half-lives more; unclipped it may be a million scales.
        clip = 1e6 if self.clip is None else min(self.clip, 1e6)
        half_lives = 40.0 if clip < 3 else min(20 + 4 * math.log2(clip / 3), 64)
        return self.warm_up + math.ceil(half_lives * (self.half_life + 2))

    @property
    def invariances(self) -> frozenset[str]:
        # The smallest noise is in units of the metric, and does not grow with it.
        return self.tags - {"scale"} if self.scale_min else self.tags

    def layout(self) -> dict[str, Field]:
        return {"first": Field("f8", self.warm_up), "level": Field("f8", 4), "count": Field("i8", 1)}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.ewma(
            state.arrays["first"],
            state.arrays["level"],
            state.arrays["count"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.half_life,
            self.clip,
            self.scale_min,
            self.width,
            threads,
        )
