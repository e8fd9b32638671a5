"""Hours: what watches said of all their points together, an hour at a time. A few numbers a watch, however many series.

It is derived and may be lost: what is missing was never promised. So it is written without waiting for the disk.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from watchband.adapters.stores.transaction import whole
from watchband.core.duration import DAY, HOUR
from watchband.core.points import Float64, Int64

log = logging.getLogger("watchband.scores")
FILE = "hours.db"
PENDING_MAX = 10_000
"""Hours of watches that are held until they are written; a first start reads in weeks of the past."""
SUMS = ("points", "anomalous", "known", "outside", "promised", "cutoffs", "cutoff_log")
"""What is added up: points that were judged, anomalous ones, points whose place in the nominal band is known, those
outside, anomalous points the rule promises, points with a cut-off, and the sum of its logarithms."""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS hours (watch TEXT NOT NULL, hour INTEGER NOT NULL,
    {", ".join(f"{name} REAL NOT NULL" for name in SUMS)}, lowest REAL, highest REAL,
    PRIMARY KEY (watch, hour)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""
_ADD = f"""
INSERT INTO hours VALUES (?, ?, {", ".join("?" * len(SUMS))}, ?, ?) ON CONFLICT (watch, hour) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)},
    lowest = min(coalesce(lowest, excluded.lowest), coalesce(excluded.lowest, lowest)),
    highest = max(coalesce(highest, excluded.highest), coalesce(excluded.highest, highest))
"""


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """What was said in each stretch of time, oldest first; every array [n].

    Parameters
    ----------
    start : int64[n]
        Beginning of each stretch, ns UTC.
    points, anomalous, known, outside, promised : float64[n]
        Counts; ``promised`` is how many anomalous points the rule allows.
    cutoff, lowest, highest : float64[n]
        Geometric mean, least and greatest cut-off of the points; NaN where there was none.
    """

    start: Int64
    points: Float64
    anomalous: Float64
    known: Float64
    outside: Float64
    promised: Float64
    cutoff: Float64
    lowest: Float64
    highest: Float64


class HourBook:
    """Sums a watch and hour. Safe for one writer and many readers in threads.

    Parameters
    ----------
    directory : Path or None
        Where the database stands; None: in memory.
    keep : int, default 400 days
        Hours older than this before the newest are dropped, ns.

    Examples
    --------
    >>> book, nothing = HourBook(None), np.full(2, np.nan)
    >>> book.add("w", np.array([1, 2]), np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.full(2, 0.01), nothing)
    >>> found = book.read("w", 0, HOUR)
    >>> found.points.tolist(), found.anomalous.tolist(), found.promised.tolist()
    ([2.0], [1.0], [0.02])
    """

    def __init__(self, directory: Path | None, keep: int = 400 * DAY) -> None:
        self.path, self.keep = None if directory is None else directory / FILE, keep
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], list[float]] = {}
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            log.warning("the hours in %s are damaged and begun anew: %s", self.path, error)
            if self.path is not None:
                self.path.unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        self._db = sqlite3.connect(self.path or ":memory:", isolation_level=None, check_same_thread=False)
        if self.path is not None:
            self.path.chmod(0o600)
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "busy_timeout = 10000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)

    def add(self, watch: str, time: Int64, odd: Float64, covered: Float64, promised: Float64, cutoff: Float64) -> None:
        """Take in what a watch said of a batch.

        Parameters
        ----------
        watch : str
            Its name.
        time : int64[m]
            ns UTC.
        odd, covered : float64[m]
            1 or 0: the point is anomalous; it lies within the nominal band. NaN where nobody says.
        promised : float64[m]
            The share of points that may be anomalous; NaN where nothing is promised.
        cutoff : float64[m]
            NaN where there is none.
        """
        if not len(time):
            return
        hours, where = np.unique(time // HOUR * HOUR, return_inverse=True)
        size = cutoff > 0
        columns = (
            ~np.isnan(odd),
            np.nan_to_num(odd),
            ~np.isnan(covered),
            np.where(np.isnan(covered), 0.0, 1.0 - covered),
            np.where(np.isnan(odd), 0.0, np.nan_to_num(promised)),
            size,
            np.where(size, np.log(np.where(size, cutoff, 1.0)), 0.0),
        )
        sums = np.stack([np.bincount(where, column, len(hours)) for column in columns], axis=1)
        low, high = np.full(len(hours), np.inf), np.full(len(hours), -np.inf)
        np.minimum.at(low, where[size], cutoff[size])
        np.maximum.at(high, where[size], cutoff[size])
        with self._lock:
            for i, hour in enumerate(hours.tolist()):
                held = self._pending.setdefault((watch, hour), [0.0] * len(SUMS) + [np.inf, -np.inf])
                held[: len(SUMS)] = (np.array(held[: len(SUMS)]) + sums[i]).tolist()
                held[-2:] = min(held[-2], float(low[i])), max(held[-1], float(high[i]))
            full = len(self._pending) > PENDING_MAX
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered; drop what is too old."""
        with self._lock:
            rows = [
                (watch, hour, *held[:-2], *(None if np.isinf(x) else x for x in held[-2:]))
                for (watch, hour), held in self._pending.items()
            ]
            if not rows:
                return
            with whole(self._db):
                self._db.executemany(_ADD, rows)
                self._db.execute("DELETE FROM hours WHERE hour < (SELECT max(hour) FROM hours) - ?", (self.keep,))
            self._pending.clear()

    def read(self, watch: str, start: int, end: int, step: int = HOUR) -> Hours:
        """What a watch said from ``start`` to before ``end`` (ns UTC), in stretches of ``step``, a number of hours."""
        self.flush()
        names = ", ".join(f"sum({name})" for name in SUMS)
        with self._lock:
            rows = self._db.execute(
                f"SELECT hour / ? * ? AS stretch, {names}, min(lowest), max(highest) FROM hours "
                "WHERE watch = ? AND hour >= ? AND hour < ? GROUP BY stretch ORDER BY stretch",
                (step, step, watch, start // step * step, end),
            ).fetchall()
        table = np.array([[np.nan if x is None else x for x in row[1:]] for row in rows], np.float64)
        table = table.reshape(-1, len(SUMS) + 2)
        points, anomalous, known, outside, promised, cutoffs, logs, low, high = table.T
        with np.errstate(invalid="ignore", divide="ignore"):
            cutoff = np.exp(logs / cutoffs)
        start_of = np.array([row[0] for row in rows], np.int64)
        return Hours(start_of, points, anomalous, known, outside, promised, cutoff, low, high)

    def forget(self, watch: str) -> None:
        """Drop what a watch said."""
        self.flush()
        with self._lock:
            self._db.execute("DELETE FROM hours WHERE watch = ?", (watch,))

    def close(self) -> None:
        """Write what is gathered and let go."""
        self.flush()
        with self._lock:
            self._db.close()
