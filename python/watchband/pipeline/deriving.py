"""Derived series in a runner: the expressions' state beside the log, restored as every fold is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchband.core.events import ControlEvent
from watchband.core.ports import Commit, FoldRecord, Readings, Store
from watchband.pipeline.derive import Derive

FOLD = "$expressions"
"""Its name among the folds; no watch can be called so."""
SNAPSHOT_ENTRIES = 500
SNAPSHOT_POINTS = 1_000_000
TAIL = 1000
"""Entries that new expressions look back on, so that what has half arrived is not lost."""


class Deriving:
    """The expressions of a shard, where the log ends.

    What an entry derives stands in the entry itself, so watches that are replayed find it there; the state is needed
    only to go on. It is that of a snapshot and the entries since, so nothing is derived twice or missed.

    Parameters
    ----------
    expressions : mapping of str to str
        Name: expression.
    store : Store
        Where the log and the snapshot are.
    shard : str
        Whose.

    Raises
    ------
    StateCorruptError
        The snapshot cannot be read.
    """

    def __init__(self, expressions: Mapping[str, str], store: Store, shard: str) -> None:
        self.derive, self.store, self.shard = Derive(expressions), store, shard
        self.sequence = self.saved = self.points = 0
        if self.derive:
            self._restore()
        elif store.fold(shard, FOLD) is not None:
            store.forget(shard, FOLD)

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent]) -> list[Readings]:
        """What the next entry derives; if the entry is not committed, throw this away."""
        return self.derive.step(readings, events) if self.derive else []

    def committed(self, entry: Commit) -> None:
        """The entry is kept; now and then so is the state."""
        self.sequence = entry.sequence
        self.points += sum(len(r.times) for r in entry.readings)
        if self.sequence >= self.saved + SNAPSHOT_ENTRIES or self.points >= SNAPSHOT_POINTS:
            self.save()

    def save(self) -> None:
        """Keep the state."""
        if self.derive and self.sequence > self.saved:
            self.store.snapshot(self.shard, FOLD, self.sequence, self.derive.to_bytes())
            self.saved, self.points = self.sequence, 0

    def _restore(self) -> None:
        head = self.store.head(self.shard)
        record = self.store.fold(self.shard, FOLD)
        known = record is not None and record.fingerprint == self.derive.fingerprint
        found = self.store.restore(self.shard, FOLD) if known else None
        after = max(0, head - TAIL)
        if found is not None:
            after, state = found
            self.derive.load(state)
            self.saved = after
        for entry in self.store.log(self.shard, after):
            self.derive.step(entry.readings, entry.events)
        self.sequence = head
        if found is None:
            self.store.forget(self.shard, FOLD)
            self.store.adopt(self.shard, FOLD, FoldRecord(self.derive.fingerprint, head))
            self.store.snapshot(self.shard, FOLD, head, self.derive.to_bytes())
            self.saved = head
