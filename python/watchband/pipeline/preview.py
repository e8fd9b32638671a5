"""Preview: what another budget or policy would have alerted, decided anew over scores that are kept.

A budget enters at one place only: anomaly_score = log(p) / log(p_limit). So the score under another budget is the one
under this, times the quotient of the two logarithms, and ``decide`` over it opens what it would have opened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import HELD, Scores
from watchband.pipeline.decide import NEVER, Decide, Judgement, Record
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Budget

_VALUES = ("direction", "min_deviation", "min_deviation_relative", "min_count", "range_low", "range_high")
"""What a policy reads from values was applied when the scores were made."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Scores of one series that are kept, in order of time.

    Parameters
    ----------
    time : int64[n]
        ns UTC.
    value, expected, lower, upper : float64[n]
        As results have them.
    anomaly_score : float64[n]
        Under the rule that was in force, without grades (``counted_score`` of results): the grade of an ensemble says
        nothing of another limit.
    held, suppressed : bool[n]
        Learning was held back; a policy kept the point from counting.
    """

    time: Int64
    value: Float64
    expected: Float64
    lower: Float64
    upper: Float64
    anomaly_score: Float64
    held: NDArray[np.bool_]
    suppressed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Opening:
    """An alert that would have been: opened and closed (None: still open) in ns UTC, and its highest score."""

    opened: int
    closed: int | None
    peak_time: int
    anomaly_score: float


def factor(now: Budget, then: Budget, interval_ns: int) -> float:
    """What scores under one budget are multiplied by to be those under another; 1 where the interval is not known.

    Examples
    --------
    >>> from watchband.core.duration import DAY, MINUTE, WEEK
    >>> factor(Budget(1, WEEK), Budget(1, DAY), MINUTE) > 1
    True
    """
    if interval_ns <= 0:
        return 1.0
    return math.log(now.p_limit(interval_ns)) / math.log(then.p_limit(interval_ns))


def interval_of(time: Int64) -> int:
    """The usual distance of points, ns; 0 below two of them."""
    return int(np.median(np.diff(time))) if len(time) > 1 else 0


def openings(kept: Sequence[Kept], factors: Sequence[float], policy: Policy) -> list[list[Opening]]:
    """Alerts of each series with its scores multiplied by its factor, under the states of a policy.

    What a policy reads from values (direction, least deviation, range) is as it was. Cost: some 60 ns a point.

    Parameters
    ----------
    kept : sequence of Kept
        One a series.
    factors : sequence of float
        From ``factor``.
    policy : Policy
        Its lengths and levels count.
    """
    if not kept:
        return []
    plain = Policy()
    decide = Decide(replace(policy, **{name: getattr(plain, name) for name in _VALUES}))
    state = decide.start(len(kept))
    lengths = [len(k.time) for k in kept]
    gathered = {name: np.concatenate([getattr(k, name) for k in kept]) for name in ("time", "value", "expected")}
    score = np.concatenate(
        [
            np.where(k.suppressed, np.minimum(k.anomaly_score, 0.0), k.anomaly_score * f)
            for k, f in zip(kept, factors, strict=True)
        ]
    )
    points = Points(
        gathered["time"],
        np.where(np.isnan(score), np.nan, gathered["value"])[:, None],
        np.r_[0, np.cumsum(lengths)].astype(np.int64),
        np.arange(len(kept), dtype=np.int32),
    )
    scores = Scores.blank(points)
    scores.score[:] = score
    scores.expected[:] = gathered["expected"]
    scores.flags[:] = np.where(np.concatenate([k.held for k in kept]), float(HELD), 0.0)
    n = len(points)
    found = decide.step(state, points, scores, Judgement(score, np.full(n, np.nan), np.full(n, np.nan), np.ones(n)))
    by_series: list[list[Opening]] = [[] for _ in kept]
    for record in found.records:
        by_series[record.row].append(_opening(record))
    return by_series


def _opening(record: Record) -> Opening:
    closed = None if record.closed == NEVER else record.closed
    return Opening(record.opened, closed, record.peak_time, record.anomaly_score)
