"""Half-space trees: how few of the last points lie near this one, in many random partitions of a wide space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import PointsShapeError
from watchband.core.params import Integer, Real, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State


@dataclass(frozen=True)
class HalfSpaceTrees(Detector):
    """How sparse the place of a point is among those of the window before, judged by random halvings of the space.

    Works for points of many values, up to 4,096, that go together in a few ways, where a point is a mixture that never
    was, at a cost that hardly grows with their number. Does not look at the order of points; does not see one extreme
    value among many, nor what moves less than a fraction of an attribute's range, nor anomalies that come in crowds,
    which make their own place dense.

    Score: ``log2`` of how many times denser the densest possible place is: half as dense is one more, and a place as
    dense as if points were spread evenly over all that the trees halve scores ``height``; one that no tree knows, most.
    It is a decreasing function of the published one. Expected, lower, upper and scale are NaN: there is no band.

    Masses of a window of ``window`` points are the reference for the next one. Ranges, the second smallest to the
    second largest value of each attribute, are learned from the window before the masses, so there is no opinion (NaN)
    until a fifth of a window, which teaches the first ranges, and a whole one are over. A missing value goes where most
    points went; a point without any value gets no score.

    State: 4 bytes for each node, ``2 ** (height + 1)`` a tree, and 64 for each value: 51,296 at the defaults. The
    partition itself is made of the seed, once for all series. Cost: O(trees · height + dims) a point.

    References
    ----------
    S. C. Tan, K. M. Ting, T. F. Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011,
    doi:10.5591/978-1-57735-516-8/IJCAI11-254. Taken: the trees, work ranges, two windows of mass, the size limit of a
    tenth. Changed: ranges are learned anew for each window, and the score is a logarithm.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> rng = np.random.default_rng(1)
    >>> modes = np.repeat((rng.random((1000, 1)) < 0.5) * 4.0, 40, axis=1)  # all low or all high
    >>> modes[990, :20] = 4 - modes[990, :20]  # one half low, one half high
    >>> values = modes + rng.normal(0, 0.7, (1000, 40))
    >>> detector = HalfSpaceTrees(dims=40, trees=100)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1000), values))
    >>> int(np.nanargmax(scores.score))
    990
    """

    name: ClassVar[str] = "half_space_trees"
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    dims_max: ClassVar[int] = 4096
    memory_tolerance: ClassVar[float] = 0.75
    cost: ClassVar[str] = "O(trees · height + dims) a point; 2 µs"

    trees: int = param(25, Integer(1, 1000), "Trees whose masses are added.")
    height: int = param(8, Integer(1, 15), "Halvings from the root to a leaf.", search=Span(4, 12))
    window: int = param(
        250, Integer(10, 60_000), "Points whose masses are a reference.", unit="points", search=Span(50, 2000, log=True)
    )
    dims: int = param(1, Integer(1, 4096), "Values of a point.")
    limit: float = param(0.1, Real(0, 0.5), "A node with less than this share of the window is not looked into.")
    seed: int = param(0, Integer(0, 2**63 - 1), "Of the partition.")

    @property
    def memory_points(self) -> int:
        # Its ranges, their masses as the latest, and these as the reference.
        return 3 * self.window

    @cached_property
    def _plan(self) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
        return _kernels.half_space_trees_plan(self.trees, self.height, self.dims, self.seed)

    def layout(self) -> dict[str, Field]:
        return {
            "masses": Field("u2", 2 * self.trees << (self.height + 1)),
            "ranges": Field("f8", 4 * self.dims),
            "low": Field("f8", 2 * self.dims, np.inf),
            "high": Field("f8", 2 * self.dims, -np.inf),
            "head": Field("i8", 2),
        }

    def _check_points(self, state: State, points: Points) -> None:
        if points.dims != self.dims:
            raise PointsShapeError(
                f"This HalfSpaceTrees reads {self.dims} value(s) a point. Got {points.dims}. Build it with "
                f"dims={points.dims}."
            )
        super()._check_points(state, points)

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        arrays: dict[str, NDArray[Any]] = state.arrays
        _kernels.half_space_trees(
            arrays["masses"],
            [arrays["ranges"], arrays["low"], arrays["high"]],
            arrays["head"],
            self._plan,
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.trees,
            self.height,
            self.dims,
            self.window,
            max(10, self.window // 5),
            int(self.limit * self.window),
            threads,
        )
