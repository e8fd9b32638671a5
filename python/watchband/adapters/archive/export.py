"""Export: what a log acknowledged becomes parts of an archive, once, wherever a run ends and whoever runs beside it.

A step takes entries behind the manifest's cursor, writes their parts, and then changes the manifest once: parts and
cursor together, on the condition that nobody has changed it since. Until then nothing of the step counts, after it
all of it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from watchband.adapters.archive.archive import ObjectArchive, encoded
from watchband.adapters.archive.held import not_held
from watchband.adapters.archive.manifest import PARTITIONS, TRIES, Change, Cursor, Part, Root
from watchband.adapters.archive.others import entries_table, marks_table
from watchband.adapters.archive.rows import date_of, digest_of, readings_table
from watchband.adapters.objects.place import ChangedError
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Commit, Store

STEP_POINTS = 100_000
"""Readings of a step."""
STEP_ENTRIES = 20_000
MARK = "@archive"
"""As a source whose position says of a restored store: which entry of the archive it was restored up to, the digest of
that, and by how much its own numbers are less."""
METRICS_MAX = 1000
"""Metrics by which readings are parted; of more, they should not be."""
Tell = Callable[[str, int, int], None]
Local = Callable[[int, int], Iterator[Any]]
"""Tables of readings that left the log before they were archived, of entries from the first to the last."""


@dataclass
class Exported:
    """What a run did.

    Parameters
    ----------
    entries, readings, parts, nbytes : int
        What it added.
    raced : int
        Times that another exporter was quicker, and a step was done over.
    through : mapping of str to int
        By shard, the last entry that is archived, in the store's own count.
    gaps : list
        Entries that were gone before they could be archived: shard, first, last.
    """

    entries: int = 0
    readings: int = 0
    parts: int = 0
    nbytes: int = 0
    raced: int = 0
    through: dict[str, int] = field(default_factory=dict)
    gaps: list[tuple[str, int, int]] = field(default_factory=list)


class Exporter:
    """Brings a store's log into an archive.

    Parameters
    ----------
    archive : ObjectArchive
        Where to.
    store : Store
        Whose log; it may be open for reading only.
    partition : str, optional
        How a new archive parts readings: ``date``, or ``metric`` and date; None: as it does, or by date.
    local : callable, optional
        Where readings are that left the log before; None: nowhere.
    tell : callable, optional
        Called with what is being done, and entries done of entries in all.
    rejoin : bool
        The store is another one than was archived, or was restored: only what the archive does not hold is added.
    """

    def __init__(
        self,
        archive: ObjectArchive,
        store: Store,
        *,
        partition: str | None = None,
        local: Local | None = None,
        tell: Tell | None = None,
        rejoin: bool = False,
    ) -> None:
        if partition is not None and partition not in PARTITIONS:
            raise ConfigError(f"Readings are parted by {' or '.join(PARTITIONS)}. Got {partition!r}.")
        self.archive, self.store, self.partition, self.local = archive, store, partition, local
        self.tell, self.rejoin = tell, rejoin

    def run(self, stop: Callable[[], bool] = lambda: False) -> Exported:
        """Every step there is to do.

        Raises
        ------
        DataError
            The archive is of another store, or of a part of this one's log that is no longer there.
        ChangedError
            Another exporter was quicker each time.
        AdapterError
            Place or store failed: come again, nothing is lost or doubled.
        """
        done = Exported()
        for shard in self.shards():
            raced, fresh = 0, True
            while not stop():
                try:
                    root = self._root()
                    if fresh:
                        root = self._joined(root, shard, done)
                    if not self._step(root, shard, done):
                        break
                    raced, fresh = 0, False
                except ChangedError:
                    done.raced += 1
                    raced, fresh = raced + 1, True
                    if raced >= TRIES:
                        raise
            done.through[shard] = through(self.archive.manifest.root(), shard)
        return done

    def shards(self) -> list[str]:
        """The logs there are."""
        known = {state.shard for state in self.store.states()} | set(self.archive.manifest.root().cursors)
        return sorted(known | ({"main"} if self.store.head("main") else set()))

    def _root(self) -> Root:
        root = self.archive.manifest.root()
        if self.partition is not None and root.etag and root.partition != self.partition:
            raise ConfigError(
                f"The archive {self.archive.name} parts its readings by {root.partition}, not by {self.partition}. "
                "Leave that out, or begin another archive."
            )
        return root

    def _joined(self, root: Root, shard: str, done: Exported) -> Root:
        """The root with a cursor that fits the store; it may have been moved."""
        cursor = root.cursors.get(shard)
        if cursor is None or (not cursor.entry and not cursor.digest):
            return self._bridged(root, shard, Cursor(), done)
        if not self.rejoin:
            cursor = self._agreed(shard, cursor)
            return self._bridged(root, shard, cursor, done)
        first = next(iter(self.store.log(shard, 0)), None)
        begin = first.sequence - 1 if first is not None else self.store.head(shard)
        # Numbers of the archive go on behind its last; what it holds already is left out by its contents.
        behind = cursor.entry - begin
        moved = Cursor(cursor.entry, "", behind, cursor.time, self.store.head(shard) + behind)
        root = self.archive.manifest.try_commit(root, self._moved(root, shard, moved))
        self.rejoin = False
        return root

    def _moved(self, root: Root, shard: str, cursor: Cursor, **more: Any) -> Change:
        return Change(now=self.archive.clock.now(), more={"cursors": {**root.cursors, shard: cursor}, **more})

    def _agreed(self, shard: str, cursor: Cursor) -> Cursor:
        """The cursor, where the store is the one that was archived; moved, where it was restored and counts anew."""
        at = cursor.entry - cursor.behind
        if not cursor.digest:
            return cursor
        head = self.store.head(shard)
        if head >= at:
            found = next(iter(self.store.log(shard, at - 1)), None)
            if found is None or found.sequence != at or digest_of(found) == cursor.digest:
                return cursor
        marked = self.store.positions(shard).get(MARK, "").split(" ")
        if marked[:2] == [str(cursor.entry), cursor.digest]:
            # It was restored from here, and counts from one on.
            return replace(cursor, behind=int(marked[2]))
        raise DataError(
            f"The archive {self.archive.name} goes up to entry {cursor.entry:,} of the log {shard!r}, which is not "
            f"that of this store (its last one is {head:,}). Give this store an archive of its own; or, where it was "
            "restored from a backup, run 'watchband archive export --rejoin' once: only what the archive does not hold "
            "is added."
        )

    def _bridged(self, root: Root, shard: str, cursor: Cursor, done: Exported) -> Root:
        """Take in what left the log before it was archived, in one change of the manifest."""
        first = next(iter(self.store.log(shard, 0)), None)
        begin = (first.sequence if first is not None else self.store.head(shard) + 1) - 1
        at = cursor.entry - cursor.behind
        known = root.cursors.get(shard)
        if begin <= at:
            if cursor == known or not cursor.entry:
                return root
            return self.archive.manifest.try_commit(root, self._moved(root, shard, cursor))
        parts: list[Part] = []
        covered = at
        for table, last in self.local(at, begin) if self.local is not None else ():
            parts += self._parts("readings", shard, not_held(self.archive, root, table), root)
            covered = max(covered, last)
        more: dict[str, Any] = {}
        if covered < begin and at + 1 <= begin:
            gap = (shard, max(at, covered) + 1 + cursor.behind, begin + cursor.behind)
            done.gaps.append(gap)
            more["gaps"] = [*root.gaps, gap]
        moved = Cursor(begin + cursor.behind, "", cursor.behind, cursor.time, cursor.compared)
        change = self._moved(root, shard, moved, **more)
        change = Change(parts, (), change.now, {**change.more, **self._first(root)})
        root = self.archive.manifest.try_commit(root, change)
        self._count(done, parts)
        return root

    def _first(self, root: Root) -> dict[str, Any]:
        return {} if root.etag else {"partition": self.partition or PARTITIONS[0]}

    def _step(self, root: Root, shard: str, done: Exported) -> bool:
        cursor = root.cursors.get(shard, Cursor())
        entries = self._entries(shard, cursor.entry - cursor.behind)
        if not entries:
            return False
        if entries[0].sequence != cursor.entry - cursor.behind + 1:
            raise ChangedError("The log was shortened between two questions.")
        readings = readings_table(shard, entries, cursor.behind)
        if entries[0].sequence + cursor.behind <= cursor.compared:
            readings = not_held(self.archive, root, readings)
        parts = self._parts("readings", shard, readings, root)
        newest = max([cursor.time, *(int(r.times.max()) for e in entries for r in e.readings if len(r.times))])
        parts += self._parts("entries", shard, entries_table(shard, entries, cursor.behind, cursor.time), root)
        parts += self._parts("marks", shard, marks_table(shard, entries, cursor.behind), root)
        last = entries[-1]
        moved = Cursor(last.sequence + cursor.behind, digest_of(last), cursor.behind, newest, cursor.compared)
        change = self._moved(root, shard, moved, **self._first(root))
        self.archive.manifest.try_commit(root, Change(parts, (), change.now, change.more))
        done.entries += len(entries)
        done.through[shard] = last.sequence
        self._count(done, parts)
        if self.tell is not None:
            self.tell("archiving", last.sequence, max(self.store.head(shard), last.sequence))
        return True

    def _count(self, done: Exported, parts: Sequence[Part]) -> None:
        done.parts += len(parts)
        done.nbytes += sum(p.nbytes for p in parts)
        done.readings += sum(p.rows for p in parts if p.dataset == "readings")

    def _entries(self, shard: str, after: int) -> list[Commit]:
        found: list[Commit] = []
        points = 0
        for entry in self.store.log(shard, after):
            found.append(entry)
            points += sum(len(r.times) for r in entry.readings)
            if points >= STEP_POINTS or len(found) >= STEP_ENTRIES:
                break
        return found

    def _parts(self, dataset: str, shard: str, table: Any, root: Root) -> list[Part]:
        """A part for each day, or metric and day."""
        by_metric = dataset == "readings" and (root.partition if root.etag else self.partition) == "metric"
        return [
            self.archive.put(dataset, partition, [part], shard)
            for partition, part in parted(table, by_metric=by_metric)
        ]


def parted(table: Any, *, by_metric: bool = False) -> Iterator[tuple[str, Any]]:
    """A table by its partitions, in their order."""
    import pyarrow as pa

    if not len(table):
        return
    day = np.floor_divide(np.asarray(table["time_ns"]), DAY)
    metric = np.zeros(len(day), np.int64)
    names: Any = [""]
    if by_metric:
        column = table["metric"].combine_chunks()
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        names, index = np.unique(np.array(column.dictionary.to_pylist(), object), return_inverse=True)
        if len(names) > METRICS_MAX:
            raise ConfigError(
                f"Readings of {len(names):,} metrics are not parted by metric: every day would have as many objects. "
                "Begin an archive with 'partition: date'."
            )
        metric = index[np.asarray(column.indices)]
    order = np.lexsort((np.arange(len(day)), day, metric))
    edges = np.flatnonzero(np.r_[True, (np.diff(metric[order]) != 0) | (np.diff(day[order]) != 0)])
    for a, b in zip(edges, np.r_[edges[1:], len(order)], strict=True):
        rows = order[a:b]
        prefix = f"metric={encoded(names[metric[rows[0]]])}/" if by_metric else ""
        whole = len(rows) == len(table)
        yield (
            f"{prefix}date={date_of(int(day[rows[0]]) * DAY)}",
            table if whole else table.take(pa.array(rows)),
        )


def through(root: Root, shard: str) -> int:
    """The last entry of a store's log that its archive holds, in the store's own count; 0: none."""
    cursor = root.cursors.get(shard)
    return max(0, cursor.entry - cursor.behind) if cursor is not None else 0
