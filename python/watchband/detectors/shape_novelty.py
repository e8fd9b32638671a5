"""Shape novelty: how far the last points, coarsely drawn and without their level, are from any stretch of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.detector import Detector, Maturity
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Among, Integer, Span, param
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State

_BLOCKS, _RUN = _kernels.shape_novelty_widths()
_GAIN_MAX = 0.02
_GAINS = 10.0
_FLOATS = ("values", "past", "run")


@dataclass(frozen=True)
class ShapeNovelty(Detector):
    """Distance of the last eight block means, as a shape, to the nearest eight of the last ``memory`` points.

    Works where a stretch runs as none did before, in size or in form: a peak that stays away, a slower ramp, a burst
    of unusual length, a step of unusual height. Sizes count, unlike in ``left_discord``: a small wiggle on a quiet
    night is small. Does not work for single points, which a block dampens, and says nothing of a level that moved
    slowly, because the mean of a shape is taken away. In noise every shape is about as new as any other.

    Score: root mean square difference of the block means of the two shapes, each without its own mean, over the running
    mean distance of values from their running mean. 0 is a repetition; 1 a shape that differs by as much as values
    usually differ from their mean. Expected, lower, upper and scale are NaN: the score is not a distance from a value,
    and there is no band to draw.

    A block is known if half of its values are. Silent (NaN) where one of the eight is unknown, where the value is
    missing, and until ``warm_up`` points of shapes can be compared with. Shapes that overlap with the last one are not
    compared with.

    State: 8 bytes for each point of ``memory`` and some more: 33,104 at the defaults. Cost: O(memory / stride) a point.

    Raises
    ------
    InvalidParameterError
        A parameter is out of its range, ``stride`` does not divide ``block``, or ``memory`` is too short.

    References
    ----------
    E. Keogh, K. Chakrabarti, M. Pazzani, S. Mehrotra, "Dimensionality Reduction for Fast Similarity Search in Large
    Time Series Databases", Knowledge and Information Systems 3, 2001, doi:10.1007/PL00011669 (means of blocks, and the
    bound that lets most shapes be left); C.-C. M. Yeh et al., "Matrix Profile I", ICDM 2016,
    doi:10.1109/ICDM.2016.0179 (distance to the nearest window).

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.sin(2 * np.pi * np.arange(2000) / 100)
    >>> values[1500:1600] *= 0.5
    >>> detector = ShapeNovelty()
    >>> scores = detector.step(detector.start(), Points.of(np.arange(2000), values))
    >>> scores.score[[1499, 1550, 1999]].round(2)
    array([0.  , 0.31, 0.  ])
    """

    name: ClassVar[str] = "shape_novelty"
    one_kernel: ClassVar[bool] = True
    maturity: ClassVar[Maturity] = "verified"
    tags: ClassVar[frozenset[str]] = frozenset({"shift", "scale", "time_shift"})
    memory_tolerance: ClassVar[float] = 1e-5
    cost: ClassVar[str] = "O(memory / stride) a point; 2 to 4 µs"

    block: int = param(
        8, Integer(1, 4096), "Points of a block; a shape is eight blocks.", unit="points", search=Among((4, 8, 16, 32))
    )
    memory: int = param(
        4000,
        Integer(16, 1_000_000),
        "How far back a shape is looked for.",
        unit="points",
        search=Span(1000, 20_000, log=True),
    )
    stride: int = param(
        4,
        Integer(1, 4096),
        "Shapes a multiple of so many points ago are compared with; divides `block`.",
        unit="points",
    )
    warm_up: int = param(
        200, Integer(1, 1_000_000), "Points in which shapes ended, before there is an opinion.", unit="points"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block % self.stride:
            raise InvalidParameterError(
                f"The 'stride' parameter of {type(self).__name__} must divide 'block' ({self.block}). Got "
                f"{self.stride}. 1 always does."
            )
        least = max(2 * _BLOCKS * self.block, _BLOCKS * self.block + self.warm_up)
        if self.memory < least:
            raise InvalidParameterError(
                f"The 'memory' parameter of {type(self).__name__} must be at least {least}: two shapes, and one and "
                f"'warm_up'. Got {self.memory}. Look back farther, or compare shorter shapes."
            )

    @property
    def memory_points(self) -> int:
        # A shape that a point touched ends a shape later, and is compared with for the memory. The running scale
        # forgets by a factor of about e ** 10 in its memory.
        return max(self.memory, 1000) + (_BLOCKS + 1) * self.block + self.stride

    def layout(self) -> dict[str, Field]:
        back = (_BLOCKS - 1) * self.block // self.stride
        slots = (self.memory + 1) // self.stride + 2 + back
        return {
            "run": Field("f8", _RUN),
            "values": Field("f8", self.block, np.nan),
            "past": Field("f8", self.stride * (back + slots), np.nan),
            "head": Field("i8", 3),
        }

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        _kernels.shape_novelty(
            [state.arrays[name] for name in _FLOATS],
            state.arrays["head"],
            (points.rows, points.offsets, points.times, points.values),
            scores.outputs(),
            self.memory,
            self.block,
            self.stride,
            self.warm_up,
            min(_GAIN_MAX, _GAINS / self.memory),
            threads,
        )
