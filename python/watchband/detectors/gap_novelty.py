"""Gap novelty: distance to the nearest value seen before, whatever the order in which values come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.params import Among, Choice, Integer, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

_GAIN_MAX = 0.02
_GAINS = 10.0


@dataclass(frozen=True)
class GapNovelty(Detector):
    """Distance of a value to the nearest one of the last ``memory`` points, in usual distances from the mean.

    Works where a value that never came before is news: levels, modes, states, error codes, quantities with holes
    between their usual values; it sees a value inside the range that a band lets pass. Does not work for values that
    drift or grow, where every value is new, and says little of usual values at an unusual time or in an unusual
    order. In plain noise, what it finds new are records.

    Score: ``gap / (scale * sqrt(1 + isolation / gap))``, where ``gap`` is the distance to the nearest cell, ``scale``
    the running mean distance of values from their running mean, and ``isolation`` the gap of the nearest cell when it
    was seen last. A score of 1 is a value that lies one mean deviation from everything seen. A value that came before
    scores exactly 0. ``expected`` is the nearest value seen. ``scale``, ``lower`` and ``upper`` are NaN: what was
    expected depends on what came, so there is no band to draw.

    Notes
    -----
    At most ``cells`` values are kept, each as it came; a full sketch gives up the older one of its closest pair. So
    the gap is exact while no more than ``cells`` different values come within ``memory`` points, and otherwise
    overstated by about the distance between neighbours in the sketch. A cell not seen for ``memory`` points is
    dropped. The overall range of the metric is nowhere used.

    With ``of="mean"`` or ``of="deviation"`` the sketch holds the mean or the root mean square deviation of the last
    ``window`` values instead of the values themselves: short excursions of a noisy metric then stand out, or a noise
    that was never as large or as small. ``expected`` is in units of the metric in all three.

    State: 12,368 bytes at the defaults, 24 a cell, and 8 for each value of a window. Cost: O(cells) a point, in one
    pass over the sketch.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.r_[np.tile([10.0, 90.0], 50), 10.0, 50.0, 50.0, 52.0]
    >>> detector = GapNovelty()
    >>> scores = detector.step(detector.start(), Points.of(np.arange(104), values))
    >>> scores.score[-4:].round(3), scores.expected[-3:]
    (array([0.   , 0.981, 0.   , 0.05 ]), array([10., 50., 50.]))
    """

    name: ClassVar[str] = "gap_novelty"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    memory_tolerance: ClassVar[float] = 1e-5
    cost: ClassVar[str] = "O(cells) a point; 0.5 µs"

    memory: int = param(
        10_000,
        Integer(100, 10_000_000),
        "A value not seen for so long is new again.",
        unit="points",
        search=Span(1000, 50_000, log=True),
    )
    cells: int = param(512, Integer(8, 65_536), "Different values that are kept, at most.")
    warm_up: int = param(30, Integer(2, 1000), "Values seen before the first opinion.", unit="points")
    of: str = param(
        "value",
        Choice(("value", "mean", "deviation")),
        "What is new: a value, or mean or deviation of the last.",
        later=True,
        search=Among(("value", "mean", "deviation")),
    )
    window: int = param(
        12,
        Integer(2, 1000),
        "Values that mean or deviation is taken of.",
        unit="points",
        later=True,
        search=Span(4, 72, log=True),
    )

    @property
    def memory_points(self) -> int:
        # A wound is dropped with its cell; what a full sketch gave up for it is as old, and the scale is sooner clean.
        # As many wounds as the window is long take twice as long until full sketches meet again.
        return 2 * self.memory + self.warm_up + (0 if self.of == "value" else 2 * self.memory + self.window)

    def layout(self) -> dict[str, Field]:
        ring = {} if self.of == "value" else {"ring": Field("f8", self.window + 1)}
        return {
            "values": Field("f8", self.cells),
            "isolation": Field("f8", self.cells),
            "seen": Field("i8", self.cells),
            "run": Field("f8", _kernels.gap_novelty_width()),
            "head": Field("i8", 3),
            **ring,
        }

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.gap_novelty(
            state.arrays["values"],
            state.arrays["isolation"],
            state.arrays["seen"],
            state.arrays["run"],
            state.arrays["head"],
            state.arrays.get("ring"),
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.memory,
            self.warm_up,
            min(_GAIN_MAX, _GAINS / self.memory),
            self.of,
            threads,
        )
