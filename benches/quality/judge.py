"""Several metrics of a service as one; what judges a single one is the product's own."""

from __future__ import annotations

import math

import numpy as np

from watchband.core.points import Float64, Int64, Points
from watchband.evaluation.candidate import Candidate, Raw, plain, score, score_key
from watchband.evaluation.judge import Judged, judge

__all__ = ["Candidate", "Judged", "Raw", "judge", "judge_raw", "largest", "plain", "score", "score_key", "with_memory"]


def judge_raw(times: Int64, raw: Float64, one_in: int) -> Judged:
    """Alerts of a bare score, such as one of several metrics together."""
    points = Points.of(times, raw)
    return judge(lambda *_: raw, times, raw, plain(points, raw), one_in)


def largest(scores: list[Float64], count: int) -> Float64:
    """Mean of the ``count`` largest scores at each point; NaN counts as 0."""
    every = np.nan_to_num(np.stack(scores), nan=0.0)
    return np.asarray(np.sort(every, axis=0)[-count:].mean(axis=0))


MEMORY, SLOW_PART, MOST, WORTH, KNEE = 32, 0.75, 14.0, 3.0, 0.8


def with_memory(anomaly_score: Float64, one_in: int) -> Float64:
    """Points that are not anomalous ranked by the last 32 as well, as ``calibrate`` grades those of an ensemble.

    Long and mild incidents rank higher so; no alert changes. Every candidate gets it, or the ranking of scores would
    compare memories.
    """
    limit = float(np.log(one_in))
    graded = np.asarray(anomaly_score, np.float64).copy()
    slow = heard = 0.0
    for i, said in enumerate(anomaly_score.tolist()):
        if math.isnan(said):
            continue
        now = min(max(said * limit, 0.0), MOST)
        heard = min(heard + 1, MEMORY)
        slow += (now - slow) / heard
        grade = WORTH * (now + SLOW_PART * (slow - now)) / limit
        if grade > KNEE:
            grade = KNEE - (1 - KNEE) * math.expm1((KNEE - grade) / (1 - KNEE))
        if said <= 1 and grade > said:
            graded[i] = grade
    return graded
