"""Retention: readings that grew old leave the log for hourly roll-ups and the archive, a step at a time.

A step is the unit of work. The files of the archive are complete on disk before the store notes them, and it notes
them in the transaction in which their readings leave the log and the roll-ups come: a crash at any instant loses and
doubles nothing, and the step is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.keeping import Archive, ArchiveFile, FoldState, Rollups, Table, Trim
from watchband.core.ports import Arrival, Commit, Store
from watchband.core.series import SeriesKey
from watchband.pipeline.deriving import FOLDS
from watchband.pipeline.lineage import is_model

STEP_POINTS = 500_000
"""Readings that leave in one step; about 50 MB of memory and a second of work."""
STEP_ENTRIES = 2_000
SWEEP_AFTER = 10 * MINUTE
"""Files that no longer count stay so long, for queries that are reading them."""


@dataclass
class Kept:
    """What retention did since it was made."""

    points: int = 0
    entries: int = 0
    files: int = 0
    bytes: int = 0
    compacted: int = 0
    swept: int = 0
    pinned: str = ""
    waiting: bool = False


class Retention:
    """Moves what expires from the log to roll-ups and archive, and expires these.

    Parameters
    ----------
    store : Store
        Whose log.
    archive : Archive, optional
        Where readings go; None: only their roll-ups stay.
    raw, hourly : int
        How long readings stay in the log, and roll-ups and marks at all; ns.
    archived, alerts : int, optional
        How long files of the archive stay, and alerts after they have ended; None: for ever.
    clock : Clock, optional
        What time it is.
    watches : callable, optional
        Names of the watches there are. The log that only another fold still needs is not kept for it: the fold is
        forgotten. None: every fold counts.
    held : callable, optional
        The entry up to which something elsewhere holds a log: no entry behind it leaves. None: nothing is waited for.

    Attributes
    ----------
    kept : Kept
        Counts, and in ``pinned`` the watch without a snapshot that the log cannot be shortened for; ``waiting``: it
        is longer than it should be, since what is elsewhere does not hold it yet.
    """

    def __init__(
        self,
        store: Store,
        *,
        archive: Archive | None = None,
        raw: int = 30 * DAY,
        hourly: int = 400 * DAY,
        archived: int | None = None,
        alerts: int | None = None,
        clock: Clock | None = None,
        watches: Callable[[], Collection[str]] | None = None,
        held: Callable[[str], int] | None = None,
    ) -> None:
        self.store, self.archive, self.raw, self.hourly, self.archived = store, archive, raw, hourly, archived
        self.alerts = alerts
        self.clock: Clock = clock or SystemClock()
        self.watches, self.held = watches, held
        self.kept = Kept()
        self._sweep_at: int | None = 0
        self._expired_at = 0

    def step(self) -> bool:
        """Do one piece of work; whether there was any.

        Raises
        ------
        TransientError
            Store or archive failed: nothing is lost, come again.
        """
        if self.archive is not None and self._sweep_at is not None and self.clock.now() >= self._sweep_at:
            self.kept.swept += self.archive.sweep(self.store.archived())
            self._sweep_at = None
        return self._shorten() or self._compact() or self._expire()

    def _shorten(self) -> bool:
        # An hour at a time: a file for each minute would be many.
        before = (self.clock.now() - self.raw) // HOUR * HOUR
        self.kept.pinned, self.kept.waiting = "", False
        shards: dict[str, list[FoldState]] = {}
        for state in self.store.states():
            shards.setdefault(state.shard, []).append(state)
        for shard, states in shards.items():
            through = self.store.expired(shard, before)
            if self.held is not None and (held := self.held(shard)) < through:
                through, self.kept.waiting = held, True
            entries = self._entries(shard, self._free(states, through))
            if entries:
                self._trim(shard, entries)
                return True
        return False

    def _free(self, states: Sequence[FoldState], through: int) -> int:
        """The entry up to which no fold needs the log any more."""
        known = None if self.watches is None else self.watches()
        free = through
        for state in states:
            if state.covered >= through:
                continue
            if known is not None and state.name not in {*known, *FOLDS} and not is_model(state.name):
                self.store.forget(state.shard, state.name)
                continue
            free = min(free, state.covered)
            self.kept.pinned = state.name
        return free

    def _entries(self, shard: str, through: int) -> list[Commit]:
        found: list[Commit] = []
        points = 0
        if through <= 0:
            return found
        for entry in self.store.log(shard, 0):
            if entry.sequence > through:
                break
            found.append(entry)
            points += sum(len(r.times) for r in entry.readings)
            if points >= STEP_POINTS or len(found) >= STEP_ENTRIES:
                break
        return found

    def _trim(self, shard: str, entries: Sequence[Commit]) -> None:
        table, anomalous = tabulated(entries)
        rollups = Rollups.of(table.keys, table.row, table.times, table.values, anomalous)
        first, last = entries[0].sequence, entries[-1].sequence
        files: Sequence[ArchiveFile] = ()
        if self.archive is not None and len(table):
            files = self.archive.write(table, f"{_plain(shard)}-{first:012d}-{last:012d}")
        self.store.trim(Trim(shard, last, rollups, files))
        self.kept.points += len(table)
        self.kept.entries += len(entries)
        self.kept.files += len(files)
        self.kept.bytes += sum(file.nbytes for file in files)

    def _compact(self) -> bool:
        # A day that readings still leave the log for is gathered when it is over, not with every step anew.
        edge = str(np.datetime64((self.clock.now() - self.raw) // DAY - 1, "D"))
        known = self.store.archived()
        found = self.archive.compact([f for f in known if f.date < edge]) if self.archive else None
        if found is None:
            return False
        fresh, old = found
        self.store.trim(Trim(files=fresh, replaced=[file.name for file in old]))
        self.kept.compacted += len(old)
        self._sweep_at = self.clock.now() + SWEEP_AFTER
        return True

    def _expire(self) -> bool:
        now = self.clock.now()
        if now - self._expired_at < HOUR:
            return False
        self._expired_at = now
        before = now - self.hourly
        old: list[str] = []
        if self.archived is not None:
            edge = str(np.datetime64((now - self.archived) // DAY, "D"))
            old = [file.name for file in self.store.archived() if file.date < edge]
        ended = now - self.alerts if self.alerts is not None else 0
        trim = Trim(
            replaced=old, rollups_before=before // HOUR * HOUR, marks_before=before, alerts_before=max(ended, 0)
        )
        left = self.store.trim(trim)
        if old:
            self._sweep_at = now + SWEEP_AFTER
        return bool(left or old)


def tabulated(entries: Sequence[Commit]) -> tuple[Table, list[tuple[int, int]]]:
    """The readings of some entries as a sorted table, and (row, time) of the points that were marked as anomalous."""
    keys: dict[SeriesKey, int] = {}
    sources: dict[str, int] = {"": 0}
    readings = [r for entry in entries for r in entry.readings]
    lengths = [len(r.times) for r in readings]
    rows = [keys.setdefault(r.key, len(keys)) for r in readings]
    gave = [sources.setdefault(r.source, len(sources)) for r in readings]
    late = [r.arrival is Arrival.LATE for r in readings]
    odd = {
        (keys.setdefault(r.key, len(keys)), time)
        for entry in entries
        for (kind, _), marked in entry.marks.items()
        if kind == "anomaly"
        for r in marked
        for time in r.times.tolist()
    }
    table = Table(
        tuple(keys),
        tuple(sources),
        np.repeat(np.array(rows, np.int32), lengths),
        np.repeat(np.array(gave, np.int32), lengths),
        np.concatenate([np.empty(0, np.int64), *(r.times for r in readings)]),
        np.concatenate([np.empty(0), *(r.values for r in readings)]),
        np.repeat(np.array(late, bool), lengths),
    )
    return table.sorted(), sorted(odd)


def _plain(shard: str) -> str:
    """A shard's name in that of a file."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in shard) or "_"
