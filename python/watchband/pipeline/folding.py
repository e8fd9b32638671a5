"""Folding: one entry of a log through a watch. Readings, watermarks, windows and ends of series, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watchband.core.alert import Alert
from watchband.core.events import (
    ControlEvent,
    DriftApproved,
    SeriesExpired,
    SeriesShed,
    SeriesTaken,
    SourceResumed,
    WatermarkMoved,
    WindowClosed,
    WindowOpened,
)
from watchband.core.points import Int64
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.breach.alerts import breach_over
from watchband.pipeline.drifting import drift_alerts
from watchband.pipeline.join_columns import Together
from watchband.pipeline.joined import name_lacking, together, whole
from watchband.pipeline.learned import chosen
from watchband.pipeline.policy import FINDING
from watchband.pipeline.pulse import ENDED, NEVER, SILENCE, Found, alerts_of
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.upstream import Flat, joined
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.excluded import Span
    from watchband.pipeline.watch import Watch

END = int(np.iinfo(np.int64).max)
"""A watermark at this time ends the stream: what is held back anywhere is let go, and nobody is called silent."""


def fold_entry(
    watch: Watch,
    state: WatchState,
    readings: Sequence[Readings],
    events: Sequence[ControlEvent] = (),
    *,
    excluded: Sequence[Span] = (),
    threads: int = 0,
) -> Results:
    """What a watch says of an entry; see ``Watch.fold``.

    The order is: series that are shed or taken again, breaks of sources and windows, readings, watermarks, ends of
    series.
    """
    alerts = _shed(watch, state, events)
    if state.upstream.shed:
        readings = [r for r in readings if r.key not in state.upstream.shed]
    if watch.join is not None:
        readings = together(watch.join, state, readings, events)
    rows = state.add([r.key for r in readings])
    _windows(watch, state, events)
    alerts += _approved(watch, state, events)
    _owners(watch, state, readings, rows)
    seen = state.upstream.seen()
    moved = [e for e in events if isinstance(e, WatermarkMoved) and state.upstream.advance(e)]
    flush = any(e.time == END for e in moved)
    raw = _raw(watch, state, readings, rows, flush)
    _mute(watch, state, raw, moved)
    found = _beats(watch, state, raw, seen)
    parts = []
    for piece, ended in _pieces(raw, _closing(watch, found)):
        if not len(piece) and not flush:
            parts.append(replace(watch.silence, keys=state.keys, alerts=watch.end(state, ended)))
            continue
        parts.append(watch.step(state, piece, excluded=excluded, flush=flush and not ended, threads=threads))
        parts[-1].alerts.extend(watch.end(state, ended))
    results = parts[0] if len(parts) == 1 else Results.joined(parts)
    alerts += alerts_found(watch, state, found) + _lookers_over(watch, state, _ended(found))
    for event in moved:
        if event.time != END and watch.pulse and state.pulse:
            number = state.upstream.number(event.source) if event.source else -1
            found = watch.pulse.watermark(state.pulse, event.time, number)
            alerts += watch.end(state, _closing(watch, found)) + alerts_found(watch, state, found)
            alerts += _lookers_over(watch, state, _ended(found))
    alerts += _expired(watch, state, events)
    last = {alert.id: alert for alert in [*results.alerts, *alerts]}
    results.alerts[:] = last.values()
    return results


def _owners(watch: Watch, state: WatchState, readings: Sequence[Readings], rows: Int64) -> None:
    """A series belongs to the source that gave it last."""
    names = [r.source for r in readings]
    # In the order in which they come: a number is given to whoever is new.
    number = {name: state.upstream.number(name) for name in dict.fromkeys(names)}
    if watch.pulse and state.pulse and names:
        index, source = rows, np.array([number[name] for name in names], np.int64)
        watch.pulse.own(state.pulse, index, source)


def _raw(watch: Watch, state: WatchState, readings: Sequence[Readings], rows: Int64, flush: bool) -> Raw:
    """What is to be folded now: readings that came on time, and those that waited long enough."""
    arrived: dict[Arrival, list[tuple[int, Readings]]] = {arrival: [] for arrival in Arrival}
    on_time = all(one.arrival is Arrival.ON_TIME for one in readings)
    for row, one in () if on_time else zip(rows.tolist(), readings, strict=True):
        arrived[one.arrival].append((row, one))
    held, late = arrived[Arrival.HELD], arrived[Arrival.LATE]
    state.upstream.hold([row for row, _ in held], [one for _, one in held])
    watch.prepare.note_late(state.prepare, [(row, len(one.times)) for row, one in late])
    released = state.upstream.release(everything=flush)
    now = list(zip(rows.tolist(), readings, strict=True)) if on_time else arrived[Arrival.ON_TIME]
    mine = rows if on_time else np.array([row for row, _ in now], np.int64)
    # Two sources may give one series.
    if released is None and not (np.bincount(mine) > 1).any():
        return _flat([one for _, one in now], mine)
    parts: list[Flat] = [(np.full(len(one.times), row, np.int64), one.times, one.values) for row, one in now]
    index, offsets, times, values = joined([*([released] if released else []), *parts])
    return Raw(times, values, offsets, index)


def _flat(readings: Sequence[Readings], rows: Int64) -> Raw:
    """Readings that intake has admitted: their arrays are as they should be."""
    offsets = np.zeros(len(readings) + 1, np.int64)
    np.cumsum(np.array([len(one.times) for one in readings], np.int64), out=offsets[1:])
    times = np.concatenate([np.empty(0, np.int64), *(one.times for one in readings)])
    values = np.concatenate([np.empty(0), *(one.values for one in readings)])
    further = [one.further for one in readings if isinstance(one, Together)]
    return Raw(times, values, offsets, rows.astype(np.int32), np.concatenate(further) if further else None)


def _windows(watch: Watch, state: WatchState, events: Sequence[ControlEvent]) -> None:
    windows, pulse = state.upstream.windows, watch.pulse
    for event in events:
        if isinstance(event, SourceResumed) and pulse and state.pulse:
            mine = pulse.owners(state.pulse) == state.upstream.number(event.source)
            pulse.excuse(state.pulse, mine if event.source else np.ones(len(mine), bool), event.time)
        elif isinstance(event, WindowOpened | WindowClosed):
            before = windows.get(event.name)
            after = windows.take(event)
            closed = isinstance(event, WindowClosed) and before and after and before.action == "mute"
            if closed and before and after and pulse and state.pulse:
                pulse.pardon(state.pulse, windows.matching(before, state.keys), before.end, after.end)


def _mute(watch: Watch, state: WatchState, raw: Raw, moved: Sequence[WatermarkMoved]) -> None:
    """Silence and standing still within a window that mutes are nobody's fault until it ends."""
    if not watch.pulse or not state.pulse or not len(state.upstream.windows):
        return
    reached = [e.time for e in moved if e.time != END] + ([int(raw.times.max())] if len(raw) else [])
    for window in state.upstream.windows.events() if reached else ():
        if window.action == "mute" and window.start <= max(reached):
            watch.pulse.excuse(state.pulse, state.upstream.windows.matching(window, state.keys), window.end)


def _beats(watch: Watch, state: WatchState, raw: Raw, seen: Int64) -> Found:
    if not watch.pulse or not state.pulse or not len(raw):
        return Found.none()
    owner = watch.pulse.owners(state.pulse)[raw.rows]
    if watch.join is not None:
        raw = whole(raw)
    return watch.pulse.step(state.pulse, _ordered(raw), seen=seen[owner] if len(seen) else NEVER)


def _ordered(raw: Raw) -> Raw:
    """The readings of each series in time order; those of one time in order of arrival."""
    times, values = raw.times, raw.values
    falls = np.diff(times) < 0
    edges = raw.offsets[1:-1]
    falls[edges[(edges > 0) & (edges < len(times))] - 1] = False
    if falls.any():
        order = np.lexsort((times, np.repeat(np.arange(raw.series), np.diff(raw.offsets))))
        times, values = times[order], values[order]
    return Raw(times, values, raw.offsets, raw.rows)


Ends = list[tuple[int, int]]
"""State rows and the times (ns UTC) at which what is open there is over."""


def _closing(watch: Watch, found: Found) -> Ends:
    """Where a series is taken as ended, or its silence counts as quiet, its open alert is over."""
    quiet = watch.policy.missing == "not_breaching"
    over = (found.what == ENDED) | (quiet & (found.what == SILENCE) & (found.over == NEVER))
    when = np.where(found.what == ENDED, found.over, found.known)
    return list(zip(found.row[over].tolist(), when[over].tolist(), strict=True))


def _pieces(raw: Raw, ends: Ends) -> Iterator[tuple[Raw, Ends]]:
    """The batch cut where series end within it: each piece, and what is over behind it."""
    while ends:
        now: dict[int, int] = {}
        for row, time in ends:
            now.setdefault(row, time)
        ends = [(row, time) for row, time in ends if now[row] != time]
        when = np.array([now.get(row, END) for row in raw.rows.tolist()], np.int64)
        first = raw.times <= np.repeat(when, np.diff(raw.offsets))
        yield _some(raw, first), list(now.items())
        raw = _some(raw, ~first)
    yield raw, []


def _some(raw: Raw, chosen: np.ndarray) -> Raw:
    counts = np.concatenate([[0], np.cumsum(chosen)])[raw.offsets]
    further = None if raw.further is None else raw.further[chosen]
    return Raw(raw.times[chosen], raw.values[chosen], counts.astype(np.int64), raw.rows, further)


def _shed(watch: Watch, state: WatchState, events: Sequence[ControlEvent]) -> list[Alert]:
    """Series that there is no room for are over, and their readings are passed by until they are taken again."""
    gone = []
    for event in events:
        if isinstance(event, SeriesTaken):
            state.upstream.shed.discard(SeriesKey.parse(event.series))
        elif isinstance(event, SeriesShed):
            gone.append((SeriesKey.parse(event.series), event.time))
            state.upstream.shed.add(gone[-1][0])
    return _over(watch, state, gone)


def _expired(watch: Watch, state: WatchState, events: Sequence[ControlEvent]) -> list[Alert]:
    gone = [(SeriesKey.parse(e.series), e.time) for e in events if isinstance(e, SeriesExpired)]
    return _over(watch, state, gone)


def _over(watch: Watch, state: WatchState, gone: Sequence[tuple[SeriesKey, int]]) -> list[Alert]:
    """Series end: what is open of them is closed, what was learned of them is dropped."""
    if watch.join is not None:
        watch.join.forget(state.waiting, [key for key, _ in gone])
    gone = [(key, time) for key, time in gone if key in state.rows]
    if not gone:
        return []
    alerts = watch.end(state, [(state.rows[key], time) for key, time in gone])
    for key, time in gone:
        if watch.pulse and state.pulse:
            alerts += alerts_found(watch, state, watch.pulse.end(state.pulse, [state.rows[key]], time))
    alerts += _lookers_over(watch, state, [(state.rows[key], time) for key, time in gone])
    state.drop([key for key, _ in gone])
    return alerts


def _ended(found: Found) -> Ends:
    over = found.what == ENDED
    return list(zip(found.row[over].tolist(), found.over[over].tolist(), strict=True))


def _approved(watch: Watch, state: WatchState, events: Sequence[ControlEvent]) -> list[Alert]:
    alerts: list[Alert] = []
    for event in events:
        if isinstance(event, DriftApproved) and event.watch == watch.name and watch.drift and state.drift:
            rows = chosen(event.series, state)
            alerts += drift_alerts(watch, state.keys, watch.drift.approve(state.drift, rows, event.time))
    return alerts


def _lookers_over(watch: Watch, state: WatchState, ends: Ends) -> list[Alert]:
    """Of series that ended nobody says any longer that they drift, or will reach anything."""
    if not ends or watch.drift is None or state.drift is None:
        return breach_over(watch, state, ends)
    over = [watch.drift.end(state.drift, [row], time) for row, time in ends]
    told = [alert for found in over for alert in drift_alerts(watch, state.keys, found)]
    return told + breach_over(watch, state, ends)


def alerts_found(watch: Watch, state: WatchState, found: Found) -> list[Alert]:
    """The alerts of findings, as far as the watch's policy for missing data makes them some."""
    if not len(found) or watch.pulse is None:
        return []
    missing = watch.policy.missing
    if missing in ("ignore", "not_breaching"):
        found = found.take((found.what != SILENCE) & (found.what != ENDED))
    score = max(FINDING, watch.pulse.score) if missing == "breaching" else watch.pulse.score
    alerts = alerts_of(found, state.keys, watch.name, watch.zone, score)
    return alerts if watch.join is None else [name_lacking(watch.join, state.waiting, alert) for alert in alerts]
