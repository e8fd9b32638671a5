"""Decide: the state machine per (series, watch) that opens, updates and closes alerts, and the band as drawn.

An alert opens where the last points raise it (``consecutive``, ``m_of_n``) above the limit, stays open while one of
the last ``close_after`` points is above ``close_level`` of the limit, and then closes. For every limit t at once that
is one number, the envelope: the alert with limit t is open exactly while ``envelope > t``. Hence

* ``alert_score`` = the raised score where it exceeds the envelope before it, else 0: ``alert_score > t`` holds exactly
  where ``decide`` with limit t opens an alert or escalates an open one;
* a point that is not anomalous counts with the grade of an ensemble, if that is larger: for limits below 1 only;
* exact for every t under all policies but ``cool_down``, whose pauses are those of limit 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import values_of
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import ENDED, Scores
from watchband.core.state import Field, State
from watchband.pipeline.policy import Event, Policy

NEVER = int(np.iinfo(np.int64).min)
"""``closed`` of a record whose alert is open."""
_FLOATS, _INTS = 12, 19
_SCORE = 6
_SIDES = {"both": 0, "above": 1, "below": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What ``calibrate`` says of a batch and ``decide`` reads. Every array is float64[n].

    Parameters
    ----------
    anomaly_score : float64[n]
        Above 1 is anomalous; NaN is no opinion.
    limit_above, limit_below : float64[n]
        Distance of the band's edges from the expected value, in units of the detector's scale.
    confidence : float64[n]
        0 to 1: how much history the verdict rests on.
    spoke : float64[n], optional
        Sum of ``1 << k`` for every member ``k`` of an ensemble that is above the limit on its own, the band's first.
        None: what is strange is so by its value.
    grade : float64[n], optional
        Of an ensemble, at most 1: ranks the points that are not anomalous. It opens and prolongs no alert; of
        ``alert_score`` it moves what is below 1.
    """

    anomaly_score: Float64
    limit_above: Float64
    limit_below: Float64
    confidence: Float64
    spoke: Float64 | None = None
    grade: Float64 | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An alert as ``decide`` knows it: times in ns UTC, values in the metric's unit.

    ``row`` is the state row; ``closed`` is ``NEVER`` while open; ``last_time`` the last point beyond the limit;
    ``side`` 1 above, -1 below, 0 neither; ``mean`` that of all points beyond the limit; ``before`` what was expected
    at the opening; ``members`` has a bit for each member of an ensemble that was above its limit at the opening, that
    is among the first twelve points beyond it, and the band's where it is the peak's. The peak, from which ``value``,
    ``expected``, ``lower``, ``upper``, ``confidence`` and ``side`` are, is the strangest point; but after a value
    outside the band none within it.
    """

    row: int
    opened: int
    decided: int
    closed: int
    peak_time: int
    last_time: int
    points: int
    events: int
    value: float
    expected: float
    lower: float
    upper: float
    anomaly_score: float
    confidence: float
    side: float
    mean: float
    before: float
    members: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """One answer per point of the batch, in its order, and the alerts that changed.

    Parameters
    ----------
    anomaly_score : float64[n]
        After the policies: at most 1 where one suppressed the point, at least 3 for a finding. Where nothing is
        anomalous and no policy spoke, the grade of an ensemble if that is larger.
    alert_score : float64[n]
        The raised score where an alert with that limit would open or escalate, else 0.
    lower, upper : float64[n]
        The band as drawn. A value is outside it exactly where anomaly_score > 1. NaN on a side that is not
        watched, and on both sides where the detector's score is not a distance.
    alert_opened : int64[n]
        Event time of the opening of the alert that is open at this point, ``NEVER`` where none is.
    events : int64[n]
        Sum of ``policy.Event``.
    records : list of Record
        The last state of every alert that opened, changed or closed in this batch, by slice and time of opening.
    counted_score : float64[n]
        ``anomaly_score`` without grades: what would be multiplied where the limit were another.
    """

    anomaly_score: Float64
    alert_score: Float64
    lower: Float64
    upper: Float64
    alert_opened: Int64
    events: Int64
    records: list[Record]
    counted_score: Float64

    def same_bits(self, other: Decisions) -> bool:
        """True where every array is equal bit for bit."""
        names = [f.name for f in fields(self) if f.name != "records"]
        return all(getattr(self, k).tobytes() == getattr(other, k).tobytes() for k in names)


@dataclass(frozen=True)
class Decide(Fold):
    """The last stage of a watch.

    Parameters
    ----------
    policy : Policy
        What of a strange score becomes an alert.
    limit : float, default 1
        The anomaly_score above which points count; other limits than 1 serve to test ``alert_score``.

    State
    -----
    ``window``, ``moments``: the last max(consecutive, n) scores and their times; ``quiet``: the last close_after +
    flap_hold scores; ``alert``, ``run``: the open alert. 376 bytes at the defaults.
    """

    name: ClassVar[str] = "decide"
    state_version: ClassVar[int] = 3

    policy: Policy = field(default_factory=Policy)
    limit: float = 1.0

    @cached_property
    def fingerprint(self) -> str:
        """Of everything that shapes the state or its meaning."""
        return fingerprint("decide", {**values_of(self.policy), "limit": self.limit})

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        p = self.policy
        width = max(p.consecutive, p.m_of_n[1] if p.m_of_n else 1)
        return {
            "window": Field("f8", width, -1.0),
            "moments": Field("i8", width, float(NEVER)),
            "quiet": Field("f8", p.close_after + p.flap_hold),
            "alert": Field("f8", _FLOATS),
            "run": Field("i8", _INTS),
        }

    def start(self, series: int = 1) -> State:
        state = super().start(series)
        state.arrays["run"][:, _ENDED] = NEVER
        return state

    def upgrade(self, state: State) -> State:
        """Version 1 did not keep the score at the peak apart, version 2 counted no judged points and kept no events."""
        if state.version not in (1, 2):
            return super().upgrade(state)
        alert, run = state.arrays["alert"], state.arrays["run"]
        if state.version == 1:
            alert = np.concatenate([alert, alert[:, _SCORE : _SCORE + 1]], axis=1)
        run = np.concatenate([run, state.points_seen[:, None], np.zeros((len(run), 1), np.int64)], axis=1)
        return replace(state, version=3, arrays={**state.arrays, "alert": alert, "run": run})

    def step(
        self, state: State, points: Points, scores: Scores, judgement: Judgement, *, threads: int = 0
    ) -> Decisions:
        """Decide on a batch; ``state`` is moved on in place.

        ``points`` hold NaN where a value is missing or not to be judged.

        Raises
        ------
        StateMismatchError
            The state belongs to another fold or another policy.
        """
        self.check_state(state)
        n = len(points)
        outputs = [np.full(n, np.nan), np.zeros(n), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.zeros(n)]
        columns = [scores.expected, scores.scale, scores.lower, scores.upper]
        columns += [judgement.anomaly_score, judgement.limit_above, judgement.limit_below]
        columns += [judgement.confidence, scores.flags, np.ones(n) if judgement.spoke is None else judgement.spoke]
        columns.append(np.full(n, np.nan) if judgement.grade is None else judgement.grade)
        records: list[Record] = []
        if n:
            records = _records(points, *self._kernel(state, points, columns, outputs, threads))
            counts = np.diff(points.offsets)
            some = counts > 0
            state.points_seen[points.rows[some]] += counts[some]
            state.last_time[points.rows[some]] = points.times[points.offsets[1:][some] - 1]
        score, alert_score, lower, upper, opened, events = outputs
        counted = score
        if judgement.grade is not None:
            graded = (score <= 1) & (score == judgement.grade) & (judgement.grade > judgement.anomaly_score)
            counted = np.where(graded, judgement.anomaly_score, score)
        made = opened.view(np.int64), events.astype(np.int64), records
        return Decisions(score, alert_score, lower, upper, *made, counted)

    def end(self, state: State, rows: Sequence[int], times: Sequence[int]) -> list[Record]:
        """These series have ended: their open alerts are closed, each at its time (ns UTC)."""
        self.check_state(state)
        n = len(rows)
        if not n:
            return []
        points = Points(np.array(times, np.int64), np.full((n, 1), np.nan), np.arange(n + 1), np.array(rows, np.int32))
        columns = [np.full(n, np.nan) for _ in range(11)]
        columns[8] = np.full(n, float(ENDED))
        return _records(points, *self._kernel(state, points, columns, [np.empty(n) for _ in range(6)], 1))

    def is_open(self, state: State) -> NDArray[np.bool_]:
        """Of every series, whether its alert is open: bool[series]."""
        return np.asarray(state.arrays["run"][:, _OPEN] == 1)

    def opened(self, state: State) -> list[tuple[int, int]]:
        """State rows whose alert is open, and when it opened, ns UTC."""
        run = state.arrays["run"]
        rows = np.flatnonzero(run[:, _OPEN] == 1)
        return list(zip(rows.tolist(), run[rows, _BEGUN].tolist(), strict=True))

    def judged(self, state: State) -> Int64:
        """Of every series, the points on which there was an opinion: int64[series]."""
        return np.asarray(state.arrays["run"][:, _JUDGED])

    def cooling(self, state: State) -> Int64:
        """Of every series, the points until an alert may open again: int64[series]."""
        return np.asarray(state.arrays["run"][:, _COOL])

    def last_events(self, state: State, row: int) -> Event:
        """What happened at the last point of a series."""
        return Event(int(state.arrays["run"][row, _SAID]) & int(~Event(0)))

    def last_scores(self, state: State, row: int) -> Float64:
        """The last scores of a series that count for its opening, oldest first; -1 where there was none."""
        window, head = state.arrays["window"][row], int(state.arrays["run"][row, 0])
        return np.roll(window, -head)

    def _kernel(
        self,
        state: State,
        points: Points,
        columns: list[Float64],
        outputs: list[Float64],
        threads: int,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        p = self.policy
        return _kernels.decide(
            tuple(state.arrays[k] for k in ("window", "moments", "quiet", "alert", "run")),  # type: ignore[arg-type]
            (points.rows, points.offsets, points.times, points.values),
            [np.ascontiguousarray(c) for c in columns],
            outputs,
            _SIDES[p.direction],
            (float(p.min_deviation), float(p.min_deviation_relative)),
            -math.inf if p.min_count is None else float(p.min_count),
            p.logical_range,
            p.missing,
            float(self.limit),
            float(p.close_level),
            p.close_after,
            p.max_points or 0,
            p.cool_down,
            p.consecutive,
            p.m_of_n or (1, 1),
            threads,
        )


_OPEN, _COOL, _ENDED, _BEGUN, _JUDGED, _SAID = 3, 6, 7, 9, 17, 18
_EVENTS = (1 << 32) - 1


def _records(points: Points, ints: NDArray[Any], floats: NDArray[Any]) -> list[Record]:
    found = []
    for whole, real in zip(ints.reshape(-1, 8).tolist(), floats.reshape(-1, 9).tolist(), strict=True):
        values: list[Any] = [int(points.rows[whole[0]]), *whole[1:7], whole[7] & _EVENTS, *real, whole[7] >> 32]
        found.append(Record(*values))
    return found
