"""Intake: readings are checked before any state is touched; bad ones of one series never stop the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchband.core.errors import DataError, PointsShapeError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey


@dataclass(frozen=True, slots=True)
class Rejected:
    """Readings of one series that were set aside, and why."""

    key: SeriesKey
    rows: int
    error: DataError


def admit(readings: Sequence[Readings]) -> tuple[list[Readings], list[Rejected]]:
    """Sort readings into those that can be folded, one entry a series, and those that cannot.

    Times become int64 and values float64 where that loses nothing; several readings of a series are joined in
    their order, and belong to the source that came last.
    """
    good: dict[SeriesKey, list[Readings]] = {}
    bad: list[Rejected] = []
    for one in readings:
        try:
            good.setdefault(one.key, []).append(_checked(one))
        except DataError as error:
            bad.append(Rejected(one.key, int(np.size(one.times)), error))
    return [_joined(key, parts) for key, parts in good.items() if parts], bad


def _checked(readings: Readings) -> Readings:
    times, values = np.asarray(readings.times), np.asarray(readings.values)
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


def _joined(key: SeriesKey, parts: list[Readings]) -> Readings:
    if len(parts) == 1:
        return parts[0]
    times, values = np.concatenate([p.times for p in parts]), np.concatenate([p.values for p in parts])
    return Readings(key, times, values, parts[-1].source)
