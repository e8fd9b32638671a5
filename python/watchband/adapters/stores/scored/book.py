"""The book of scored points: what watches said, in blocks by series and time, in a database of its own.

It is derived from the log and may be thrown away: what is missing was never promised. So it is written without waiting
for the disk, apart from the log, and a damaged one is begun anew.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.stores.scored import block
from watchband.adapters.stores.scored.block import FLOATS, Scored
from watchband.adapters.stores.scored.buckets import Buckets, joined, of_points, packed, unpacked
from watchband.adapters.stores.scored.packing import SERIES_A_BLOCK, blocks_of, opened, sliced, whole_of
from watchband.adapters.stores.transaction import whole
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import StateCorruptError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.scores")
FILE = "scores.db"
SMALL_BYTES = 384 << 10
"""Blocks below this are put together once there are many of the same series: what is written every few minutes would
otherwise be read a few points at a time."""
SMALL_MAX = 12
STRETCHES = 8
"""Blocks are put together within this part of the time for which points are kept."""
ROLLED_AT_ONCE = 16
"""Blocks that become hours together: what is held of them is some tens of MiB."""
BLOCKS_MAX = 4096
MERGED_A_FLUSH = 16
"""Groups of 64 series whose blocks are put together at one flush, so that none takes long."""
BUFFER_BYTES = 32 << 20
POINT_BYTES = 8 + 8 + 4 + 8 * len(FLOATS) + 1
_FLAGS = {
    "imputed": block.IMPUTED,
    "excluded": block.EXCLUDED,
    "alerting": block.ALERTING,
    "held": block.HELD,
    "suppressed": block.SUPPRESSED,
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS names (number INTEGER PRIMARY KEY, watch TEXT NOT NULL, series TEXT NOT NULL,
    UNIQUE (watch, series)) STRICT;
CREATE TABLE IF NOT EXISTS blocks (low INTEGER NOT NULL, high INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS blocks_by_series ON blocks (low, last);
CREATE INDEX IF NOT EXISTS blocks_by_time ON blocks (last);
CREATE TABLE IF NOT EXISTS hours (low INTEGER NOT NULL, high INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS hours_by_series ON hours (low, last);
PRAGMA user_version = 1;
"""


class ScoreBook:
    """Scored points of every series under every watch, for as long as they are kept.

    Safe for one writer and many readers in threads.

    Parameters
    ----------
    directory : Path
        Where the database stands; made if it is not there.
    keep : int, default seven days
        Points older than this before the newest become hours, ns; 0 keeps nothing on disk.
    bytes_max : int, default 4 GiB
        Size of the database above which the oldest go earlier.
    keep_hours : int, default 400 days
        Hours older than this before the newest point are dropped, ns.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     book = ScoreBook(Path(directory))
    ...     columns = {name: np.zeros(2) for name in ("y", *FLOATS)}
    ...     book.add("w", [SeriesKey("cpu")], np.zeros(2, int), np.array([60, 120]), columns)
    ...     len(book.read("w", SeriesKey("cpu"), 0, 100)), len(book.read("w", SeriesKey("cpu"), 0, 200))
    ...     book.close()
    (1, 2)
    """

    def __init__(
        self, directory: Path, keep: int = 7 * DAY, bytes_max: int = 4 << 30, keep_hours: int = 400 * DAY
    ) -> None:
        self.path, self.keep, self.bytes_max, self.keep_hours = directory / FILE, keep, bytes_max, keep_hours
        self._lock, self._flushing = threading.RLock(), threading.Lock()
        self._leaving: list[tuple[Int64, Scored]] = []
        self._numbers: dict[tuple[str, SeriesKey], int] = {}
        self._tables: dict[str, tuple[Sequence[SeriesKey], Int64]] = {}
        self._buffer: list[tuple[Int64, Scored]] = []
        self._buffered = 0
        self._newest = 0
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            log.warning("the scored points in %s are damaged and begun anew: %s", self.path, error)
            self.path.unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        fresh = not self.path.exists()
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        if fresh:
            self.path.chmod(0o600)
        # Nothing here was promised to anybody: the operating system may write it when it likes.
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "auto_vacuum = INCREMENTAL", "busy_timeout = 10000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        for number, watch, series in self._db.execute("SELECT number, watch, series FROM names"):
            self._numbers[watch, SeriesKey.parse(series)] = number
        self._newest = self._db.execute("SELECT max(last) FROM blocks").fetchone()[0] or 0

    @property
    def buffered_bytes(self) -> int:
        """Memory of points that are not yet in the database."""
        return self._buffered * POINT_BYTES

    def add(
        self,
        watch: str,
        keys: Sequence[SeriesKey],
        row: NDArray[np.integer],
        time: Int64,
        columns: Mapping[str, NDArray[np.generic]],
    ) -> None:
        """Take in what a watch said of a batch.

        Parameters
        ----------
        watch : str
            Its name.
        keys : sequence of SeriesKey
            What ``row`` counts in.
        row, time : int[m], int64[m]
            Series and time of each point.
        columns : mapping
            ``y`` and the columns of ``Scored``, [m] each; ``imputed``, ``excluded``, ``alerting``, ``held`` and
            ``suppressed`` if they are known.
        """
        if not len(time):
            return
        y = np.asarray(columns["y"], np.float64)
        flags = np.where(np.isnan(y), block.MISSING, 0).astype(np.uint8)
        for name, flag in _FLAGS.items():
            if name in columns:
                flags |= np.asarray(columns[name], bool).astype(np.uint8) * np.uint8(flag)
        # As they will be on disk, so that an answer does not depend on when it is asked.
        floats = {name: np.asarray(columns[name], np.float32).astype(np.float64) for name in FLOATS}
        with self._lock:
            numbers = self._numbers_of(watch, keys)[row]
            self._buffer.append((numbers, Scored(time=np.array(time, np.int64), y=y.copy(), flags=flags, **floats)))
            self._buffered += len(time)
            self._newest = max(self._newest, int(time.max()))
        if self.buffered_bytes > BUFFER_BYTES:
            self.flush()

    def _numbers_of(self, watch: str, keys: Sequence[SeriesKey]) -> Int64:
        seen = self._tables.get(watch)
        # A watch's list of keys only grows at its end; where it is another list, everything is looked up anew.
        start = len(seen[1]) if seen is not None and seen[0] is keys else 0
        if seen is not None and start == len(keys):
            return seen[1]
        fresh = [self._number(watch, key) for key in keys[start:]]
        whole: Int64 = np.r_[
            seen[1] if seen is not None and start else np.zeros(0, np.int64), np.array(fresh, np.int64)
        ]
        self._tables[watch] = (keys, whole)
        return whole

    def _number(self, watch: str, key: SeriesKey) -> int:
        number = self._numbers.get((watch, key))
        if number is None:
            number = len(self._numbers)
            self._db.execute("INSERT INTO names VALUES (?, ?, ?)", (number, watch, str(key)))
            self._numbers[watch, key] = number
        return number

    def flush(self) -> None:
        """Write what is buffered, a block for 64 series; drop what is too old.

        Whoever adds meanwhile does not wait for the packing.
        """
        with self._flushing:
            with self._lock:
                taken, self._buffer, self._buffered = self._buffer, [], 0
                self._leaving = taken if self.keep else []
            if not self._leaving:
                return
            rows = blocks_of(self._leaving)
            with self._lock:
                with whole(self._db):
                    self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", rows)
                self._leaving = []
            self._expire()
            self._merge()

    def _expire(self) -> None:
        """What is too old becomes hours; hours that are too old go."""
        while self._roll("last < ?", self._newest - self.keep):
            pass
        with self._lock, whole(self._db):
            self._db.execute("DELETE FROM hours WHERE last < ?", (self._newest - self.keep_hours,))
        for _ in range(BLOCKS_MAX):
            if self.file_bytes <= self.bytes_max:
                break
            if not self._roll("? IS NOT NULL", 0):
                with self._lock, whole(self._db):
                    self._db.execute("DELETE FROM hours WHERE rowid = (SELECT rowid FROM hours ORDER BY last LIMIT 1)")
        with self._lock:
            self._db.execute("PRAGMA incremental_vacuum")

    def _roll(self, which: str, value: int) -> bool:
        """Let some of the oldest blocks go that are meant, hours in their place; whether there were any."""
        with self._lock:
            found = self._db.execute(
                f"SELECT rowid, body FROM blocks WHERE {which} ORDER BY last LIMIT ?", (value, ROLLED_AT_ONCE)
            ).fetchall()
        if not found:
            return False
        numbers, points = whole_of([body for _, body in found])
        hours = []
        for a, b in pairwise(
            [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)] if len(numbers) else []
        ):
            hours.append((int(numbers[a]), of_points(points.at(slice(a, b))).gathered(HOUR)))
        rows = []
        for _, group in groupby(hours, lambda one: one[0] // SERIES_A_BLOCK):
            some = list(group)
            members = np.array([number for number, _ in some], np.int64)
            first, last = min(int(b.time.min()) for _, b in some), max(int(b.time.max()) for _, b in some)
            rows.append((some[0][0], some[-1][0], first, last, packed(members, [b for _, b in some])))
        with self._lock, whole(self._db):
            self._db.executemany("DELETE FROM blocks WHERE rowid = ?", [(row,) for row, _ in found])
            self._db.executemany("INSERT INTO hours VALUES (?, ?, ?, ?, ?)", rows)
        return True

    def hours(self, watch: str, key: SeriesKey, start: int, end: int) -> Buckets:
        """Hours of a series whose points are no longer kept, from ``start`` to before ``end`` (ns UTC)."""
        with self._lock:
            number = self._numbers.get((watch, key), -1)
            rows = self._db.execute(
                "SELECT body FROM hours WHERE low BETWEEN ? AND ? AND high >= ? AND last >= ? AND first < ?",
                (number // SERIES_A_BLOCK * SERIES_A_BLOCK, number, number, start, end),
            ).fetchall()
        parts = []
        for (body,) in rows:
            try:
                numbers, counts, found = unpacked(body)
            except StateCorruptError as error:
                log.warning("a block of hours is left out: %s", error)
                continue
            edges = np.r_[0, np.cumsum(counts)]
            parts += [found.at(slice(edges[k], edges[k + 1])) for k in np.flatnonzero(numbers == number).tolist()]
        every = joined(parts).gathered(HOUR)
        return every.at((every.time >= start) & (every.time < end))

    def _merge(self) -> None:
        """Put small blocks together. Whoever adds or reads meanwhile does not wait for the packing."""
        # A block that lasted longer would keep what is too old.
        stretch = self.keep // STRETCHES
        with self._lock:
            groups = self._db.execute(
                f"SELECT low / {SERIES_A_BLOCK} AS part, first / ? AS at FROM blocks WHERE length(body) < ? "
                "GROUP BY part, at HAVING count(*) > ? ORDER BY count(*) DESC LIMIT ?",
                (stretch, SMALL_BYTES, SMALL_MAX, MERGED_A_FLUSH),
            ).fetchall()
        for part, at in groups:
            with self._lock:
                found = self._db.execute(
                    "SELECT rowid, body FROM blocks WHERE low BETWEEN ? AND ? AND first / ? = ? AND length(body) < ? "
                    "ORDER BY rowid",
                    (part * SERIES_A_BLOCK, (part + 1) * SERIES_A_BLOCK - 1, stretch, at, SMALL_BYTES),
                ).fetchall()
            numbers, points = whole_of([body for _, body in found])
            rows = blocks_of([(numbers, points)]) if len(points) else []
            with self._lock, whole(self._db):
                self._db.executemany("DELETE FROM blocks WHERE rowid = ?", [(row,) for row, _ in found])
                self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", rows)

    @property
    def file_bytes(self) -> int:
        """Bytes of the database that hold something."""
        with self._lock:
            pages, free, size = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def oldest(self) -> int | None:
        """Time of the oldest point of any series, ns UTC; None where there is none."""
        with self._lock:
            first = self._db.execute("SELECT min(first) FROM blocks").fetchone()[0]
            times = [int(points.time.min()) for _, points in (*self._leaving, *self._buffer)]
        return min([*times, *([first] if first is not None else [])], default=None)

    def read(self, watch: str, key: SeriesKey, start: int, end: int) -> Scored:
        """Points of a series with ``start <= time < end`` (ns UTC); empty where none are kept.

        Cost: about a millisecond a block; a block holds what 64 series said between two flushes.
        """
        return self.read_many(watch, [key], start, end).get(key) or Scored.empty()

    def read_many(self, watch: str, keys: Sequence[SeriesKey], start: int, end: int) -> dict[SeriesKey, Scored]:
        """The same for many series, every block read once; those without points are left out."""
        with self._lock:
            wanted = {n: key for key in keys if (n := self._numbers.get((watch, key))) is not None}
            if not wanted:
                return {}
            buffered = [*self._leaving, *self._buffer]
            bodies = self._bodies(sorted(wanted), start, end)
        parts: dict[int, list[Scored]] = {n: [] for n in wanted}
        for number, points in (*opened(bodies), *sliced(buffered)):
            if number in parts:
                picked = points.at((points.time >= start) & (points.time < end))
                if len(picked):
                    parts[number].append(picked)
        return {wanted[n]: Scored.merged(some) for n, some in parts.items() if some}

    def _bodies(self, numbers: Sequence[int], start: int, end: int) -> list[bytes]:
        found: dict[int, bytes] = {}
        # Neighbours lie in the same blocks: one question for each 64 of them.
        for part in sorted({n // SERIES_A_BLOCK for n in numbers}):
            mine = [n for n in numbers if n // SERIES_A_BLOCK == part]
            rows = self._db.execute(
                "SELECT rowid, body FROM blocks WHERE low BETWEEN ? AND ? AND high >= ? AND last >= ? AND first < ?",
                (part * SERIES_A_BLOCK, mine[-1], mine[0], start, end),
            )
            found.update(rows.fetchall())
        return [found[row] for row in sorted(found)]

    def close(self) -> None:
        """Write what is buffered and let go."""
        self.flush()
        with self._lock:
            self._db.close()
