"""Recent points of every series with their bands: bounded memory, for charts in messages and for status."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from watchband.core.alert import Alert
from watchband.core.latest import Latest
from watchband.core.points import Float64, Int32, Int64
from watchband.core.ports import Stretch
from watchband.core.series import SeriesKey
from watchband.pipeline.results import Results

BYTES_MAX = 128 << 20
DEPTH_MAX = 256
"""Points of a series, while there are few series."""
DEPTH_MIN = 16
_COLUMNS = (
    ("time", "i8"),
    ("y", "f8"),
    ("yhat", "f4"),
    ("yhat_lower", "f4"),
    ("yhat_upper", "f4"),
    ("anomaly_score", "f4"),
    ("confidence", "f4"),
    ("events", "i4"),
    ("flags", "i1"),
    ("alerting", "?"),
)
POINT_BYTES = sum(np.dtype(kind).itemsize for _, kind in _COLUMNS)
_FIRST_SLOTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The last points of one series under one watch, in order of time; arrays of [n]."""

    watch: str
    key: SeriesKey
    seen: int
    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    confidence: Float64
    events: Int64
    flags: Int64
    alerting: NDArray[np.bool_]


class Recent:
    """Rings of points, one a watch and series, all as deep as the memory allows.

    Where more series come than there is room for, every ring is halved, down to ``DEPTH_MIN`` points; series beyond
    that are not kept.

    Parameters
    ----------
    bytes_max : int
        Memory of all rings together.

    Examples
    --------
    >>> Recent(bytes_max=1 << 20).depth
    256
    """

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self.bytes_max, self.depth = bytes_max, DEPTH_MAX
        self.left_out = 0
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, SeriesKey], int] = {}
        self._free: list[int] = []
        self._rows: dict[str, tuple[Sequence[SeriesKey], Int64]] = {}
        self._room = 0
        self._columns: dict[str, NDArray[np.generic]] = {}
        self._seen = np.zeros(0, np.int64)
        self._grow(_FIRST_SLOTS)

    @property
    def nbytes(self) -> int:
        """Memory that is taken now."""
        return int(sum(c.nbytes for c in self._columns.values()) + self._seen.nbytes)

    @property
    def series(self) -> int:
        """Rings that are in use."""
        return len(self._slots)

    def add(self, watch: str, results: Results) -> None:
        """Take in what a watch said of a batch; cost O(points)."""
        if not len(results):
            return
        with self._lock:
            slots = self._slots_of(watch, results.keys)[results.row]
            known = slots >= 0
            picked: NDArray[np.bool_] | slice = slice(None) if known.all() else known
            self._write(slots[picked], results, picked)

    def _write(self, slots: Int64, results: Results, picked: NDArray[np.bool_] | slice) -> None:
        if not len(slots):
            return
        # Points of one series stand together, in order of time: the rank within it says where in the ring.
        starts = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
        counts = np.diff(np.r_[starts, len(slots)])
        rank = np.arange(len(slots)) - np.repeat(starts, counts)
        at = (self._seen[slots] + rank) % self.depth
        last = rank >= np.repeat(counts, counts) - self.depth
        where = slots[last], at[last]
        for name, _ in _COLUMNS:
            column = results.alert != "" if name == "alerting" else getattr(results, name)
            # Beyond what 32 bits hold it is infinite, which is as good for a chart.
            with np.errstate(over="ignore"):
                self._columns[name][where] = column[picked][last]
        self._seen[slots[starts]] += counts

    def _slots_of(self, watch: str, keys: Sequence[SeriesKey]) -> Int64:
        """Slot of every row of a watch's state, -1 where it is not kept."""
        known, slots = self._rows.get(watch, ((), np.zeros(0, np.int64)))
        done = len(slots) if known is keys else 0
        if known is not keys:
            # The state was restored, or series have ended: theirs make room.
            self._drop(watch, set(keys))
        if done < len(keys) or known is not keys:
            more = np.array([self._slot((watch, key)) for key in keys[done:]], np.int64)
            slots = np.concatenate([slots[:done], more])
            self._rows[watch] = keys, slots
        return slots

    def _slot(self, name: tuple[str, SeriesKey]) -> int:
        found = self._slots.get(name)
        if found is not None:
            return found
        if not self._free and not self._more():
            self.left_out += 1
            return -1
        slot = self._slots[name] = self._free.pop()
        self._seen[slot] = 0
        return slot

    def _more(self) -> bool:
        wanted = max(2 * self._room, _FIRST_SLOTS)
        while wanted * self.depth * POINT_BYTES > self.bytes_max and self.depth // 2 >= DEPTH_MIN:
            self._halve()
        if wanted * self.depth * POINT_BYTES > self.bytes_max:
            wanted = self.bytes_max // (self.depth * POINT_BYTES)
        if wanted <= self._room:
            return False
        self._grow(wanted)
        return True

    def _grow(self, slots: int) -> None:
        for name, kind in _COLUMNS:
            column: NDArray[np.generic] = np.zeros((slots, self.depth), kind)
            if self._room:
                column[: self._room] = self._columns[name]
            self._columns[name] = column
        self._seen = np.concatenate([self._seen, np.zeros(slots - self._room, np.int64)])
        self._free += range(slots - 1, self._room - 1, -1)
        self._room = slots

    def _halve(self) -> None:
        depth = self.depth // 2
        # Point number n stands at n modulo the depth: the newest half goes where it will be looked for.
        back = np.arange(depth)[None, :]
        numbers = self._seen[:, None] - 1 - back
        rows = np.arange(self._room)[:, None]
        for name, kind in _COLUMNS:
            column: NDArray[np.generic] = np.zeros((self._room, depth), kind)
            column[rows, numbers % depth] = self._columns[name][rows, numbers % self.depth]
            self._columns[name] = column
        self.depth = depth

    def forget(self, watch: str) -> None:
        """Drop everything of a watch."""
        with self._lock:
            self._drop(watch, set())
            self._rows.pop(watch, None)

    def _drop(self, watch: str, keep: set[SeriesKey]) -> None:
        for name in [name for name in self._slots if name[0] == watch and name[1] not in keep]:
            self._free.append(self._slots.pop(name))

    def tail(self, watch: str, key: SeriesKey, points: int = DEPTH_MAX) -> Tail | None:
        """The last points of a series; None where none are kept."""
        with self._lock:
            slot = self._slots.get((watch, key))
            if slot is None or not self._seen[slot]:
                return None
            seen = int(self._seen[slot])
            at = np.arange(max(0, seen - min(points, self.depth)), seen) % self.depth
            columns = {name: self._columns[name][slot, at] for name, _ in _COLUMNS}
        wide = {n: c.astype(np.float64) if c.dtype.kind == "f" else c for n, c in columns.items()}
        return Tail(watch, key, seen, **wide)

    def names(self) -> list[tuple[str, SeriesKey]]:
        """Watch and series of every ring."""
        with self._lock:
            return list(self._slots)

    def newest(self, watch: str) -> Newest:
        """The last point of every series of a watch."""
        with self._lock:
            keys = [key for name, key in self._slots if name == watch]
            slots = np.array([self._slots[watch, key] for key in keys], np.int64)
            some = self._seen[slots] > 0 if len(slots) else np.zeros(0, bool)
            slots = slots[some]
            at = (self._seen[slots] - 1) % self.depth
            columns = {
                f.name: self._columns[f.name][slots, at] for f in fields(Newest) if f.name not in ("keys", "seen")
            }
            kept = [key for key, has in zip(keys, some.tolist(), strict=True) if has]
            return Newest(kept, self._seen[slots].copy(), **columns)

    def latest(self) -> Iterator[Latest]:
        """The last point of every series under every watch."""
        with self._lock:
            watches = list(dict.fromkeys(watch for watch, _ in self._slots))
        for watch in watches:
            for key, row in self.newest(watch):
                values = (row[name] for name in ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score"))
                yield Latest(watch, key, int(row["time"]), *values)

    def peaks(self, since: int) -> dict[tuple[str, SeriesKey], float]:
        """The highest anomaly_score of every series at or after a time (ns UTC); NaN where there is none."""
        with self._lock:
            names = list(self._slots)
            slots = np.fromiter(self._slots.values(), np.int64, len(names))
            score = self._scores()[slots]
            counts = (self._times()[slots] >= since) & self._written(slots) & ~np.isnan(score)
        highest = np.where(counts, score, -np.inf).max(axis=1, initial=-np.inf)
        highest[np.isneginf(highest)] = np.nan
        return dict(zip(names, highest.tolist(), strict=True))

    def outside(self, start: int, end: int, bucket: int) -> list[tuple[int, int]]:
        """How many series were beyond their limit in each stretch of ``bucket`` ns between two times: (start, count).

        As far as the rings reach back.
        """
        edges = np.arange(start, end, bucket)
        with self._lock:
            slots = np.fromiter(self._slots.values(), np.int64, len(self._slots))
            hot = self._written(slots) & (self._scores()[slots] > 1)
            which, at = np.nonzero(hot)
            times = self._times()[slots[which], at]
        k = (times - start) // bucket
        fits = (k >= 0) & (k < len(edges))
        # A series counts once in a stretch, however many of its points were outside.
        pairs = np.unique(k[fits] * max(len(slots), 1) + which[fits]) // max(len(slots), 1)
        counts = np.bincount(pairs, minlength=len(edges))
        return list(zip(edges.tolist(), counts.tolist(), strict=True))

    def _times(self) -> Int64:
        return np.asarray(self._columns["time"], np.int64)

    def _scores(self) -> NDArray[np.float32]:
        return np.asarray(self._columns["anomaly_score"], np.float32)

    def _written(self, slots: Int64) -> NDArray[np.bool_]:
        return np.arange(self.depth)[None, :] < np.minimum(self._seen[slots], self.depth)[:, None]

    def stretch(self, alert: Alert) -> Stretch | None:
        """The alert's series, as a chart wants it."""
        tail = self.tail(alert.watch, alert.series)
        if tail is None:
            return None
        return Stretch(
            times=tail.time,
            y=tail.y,
            yhat=tail.yhat,
            yhat_lower=tail.yhat_lower,
            yhat_upper=tail.yhat_upper,
            anomaly_score=tail.anomaly_score,
            alert=tail.alerting | ((tail.time >= alert.opened) & (tail.time <= (alert.closed or tail.time.max()))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """The last point of each of several series; arrays of [s]."""

    keys: Sequence[SeriesKey]
    seen: Int64
    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    confidence: Float64
    flags: Int32

    def __iter__(self) -> Iterator[tuple[SeriesKey, Mapping[str, float]]]:
        """Series by series, as plain numbers."""
        names = [f.name for f in fields(self) if f.name not in ("keys", "seen")]
        columns = [getattr(self, name).tolist() for name in names]
        for key, row in zip(self.keys, zip(*columns, strict=True), strict=True):
            yield key, dict(zip(names, row, strict=True))
