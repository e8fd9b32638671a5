"""Rows of files as records: one for each entity and time, in order of time over all files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from watchband.adapters.sources.files.hints import SORT_VALUES_MAX
from watchband.adapters.sources.files.table import Table
from watchband.apps.library.outputs.table import iso_texts
from watchband.apps.library.simulation.tables import cell
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey

FORMS = ("points", "csv")
POINTS_MAX = 1_000
"""Points of one record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record: when it was, whose, its bytes, and how many points it holds."""

    time: int
    key: str
    data: bytes
    points: int


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything in some files, by time: ``row`` numbers the series of ``keys``."""

    keys: Sequence[SeriesKey]
    row: Int32
    times: Int64
    values: Float64

    def __len__(self) -> int:
        return len(self.times)


def readings_of(table: Table) -> Readings:
    """The values of a table that are there, in order of time, at one time in the order of the files.

    Raises
    ------
    ConfigError
        More than can be held: 40 bytes a value.
    """
    parts = []
    count = 0
    for batch in table.batches():
        there = ~np.isnan(batch.values)
        parts.append((batch.row[there], batch.times[there], batch.values[there]))
        count += int(there.sum())
        if count > SORT_VALUES_MAX:
            raise ConfigError(
                f"More than {SORT_VALUES_MAX:,} values are replayed in one call, since they are put in order of time. "
                "Replay the files in parts."
            )
    none = (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
    row, times, values = (np.concatenate([part[k] for part in [none, *parts]]) for k in range(3))
    order = np.argsort(times, kind="stable")
    return Readings(table.keys, row[order], times[order], values[order])


def columns_of(keys: Sequence[SeriesKey]) -> list[str]:
    """Metrics in the order of the file: columns of a row behind its time."""
    return list(dict.fromkeys(key.metric for key in keys))


def entries_of(readings: Readings, form: str = "points") -> Iterator[Entry]:
    """One record for each entity and time, with the entity as partition key.

    Parameters
    ----------
    readings : Readings
    form : str
        ``points``: a JSON list of points; ``csv``: a row of time and values, as ``columns_of`` orders them.
    """
    if form not in FORMS:
        raise ConfigError(f"Records are {' or '.join(FORMS)}. Got {form!r}.")
    entities = [str(key.entity) for key in readings.keys]
    labels = [json.dumps({"__name__": k.metric, **k.labels}, ensure_ascii=False) for k in readings.keys]
    places = {name: place for place, name in enumerate(columns_of(readings.keys))}
    columns = [places[key.metric] for key in readings.keys]
    edges = np.flatnonzero(np.diff(readings.times)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(readings)]
    for start, stop in zip(starts, stops, strict=True):
        if start == stop:
            continue
        rows, values = readings.row[start:stop].tolist(), readings.values[start:stop].tolist()
        text = str(iso_texts(readings.times[start : start + 1]).tolist()[0])
        pairs = sorted(zip(rows, values, strict=True), key=lambda pair: entities[pair[0]])
        for entity, mine in groupby(pairs, key=lambda pair: entities[pair[0]]):
            yield from _records(
                int(readings.times[start]), text, entity, list(mine), form, labels, columns, len(places)
            )


def _records(
    time: int,
    text: str,
    entity: str,
    pairs: Sequence[tuple[int, float]],
    form: str,
    labels: Sequence[str],
    columns: Sequence[int],
    width: int,
) -> Iterator[Entry]:
    if form == "csv":
        # A series that stands twice at one time gives two rows.
        rows: list[list[str]] = []
        for row, value in pairs:
            line = next((one for one in rows if not one[columns[row]]), None)
            if line is None:
                rows.append(line := [""] * width)
            line[columns[row]] = repr(value)
        for line in rows:
            yield Entry(time, entity, ",".join([cell(text), *line]).encode(), sum(map(bool, line)))
        return
    for at in range(0, len(pairs), POINTS_MAX):
        part = pairs[at : at + POINTS_MAX]
        points = ",".join(f'{{"series":{labels[r]},"time":"{text}","value":{_number(v)}}}' for r, v in part)
        yield Entry(time, entity, f"[{points}]".encode(), len(part))


def _number(value: float) -> str:
    """As JSON has it; infinities as texts."""
    return repr(value) if np.isfinite(value) else '"+Inf"' if value > 0 else '"-Inf"'
