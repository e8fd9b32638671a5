"""Pulse: a series that stops reporting, and one whose value no longer moves, are findings of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core import params, wording
from watchband.core.alert import Alert, Kind, alert_id, severity_of
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import Integer, Real, param
from watchband.core.points import Float64, Int64, Points
from watchband.core.series import SeriesKey
from watchband.core.state import Field, State
from watchband.pipeline.raw import Raw

NEVER = int(np.iinfo(np.int64).min)
_OVER = int(np.iinfo(np.int64).max)
_MOMENTS, _RHYTHM = 14, 9
_LAST, _SILENT, _STUCK, _READINGS, _SILENT_KNOWN, _STUCK_KNOWN, _EXCUSED = 0, 2, 3, 4, 5, 6, 7
_OWNER, _ZEROS, _STOOD, _SILENCES = 10, 11, 12, 13
_COUNTED = (_READINGS, 9, _OWNER, _ZEROS, _STOOD, _SILENCES)
"""Places that begin with 0, unlike moments."""
SILENCE, STUCK, ENDED = 0, 1, 2
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
        ``SILENCE``, ``STUCK`` (its value stands still), or ``ENDED``: a silence is over because it lasted so long that
        the series is taken as ended.
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

    @classmethod
    def none(cls) -> Found:
        """Nothing was found."""
        whole = np.empty(0, np.int64)
        return cls(np.empty(0, np.int32), whole, whole, whole, whole, np.empty(0))

    def take(self, chosen: NDArray[np.bool_]) -> Found:
        """Some of the findings."""
        return Found(*(getattr(self, f.name)[chosen] for f in fields(self)))


@dataclass(frozen=True)
class Pulse(Fold):
    """Whether series report and move: a fold over readings and the watermark.

    What is usual is learned: the distance of readings, the longest silence, how long readings are under way (seen
    from the watermark), and the longest run of equal values. A silence or run that was told and comes again much the
    same is usual from then on (a device that is off at night). What is usual is forgotten by half in two weeks.

    Silence is told after ``missed`` usual distances, or after ``most_ns`` where that is sooner (but never before two),
    or after twice the longest usual silence; not before 16 readings (4 where their distance hardly varies), nor before
    readings arrived behind three watermarks. What is told does not depend on how often the watermark moves: a silence
    is known from the moment at which patience ends. Cost: some 10 ns a reading, 200 bytes a series.

    Examples
    --------
    >>> pulse, minute = Pulse(), 60_000_000_000
    >>> state = pulse.start(1)
    >>> for i in range(50):
    ...     _ = pulse.step(state, Points.of([i * minute], [float(i)]), seen=i * minute)
    ...     _ = pulse.watermark(state, (i + 1) * minute)
    >>> found = pulse.watermark(state, (49 + 6) * minute)
    >>> found.what.tolist(), (found.known // minute).tolist()
    ([0], [54])
    """

    name: ClassVar[str] = "pulse"

    missed: int = param(5, Integer(0), "Readings in a row that are missing until silence is told; 0: never.")
    least_ns: int = param(2 * MINUTE, Integer(0), "Silence that is too short to tell.", unit="ns")
    most_ns: int = param(HOUR, Integer(0), "Silence that is told of a slow series, if two readings miss.", unit="ns")
    equal: int = param(36, Integer(0), "Equal readings in a row that are told where a metric moves; 0: never.")
    ends_ns: int = param(DAY, Integer(0), "So long after it was told a silent series has ended; 0: never.", unit="ns")
    score: float = param(SEVERITY_SCORE, Real(1, low_open=True), "anomaly_score of these findings.", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        return {"moments": Field("i8", _MOMENTS, float(NEVER)), "rhythm": Field("f8", _RHYTHM)}

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and the parameters that shape the state."""
        return fingerprint(self.name, params.shaping(self))

    def start(self, series: int = 1) -> State:
        """A state for series that have seen nothing."""
        state = super().start(series)
        state.arrays["moments"][:, list(_COUNTED)] = 0
        return state

    @property
    def _settings(self) -> tuple[float, float, float, float, float]:
        return float(self.missed), float(self.least_ns), float(self.most_ns), float(self.equal), float(self.ends_ns)

    def step(self, state: State, points: Points | Raw, *, seen: int | Int64 = NEVER) -> Found:
        """Fold readings; those without a value are none.

        Parameters
        ----------
        state : State
            From ``start`` or an earlier step.
        points : Points or Raw
            One value a point, each slice in time order; of readings of one time the first counts.
        seen : int or int64[s], optional
            How far the watermark of each slice's source was before these readings arrived, ns UTC.

        Raises
        ------
        StateError
            The state belongs to something else.
        """
        self.check_state(state)
        values = np.ascontiguousarray(points.values if isinstance(points, Raw) else points.values[:, 0])
        found = _kernels.pulse_readings(
            state.arrays["moments"],
            state.arrays["rhythm"],
            (points.rows, points.offsets, points.times, values),
            np.ascontiguousarray(np.broadcast_to(np.asarray(seen, np.int64), points.series)),
            self._settings,
        )
        return Found(*found)

    def watermark(self, state: State, time: int, source: int = -1) -> Found:
        """Time has passed for the series of a source (-1: for all): nothing older than ``time`` (ns UTC) will come."""
        self.check_state(state)
        arrays = state.arrays["moments"], state.arrays["rhythm"]
        return Found(*_kernels.pulse_watermark(*arrays, source, time, self._settings))

    def own(self, state: State, rows: Int64, source: NDArray[np.int64]) -> None:
        """These series belong to the sources of these numbers from here on."""
        state.arrays["moments"][rows, _OWNER] = source

    def owners(self, state: State) -> Int64:
        """The number of the source of every series: int64[series]."""
        return np.asarray(state.arrays["moments"][:, _OWNER])

    def excuse(self, state: State, rows: NDArray[Any], time: int) -> None:
        """What these series (rows, or a bool for each) did not send before ``time`` is not their fault."""
        moments = state.arrays["moments"]
        moments[rows, _EXCUSED] = np.maximum(moments[rows, _EXCUSED], time)

    def pardon(self, state: State, rows: NDArray[Any], before: int, time: int) -> None:
        """An excuse until ``before`` ends earlier, at ``time``."""
        column = state.arrays["moments"][:, _EXCUSED]
        column[rows & (column == before)] = time

    def end(self, state: State, rows: Sequence[int], time: int) -> Found:
        """What was told of these series is over, at ``time`` or when it was known."""
        moments, value = state.arrays["moments"], state.arrays["rhythm"][:, 3]
        told = [
            (row, what, *moments[row, [begin, known]].tolist(), max(time, int(moments[row, known])), value[row])
            for row in rows
            for what, begin, known in ((ENDED, _SILENT, _SILENT_KNOWN), (STUCK, _STUCK, _STUCK_KNOWN))
            if moments[row, begin] not in (NEVER, _OVER)
        ]
        moments[list(rows), _SILENT], moments[list(rows), _STUCK] = _OVER, NEVER
        if not told:
            return Found.none()
        row, what, since, known, over, last = (np.array(column) for column in zip(*told, strict=True))
        return Found(row.astype(np.int32), what, since, known, over, last)

    def silent(self, state: State) -> NDArray[np.bool_]:
        """Of every series, whether its silence was told or it has ended: bool[series]."""
        return np.asarray(state.arrays["moments"][:, _SILENT] != NEVER)

    def told(self, state: State) -> list[tuple[int, Kind, int]]:
        """What was told and is not over: state row, kind and since when, ns UTC."""
        moments = state.arrays["moments"]
        kinds: tuple[tuple[Kind, int], ...] = (("no data", _SILENT), ("stuck", _STUCK))
        return [
            (row, kind, int(moments[row, place]))
            for kind, place in kinds
            for row in np.flatnonzero((moments[:, place] != NEVER) & (moments[:, place] != _OVER)).tolist()
        ]

    def stuck(self, state: State) -> NDArray[np.bool_]:
        """Of every series, whether it was told that its value stands still: bool[series]."""
        return np.asarray(state.arrays["moments"][:, _STUCK] != NEVER)

    def last_time(self, state: State) -> Int64:
        """Time of the last reading of every series, ns UTC, ``NEVER`` before the first: int64[series]."""
        return np.asarray(state.arrays["moments"][:, _LAST])

    def counts(self, state: State) -> dict[str, Int64]:
        """Of every series, readings that were zero, those while its value stood still, and silences: int64[series]."""
        moments = state.arrays["moments"]
        return {"zero": moments[:, _ZEROS], "stuck": moments[:, _STOOD], "silences": moments[:, _SILENCES]}

    def usual_step_ns(self, state: State) -> Float64:
        """Usual distance of two readings of every series, ns; 0 while it is not known: float64[series]."""
        return state.arrays["rhythm"][:, 0].copy()


def alerts_of(
    found: Found, keys: Sequence[SeriesKey], watch: str, zone: str = "UTC", score: float = SEVERITY_SCORE
) -> list[Alert]:
    """The alerts that findings open and close, each in its last version."""
    columns = (getattr(found, name).tolist() for name in ("row", "what", "since", "known", "over", "value"))
    alerts = [_alert(keys[row], watch, zone, score, *rest) for row, *rest in zip(*columns, strict=True)]
    return list({alert.id: alert for alert in alerts}.values())


def _alert(
    key: SeriesKey, watch: str, zone: str, score: float, what: int, since: int, known: int, over: int, value: float
) -> Alert:
    kind: Kind = "stuck" if what == STUCK else "no data"
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
        reason=_reason(key, what, since, closed, value, zone),
        policies=("series ended",) if what == ENDED else (),
    )


def _reason(key: SeriesKey, what: int, since: int, closed: int | None, value: float, zone: str) -> str:
    when = f"since {wording.moment(since, zone)}"
    if what == ENDED:
        return f"{key} has sent nothing {when} and is taken as ended."
    if closed is not None:
        when = f"from {wording.moment(since, zone)} to {wording.moment(closed, zone, since)}"
        when += f", {wording.duration(closed - since)}"
    if what == SILENCE:
        return f"{key} {'has sent' if closed is None else 'sent'} nothing {when}; it usually reports."
    at = wording.quantity(key.metric, value)
    return f"{key} {f'stands still at {at}' if closed is None else 'stood still'} {when}; it usually moves."
