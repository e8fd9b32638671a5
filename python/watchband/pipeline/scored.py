"""What the first half of a watch made of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.scores import Scores
from watchband.pipeline.beside import Beside
from watchband.pipeline.prepare import Prepared


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What prepare and the detector made of a batch, before any rule or policy: watches that differ in these share it.

    Parameters
    ----------
    prepared : Prepared
        The points.
    scores : Scores
        What the detector said of them.
    excluded : bool[m]
        Points in a range that is not learned.
    beside : Beside, optional
        The other columns of points that are joined.
    """

    prepared: Prepared
    scores: Scores
    excluded: NDArray[np.bool_]
    beside: Beside | None = None
