"""What is judged though it is not learned: excluded ranges, and windows that expect another size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int64
from watchband.core.scores import MUTED, Scores
from watchband.pipeline.windows import Marks

Span = tuple[int, int]
"""A range of time, ns UTC: the first is in it, the second is not."""


def within(times: Int64, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which points lie in one of the ranges: bool[n]."""
    inside = np.zeros(len(times), bool)
    for start, end in spans:
        inside |= (times >= start) & (times < end)
    return inside


def resize(scores: Scores, marks: Marks) -> None:
    """What was judged as if a window's factor were 1, in the metric's own size again."""
    for column in (scores.expected, scores.lower, scores.upper, scores.scale):
        column *= marks.factor
    scores.flags[marks.muted] += MUTED


def score_excluded(scores: Scores, values: Float64, out: NDArray[np.bool_]) -> None:
    """The detector saw no value there, but what it expected says how strange the value was."""
    known = out & np.isnan(scores.score) & np.isfinite(values) & (scores.scale > 0)
    scores.score[known] = np.abs(values[known] - scores.expected[known]) / scores.scale[known]
