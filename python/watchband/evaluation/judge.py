"""From a candidate's scores to alerts: the same calibration and alert logic for everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import HELD, Scores
from watchband.detectors import DETECTORS
from watchband.evaluation.candidate import Candidate
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.decide import Decide, Judgement
from watchband.pipeline.policy import Event
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What users would see of a series.

    Parameters
    ----------
    anomaly_score : float64[n]
        Above 1 is anomalous.
    alert_score : float64[n]
        The anomaly score where an alert opens or escalates, else 0.
    opened : int64[k]
        Points at which alerts opened.
    """

    anomaly_score: Float64
    alert_score: Float64
    opened: Int64


def judge(candidate: Candidate, times: Int64, values: Float64, scores: Scores, one_in: int) -> Judged:
    """Calibrate and decide at a budget of one alert in so many points, whatever the interval of the series.

    Parameters
    ----------
    candidate : Detector or callable
        What made the scores.
    times, values : int64[n], float64[n]
        The series.
    scores : Scores
        From ``candidate.score``.
    one_in : int
        Points in which one alert is acceptable.
    """
    detector = candidate if isinstance(candidate, Detector) else DETECTORS.build({"type": "ewma"})
    watch = Watch("quality", detector, Budget(1, one_in))
    return decided(watch.calibrate, watch.decide, Points.of(times, values), scores)


def decided(calibrate: Calibrate, decide: Decide, points: Points, scores: Scores) -> Judged:
    """What the two stages behind a detector make of its scores of one series, from their first point on."""
    held = scores.flags.astype(np.int64) & HELD != 0
    said = calibrate.step(calibrate.start(), points, scores, interval_ns=np.ones(1, np.int64), held=held, threads=1)
    judgement = Judgement(
        said.anomaly_score, said.limit_above, said.limit_below, said.confidence, said.spoke, said.grade
    )
    found = decide.step(decide.start(), points, scores, judgement, threads=1)
    opened = np.flatnonzero(found.events & int(Event.OPENED))
    return Judged(found.anomaly_score, found.alert_score, opened)
