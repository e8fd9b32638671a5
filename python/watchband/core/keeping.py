"""What a store keeps beside the log: marks, roll-ups, archive files, series and snapshots.

Everything here is columns or one small record for many points: nothing is paid per point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from watchband.core.duration import HOUR
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey

SNAPSHOTS_KEPT = 3
"""Snapshots of a fold that are kept: the last is what a restart needs, the others are what it is checked against."""

MarkKind = Literal["anomaly", "cutoff", "adopted"]
"""What a watch says of a point, kept beside the log: it is anomalous (its score), the cut-off changed (the new one, in
the detector's units), or a level became the new normal (the level)."""
MARKS: tuple[MarkKind, ...] = ("anomaly", "cutoff", "adopted")


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A snapshot that is kept: the entry it stands behind, when it was written (ns UTC), and its size."""

    sequence: int
    written: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class FoldState:
    """A fold and its snapshots, the newest first.

    Parameters
    ----------
    shard, name : str
        Which fold.
    fingerprint : str
        Of its parameters.
    decided : int
        The last entry whose verdicts are kept.
    snapshots : tuple of SnapshotRecord
        Newest first; without any, it needs the log from its first entry on.
    """

    shard: str
    name: str
    fingerprint: str
    decided: int
    snapshots: tuple[SnapshotRecord, ...] = ()

    @property
    def covered(self) -> int:
        """Entries up to this one are in its newest snapshot."""
        return self.snapshots[0].sequence if self.snapshots else 0


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A series that was ever seen.

    Parameters
    ----------
    key : SeriesKey
        Which.
    source : str
        Who gave it last; empty if that was not said.
    first, last : int
        Earliest and latest time of a reading, ns UTC.
    points : int
        Readings that were kept.
    """

    key: SeriesKey
    source: str
    first: int
    last: int
    points: int


@dataclass(frozen=True, slots=True, eq=False)
class Rollups:
    """Readings of whole hours, a row for each series and hour.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series; ``row`` counts in it.
    row : int32[n]
        Series of each row.
    hour : int64[n]
        Beginning of the hour, ns UTC.
    count : int64[n]
        Readings with a value.
    low, high, total : float64[n]
        Least, greatest and sum of them; NaN, NaN and 0 where there is none.
    anomalies : int64[n]
        Readings that some watch found anomalous.
    """

    keys: Sequence[SeriesKey]
    row: Int32
    hour: Int64
    count: Int64
    low: Float64
    high: Float64
    total: Float64
    anomalies: Int64

    @classmethod
    def of(
        cls, keys: Sequence[SeriesKey], row: Int32, times: Int64, values: Float64, anomalous: Sequence[tuple[int, int]]
    ) -> Rollups:
        """Roll up readings; ``anomalous`` are (row, time) of points, in these hours or others.

        Examples
        --------
        >>> at = np.array([0, 1, 2]) * (HOUR // 2)
        >>> r = Rollups.of([SeriesKey("cpu")], np.zeros(3, np.int32), at, np.array([1.0, 3.0, 8.0]), [(0, 0)])
        >>> r.count.tolist(), r.high.tolist(), r.total.tolist(), r.anomalies.tolist()
        ([2, 1], [3.0, 8.0], [4.0, 8.0], [1, 0])
        """
        extra = np.array(sorted(set(anomalous)), np.int64).reshape(-1, 2)
        known = np.isfinite(values)
        ones, nothing = known.astype(np.int64), np.zeros(len(extra))
        return cls(
            keys,
            np.r_[row, extra[:, 0]].astype(np.int32),
            np.r_[times, extra[:, 1]] // HOUR * HOUR,
            np.r_[ones, nothing].astype(np.int64),
            np.r_[np.where(known, values, np.nan), nothing + np.nan],
            np.r_[np.where(known, values, np.nan), nothing + np.nan],
            np.r_[np.where(known, values, 0.0), nothing],
            np.r_[0 * ones, nothing + 1].astype(np.int64),
        )._gathered()

    @classmethod
    def joined(cls, parts: Sequence[Rollups]) -> Rollups:
        """Several as one: rows of the same series and hour are added up, in the order of the parts."""
        keys: dict[SeriesKey, int] = {}
        rows = [np.array([keys.setdefault(k, len(keys)) for k in part.keys], np.int32)[part.row] for part in parts]
        names = ("hour", "count", "low", "high", "total", "anomalies")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(tuple(keys), np.concatenate(rows), **columns)._gathered()

    def _gathered(self) -> Rollups:
        """One row for each series and hour, ordered by series and hour."""
        order = np.lexsort((self.hour, self.row))
        row, hour = self.row[order], self.hour[order]
        fresh = np.flatnonzero(np.r_[True, (np.diff(row) != 0) | (np.diff(hour) != 0)][: len(order)])
        if not len(fresh):
            return self
        reduced = [
            add.reduceat(column[order], fresh)
            for add, column in (
                (np.add, self.count),
                (np.fmin, self.low),
                (np.fmax, self.high),
                (np.add, self.total),
                (np.add, self.anomalies),
            )
        ]
        return Rollups(self.keys, row[fresh], hour[fresh], *reduced)

    def between(self, since: int, until: int) -> Rollups:
        """The hours of a range, by hour and series."""
        some = np.flatnonzero((self.hour >= since) & (self.hour < until))
        some = some[np.argsort(self.hour[some], kind="stable")]
        names = ("row", "hour", "count", "low", "high", "total", "anomalies")
        return Rollups(self.keys, **{name: getattr(self, name)[some] for name in names})

    def only(self, key: SeriesKey) -> Rollups:
        """The hours of one series."""
        at = self.keys.index(key) if key in self.keys else -1
        some = np.flatnonzero(self.row == at)
        names = ("hour", "count", "low", "high", "total", "anomalies")
        return Rollups((key,), np.zeros(len(some), np.int32), **{name: getattr(self, name)[some] for name in names})

    @classmethod
    def none(cls) -> Rollups:
        """Of nothing."""
        ints, floats = np.empty(0, np.int64), np.empty(0)
        return cls((), np.empty(0, np.int32), ints, ints, floats, floats, floats, ints)

    def __len__(self) -> int:
        return len(self.hour)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Readings as a table, by series and time.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series; ``row`` counts in it.
    sources : sequence of str
        Who gave them; ``source`` counts in it.
    row, source : int32[n]
        Series and source of each reading.
    times, values : int64[n], float64[n]
        ns UTC; NaN is no value.
    late : bool[n]
        It came too late to be judged.
    """

    keys: Sequence[SeriesKey]
    sources: Sequence[str]
    row: Int32
    source: Int32
    times: Int64
    values: Float64
    late: NDArray[np.bool_]

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """Row, source, times, values, late."""
        return self.row, self.source, self.times, self.values, self.late

    def take(self, which: NDArray[Any]) -> Table:
        """Some of the readings."""
        return Table(self.keys, self.sources, *(column[which] for column in self.columns))

    def sorted(self) -> Table:
        """By series and time; of readings that are equal bit for bit the first."""
        table = self.take(np.lexsort((self.times, self.row)))
        bits = table.values.view(np.int64)
        again = (np.diff(table.row) == 0) & (np.diff(table.times) == 0) & (np.diff(bits) == 0)
        return table.take(np.flatnonzero(~np.r_[False, again][: len(bits)])) if again.any() else table

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive.

    Parameters
    ----------
    name : str
        Its path within the archive, ``date=2026-01-31/….parquet``.
    date : str
        The day (UTC) whose readings it holds, ``2026-01-31``.
    rows, nbytes : int
        How many readings, and its size.
    """

    name: str
    date: str
    rows: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Trim:
    """What retention does at once: entries leave the log, and what stands for them comes.

    Parameters
    ----------
    shard : str
        Whose log.
    through : int
        Entries up to this one leave; 0: none.
    rollups : Rollups
        What their readings amount to; added to what is there.
    files : sequence of ArchiveFile
        Files that are complete on disk and count from now on.
    replaced : sequence of str
        Names of files that count no more.
    rollups_before, marks_before : int
        Roll-ups of hours, and marks of entries written, before this time leave.
    alerts_before : int
        Alerts that ended before this time leave, unless a notice of them waits or is a dead letter; open ones never.
    """

    shard: str = ""
    through: int = 0
    rollups: Rollups = field(default_factory=Rollups.none)
    files: Sequence[ArchiveFile] = ()
    replaced: Sequence[str] = ()
    rollups_before: int = 0
    marks_before: int = 0
    alerts_before: int = 0


class Archive(Protocol):
    """Where readings go that leave the log; what it writes counts once a store has noted it (``Trim.files``)."""

    def write(self, table: Table, name: str) -> Sequence[ArchiveFile]:
        """A file for each day (UTC); complete and on disk when it returns. The same again replaces them."""

    def compact(self, known: Sequence[ArchiveFile]) -> tuple[Sequence[ArchiveFile], Sequence[ArchiveFile]] | None:
        """Gather small files of one day in one: what is new and what it stands for; None: there is nothing to do."""

    def sweep(self, known: Sequence[ArchiveFile]) -> int:
        """Remove files that do not count; how many. Never while another call is under way."""
