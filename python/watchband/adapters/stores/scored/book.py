"""The book of scored points: what watches said, in blocks by series and time, in a database of its own.

It is derived from the log and may be thrown away: what is missing was never promised. So it is written without waiting
for the disk, apart from the log, and a damaged one is begun anew.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.stores.scored import block
from watchband.adapters.stores.scored.block import FLOATS, Scored, decode, encode
from watchband.adapters.stores.transaction import whole
from watchband.core.duration import DAY
from watchband.core.errors import StateCorruptError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.scores")
FILE = "scores.db"
SERIES_A_BLOCK = 64
POINTS_A_BLOCK = 32_768
"""More of few series are cut into several blocks, so that one series is read without a crowd of others."""
SMALL_BYTES = 384 << 10
"""Blocks below this are put together once there are many of the same series: what is written every few minutes would
otherwise be read a few points at a time."""
SMALL_MAX = 24
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
        Points older than this before the newest are dropped, ns; 0 keeps nothing on disk.
    bytes_max : int, default 4 GiB
        Size of the database above which the oldest go earlier.

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

    def __init__(self, directory: Path, keep: int = 7 * DAY, bytes_max: int = 4 << 30) -> None:
        self.path, self.keep, self.bytes_max = directory / FILE, keep, bytes_max
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
            rows = _blocks_of(self._leaving)
            with self._lock:
                with whole(self._db):
                    self._db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", rows)
                self._leaving = []
                self._expire()
            self._merge()

    def _expire(self) -> None:
        with whole(self._db):
            self._db.execute("DELETE FROM blocks WHERE last < ?", (self._newest - self.keep,))
        for _ in range(64):
            used = self.file_bytes
            if used <= self.bytes_max:
                break
            with whole(self._db):
                self._db.execute(
                    "DELETE FROM blocks WHERE rowid IN (SELECT rowid FROM blocks ORDER BY last LIMIT "
                    "max(1, (SELECT count(*) FROM blocks) / 16))"
                )
        self._db.execute("PRAGMA incremental_vacuum")

    def _merge(self) -> None:
        """Put small blocks together. Whoever adds or reads meanwhile does not wait for the packing."""
        with self._lock:
            groups = self._db.execute(
                f"SELECT low / {SERIES_A_BLOCK} AS part FROM blocks WHERE length(body) < ? GROUP BY part "
                "HAVING count(*) > ? ORDER BY count(*) DESC LIMIT ?",
                (SMALL_BYTES, SMALL_MAX, MERGED_A_FLUSH),
            ).fetchall()
        for (part,) in groups:
            with self._lock:
                found = self._db.execute(
                    "SELECT rowid, body FROM blocks WHERE low BETWEEN ? AND ? AND length(body) < ? ORDER BY rowid",
                    (part * SERIES_A_BLOCK, (part + 1) * SERIES_A_BLOCK - 1, SMALL_BYTES),
                ).fetchall()
            parts: dict[int, list[Scored]] = {}
            for number, points in _opened([body for _, body in found]):
                parts.setdefault(number, []).append(points)
            whole = [(np.full(len(m), n), m) for n, some in sorted(parts.items()) for m in [Scored.merged(some)]]
            rows = _blocks_of(whole) if whole else []
            with self._lock, self._whole():
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
        for number, points in (*_opened(bodies), *_sliced(buffered)):
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


def _blocks_of(buffer: Sequence[tuple[Int64, Scored]]) -> list[tuple[int, int, int, int, bytes]]:
    """First and last series, first and last time and bytes of every block that a buffer makes."""
    numbers = np.concatenate([n for n, _ in buffer])
    points = Scored(*(np.concatenate([getattr(p, f.name) for _, p in buffer]) for f in fields(Scored)))
    order = np.lexsort((points.time, numbers))
    numbers, points = numbers[order], points.at(order)
    found = []
    for a, b in _cuts(numbers):
        series, counts = np.unique(numbers[a:b], return_counts=True)
        some = points.at(slice(a, b))
        times = int(some.time.min()), int(some.time.max())
        found.append((int(series[0]), int(series[-1]), *times, encode(series, counts, some)))
    return found


def _cuts(numbers: Int64) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end: at every 64th series, and before the series that makes one too large."""
    edges = np.r_[0, np.flatnonzero(np.diff(numbers)) + 1, len(numbers)].tolist()
    start = 0
    for a, b in pairwise(edges):
        if a > start and (
            b - start > POINTS_A_BLOCK or numbers[a] // SERIES_A_BLOCK != numbers[start] // SERIES_A_BLOCK
        ):
            yield start, a
            start = a
    yield start, len(numbers)


def _opened(bodies: Sequence[bytes]) -> Iterator[tuple[int, Scored]]:
    """Every series of every block; a damaged block is left out."""
    for body in bodies:
        try:
            series, counts, points = decode(body)
        except StateCorruptError as error:
            log.warning("a block of scored points is left out: %s", error)
            continue
        edges = np.r_[0, np.cumsum(counts)].tolist()
        for number, (a, b) in zip(series.tolist(), pairwise(edges), strict=True):
            yield number, points.at(slice(a, b))


def _sliced(buffer: Sequence[tuple[Int64, Scored]]) -> Iterator[tuple[int, Scored]]:
    """Every series of every batch that is buffered."""
    for numbers, points in buffer:
        order = np.argsort(numbers, kind="stable")
        sorted_ = numbers[order]
        for a, b in pairwise(np.r_[0, np.flatnonzero(np.diff(sorted_)) + 1, len(sorted_)].tolist()):
            yield int(sorted_[a]), points.at(order[a:b])
