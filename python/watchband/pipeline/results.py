"""Results: flat columns, one row per prepared point, and the alerts that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.core.alert import Alert, alert_id
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey
from watchband.pipeline.beside import Beside

_OTHERS = ("keys", "row_ordinal", "alerts", "members", "beside")
"""Fields that do not have one entry a point."""


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a watch says of a batch. Every array but ``row_ordinal`` has one entry per prepared point, [m].

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series of the state; ``row`` counts in it.
    row : int32[m]
        The series of each point.
    time : int64[m]
        Nanoseconds since 1970 in UTC.
    y : float64[m]
        The value; NaN where it is missing, the expected value where the gap policy ``model`` filled it.
    yhat : float64[m]
        The expected value, NaN where the detector has no opinion.
    yhat_lower, yhat_upper : float64[m]
        The band as drawn: ``y`` is outside exactly where ``anomaly_score > 1``. NaN on a side that is not
        watched, and on both for detectors whose score is not a distance.
    score : float64[m]
        What the detector says, in its own unit.
    p_value : float64[m]
        Probability of a point at least this strange, NaN while it is not known.
    anomaly_score : float64[m]
        Above 1 is anomalous, after the policies. Of an ensemble, points that are not are graded by what all members
        found together at and before them, so that it may exceed what ``p_value`` says; it stays at most 1.
    counted_score : float64[m]
        ``anomaly_score`` without grades: what it is under another budget follows from this one.
    alert_score : float64[m]
        The score at which an alert would open or escalate here, else 0.
    alert : object[m]
        The id of the alert that is open at the point, or "".
    imputed, excluded : bool[m]
        The value was put in by the gap policy; the point lies in an excluded range and was not learned.
    flags : int64[m]
        Flags of the detector, see ``core.scores``.
    events : int64[m]
        What the policies did, a sum of ``policy.Event``.
    confidence : float64[m]
        0 to 1: how much history the verdict rests on.
    limit_above, limit_below : float64[m]
        The limit in the detector's units of score, above and below the expected value.
    ordinal : int64[m]
        Running number of the point within its series.
    member_scores : float64[m, k]
        Of an ensemble, each member's own anomaly_score after its share of the false alarms, before the policies; k is 0
        for a single detector.
    row_ordinal : int64[n]
        For each raw row of the batch the ordinal of its point, -1 where it came too late.
    alerts : list of Alert
        The last state of every alert that opened, changed or closed.
    members : tuple of (str, float)
        What the members of an ensemble are called, and their shares of the false alarms.
    beside : Beside, optional
        Of joined points the columns behind the leading one.
    """

    keys: Sequence[SeriesKey]
    row: Int32
    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    score: Float64
    p_value: Float64
    anomaly_score: Float64
    counted_score: Float64
    alert_score: Float64
    alert: NDArray[Any]
    imputed: NDArray[np.bool_]
    excluded: NDArray[np.bool_]
    flags: Int64
    events: Int64
    confidence: Float64
    limit_above: Float64
    limit_below: Float64
    ordinal: Int64
    member_scores: Float64
    row_ordinal: Int64
    alerts: list[Alert] = field(default_factory=list)
    members: tuple[tuple[str, float], ...] = ()
    beside: Beside | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def seen_by(self) -> NDArray[Any]:
        """Of each anomalous point, the members of an ensemble that were above the limit on their own: object[m].

        ``"band+forest"``; an empty text where no member was, and for single detectors.
        """
        column = np.full(len(self), "", object)
        strange = np.flatnonzero((self.anomaly_score > 1) & bool(self.members))
        spoke = self.member_scores[strange] > 1
        for some in np.unique(spoke, axis=0) if len(strange) else ():
            names = "+".join(name for (name, _), said in zip(self.members, some.tolist(), strict=True) if said)
            column[strange[(spoke == some).all(axis=1)]] = names
        return column

    @classmethod
    def columns(cls) -> list[str]:
        """Names of the arrays that have one entry per point."""
        return [f.name for f in fields(cls) if f.name not in _OTHERS]

    @classmethod
    def joined(cls, parts: Sequence[Results]) -> Results:
        """Consecutive results as one: columns end to end, the last state of every alert in order of opening."""
        arrays = {k: np.concatenate([getattr(p, k) for p in parts]) for k in [*cls.columns(), "row_ordinal"]}
        last = {alert.id: alert for part in parts for alert in part.alerts}
        alerts = sorted(last.values(), key=lambda a: (a.opened, str(a.series)))
        beside = Beside.joined([p.beside for p in parts])
        return cls(keys=parts[-1].keys, alerts=alerts, members=parts[-1].members, beside=beside, **arrays)

    def of(self, row: int) -> Results:
        """The part of one series, in time order."""
        here = self.row == row
        key = str(self.keys[row])
        return Results(
            keys=self.keys,
            row_ordinal=self.row_ordinal[:0],
            alerts=[a for a in self.alerts if str(a.series) == key],
            members=self.members,
            beside=None if self.beside is None else self.beside.at(here),
            **{k: getattr(self, k)[here] for k in self.columns()},
        )

    def same_bits(self, other: Results) -> bool:
        """True where every column is equal bit for bit."""
        return all(
            getattr(self, k).tobytes() == getattr(other, k).tobytes()
            if k != "alert"
            else self.alert.tolist() == other.alert.tolist()
            for k in self.columns()
        )


def alert_column(
    watch: str, keys: Sequence[SeriesKey], row: Int32, opened: Int64, ids: Mapping[tuple[int, int], str]
) -> NDArray[np.object_]:
    """The id of the alert at every point: object[m].

    Parameters
    ----------
    watch : str
        Whose alerts they are.
    keys : sequence of SeriesKey
        Series by row.
    row, opened : int32[m], int64[m]
        Of every point its series, and the time (ns UTC) at which the alert that is open there opened; the least
        integer where none is.
    ids : mapping of (row, time) to str
        Those that are known.
    """
    column = np.full(len(row), "", object)
    inside = np.flatnonzero(opened != np.iinfo(np.int64).min)
    if not len(inside):
        return column
    # Alerts are stretches of consecutive points: one id a stretch.
    first = np.flatnonzero(np.r_[True, (np.diff(opened[inside]) != 0) | (np.diff(row[inside]) != 0)])
    each = [(int(row[i]), int(opened[i])) for i in inside[first].tolist()]
    names = [ids.get((r, moment)) or alert_id(keys[r], watch, moment) for r, moment in each]
    column[inside] = np.repeat(np.array(names, object), np.diff(np.r_[first, len(inside)]))
    return column
