"""Intake: readings are checked before any state is touched; bad ones of one series never stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchband.core.errors import DataError, PointsShapeError
from watchband.core.events import ControlEvent, SourceResumed, WatermarkMoved
from watchband.core.points import Int64
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.upstream import NEVER
from watchband.pipeline.watch_state import WatchState

_TIMES, _VALUES = np.dtype(np.int64), np.dtype(np.float64)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Readings of one series that were set aside, and why."""

    key: SeriesKey
    rows: int
    error: DataError


def admit(readings: Sequence[Readings]) -> tuple[list[Readings], list[Rejected]]:
    """Sort readings into those that can be folded, one slice a series and source, and those that cannot.

    Times become int64 and values float64 where that loses nothing; several readings of a series are joined in
    their order.
    """
    good: dict[tuple[SeriesKey, str], Readings | list[Readings]] = {}
    bad: list[Rejected] = []
    for one in readings:
        try:
            checked = _checked(one)
        except DataError as error:
            bad.append(Rejected(one.key, int(np.size(one.times)), error))
            continue
        before = good.setdefault((one.key, one.source), checked)
        if before is not checked:
            good[one.key, one.source] = [*(before if isinstance(before, list) else [before]), checked]
    return [one if isinstance(one, Readings) else _joined(one) for one in good.values()], bad


def _checked(readings: Readings) -> Readings:
    times, values = readings.times, readings.values
    if _is_plain(times, _TIMES) and _is_plain(values, _VALUES) and times.shape == values.shape:
        return readings
    times, values = np.asarray(times), np.asarray(values)
    if times.ndim != 1 or times.shape != values.shape:
        raise PointsShapeError(
            f"Readings of {readings.key} have times of shape {times.shape} and values of shape {values.shape}; give "
            "one value per time."
        )
    if times.dtype.kind not in "iu" and times.size:
        raise PointsShapeError(
            f"Times of {readings.key} are {times.dtype}, expected int64 nanoseconds. Convert seconds with "
            "(seconds * 1e9).astype('int64')."
        )
    if values.dtype.kind not in "fiub" and values.size:
        raise PointsShapeError(
            f"Values of {readings.key} are {values.dtype}, expected numbers. Leave out what is not a number, or write "
            "NaN for it."
        )
    return replace(
        readings, times=np.ascontiguousarray(times, np.int64), values=np.ascontiguousarray(values, np.float64)
    )


def _is_plain(array: object, dtype: np.dtype[np.generic]) -> bool:
    return type(array) is np.ndarray and array.dtype is dtype and array.ndim == 1 and array.flags.c_contiguous


def _joined(parts: list[Readings]) -> Readings:
    times, values = np.concatenate([p.times for p in parts]), np.concatenate([p.values for p in parts])
    return replace(parts[0], times=times, values=values)


def arrivals(readings: Sequence[Readings], states: Iterable[WatchState], lateness: Mapping[str, int]) -> list[Readings]:
    """What becomes of readings that were admitted: each slice folded, held or late, cut where it is of two kinds.

    Late is what is older than the newest reading that was let go: of its series, or where its source has an allowed
    lateness what is not behind the source's watermark. A repeat of the newest time is left to prepare.

    Parameters
    ----------
    readings : sequence of Readings
        One slice a series and source.
    states : iterable of WatchState
        What the watches know of series and sources.
    lateness : mapping of str to int
        Sources whose readings wait for their watermark, by allowed lateness in ns.
    """
    states = list(states)
    marks = {name: max((_watermark(state, name) for state in states), default=NEVER) for name in lateness}
    filled = [r for r in readings if len(r.times)]
    if not filled:
        return []
    newest, keys = np.full(len(filled), NEVER), [r.key for r in filled]
    for state in states:
        rows = state.find(keys)
        known = rows >= 0
        newest[known] = np.maximum(newest[known], state.prepare.last_time[rows[known]])
    held = np.array([r.source in marks for r in filled])
    # The earliest time of a slice says whether any of it is late, which is rare.
    starts = np.cumsum([0, *(len(r.times) for r in filled[:-1])])
    first = np.minimum.reduceat(np.concatenate([r.times for r in filled]), starts)
    edge = np.array([marks.get(r.source, NEVER) for r in filled])
    late = np.where(held, first <= edge, first < newest)
    if not held.any() and not late.any():
        return filled
    edges: Int64 = np.where(held, edge, newest - 1)
    return [
        part
        for one, waits, some, at in zip(filled, held.tolist(), late.tolist(), edges.tolist(), strict=True)
        for part in _parted(replace(one, arrival=Arrival.HELD if waits else Arrival.ON_TIME), some, at)
    ]


def _watermark(state: WatchState, source: str) -> int:
    marks = state.upstream.watermarks
    return max(marks.get(source, NEVER), marks.get("", NEVER))


def _parted(one: Readings, some: bool, edge: int) -> list[Readings]:
    """A slice, and apart from it what is not behind ``edge``."""
    if not some:
        return [one]
    late = one.times <= edge
    parts = (
        replace(one, times=one.times[late], values=one.values[late], arrival=Arrival.LATE),
        replace(one, times=one.times[~late], values=one.values[~late]),
    )
    return [part for part in parts if len(part.times)]


def stamped(event: ControlEvent, source: str) -> ControlEvent:
    """What a source says of itself carries its name."""
    if isinstance(event, WatermarkMoved | SourceResumed) and not event.source:
        return replace(event, source=source)
    return event
