"""Restore: the log of an archive becomes that of an empty store again, so that a service goes on from it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from watchband.adapters.archive.archive import ALL_TIME, ObjectArchive
from watchband.adapters.archive.export import MARK
from watchband.adapters.archive.manifest import Part
from watchband.adapters.archive.rows import from_values
from watchband.core.errors import DataError
from watchband.core.events import event_from_dict
from watchband.core.keeping import MarkKind
from watchband.core.ports import Arrival, Commit, Readings, Store
from watchband.core.series import SeriesKey

ENTRY_MAX = 200_000
"""Readings of a restored entry; more, of an archive of files, become several."""
BATCH = 50_000
MEMORY = 128 << 20
Tell = Callable[[str, int, int], None]
_ARRIVALS = tuple(Arrival)
_MARKS = tuple[MarkKind, str]


@dataclass
class Restored:
    """What a run put into a store: entries and readings, and entries that were there already from a run before."""

    entries: int = 0
    readings: int = 0
    there: int = 0


@dataclass
class _Entry:
    """What is known of an entry beside its readings."""

    number: int
    events: Sequence[Any] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    marks: dict[_MARKS, list[Readings]] = field(default_factory=dict)


def restore(
    archive: ObjectArchive,
    store: Store,
    *,
    span: tuple[int, int] = ALL_TIME,
    tell: Tell | None = None,
    memory: int = MEMORY,
) -> Restored:
    """Put the log of an archive into a store.

    A run that was ended goes on where it was: entries are restored in order, and those that are there are passed over.
    Alerts, states and roll-ups come of the log once a service runs over it.

    Parameters
    ----------
    archive : ObjectArchive
        Which.
    store : Store
        Empty, or with what an earlier run restored.
    span : (int, int), optional
        Only readings of this range of time, ns UTC. The service then learns from the first of it on.
    tell : callable, optional
        Called with what is being done, and entries done of entries in all.
    memory : int
        Bytes that sorting takes.

    Raises
    ------
    DataError
        The archive is empty, or damaged; the store holds something else.
    """
    root = archive.manifest.root()
    if not root.cursors:
        raise DataError(f"There is no archive at {archive.name}: nothing is to be restored.")
    done = Restored()
    for shard, cursor in sorted(root.cursors.items()):
        there, number = store.head(shard), 0
        kept: dict[str, str] = {}
        if there:
            _check_same(archive, store, shard, span)
        for entry, readings in _entries(archive, shard, span, memory):
            empty = not readings and not entry.events and not entry.marks
            if span != ALL_TIME and empty:
                kept.update(entry.positions)
                continue
            number += 1
            if number > there:
                positions = {**kept, **entry.positions}
                store.commit(Commit(shard, number, readings, entry.events, positions, marks=dict(entry.marks)))
                done.entries += 1
                done.readings += sum(len(r.times) for r in readings)
            kept = {}
            if tell is not None and number % 100 == 0:
                tell("restoring", entry.number, cursor.entry)
        if cursor.entry != number:
            kept[MARK] = f"{cursor.entry} {cursor.digest} {cursor.entry - number - 1}"
        if kept and there <= number:
            store.commit(Commit(shard, number + 1, positions=kept))
        done.there += min(there, number)
        if there > number + 1:
            raise DataError(
                f"The store has {there:,} entries of the log {shard!r}, the archive only {number:,}: it is not what "
                "was restored from it. Restore into an empty directory."
            )
    return done


def _check_same(archive: ObjectArchive, store: Store, shard: str, span: tuple[int, int]) -> None:
    """``DataError`` where a store that is not empty begins otherwise than the archive."""
    first = next(iter(store.log(shard, 0)), None)
    wanted = next(
        (one for one in _entries(archive, shard, span, MEMORY) if one[0].events or one[1] or span == ALL_TIME), None
    )
    if first is not None and wanted is not None and first.sequence == 1 and _says(first.readings) == _says(wanted[1]):
        return
    raise DataError(
        f"The store has {store.head(shard):,} entries of the log {shard!r} that are not from this archive. Restore "
        "into an empty directory, schema or table."
    )


def _says(readings: Sequence[Readings]) -> list[tuple[str, bytes, bytes]]:
    return [(str(r.key), r.times.tobytes(), r.values.tobytes()) for r in readings if len(r.times)]


def _entries(
    archive: ObjectArchive, shard: str, span: tuple[int, int], memory: int
) -> Iterator[tuple[_Entry, list[Readings]]]:
    """The entries of a shard in order, each with its readings."""
    parts = {name: [p for p in archive.parts(name) if p.shard == shard] for name in ("readings", "entries", "marks")}
    for low, high in _windows(parts["readings"], parts["entries"]):
        known = _known(archive, parts, low, high, span)
        numbers = sorted(known)
        at = 0
        for number, readings in _readings(archive, parts["readings"], (low, high), span, memory):
            while at < len(numbers) and numbers[at] < number:
                yield known[numbers[at]], []
                at += 1
            if at < len(numbers) and numbers[at] == number:
                yield known[number], readings
                at += 1
            else:
                yield _Entry(number), readings
        for rest in numbers[at:]:
            yield known[rest], []


def _windows(readings: Sequence[Part], entries: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Ranges of entries, one after the other, each of what was archived in a step, or of a day."""
    parts = [*readings, *entries]
    if not parts:
        return
    low = min(p.low for p in parts)
    edges = {p.low - 1 for p in entries if p.low > low} | {p.high for p in entries} | {max(p.high for p in parts)}
    for high in sorted(edge for edge in edges if edge >= low):
        yield low, high
        low = high + 1


def _known(
    archive: ObjectArchive, parts: Mapping[str, Sequence[Part]], low: int, high: int, span: tuple[int, int]
) -> dict[int, _Entry]:
    """Events, positions and marks of a range of entries."""
    found: dict[int, _Entry] = {}
    for row in _rows(archive, parts["entries"], low, high):
        inside = span[0] <= row["time_ns"] < span[1]
        events = tuple(map(event_from_dict, json.loads(row["events"]))) if row["events"] and inside else ()
        positions = json.loads(row["positions"]) if row["positions"] else {}
        found[row["entry"]] = _Entry(row["entry"], events, positions)
    rows = sorted(_rows(archive, parts["marks"], low, high), key=lambda row: (row["entry"], row["place"]))
    for row in rows:
        if row["entry"] in found and span[0] <= row["time_ns"] < span[1]:
            # No value is no value: a mark always has one.
            value = np.array([np.nan if row["value"] is None else row["value"]])
            one = Readings(SeriesKey.parse(row["series"]), np.array([row["time_ns"]], np.int64), value)
            kind = cast(_MARKS, (row["kind"], row["watch"]))
            found[row["entry"]].marks.setdefault(kind, []).append(one)
    return found


def _rows(archive: ObjectArchive, parts: Sequence[Part], low: int, high: int) -> Iterator[dict[str, Any]]:
    for part in parts:
        if part.low <= high and part.high >= low:
            for table in archive.read(part):
                yield from (row for row in table.to_pylist() if low <= row["entry"] <= high)


def _readings(
    archive: ObjectArchive, parts: Sequence[Part], entries: tuple[int, int], span: tuple[int, int], memory: int
) -> Iterator[tuple[int, list[Readings]]]:
    """Readings of a range of entries, by entry."""
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    some = [
        p for p in parts if p.low <= entries[1] and p.high >= entries[0] and p.last >= span[0] and p.first < span[1]
    ]
    if not some:
        return
    held: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="watchband-sort-") as spill, duckdb.connect(":memory:") as connection:
        for setting in (f"memory_limit = '{memory}B'", f"temp_directory = '{spill}'", "threads = 1"):
            connection.execute(f"SET {setting}")
        entry, time = ds.field("entry"), ds.field("time_ns")
        meant = (entry >= entries[0]) & (entry <= entries[1]) & (time >= span[0]) & (time < span[1])
        columns = ("entry", "place", "series", "time_ns", "value", "source", "arrival")
        connection.register("far", archive.stream(some, "readings", columns, meant))
        question = "SELECT * EXCLUDE (place) FROM far ORDER BY entry, place"
        for batch in connection.sql(question).to_arrow_reader(BATCH):
            held.append(pa.Table.from_batches([batch]))
            yield from _whole(held, last=False)
        yield from _whole(held, last=True)


def _whole(held: list[Any], *, last: bool) -> Iterator[tuple[int, list[Readings]]]:
    """The entries in what is held that are complete; of one that is too large, what there is."""
    import pyarrow as pa

    if not held:
        return
    table = pa.concat_tables(held)
    number = np.asarray(table["entry"])
    edges = np.r_[np.flatnonzero(np.r_[True, np.diff(number) != 0]), len(number)]
    kept = 0 if last or len(number) - edges[-2] >= ENTRY_MAX else len(number) - edges[-2]
    held[:] = [table.slice(len(number) - kept)] if kept else []
    if len(number) - kept:
        yield from _cut(table.slice(0, len(number) - kept))


def _cut(table: Any) -> Iterator[tuple[int, list[Readings]]]:
    number, times = np.asarray(table["entry"]), np.asarray(table["time_ns"])
    values, arrival = from_values(table["value"]), np.asarray(table["arrival"])
    texts = [table[name].combine_chunks().dictionary_encode() for name in ("series", "source")]
    (series, keys), (source, names) = ((np.asarray(text.indices), text.dictionary.to_pylist()) for text in texts)
    parsed = [SeriesKey.parse(key) for key in keys]
    change = np.zeros(len(number), bool)
    for column in (number, series, source, arrival):
        change |= np.r_[True, np.diff(column) != 0]
    starts = np.flatnonzero(change).tolist()
    current: list[Readings] = []
    before = int(number[0])
    for a, b in zip(starts, [*starts[1:], len(number)], strict=True):
        if number[a] != before:
            yield before, current
            current, before = [], int(number[a])
        current.append(
            Readings(parsed[series[a]], times[a:b].copy(), values[a:b].copy(), names[source[a]], _ARRIVALS[arrival[a]])
        )
    yield before, current
