"""Readings a second that the embedded store keeps, synced at every commit, beside plain inserts into SQLite.

A commit is what one minute brings: a reading of each series. The plain tables are what one would write by hand, with
the same settings (WAL, synchronous FULL) and one transaction a minute. Bytes a reading are those of the whole
directory after a checkpoint.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np

from benches.timing import Case
from watchband.adapters.stores.archive import ParquetArchive
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.duration import DAY, MINUTE
from watchband.core.ports import Commit, FoldRecord, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.retention import Retention

START = 20_000 * DAY
COMMITS_MAX = 200
"""Each waits for the disk, which the CPU time does not show and the clock does."""
PLAIN = {
    "plain rows": "CREATE TABLE points (series INTEGER, time INTEGER, value REAL)",
    "plain rows by key": "CREATE TABLE points (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) "
    "WITHOUT ROWID",
}


def cases(points: int, peers: bool) -> list[Case]:
    """Fleets of two sizes, and the way into the archive."""
    folder = Path(tempfile.mkdtemp(prefix="watchband-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    places = (folder / str(number) for number in count())
    found = []
    for series in (100, 10_000):
        minutes = min(max(points // 4 // series, 1), COMMITS_MAX)
        group = f"keep {series:,} series a commit"
        work = _kept(places, series, minutes)
        found.append(Case(group, "watchband", work, series * minutes, note=_size(work(), series * minutes)))
        for name, table in PLAIN.items() if peers else ():
            plain = _plain(places, table, series, minutes)
            found.append(Case(group, name, plain, series * minutes, note=_size(plain(), series * minutes)))
    work = _archived(places, 1000, max(points // 4 // 1000, 1))
    found.append(Case("log to archive and roll-ups", "watchband", work, points // 4, note=_size(work(), points // 4)))
    return found


def _size(place: Path, points: int) -> str:
    size = sum(p.stat().st_size for p in place.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal")))
    shutil.rmtree(place)
    return f"{size / points:.1f} bytes a reading"


def _values(series: int, minutes: int) -> np.ndarray:
    """Percentages with two decimals, each near the one before."""
    walk = 50 + np.cumsum(np.random.default_rng(1).normal(0, 1, (minutes, series)), axis=0)
    return np.asarray(np.round(np.abs(walk % 100), 2))


def _commits(series: int, minutes: int) -> list[Commit]:
    """What sources hand over, made beforehand: it is not the store's work."""
    keys = [SeriesKey("cpu", {"host": f"web-{n}"}) for n in range(series)]
    found = []
    for minute, row in enumerate(_values(series, minutes)):
        time = np.array([START + minute * MINUTE])
        readings = [Readings(key, time, row[n : n + 1], "push") for n, key in enumerate(keys)]
        found.append(Commit("main", minute + 1, readings, (), {"push": str(minute)}))
    return found


def _filled(place: Path, commits: list[Commit]) -> SqliteStore:
    store = SqliteStore(place)
    for commit in commits:
        store.commit(commit)
    return store


def _kept(places: Iterator[Path], series: int, minutes: int) -> Callable[[], Path]:
    commits = _commits(series, minutes)

    def work() -> Path:
        place = next(places)
        _filled(place, commits).close()
        return place

    return work


def _plain(places: Iterator[Path], table: str, series: int, minutes: int) -> Callable[[], Path]:
    rows = [list(enumerate(row.tolist())) for row in _values(series, minutes)]

    def work() -> Path:
        place = next(places)
        place.mkdir()
        with closing(sqlite3.connect(place / "plain.db", isolation_level=None)) as sql:
            sql.execute("PRAGMA journal_mode = WAL")
            sql.execute("PRAGMA synchronous = FULL")
            sql.execute(table)
            for minute, row in enumerate(rows):
                time = START + minute * MINUTE
                sql.execute("BEGIN IMMEDIATE")
                sql.executemany("INSERT INTO points VALUES (?, ?, ?)", [(n, time, value) for n, value in row])
                sql.execute("COMMIT")
        return place

    return work


class _Later:
    def now(self) -> int:
        return START + 100 * DAY

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing to wait for")


def _archived(places: Iterator[Path], series: int, minutes: int) -> Callable[[], Path]:
    place = next(places)
    store = _filled(place, _commits(series, minutes))
    store.adopt("main", "w", FoldRecord("w", minutes))
    store.snapshot("main", "w", minutes, b"")
    store.close()

    def work() -> Path:
        mine = next(places)
        shutil.copytree(place, mine)
        copy = SqliteStore(mine)
        job = Retention(copy, archive=ParquetArchive(mine / "archive"), raw=DAY, clock=_Later())
        while job.step():
            pass
        copy.close()
        return mine

    return work
