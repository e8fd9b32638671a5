"""Level shift: a slow mean and a slow spread of standardised residuals, each against what it usually is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.params import Choice, Integer, Real, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State


@dataclass(frozen=True)
class LevelShift(Detector):
    """How unusual the mean and the spread of the last points are: small changes that stay, and changes of variance.

    Works where many points in a row lie a little off, each of them within any band: a level that moved by one
    deviation, noise that doubled or fell silent. Does not work for single spikes, which it damps; for metrics that
    drift, nor where values swing with the hour: the swing is then what the slow mean usually does.

    Score: the larger of two distances, each of a slow number from its usual value in its usual distance. The slow
    mean is an exponentially weighted mean of residuals ``z`` clipped at 3, the slow spread one of ``|z|`` clipped at 6,
    with ``z = (value - level) / scale`` and a robust exponentially weighted level and scale. Both are two-sided. With
    ``of="spread"`` it is a detector of changes of variance alone, a metric that fell silent near its level among them;
    with ``of="level"`` one of shifts alone.

    ``expected`` names which of the two spoke: it is the usual level where the slow mean did, and NaN where the slow
    spread did; ``spoke`` turns it into words. ``scale``, ``lower`` and ``upper`` are NaN: no single value is out.
    Flags: WARMING while little is known of the usual; HELD while the mean is so far off (two thirds of the residuals
    clipped, on one side) that nothing is learned; ADOPTED at the point where such a level has stayed for ``adopt``
    points and is the new one.

    State: 112 bytes. Cost: O(1) a point.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.random.default_rng(1).normal(size=3000)
    >>> values[2000:2030] += 1.5
    >>> values[2500:] *= 3
    >>> detector = LevelShift()
    >>> scores = detector.step(detector.start(), Points.of(np.arange(3000), values))
    >>> detector.spoke(scores)[[2029, 2540]].tolist()
    ['level', 'spread']
    >>> bool(scores.score[[2029, 2540]].min() > scores.score[500:2000].max())
    True

    References
    ----------
    S. W. Roberts, "Control Chart Tests Based on Geometric Moving Averages", Technometrics 1, 1959,
    doi:10.1080/00401706.1959.10489860; J. F. MacGregor, T. J. Harris, "The Exponentially Weighted Moving Variance",
    Journal of Quality Technology 25, 1993. Taken: both charts. Changed: residuals
    are clipped, and limits are learned from what the charts themselves usually do, since residuals are correlated.
    """

    name: ClassVar[str] = "level_shift"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    memory_tolerance: ClassVar[float] = 1e-4
    cost: ClassVar[str] = "O(1) a point; 30 ns"

    half_life: float = param(
        200.0,
        Real(2, 1_000_000),
        "Points after which a value counts half in level and scale.",
        unit="points",
        search=Span(30.0, 2000.0, log=True),
    )
    mean_points: int = param(
        16, Integer(2, 10_000), "Memory of the slow mean.", unit="points", search=Span(4, 96, log=True)
    )
    spread_points: int = param(
        24, Integer(2, 10_000), "Memory of the slow spread.", unit="points", search=Span(6, 144, log=True)
    )
    usual_points: int = param(2000, Integer(50, 1_000_000), "Memory of what is usual for both.", unit="points")
    adopt: int = param(36, Integer(1, 100_000), "Points after which a large shift is the new level.", unit="points")
    warm_up: int = param(60, Integer(20, 10_000), "Values seen before the first opinion.", unit="points")
    of: str = param("both", Choice(("both", "level", "spread")), "Which of the two is judged.", later=True)

    @property
    def memory_points(self) -> int:
        return self.warm_up + self.adopt + 8 * self.usual_points + math.ceil(20 * self.half_life)

    def layout(self) -> dict[str, Field]:
        return {"run": Field("f8", _kernels.level_shift_width()), "held": Field("i8", 1)}

    def spoke(self, scores: Scores) -> NDArray[Any]:
        """Which of the two each score is of: ``"level"``, ``"spread"``, or ``""`` where there is no score.

        Parameters
        ----------
        scores : Scores
            Answers of this detector.

        Returns
        -------
        str[n]
        """
        named = np.where(np.isnan(scores.expected), "spread", "level")
        return np.where(np.isnan(scores.score), "", named)

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.level_shift(
            state.arrays["run"],
            state.arrays["held"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            (math.log(2) / self.half_life, 1 / self.mean_points, 1 / self.spread_points, 1 / self.usual_points),
            self.warm_up,
            self.warm_up + 8 * (self.mean_points + self.spread_points),
            self.adopt,
            self.of,
            threads,
        )
