"""Predicting: what the watches say of readings before anybody keeps them, and of those that are kept with the answer.

A reading is scored on a copy of its series' states, in the engine's thread between two entries, so that nobody sees a
half-folded one. If it is to be kept it is handed over in the same breath, and what is told then is the verdict that the
log has: it is the service's history, not the caller's, that a verdict rests on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from watchband.core.errors import TransientError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Lane
from watchband.pipeline.explain import PointExplanation, explain_point
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.series_states import NEVER
from watchband.pipeline.upstream import Upstream
from watchband.pipeline.watch_state import WatchState
from watchband.pipeline.windows import Windows

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

T = TypeVar("T")
ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a series that is to be judged; ``time`` in ns UTC, None: now."""

    key: SeriesKey
    value: float
    time: int | None = None


@dataclass(slots=True)
class Verdict:
    """What one watch says of a reading.

    Parameters
    ----------
    watch : str
        Its name.
    point : PointExplanation or None
        What it says; None where it says nothing.
    recorded : bool
        It is what the log has, not only what it would have.
    repeat : bool
        There was a reading of this time before; that one counts.
    left : int
        Points until the first opinion of the series; 0 where there is one.
    ready_at : int
        About when that is, ns UTC; ``NEVER`` where it is not known.
    """

    watch: str
    point: PointExplanation | None = None
    recorded: bool = False
    repeat: bool = False
    left: int = 0
    ready_at: int = NEVER


@dataclass(slots=True)
class Judged:
    """What became of a reading.

    Parameters
    ----------
    key : SeriesKey
        The series, by the name under which it is watched.
    time : int
        Of the reading, ns UTC.
    value : float
        Its value.
    verdicts : list of Verdict
        One of each watch that takes the series.
    late : int or None
        The time of the newest reading of the series, where this one is older and there was none of its time.
    stopped : list of str
        Watches that take the series and stand still.
    kept : bool
        It is in the log.
    """

    key: SeriesKey
    time: int
    value: float
    verdicts: list[Verdict] = field(default_factory=list)
    late: int | None = None
    stopped: list[str] = field(default_factory=list)
    kept: bool = False

    @property
    def usable(self) -> bool:
        """Whether there is anything that may be said of it."""
        return self.late is None and bool(self.verdicts)


def predict(service: Service, readings: Sequence[Reading], *, keep: str | None) -> list[Judged]:
    """Judge readings; waits for the engine, and with ``keep`` until they are durable.

    Parameters
    ----------
    service : Service
        Whose watches and history.
    readings : sequence of Reading
        Of several series in any order.
    keep : str or None
        The pushed source that keeps them; None: nothing is changed.

    Raises
    ------
    InboxFullError
        There is no room; come again in ``retry_after`` seconds.
    TransientError
        The service cannot answer now.
    """
    heard = _Heard()

    def errand() -> tuple[list[Judged], Future[int] | None]:
        judged = _score(service, readings)
        if keep is None:
            return judged, None
        some = [k for k, one in enumerate(judged) if one.usable and not all(v.repeat for v in one.verdicts)]
        if not some:
            return judged, None
        for k in some:
            judged[k].kept = True
        heard.wants({(judged[k].key, judged[k].time) for k in some})
        if heard.over:
            raise TransientError("Nobody waits for this answer any more.")
        service.listeners.append(heard)
        return judged, service.offer(keep, _slices([(readings[k].key, judged[k]) for k in some]))

    try:
        asked: Future[tuple[list[Judged], Future[int] | None]] = service.engine.call(errand)
        judged, durable = _waited(asked)
        if durable is not None:
            _waited(durable)
            # What was said of the entry is told after its sender is answered: one errand later it has been.
            _waited(service.engine.call(lambda: None))
    finally:
        heard.over = True
        if heard in service.listeners:
            service.listeners.remove(heard)
    for one in judged:
        for verdict in one.verdicts if one.kept else ():
            found = heard.found.get((verdict.watch, one.key, one.time))
            if found is not None:
                verdict.point, verdict.recorded = found, True
    return judged


class _Heard:
    """Remembers what is said of some points of an entry."""

    def __init__(self) -> None:
        self._wanted: dict[SeriesKey, set[int]] = {}
        self.over = False
        self.found: dict[tuple[str, SeriesKey, int], PointExplanation] = {}

    def wants(self, points: set[tuple[SeriesKey, int]]) -> None:
        for key, time in points:
            self._wanted.setdefault(key, set()).add(time)

    def __call__(self, results: Mapping[str, Results]) -> None:
        for watch, said in results.items():
            rows = [row for row in np.unique(said.row).tolist() if said.keys[row] in self._wanted]
            for at in np.flatnonzero(np.isin(said.row, rows)).tolist():
                key, time = said.keys[said.row[at]], int(said.time[at])
                if time in self._wanted[key]:
                    self.found[watch, key, time] = explain_point(said, int(said.time[at]), int(said.row[at]))


def _waited(answer: Future[T]) -> T:
    try:
        return answer.result(ANSWER_S)
    except FutureTimeout:
        answer.cancel()
        raise TransientError(f"The engine did not answer within {ANSWER_S:g} s.", retry_after=5.0) from None
    except CancelledError:
        raise TransientError(
            "This process is shutting down. Send it again in a few seconds.", retry_after=5.0
        ) from None


def _slices(named: Sequence[tuple[SeriesKey, Judged]]) -> list[Readings]:
    """Readings by series, each in order of time."""
    by_key: dict[SeriesKey, list[Judged]] = {}
    for key, one in named:
        by_key.setdefault(key, []).append(one)
    found = []
    for key, mine in by_key.items():
        mine.sort(key=lambda one: one.time)
        times = np.array([one.time for one in mine], np.int64)
        found.append(Readings(key, times, np.array([one.value for one in mine], np.float64)))
    return found


def _score(service: Service, readings: Sequence[Reading]) -> list[Judged]:
    """What the watches would say, were these readings the next; nothing is changed. In the engine's thread."""
    now, names = service.clock.now(), _names(service, readings)
    judged = [Judged(names[one.key] or one.key, now if one.time is None else one.time, one.value) for one in readings]
    asked = [one for reading, one in zip(readings, judged, strict=True) if names[reading.key] is not None]
    lanes = dict(service.engine.shard.lanes) if service.engine.shard else {}
    for lane in lanes.values():
        if lane.bound.watch.join is not None:
            # It judges points of all its metrics, and is asked about readings of one.
            continue
        mine = [one for one in asked if lane.bound.takes(one.key) and one.key not in lane.state.upstream.shed]
        if mine:
            _judge(service, lane, mine)
    for one in asked:
        one.stopped = [n for n in service.runner.stopped if service.config.watches[n].matches(one.key)]
    return judged


def _names(service: Service, readings: Sequence[Reading]) -> dict[SeriesKey, SeriesKey | None]:
    """Every series by the name under which pushed readings of it are watched; None where it is dropped."""
    keys = dict.fromkeys(one.key for one in readings)
    source = service.inflow.first_of("push")
    return {key: key if source is None else service.inflow.renamed(source, key) for key in keys}


def _judge(service: Service, lane: Lane, mine: Sequence[Judged]) -> None:
    """Add what one watch says."""
    watch, keys = lane.bound.watch, list(dict.fromkeys(one.key for one in mine))
    state = _apart(lane, keys)
    before, newest = watch.readiness(state), state.prepare.last_time.copy()
    slices = _slices([*_waiting(lane, keys), *((one.key, one) for one in mine)])
    rows = np.array([state.rows[part.key] for part in slices], np.int32)
    offsets = np.cumsum([0, *(len(part.times) for part in slices)])
    times = np.concatenate([part.times for part in slices])
    raw = Raw(times, np.concatenate([part.values for part in slices]), offsets, rows)
    # Nothing is held back: whoever asks wants to know now what a bucket says of which this is the last reading.
    said = watch.step(state, raw, excluded=lane.bound.excluded, flush=True)
    places = {(int(r), int(o)): at for at, (r, o) in enumerate(zip(said.row, said.ordinal, strict=True))}
    after = watch.readiness(state)
    row_of = np.repeat(rows, np.diff(offsets))
    ordinals = {
        (int(row), int(time)): int(ordinal)
        for row, time, ordinal in zip(row_of[::-1], times[::-1], said.row_ordinal[::-1], strict=True)
    }
    for one in mine:
        row = state.rows[one.key]
        verdict = Verdict(lane.bound.name, left=int(after.left[row]), ready_at=int(after.at[row]))
        at = places.get((row, ordinals[row, one.time]))
        if at is not None:
            verdict.point = explain_point(said, int(said.time[at]), int(said.row[at]))
        else:
            verdict.left, verdict.ready_at = int(before.left[row]), int(before.at[row])
            verdict.point, verdict.repeat = _known(service, lane, one), True
            if verdict.point is None and one.time < int(newest[row]):
                one.late = int(newest[row])
                continue
            verdict.recorded = verdict.point is not None
        one.verdicts.append(verdict)


def _waiting(lane: Lane, keys: Sequence[SeriesKey]) -> list[tuple[SeriesKey, Judged]]:
    """What some series have that still waits for its watermark: it comes before what is asked."""
    live = lane.state
    held = live.upstream.waiting([live.rows[key] for key in keys if key in live.rows])
    if held is None:
        return []
    return [
        (live.keys[row], Judged(live.keys[row], time, value))
        for row, time, value in zip(*(part.tolist() for part in held), strict=True)
    ]


def _apart(lane: Lane, keys: Sequence[SeriesKey]) -> WatchState:
    """Copies of the states of some series, those that are new among them cold."""
    live = lane.state
    known = [key for key in keys if key in live.rows]
    stages: dict[str, Any] = {name: part.take([live.rows[k] for k in known]) for name, part in live.stages.items()}
    upstream = Upstream(windows=Windows(live.upstream.windows.events()))
    state = WatchState(known, blank=live.blank, upstream=upstream, **stages)
    state.add(keys)
    return state


def _known(service: Service, lane: Lane, one: Judged) -> PointExplanation | None:
    """What was said of a reading of this time when it came, as far as it is in memory."""
    tail = service.recent.tail(lane.bound.name, one.key)
    at = np.flatnonzero(tail.time == one.time).tolist() if tail is not None else []
    if tail is None or not at:
        return None
    names = {"value": "y", "expected": "yhat", "lower": "yhat_lower", "upper": "yhat_upper"}
    names |= {name: name for name in ("anomaly_score", "confidence")}
    rest = ("score", "limit_above", "limit_below", "p_value", "alert_score")
    known: dict[str, Any] = dict.fromkeys(rest, math.nan)
    known |= {name: float(getattr(tail, column)[at[-1]]) for name, column in names.items()}
    known |= dict.fromkeys(("imputed", "excluded", "warming", "held", "adopted"), False)
    known |= dict.fromkeys(("raised", "suppressed", "events"), ())
    return PointExplanation(series=one.key, time=one.time, alert="", **known)
