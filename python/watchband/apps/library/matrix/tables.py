"""Readings of one series, or of all metrics of an entity side by side: what a set of features is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.entities import entity_of
from watchband.analysis.risk.pivot import Pivot
from watchband.core.errors import ConfigError, DataError, UnknownNameError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.features.sets import SETS

Readings = Mapping[SeriesKey, tuple[Int64, Float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Moments with their values.

    Parameters
    ----------
    name : str
        The series, or the entity.
    times : int64[n]
        ns UTC, ascending.
    values : float64[n, d]
        A column for each of the set's; NaN is missing.
    """

    name: str
    times: Int64
    values: Float64


def columns_of(name: str, given: Sequence[str], readings: Readings) -> tuple[str, ...]:
    """The metrics that a set reads, in its order.

    Those that are given; else those that the set is named for; else, where the input has exactly as many as the set
    takes, these.

    Raises
    ------
    UnknownNameError, ConfigError
        No such set; a metric that is not there; another number than the set takes.
    """
    if name not in SETS:
        raise UnknownNameError("set of features", name, SETS)
    known = list(dict.fromkeys(key.metric for key in readings))
    found = SETS[name]
    if found.count == 1:
        return ()
    wanted = tuple(given) or found.columns
    if not given and not set(wanted) <= set(known) and not found.ranges and len(known) == found.count:
        wanted = tuple(known)
    missing = [metric for metric in wanted if metric not in known]
    if missing and not given:
        raise ConfigError(
            f"The set {name!r} reads {', '.join(wanted)}. The input has no {', '.join(missing[:5])}; it has "
            f"{', '.join(known[:10]) or 'no metric'}. Name {found.count} others in the same order: --column NAME."
        )
    if missing:
        raise UnknownNameError("metric", missing[0], known)
    return wanted


def single(readings: Readings, wanted: Sequence[str] = ()) -> list[Table]:
    """Every series by itself; of one time the first reading counts.

    Raises
    ------
    UnknownNameError
        A series, or a metric, that is wanted and not there.
    """
    names = {str(key) for key in readings} | {key.metric for key in readings}
    for name in wanted:
        if name not in names:
            raise UnknownNameError("series", name, {str(key) for key in readings})
    tables = []
    for key, (times, values) in readings.items():
        if wanted and str(key) not in wanted and key.metric not in wanted:
            continue
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        first = np.r_[True, times[1:] > times[:-1]][: len(times)]
        tables.append(Table(str(key), times[first], values[first][:, None]))
    return tables


def joined(readings: Readings, columns: Sequence[str], by: Sequence[str], step: int | None) -> tuple[list[Table], int]:
    """The metrics of each entity side by side, in slots of ``step``, and that step: the usual one where none is given.

    Nothing is filled: a slot in which a metric has no reading is NaN there.

    Raises
    ------
    ConfigError, DataError
        Two series of one metric belong to one entity; there is no step.
    """
    numbers = {column: index for index, column in enumerate(columns)}
    chosen = {key: found for key, found in readings.items() if key.metric in numbers}
    width = step or _usual_step(chosen)
    pivot = Pivot(len(columns), width, hold=0)
    parts: dict[tuple[int, int], SeriesKey] = {}
    gathered: list[tuple[Int64, Int64, Int64, Float64]] = []
    for key, (times, values) in chosen.items():
        name = entity_of(key, by)
        if name is None:
            continue
        place = (pivot.entity(name), numbers[key.metric])
        if place in parts:
            raise ConfigError(
                f"{parts[place]} and {key} are both {key.metric} of {name!r}. Name labels that tell them apart: --by."
            )
        parts[place] = key
        entity, feature = (np.full(len(times), number, np.int64) for number in place)
        gathered.append((entity, feature, times, values))
    if not gathered:
        labels = sorted({label for key in chosen for label in key.labels})
        raise ConfigError(
            f"No series has the label {', '.join(by)}. Labels of the input: {', '.join(labels) or 'none'}."
        )
    entity, feature, times, values = (np.concatenate(column) for column in zip(*gathered, strict=True))
    order = np.argsort(times, kind="stable")
    one = pivot.push(entity[order], feature[order], times[order], values[order])
    two = pivot.flush()
    tables = []
    for number, name in enumerate(pivot.names):
        mine = [rows.take(np.flatnonzero(rows.entity == number)) for rows in (one, two)]
        moments = np.concatenate([rows.times for rows in mine])
        tables.append(Table(name, moments, np.concatenate([rows.values for rows in mine])))
    return tables, width


def _usual_step(readings: Readings) -> int:
    steps = [np.diff(np.unique(times)) for times, _ in readings.values()]
    every = np.concatenate([np.empty(0, np.int64), *steps])
    if not len(every):
        raise DataError("No metric has two readings, so nothing says how far apart they are. Give --interval.")
    return int(np.median(every))
