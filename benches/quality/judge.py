"""Several metrics of a service as one; what judges a single one is the product's own."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64, Points
from watchband.evaluation.candidate import Candidate, Raw, plain, score, score_key
from watchband.evaluation.judge import Judged, judge

__all__ = ["Candidate", "Judged", "Raw", "judge", "judge_raw", "largest", "plain", "score", "score_key"]


def judge_raw(times: Int64, raw: Float64, one_in: int) -> Judged:
    """Alerts of a bare score, such as one of several metrics together."""
    points = Points.of(times, raw)
    return judge(lambda *_: raw, times, raw, plain(points, raw), one_in)


def largest(scores: list[Float64], count: int) -> Float64:
    """Mean of the ``count`` largest scores at each point; NaN counts as 0."""
    every = np.nan_to_num(np.stack(scores), nan=0.0)
    return np.asarray(np.sort(every, axis=0)[-count:].mean(axis=0))
