"""The runner: the only loop. Read, validate, step, commit, deliver.

What makes it exact is the order: input is validated before state is touched; the batch, the position after it and its
alerts become durable in one commit; only what was committed is delivered. Whatever fails in between, the shard is
dropped from memory and restored from its snapshot and the log since: the same bits, because the pipeline is a fold.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import AdapterError, DataError, PermanentError, StateCorruptError, TransientError
from watchband.core.events import ControlEvent, WatermarkMoved
from watchband.core.ports import Batch, Commit, Readings, Sink, Source, Store
from watchband.core.state import ADVICE
from watchband.pipeline.intake import Rejected, admit
from watchband.pipeline.prepare import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.watch import Span, Watch
from watchband.pipeline.watch_state import WatchState

END = int(np.iinfo(np.int64).max)
"""A watermark at this time ends the stream: what prepare holds back is let go."""
POSITIONS_MAX = 1000
"""Positions a source may repeat from; an older repeat is recognised by prepare, reading by reading."""
REJECTED_MAX = 1000
RETRIES_MAX = 8
SECONDS_MAX = 60.0
_LENGTH = struct.Struct("<I")


@dataclass
class Shard:
    """What the runner holds in memory of a shard: the fold's state and where it stands."""

    state: WatchState
    sequence: int = 0
    points: int = 0
    seen: dict[str, deque[str]] = field(default_factory=dict)

    def note(self, positions: dict[str, str]) -> None:
        """Remember that batches up to these positions were folded."""
        for source, position in positions.items():
            self.seen.setdefault(source, deque(maxlen=POSITIONS_MAX)).append(position)

    def to_bytes(self) -> bytes:
        """The snapshot."""
        text = json.dumps({source: list(positions) for source, positions in self.seen.items()}).encode()
        return _LENGTH.pack(len(text)) + text + self.state.to_bytes()

    @classmethod
    def from_bytes(cls, watch: Watch, sequence: int, data: bytes) -> Shard:
        """Read a snapshot back; StateError if it is damaged or of another watch."""
        try:
            (length,) = _LENGTH.unpack_from(data)
            header = json.loads(bytes(data[_LENGTH.size : _LENGTH.size + length]))
        except (struct.error, ValueError) as error:
            raise StateCorruptError(f"The header of this snapshot cannot be read ({error}). {ADVICE}") from error
        seen = {source: deque(positions, maxlen=POSITIONS_MAX) for source, positions in header.items()}
        return cls(watch.load(data[_LENGTH.size + length :]), sequence, seen=seen)


class Runner:
    """Runs one watch over the readings of its sources, as one shard.

    Parameters
    ----------
    watch : Watch
        The fold.
    store : Store
        Where the log, positions, alerts, outbox and snapshots are kept.
    sinks : sequence of Sink, default none
        Where alerts go. One that fails is tried again with the next batch; one that fails for good is left out and
        named in ``broken``.
    shard : str, optional
        Name of the shard; the watch's name by default.
    excluded : sequence of (int, int)
        Ranges of time that are judged but not learned.
    snapshot_points : int, default 100,000
        Points after which the state is snapshotted.
    on_results : callable, optional
        Called with the Results of every batch after its commit; a batch whose commit is found again after a failure
        is not reported a second time.
    clock : Clock, optional
        Waits between retries.

    Attributes
    ----------
    rejected : deque of Rejected
        The last readings that were set aside.
    broken : dict of str to AdapterError
        Sinks that failed for good.
    """

    def __init__(
        self,
        watch: Watch,
        store: Store,
        sinks: Sequence[Sink] = (),
        *,
        shard: str | None = None,
        excluded: Sequence[Span] = (),
        snapshot_points: int = 100_000,
        on_results: Callable[[Results], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.watch, self.store, self.sinks = watch, store, list(sinks)
        self.shard = watch.name if shard is None else shard
        self.excluded, self.snapshot_points = tuple(excluded), snapshot_points
        self.on_results = on_results
        self.clock: Clock = clock or SystemClock()
        self.rejected: deque[Rejected] = deque(maxlen=REJECTED_MAX)
        self.broken: dict[str, AdapterError] = {}
        self._live: Shard | None = None

    def run(self, source: Source, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Fold a source from where the shard stands to its end, or until ``stop()`` holds after a batch.

        Raises
        ------
        TransientError
            Source or store failed more than ``RETRIES_MAX`` times in a row.
        WatchbandError
            Whatever a retry cannot help.
        """
        failures = 0
        while True:
            try:
                positions = self.live().seen.get(source.name)
                for batch in source.read(positions[-1] if positions else None):
                    self.step(source.name, batch)
                    failures = 0
                    if stop():
                        return
                return
            except TransientError:
                failures += 1
                if failures > RETRIES_MAX:
                    raise
                self.clock.sleep(min(0.1 * 2.0**failures, SECONDS_MAX))

    def step(self, source: str, batch: Batch) -> Results | None:
        """Fold one batch; None if it was folded before."""
        shard = self.live()
        if batch.position in shard.seen.get(source, ()):
            return None
        readings, rejected = admit(batch.readings)
        try:
            results = self._fold_and_commit(shard, readings, tuple(batch.events), {source: batch.position})
        except DataError as error:
            # A stage refused the batch: set it aside, and the position with it, so that it is not read again.
            rejected += [Rejected(r.key, len(r.times), error) for r in readings]
            results = self._fold_and_commit(self.live(), [], (), {source: batch.position})
        self.rejected.extend(rejected)
        return results

    def finish(self) -> Results:
        """The stream has ended: let go of what prepare holds back. Part of the log, as everything is."""
        return self._fold_and_commit(self.live(), [], (WatermarkMoved(END),), {})

    def live(self) -> Shard:
        """The shard in memory; restored from the store if it is not there."""
        if self._live is None:
            self._live = self._restore()
        return self._live

    def _restore(self) -> Shard:
        found = self.store.restore(self.shard)
        shard = Shard.from_bytes(self.watch, *found) if found else Shard(self.watch.start())
        for commit in self.store.log(self.shard, shard.sequence):
            self._fold(shard, commit.readings, commit.events, dict(commit.positions))
        return shard

    def _fold(
        self, shard: Shard, readings: Sequence[Readings], events: Sequence[ControlEvent], positions: dict[str, str]
    ) -> Results:
        """Move the state on by one entry of the log; all that live and replay have in common."""
        rows = shard.state.add([r.key for r in readings])
        raw = Raw.fleet([(r.times, r.values) for r in readings], rows=rows)
        flush = any(isinstance(e, WatermarkMoved) and e.time == END for e in events)
        results = self.watch.step(shard.state, raw, excluded=self.excluded, flush=flush)
        shard.sequence += 1
        shard.points += len(raw)
        shard.note(positions)
        return results

    def _fold_and_commit(
        self, shard: Shard, readings: Sequence[Readings], events: Sequence[ControlEvent], positions: dict[str, str]
    ) -> Results:
        self._live = None  # Until all of it is done there is no state that anyone may go on with.
        results = self._fold(shard, readings, events, positions)
        self.store.commit(Commit(self.shard, shard.sequence, readings, events, positions, alerts=tuple(results.alerts)))
        self._deliver()
        if shard.points >= self.snapshot_points:
            self.store.snapshot(self.shard, shard.sequence, shard.to_bytes())
            shard.points = 0
        self._live = shard
        if self.on_results:
            self.on_results(results)
        return results

    def _deliver(self) -> None:
        """Write the outbox to every sink; what one of them did not take stays in it."""
        waiting = self.store.outbox()
        if not waiting:
            return
        taken = True
        for sink in self.sinks:
            if sink.name in self.broken:
                continue
            try:
                sink.write(waiting)
            except PermanentError as error:
                self.broken[sink.name] = error
            except TransientError:
                taken = False
        if taken:
            self.store.delivered([alert.id for alert in waiting])
