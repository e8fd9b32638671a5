"""From a detector or a raw score to alerts: the same calibration and alert logic for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import HELD, Scores
from watchband.detectors import DETECTORS
from watchband.pipeline.decide import Judgement
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.policy import Event
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch

Raw = Callable[[Int64, Float64], Float64]
"""A peer: from times and values to one score a point, higher is stranger, NaN no opinion; strictly causal."""
Candidate = Detector | Raw


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What users would see of a series."""

    anomaly_score: Float64
    alert_score: Float64
    opened: Int64


def score_key(candidate: Candidate) -> object:
    """Equal for candidates that score alike: ensembles of the same members differ in weights only afterwards."""
    if isinstance(candidate, Ensemble):
        return tuple((m.label, repr(m.detector), m.reads, m.holds) for m in candidate.members)
    return id(candidate)


def score(candidate: Candidate, times: Int64, values: Float64) -> Scores:
    """The candidate's own scores of one series."""
    points = Points.of(times, values)
    if isinstance(candidate, Detector):
        return candidate.step(candidate.start(), points, threads=1)
    return plain(points, candidate(times, values))


def plain(points: Points, raw: Float64) -> Scores:
    """Scores that are no distance."""
    scores = Scores.blank(points)
    scores.score[:] = np.maximum(raw, 0)
    return scores


def judge(candidate: Candidate, times: Int64, values: Float64, scores: Scores, one_in: int) -> Judged:
    """Calibrate and decide at a budget of one alert in so many points, whatever the interval of the series."""
    detector = candidate if isinstance(candidate, Detector) else DETECTORS.build({"type": "ewma"})
    watch = Watch("quality", detector, Budget(1, one_in))
    points = Points.of(times, values)
    held = scores.flags.astype(np.int64) & HELD != 0
    said = watch.calibrate.step(
        watch.calibrate.start(), points, scores, interval_ns=np.ones(1, np.int64), held=held, threads=1
    )
    judgement = Judgement(said.anomaly_score, said.limit_above, said.limit_below, said.confidence, said.spoke)
    decided = watch.decide.step(watch.decide.start(), points, scores, judgement, threads=1)
    opened = np.flatnonzero(decided.events & int(Event.OPENED))
    return Judged(decided.anomaly_score, decided.alert_score, opened)


def judge_raw(times: Int64, raw: Float64, one_in: int) -> Judged:
    """The same for a bare score, such as one of several metrics together."""
    points = Points.of(times, raw)
    return judge(lambda *_: raw, times, raw, plain(points, raw), one_in)


def largest(scores: list[Float64], count: int) -> Float64:
    """Mean of the ``count`` largest scores at each point; NaN counts as 0."""
    every = np.nan_to_num(np.stack(scores), nan=0.0)
    return np.asarray(np.sort(every, axis=0)[-count:].mean(axis=0))
