"""Threshold: static limits that a person knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Maybe, Past, Real, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State


@dataclass(frozen=True)
class Threshold(Detector):
    """A score above 1 exactly where a value lies outside ``low`` to ``high``; the limits themselves are inside.

    Works where somebody knows the limits: a full disk, a service-level objective, a machine's rating. Does not work
    for "unusual for this hour", and knows nothing of what the metric normally does.

    Notes
    -----
    With two limits the middle is expected and half the range is the scale: the score is 0 in the middle and 1 at
    either limit. With one limit no value is expected more than another, so ``expected`` and ``scale`` are NaN; the
    score is ``1 + (how far beyond the limit) / |limit|``, not below 0: for a limit of 100 simply ``value / 100``.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> detector = Threshold(low=0, high=80)
    >>> detector.step(detector.start(), Points.of(np.arange(4), [40.0, 80.0, 90.0, -20.0])).score
    array([0.  , 1.  , 1.25, 1.5 ])
    """

    name: ClassVar[str] = "threshold"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"time_shift"})
    cost: ClassVar[str] = "O(1) a point; 10 ns"
    default_rule: ClassVar[str] = "cutoff:1"

    low: float | None = param(
        None,
        Maybe(Real()),
        "Values below this are anomalies.",
        unit="units of the metric",
        retunable=True,
        search=Past(0.0, 0.05),
    )
    high: float | None = param(
        100.0,
        Maybe(Real()),
        "Values above this are anomalies.",
        unit="units of the metric",
        retunable=True,
        search=Past(0.95, 1.0),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low is None and self.high is None:
            raise InvalidParameterError("Threshold needs 'low', 'high' or both. Got neither; give at least one limit.")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InvalidParameterError(
                f"The 'low' parameter of Threshold must be below 'high'. Got low={self.low!r} and "
                f"high={self.high!r}; swap them, or move them apart."
            )

    @property
    def memory_points(self) -> int:
        return 1

    def layout(self) -> dict[str, Field]:
        return {}

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.threshold(
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.low,
            self.high,
            threads,
        )
