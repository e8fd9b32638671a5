"""Pulse: a series that stops reporting, and one whose value no longer moves, are findings of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core import params, wording
from watchband.core.alert import Alert, Kind, alert_id, severity_of
from watchband.core.duration import MINUTE
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import Integer, Real, param
from watchband.core.points import Float64, Int64, Points
from watchband.core.series import SeriesKey
from watchband.core.state import Field, State

NEVER = int(np.iinfo(np.int64).min)
_READINGS = 4
SEVERITY_SCORE = 1.5
"""anomaly_score of a finding: a warning."""


@dataclass(frozen=True, slots=True)
class Found:
    """Findings of a batch, in the order in which they came up; of one series in order of time.

    Parameters
    ----------
    row : int32[k]
        State row.
    what : int64[k]
        0: the series is silent; 1: its value stands still.
    since, known, over : int64[k]
        Where that begins, when it was known, and when it ended (``NEVER`` while it lasts), ns UTC.
    value : float64[k]
        The last value.
    """

    row: np.ndarray
    what: Int64
    since: Int64
    known: Int64
    over: Int64
    value: Float64

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Pulse(Fold):
    """Whether series report and move: a fold over readings and the watermark.

    What is usual is learned: the distance of readings, the longest silence and the longest run of equal values. A
    silence or run that was told and comes again much the same is usual from then on (a device that is off at night).
    What is told does not depend on how often the watermark moves: a silence is known from the moment at which
    patience ends. Cost: some 10 ns a reading, 128 bytes a series.

    Examples
    --------
    >>> pulse = Pulse()
    >>> state = pulse.start(1)
    >>> times = np.arange(50) * 60_000_000_000
    >>> len(pulse.step(state, Points.of(times, np.arange(50.0))))
    0
    >>> found = pulse.watermark(state, int(times[-1]) + 6 * 60_000_000_000)
    >>> found.what.tolist(), (found.known - times[-1]).tolist()
    ([0], [300000000000])
    """

    name: ClassVar[str] = "pulse"

    missed: int = param(5, Integer(0), "Readings in a row that are missing until silence is told; 0: never.")
    least_ns: int = param(2 * MINUTE, Integer(0), "Silence that is too short to tell.", unit="ns")
    equal: int = param(36, Integer(0), "Equal readings in a row that are told where a metric moves; 0: never.")
    score: float = param(SEVERITY_SCORE, Real(1, low_open=True), "anomaly_score of these findings.", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        return {"moments": Field("i8", 7, float(NEVER)), "rhythm": Field("f8", 9)}

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and the parameters that shape the state."""
        return fingerprint(self.name, params.shaping(self))

    def start(self, series: int = 1) -> State:
        """A state for series that have seen nothing."""
        state = super().start(series)
        state.arrays["moments"][:, _READINGS] = 0
        return state

    def step(self, state: State, points: Points) -> Found:
        """Fold readings; those without a value are none.

        Parameters
        ----------
        state : State
            From ``start`` or an earlier step.
        points : Points
            One value a point, each slice in time order.

        Raises
        ------
        StateError
            The state belongs to something else.
        """
        self.check_state(state)
        values = np.ascontiguousarray(points.values[:, 0])
        found = _kernels.pulse_readings(
            state.arrays["moments"],
            state.arrays["rhythm"],
            (points.rows, points.offsets, points.times, values),
            float(self.missed),
            float(self.least_ns),
            float(self.equal),
        )
        return Found(*found)

    def watermark(self, state: State, time: int) -> Found:
        """Time has passed for every series: nothing older than ``time`` (ns UTC) will come."""
        self.check_state(state)
        found = _kernels.pulse_watermark(
            state.arrays["moments"], state.arrays["rhythm"], time, float(self.missed), float(self.least_ns)
        )
        return Found(*found)

    def usual_step_ns(self, state: State) -> Float64:
        """Usual distance of two readings of every series, ns; 0 while it is not known: float64[series]."""
        return state.arrays["rhythm"][:, 0].copy()


def alerts_of(
    found: Found, keys: Sequence[SeriesKey], watch: str, zone: str = "UTC", score: float = SEVERITY_SCORE
) -> list[Alert]:
    """The alerts that findings open and close, each finding in turn."""
    columns = (getattr(found, name).tolist() for name in ("row", "what", "since", "known", "over", "value"))
    return [_alert(keys[row], watch, zone, score, *rest) for row, *rest in zip(*columns, strict=True)]


def _alert(
    key: SeriesKey, watch: str, zone: str, score: float, what: int, since: int, known: int, over: int, value: float
) -> Alert:
    kind: Kind = "stuck" if what else "no data"
    closed = None if over == NEVER else over
    nothing = math.nan
    return Alert(
        # Both may begin at the opening of an alert by score, and are another incident.
        id=alert_id(key, f"{watch}/{kind}", since),
        series=key,
        watch=watch,
        detector="pulse",
        kind=kind,
        severity=severity_of(score),
        opened=since,
        decided=known,
        closed=closed,
        peak_time=since,
        value=value,
        expected=nothing,
        lower=nothing,
        upper=nothing,
        widths=nothing,
        direction="",
        anomaly_score=score,
        confidence=1.0,
        points=0,
        reason=_reason(key, kind, since, closed, value, zone),
    )


def _reason(key: SeriesKey, kind: Kind, since: int, closed: int | None, value: float, zone: str) -> str:
    when = f"since {wording.moment(since, zone)}"
    if closed is not None:
        when = f"from {wording.moment(since, zone)} to {wording.moment(closed, zone, since)}"
        when += f", {wording.duration(closed - since)}"
    if kind == "no data":
        return f"{key} {'has sent' if closed is None else 'sent'} nothing {when}; it usually reports."
    at = wording.quantity(key.metric, value)
    return f"{key} {f'stands still at {at}' if closed is None else 'stood still'} {when}; it usually moves."
