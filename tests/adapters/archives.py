"""Archives for tests: in a folder and in moto's S3, with a store that fills them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.pipeline.test_retention import Now
from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.rows import from_values
from watchband.adapters.objects.place import Place
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Arrival, Commit, FoldRecord, Readings, Store
from watchband.core.series import SeriesKey

START = 20_000 * DAY
ODD = np.array([0x7FF8000000000001, 0x8000000000000000, 0x7FF8000000000000, 0xFFF0000000000000], np.uint64)
KEYS = [SeriesKey("cpu", {"host": 'a"\\b', "zone": "ü"}), SeriesKey("cpu"), SeriesKey("AWS/EC2 x", {"id": "i-1"})]


def fill(store: Store, hours: Sequence[int] = range(48), first: int = 1) -> Store:
    """An entry an hour: readings of three series, odd values, late and repeated ones, events, positions, marks."""
    if first == 1:
        store.adopt("main", "w", FoldRecord("abc", 0))
    for number, hour in enumerate(hours, first):
        times = START + hour * HOUR + np.arange(4) * 10 * MINUTE + 1
        readings = [
            Readings(KEYS[0], times, np.arange(4.0) / 3 + hour, "push"),
            Readings(KEYS[1], times, ODD.view(np.float64), "pull", Arrival.HELD),
            Readings(KEYS[2], times[::-1].copy(), np.array([1e300, -1e-300, 0.1, 7.0]), "pull"),
        ]
        if number % 5 == 0:
            # Late, of the day before; and the first of it corrected.
            readings.append(Readings(KEYS[0], times[:2] - DAY, np.array([hour, np.nan]), "push", Arrival.LATE))
        if number % 7 == 0:
            readings.append(readings[0])
        marks: Any = {("cutoff", "w"): [Readings(KEYS[0], times[:1], np.array([2.5]))]} if number % 4 == 0 else {}
        events = (WatermarkMoved(int(times[-1]), "pull"),)
        store.commit(Commit("main", number, readings, events, {"pull": str(hour)}, marks=marks))
    return store


def says(store: Store, shard: str = "main") -> list[Any]:
    """All that a log says, bit for bit."""
    found = []
    for entry in store.log(shard, 0):
        rows = [
            (str(r.key), r.source, int(r.arrival), int(t), int(b))
            for r in entry.readings
            for t, b in zip(r.times.tolist(), r.values.view(np.uint64).tolist(), strict=True)
        ]
        marks = sorted((*k, str(r.key), r.times.tolist(), r.values.tolist()) for k, v in entry.marks.items() for r in v)
        found.append((entry.sequence, rows, entry.events, dict(entry.positions), marks))
    return found


def readings(store: Store) -> list[tuple[Any, ...]]:
    """Every reading of a log with its entry, sorted."""
    return sorted((number, *row) for number, rows, *_ in says(store) for row in rows)


def held(archive: ObjectArchive) -> list[tuple[Any, ...]]:
    """Every reading that an archive's manifest names, the same way."""
    names = ("entry", "series", "source", "arrival", "time_ns", "value")
    found: list[tuple[Any, ...]] = []
    for part in archive.parts("readings"):
        for table in archive.read(part, names):
            columns = [table[name].to_pylist() for name in names[:-1]]
            found += zip(*columns, from_values(table["value"]).view(np.uint64).tolist(), strict=True)
    return sorted(found)


class Ended(BaseException):
    """The process ended here."""


class Dying:
    """A place at which the process ends at one of the writes: before it, or just after."""

    def __init__(self, place: Place, at: int) -> None:
        self._place, self.left, self.name = place, at, place.name

    def _write(self, work: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise Ended
        done = work()
        self.left -= 1
        if self.left == 0:
            raise Ended
        return done

    def put(self, key: str, body: bytes, *, instead_of: str | None = None) -> str:
        return str(self._write(lambda: self._place.put(key, body, instead_of=instead_of)))

    def remove(self, key: str) -> None:
        self._write(lambda: self._place.remove(key))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)


def at(address: str, now: int = START + 10 * DAY, *, dying: int = 0) -> ObjectArchive:
    """An archive at a time; of which the process ends at a write."""
    found = ObjectArchive(address, Now(now))
    if dying:
        found.place = found.manifest.place = Dying(found.place, dying)  # type: ignore[assignment]
    return found


def memory(hours: Sequence[int] = range(48)) -> MemoryStore:
    """A store in memory that is filled."""
    store = MemoryStore()
    fill(store, hours)
    return store
