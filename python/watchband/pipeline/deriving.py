"""Derived series in a runner: expressions and labels as folds beside the log, restored as every fold is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from watchband.core.alert import Alert
from watchband.core.events import ControlEvent
from watchband.core.ports import Commit, FoldRecord, Readings, Store
from watchband.pipeline.derive import Derive
from watchband.pipeline.results import Results

FOLD = "$expressions"
"""Its name among the folds; no watch can be called so."""
LABELS = "$labels"
FOLDS = (FOLD, LABELS)
SNAPSHOT_ENTRIES = 500
SNAPSHOT_POINTS = 1_000_000
TAIL = 1000
"""Entries that new expressions look back on, so that what has half arrived is not lost."""


class Derived(Protocol):
    """A fold over the entries of a log that gives further readings."""

    def __bool__(self) -> bool: ...

    @property
    def fingerprint(self) -> str:
        """Equal where a state may go on."""
        ...

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent]) -> list[Readings]:
        """What is derived from one entry; its own readings among them are passed over."""
        ...

    def to_bytes(self) -> bytes:
        """The state."""
        ...

    def load(self, data: bytes) -> None:
        """Go on from a state."""
        ...


class Labels(Derived, Protocol):
    """A fold that gives states of entities, and knows why."""

    def word(self, alert: Alert) -> Alert:
        """An alert of what it gave, with the reason; any other as it is."""
        ...


Labelling = Callable[[], Labels]
"""Makes the fold, without a state; two that are equal make the same."""


class Deriving:
    """The expressions and the labels of a shard, where the log ends.

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
    labelling : Labelling, optional
        What labels entities, from all readings and what is derived of them.

    Raises
    ------
    StateCorruptError
        The snapshot cannot be read.
    """

    def __init__(
        self, expressions: Mapping[str, str], store: Store, shard: str, labelling: Labelling | None = None
    ) -> None:
        self.derive = Derive(expressions)
        self.labels = labelling() if labelling is not None else None
        self._folds = [_Kept(FOLD, self.derive, store, shard), _Kept(LABELS, self.labels, store, shard)]

    def step(self, readings: Sequence[Readings], events: Sequence[ControlEvent]) -> list[Readings]:
        """What the next entry derives; if the entry is not committed, throw this away."""
        found = self.derive.step(readings, events) if self.derive else []
        if self.labels is not None:
            found = [*found, *self.labels.step([*readings, *found], events)]
        return found

    def word(self, results: Iterable[Results]) -> None:
        """Give alerts on labels their reasons."""
        if self.labels is not None:
            for found in results:
                found.alerts[:] = map(self.labels.word, found.alerts)

    def committed(self, entry: Commit) -> None:
        """The entry is kept; now and then so is the state."""
        for fold in self._folds:
            fold.committed(entry)

    def save(self) -> None:
        """Keep the states."""
        for fold in self._folds:
            fold.save()


class _Kept:
    """One of the folds with its snapshots."""

    def __init__(self, name: str, fold: Derived | None, store: Store, shard: str) -> None:
        self.name, self.fold, self.store, self.shard = name, fold, store, shard
        self.sequence = self.saved = self.points = 0
        if fold:
            self._restore(fold)
        elif store.fold(shard, name) is not None:
            store.forget(shard, name)

    def committed(self, entry: Commit) -> None:
        self.sequence = entry.sequence
        self.points += sum(len(r.times) for r in entry.readings)
        if self.sequence >= self.saved + SNAPSHOT_ENTRIES or self.points >= SNAPSHOT_POINTS:
            self.save()

    def save(self) -> None:
        if self.fold and self.sequence > self.saved:
            self.store.snapshot(self.shard, self.name, self.sequence, self.fold.to_bytes())
            self.saved, self.points = self.sequence, 0

    def _restore(self, fold: Derived) -> None:
        head = self.store.head(self.shard)
        record = self.store.fold(self.shard, self.name)
        known = record is not None and record.fingerprint == fold.fingerprint
        found = self.store.restore(self.shard, self.name) if known else None
        after = max(0, head - TAIL)
        if found is not None:
            after, state = found
            fold.load(state)
            self.saved = after
        for entry in self.store.log(self.shard, after):
            fold.step(entry.readings, entry.events)
        self.sequence = head
        if found is None:
            self.store.forget(self.shard, self.name)
            self.store.adopt(self.shard, self.name, FoldRecord(fold.fingerprint, head))
            self.store.snapshot(self.shard, self.name, head, fold.to_bytes())
            self.saved = head
