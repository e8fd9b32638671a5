"""Left discord: how far the last points are, in shape, from the most similar stretch of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Integer, Maybe, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

_FLOATS = ("values", "steps", "sums", "norms", "covariances", "last")


@dataclass(frozen=True)
class LeftDiscord(Detector):
    """Distance of the last ``length`` points, as a shape, to the nearest of the windows that ended before.

    The streaming left matrix profile. Shapes are compared after each window's mean is taken away and it is divided
    by its deviation. Works for odd shapes inside the normal range: a heartbeat that misses a beat, a daily curve run
    backwards, a cycle that stalls. Does not work for noise and random walks, where no stretch resembles another and
    everything is as far away as everything else, nor for levels and sizes, which z-normalisation takes away.

    Score: ``sqrt(1 - correlation)`` with the most similar window, the z-normalised distance over
    ``sqrt(2 length)``. 0 is a repetition, 1 is unlike anything (no correlation), at most ``sqrt(2)``. Expected,
    lower, upper and scale are NaN: the score is not a distance from a value, and there is no band to draw.

    Silent (NaN) while a missing value is among the last ``length`` points, and until ``warm_up`` windows can be
    compared with. A flat window is 0 away from another flat one and ``sqrt(1/2)`` from any other.

    State: 40 bytes for each point of ``window`` and 8 for each of ``length``. Cost: O(window + length) a point.

    Raises
    ------
    InvalidParameterError
        A parameter is out of its range, or ``window`` is too short for ``exclusion`` and ``warm_up``.

    Notes
    -----
    Covariances move on with centred differences (Zimmerman et al.) instead of the dot products of the first paper,
    which lose the digits of a metric with a large level; one lag a point is summed anew, so that rounding lives for
    at most ``window`` points.

    References
    ----------
    C.-C. M. Yeh et al., "Matrix Profile I: All Pairs Similarity Joins for Time Series", ICDM 2016,
    doi:10.1109/ICDM.2016.0179. Z. Zimmerman et al., "Matrix Profile XIV: Scaling Time Series Motif Discovery with GPUs
    to Break a Quintillion Pairwise Comparisons a Day and Beyond", SoCC 2019, doi:10.1145/3357223.3362721. Y. Lu, R.
    Wu, A. Mueen, M. A. Zuluaga, E. Keogh, "Matrix Profile XXIV: Scaling Time Series Anomaly Detection to Trillions of
    Datapoints and Ultra-fast Arriving Data Streams" (DAMP, left discords), KDD 2022, doi:10.1145/3534678.3539271.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.sin(2 * np.pi * np.arange(400) / 40)
    >>> values[300:320] = values[300]
    >>> detector = LeftDiscord(length=40, window=200)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(400), values))
    >>> scores.score[[299, 314, 399]].round(2)
    array([0.  , 0.36, 0.  ])
    """

    name: ClassVar[str] = "left_discord"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    memory_tolerance: ClassVar[float] = 1e-6
    cost: ClassVar[str] = "O(window + length) a point; 1.0 µs at a window of 2,000, 4.3 µs at 10,000"

    length: int = param(100, Integer(3, 10_000), "Points of a shape.", unit="points", search=Span(8, 288, log=True))
    window: int = param(
        2000,
        Integer(3, 200_000),
        "How far back a shape is looked for.",
        unit="points",
        search=Span(600, 6000, log=True),
    )
    exclusion: int | None = param(
        None,
        Maybe(Integer(1)),
        "Windows that ended fewer points ago are not compared with; none: `length`, no overlap.",
        unit="points",
    )
    warm_up: int | None = param(
        None, Maybe(Integer(1)), "Windows to compare with before there is an opinion; none: a fifth.", unit="points"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._lags < max(1, self.warm_up or 0):
            raise InvalidParameterError(
                f"The 'window' parameter of {type(self).__name__} must be at least {self._exclusion} (exclusion) + "
                f"{max(1, self.warm_up or 0)} (warm_up) - 1 points. Got {self.window}. Look back farther, or compare "
                "shorter shapes."
            )

    @property
    def _exclusion(self) -> int:
        return self.length if self.exclusion is None else self.exclusion

    @property
    def _lags(self) -> int:
        """Windows that a window is compared with."""
        return self.window - self._exclusion + 1

    @property
    def memory_points(self) -> int:
        # What a point touched is compared with for window + length points; its rounding stays for one round of lags.
        return self.window + self.length + self._lags

    def layout(self) -> dict[str, Field]:
        widths = (self.window + self.length, self.window, self.window, self.window, self._lags, 2)
        fields = {name: Field("f8", width) for name, width in zip(_FLOATS, widths, strict=True)}
        return {**fields, "norms": Field("f8", self.window, np.nan), "head": Field("i8", 5)}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.left_discord(
            [state.arrays[name] for name in _FLOATS],
            state.arrays["head"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.length,
            self.window,
            self._exclusion,
            max(1, self._lags // 5) if self.warm_up is None else self.warm_up,
            threads,
        )
