"""Retention: what leaves the log is in the archive and in the roll-ups, once, whatever fails and whenever."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from watchband.adapters.stores import archive as archives
from watchband.adapters.stores.archive import ParquetArchive
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import TransientError
from watchband.core.keeping import Archive, Rollups
from watchband.core.ports import Arrival, Commit, FoldRecord, Readings, Store
from watchband.core.series import SeriesKey
from watchband.pipeline import retention
from watchband.pipeline.deriving import FOLD
from watchband.pipeline.retention import Retention

START = 20_000 * DAY
KEYS = [SeriesKey("cpu", {"host": h}) for h in "ba"]
ENTRIES = 24 * 4


class Now:
    """A clock that stands where it is put."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += int(seconds * 1e9)


def filled(store: Store, entries: int = ENTRIES) -> Store:
    """Four days, an entry an hour: six readings of one series, of the other one now and then; some found odd."""
    store.adopt("s", "w", FoldRecord("abc", 0))
    for hour in range(entries):
        times = START + hour * HOUR + np.arange(6) * 10 * MINUTE
        readings = [Readings(KEYS[0], times, np.arange(6.0) + hour, "push")]
        if hour % 5 == 0:
            readings.append(Readings(KEYS[1], times[:2], np.array([np.nan, 7.0]), "pull", Arrival.LATE))
        marks = {("anomaly", "w"): [Readings(KEYS[0], times[3:4], np.array([2.0]))]} if hour % 7 == 0 else {}
        store.commit(Commit("s", hour + 1, readings, marks=marks))  # type: ignore[arg-type]
    store.snapshot("s", "w", entries, b"x")
    return store


def run(job: Retention) -> int:
    """Every step there is to do."""
    return sum(1 for _ in itertools.takewhile(lambda _: job.step(), itertools.count()))


def everything(store: Store, archive: ParquetArchive) -> Counter[tuple[str, int, str, str, bool]]:
    """Every reading in log and archive."""
    found: Counter[tuple[str, int, str, str, bool]] = Counter()
    for entry in store.log("s", 0):
        for r in entry.readings:
            late = r.arrival is Arrival.LATE
            points = zip(r.times.tolist(), r.values.tolist(), strict=True)
            found.update((str(r.key), t, repr(v), r.source, late) for t, v in points)
    for file in store.archived():
        table = archive.read(file.name)
        assert (table.num_rows, (archive.directory / file.name).stat().st_size) == (file.rows, file.nbytes)
        columns = [table["series"], table["time"].cast("int64"), table["value"], table["source"], table["late"]]
        rows = list(zip(*(c.to_pylist() for c in columns), strict=True))
        assert [r[:2] for r in rows] == sorted(r[:2] for r in rows), "not sorted by series and time"
        assert {str(np.datetime64(r[1] // DAY, "D")) for r in rows} == {file.date}
        found.update((series, time, repr(value), source, late) for series, time, value, source, late in rows)
    return found


def hours(store: Store) -> dict[tuple[str, int], tuple[int, float, float, float, int]]:
    """Every roll-up by series and hour."""
    parts = list(store.rollups(0, 2**62))
    r = Rollups.joined(parts) if parts else Rollups.none()
    return {
        (str(r.keys[row]), int(hour)): (int(n), float(low), float(high), float(total), int(odd))
        for row, hour, n, low, high, total, odd in zip(
            r.row, r.hour, r.count, r.low, r.high, r.total, r.anomalies, strict=True
        )
    }


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_leaves_the_log_is_archived_and_rolled_up(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_POINTS", 50)
    clock = Now(START + 4 * DAY)
    store = filled(MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "data", clock=clock))
    archive = ParquetArchive(tmp_path / "archive")
    before = everything(store, archive)
    job = Retention(store, archive=archive, raw=2 * DAY, clock=clock)
    assert run(job) > 5
    assert [e.sequence for e in store.log("s", 0)] == list(range(49, ENTRIES + 1))
    assert everything(store, archive) == before
    assert {f.date for f in store.archived()} == {"2024-10-04", "2024-10-05"}
    found = hours(store)
    assert len([h for h in found if h[0] == str(KEYS[0])]) == 48
    assert found[str(KEYS[0]), START + 7 * HOUR] == (6, 7.0, 12.0, 57.0, 1)
    assert found[str(KEYS[1]), START + 5 * HOUR] == (1, 7.0, 7.0, 7.0, 0)
    assert not job.step(), "nothing is left to do"
    store.close()


def test_files_of_a_day_are_gathered_when_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_POINTS", 50)
    monkeypatch.setattr(archives, "FILES_MIN", 3)
    clock = Now(START + 4 * DAY)
    store, archive = filled(MemoryStore()), ParquetArchive(tmp_path)
    before = everything(store, archive)
    job = Retention(store, archive=archive, raw=2 * DAY, clock=clock)
    run(job)
    first, *rest = store.archived()
    assert first.name == "date=2024-10-04/s-000000000001-000000000008..s-000000000017-000000000024.parquet"
    assert first.date not in {f.date for f in rest}, "one file of the first day"
    assert everything(store, archive) == before
    stray = tmp_path / first.name.replace("s-", "old-")
    stray.write_bytes(b"")
    clock.at += HOUR
    run(job)
    on_disk = {p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("*/*")}
    assert on_disk == {f.name for f in store.archived()}, "files that do not count stay"


class Failing:
    """A store and an archive of which one call fails, before or after it was done; the process then starts anew."""

    def __init__(self, inner: object, state: dict[str, int]) -> None:
        self.inner, self.state = inner, state

    def __getattr__(self, name: str) -> object:
        method = getattr(self.inner, name)
        if not callable(method):
            return method

        def call(*args: object, **named: object) -> object:
            self.state["calls"] += 1
            if self.state["calls"] * 2 - 1 == self.state["fail"]:
                raise TransientError("before")
            found = method(*args, **named)
            if self.state["calls"] * 2 == self.state["fail"]:
                raise TransientError("after")
            return found

        return call


def test_a_failure_at_any_call_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_POINTS", 100)
    monkeypatch.setattr(archives, "FILES_MIN", 2)
    expected = None
    for fail in itertools.count():
        clock = Now(START + 4 * DAY)
        archive = ParquetArchive(tmp_path / str(fail))
        store = filled(MemoryStore(), 40)
        before = everything(store, archive)
        state = {"calls": 0, "fail": fail}

        shaky: Archive = Failing(archive, state)  # type: ignore[assignment]
        job = partial(Retention, Failing(store, state), archive=shaky, raw=DAY, clock=clock)  # type: ignore[arg-type]
        try:
            run(job())
        except TransientError:
            run(job())
        else:
            if fail:
                break
        after = hours(store)
        expected = expected or after
        assert after == expected, f"other roll-ups after failure {fail}"
        assert everything(store, archive) == before, f"readings lost or doubled after failure {fail}"
    assert fail > 30


def test_what_a_watch_still_needs_stays(tmp_path: Path) -> None:
    clock = Now(START + 9 * DAY)
    store, archive = filled(MemoryStore()), ParquetArchive(tmp_path)
    store.adopt("s", "v", FoldRecord("abc", 0))
    store.snapshot("s", "v", 10, b"x")
    store.adopt("s", "gone", FoldRecord("abc", 0))
    store.adopt("s", FOLD, FoldRecord("abc", 0))
    store.snapshot("s", FOLD, 20, b"x")
    job = Retention(store, archive=archive, raw=DAY, clock=clock, watches=lambda: ["v", "w"])
    run(job)
    assert next(iter(store.log("s", 0))).sequence == 11
    assert job.kept.pinned == "v"
    assert [s.name for s in store.states()] == [FOLD, "v", "w"], "a watch that is no more holds the log"


def test_roll_ups_and_files_expire(tmp_path: Path) -> None:
    clock = Now(START + 4 * DAY)
    store, archive = filled(SqliteStore(tmp_path / "data", clock=clock)), ParquetArchive(tmp_path / "archive")
    job = Retention(store, archive=archive, raw=DAY, hourly=3 * DAY, archived=2 * DAY, clock=clock)
    run(job)
    assert {hour for _, hour in hours(store)} == {START + h * HOUR for h in range(24, 72)}
    assert {f.date for f in store.archived()} == {"2024-10-06"}
    clock.at += 10 * DAY
    run(job)
    assert hours(store) == {}
    assert sum(len(entry.marks) for entry in store.log("s", 0)) == 0
    store.close()


def test_equal_repeats_are_kept_once(tmp_path: Path) -> None:
    store, archive = MemoryStore(), ParquetArchive(tmp_path)
    store.adopt("s", "w", FoldRecord("abc", 0))
    at, value = np.array([START, START]), np.array([1.0, 1.0])
    store.commit(Commit("s", 1, [Readings(KEYS[0], at, value), Readings(KEYS[0], at[:1], value[:1] + 1)]))
    store.snapshot("s", "w", 1, b"")
    run(Retention(store, archive=archive, raw=DAY, clock=Now(START + 9 * DAY)))
    (file,) = store.archived()
    assert pq.read_table(tmp_path / file.name, partitioning=None)["value"].to_pylist() == [1.0, 2.0]
