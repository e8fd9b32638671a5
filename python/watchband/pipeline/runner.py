"""The runner: the only loop. Read, validate, step, commit, deliver.

What makes it exact is the order: input is validated before state is touched; the entry, the positions after it and
its alerts become durable in one commit; only what was committed is delivered. Whatever fails in between, the shard is
dropped from memory and restored from its snapshots and the log since: the same bits, because every watch is a fold.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import AdapterError, StateError, TransientError
from watchband.core.events import ControlEvent, ModelEvent, WatermarkMoved
from watchband.core.ports import Batch, Commit, FoldRecord, Readings, Sink, Source, Store
from watchband.pipeline.admission import Admission
from watchband.pipeline.bound import END, Ahead, Bound, Lane, check_names, last_versions
from watchband.pipeline.deliver import Courier
from watchband.pipeline.deriving import Deriving, Labelling
from watchband.pipeline.early import too_early
from watchband.pipeline.excluded import Span
from watchband.pipeline.intake import Rejected, admit, arrivals, stamped
from watchband.pipeline.results import Results
from watchband.pipeline.reverting import lane_of
from watchband.pipeline.settle import left_open, orphans, retire
from watchband.pipeline.shadows import Shadows
from watchband.pipeline.shard import POSITIONS_MAX, Shard
from watchband.pipeline.watch import Watch

REJECTED_MAX = 1000
RETRIES_MAX = 8
SECONDS_MAX = 60.0


class Runner:
    """Runs watches over the readings of their sources, as one shard.

    Parameters
    ----------
    watches : Watch, Bound or a sequence of them
        The folds. A watch alone takes every series.
    store : Store
        Where the log, positions, alerts, outbox and snapshots are kept.
    sinks : sequence of Sink, default none
        Where alerts go. Without any the runner delivers nothing: a courier of its own may.
    shard : str, optional
        Name of the shard; the first watch's name by default.
    excluded : sequence of (int, int)
        Ranges of time that are judged but not learned, for watches that are not bound.
    snapshot_points : int, default 100,000
        Points after which a watch's state is snapshotted.
    on_results : callable, optional
        Called with the Results of every watch after their commit; what is found again after a failure is not
        reported a second time.
    clock : Clock, optional
        Waits between retries, and says what is due.
    lateness : mapping of str to int, optional
        Allowed lateness of sources in ns: their readings wait for their watermark, in whatever order they come.
    expressions : mapping of str to str, optional
        Series that are derived from others before the watches see them, by name; they stand in the log as all do.
    admission : Admission, optional
        How many series there may be; None: as many as come.

    Attributes
    ----------
    rejected : deque of Rejected
        The last readings that were set aside.
    stopped : dict of str to Exception
        Watches that could not go on; the others do. They are tried again when the shard is restored.
    seconds : dict of str to float
        Time that each watch took over what was folded live, for those who look after the process.
    snapshots, remembered : int
        Snapshots that were written; entries whose positions are known again after a restart.
    everyone : list of str
        Sinks that hear of what watches left open that were removed while no process ran; by default the runner's.
    labelling : Labelling or None
        Makes the fold that labels entities from several of their series, before the watches; see ``deriving``.
    on_shadows : callable or None
        Called with the name of the fold of a model in shadow and what it said of an entry that is kept.
    """

    def __init__(
        self,
        watches: Watch | Bound | Sequence[Watch | Bound],
        store: Store,
        sinks: Sequence[Sink] = (),
        *,
        shard: str | None = None,
        excluded: Sequence[Span] = (),
        snapshot_points: int = 100_000,
        on_results: Callable[[Results], None] | None = None,
        clock: Clock | None = None,
        lateness: Mapping[str, int] | None = None,
        expressions: Mapping[str, str] | None = None,
        admission: Admission | None = None,
    ) -> None:
        given = [watches] if isinstance(watches, Watch | Bound) else list(watches)
        self.bounds = [w if isinstance(w, Bound) else Bound(w, excluded=tuple(excluded)) for w in given]
        check_names(self.bounds)
        self.store, self.snapshot_points = store, snapshot_points
        self.shard = self.bounds[0].name if shard is None else shard
        self.on_results = on_results
        self.lateness = {name: ns for name, ns in (lateness or {}).items() if ns > 0}
        self.expressions, self.admission = dict(expressions or {}), admission
        self.clock: Clock = clock or SystemClock()
        self.courier = Courier(store, sinks, clock=self.clock)
        self.everyone = names = list(self.courier.sinks)
        self.routes = {b.name: names if b.sinks is None else list(b.sinks) for b in self.bounds}
        self.rejected: deque[Rejected] = deque(maxlen=REJECTED_MAX)
        self.stopped: dict[str, Exception] = {}
        self.seconds: dict[str, float] = {}
        self.snapshots, self.remembered = 0, POSITIONS_MAX
        self.labelling: Labelling | None = None
        self.on_shadows: Callable[[str, Results], object] | None = None
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

    def step(self, source: str, batch: Batch) -> dict[str, Results]:
        """Fold one batch; what each watch says of it, nothing if it was folded before."""
        return self.take([(source, batch)])

    def take(self, batches: Sequence[tuple[str, Batch]]) -> dict[str, Results]:
        """Fold batches of several sources as one entry of the log; those that were folded before are left out.

        Where one of them is history, nobody is told of what the entry shows: give history apart.
        """
        shard = self.live()
        readings: list[Readings] = []
        events: list[ControlEvent] = []
        positions: dict[str, str] = {}
        fresh = False
        for source, batch in batches:
            if batch.position and (
                batch.position in shard.seen.get(source, ()) or batch.position == positions.get(source)
            ):
                continue
            fresh = True
            readings += [r if r.source == source else r.given_by(source) for r in batch.readings]
            events += [stamped(event, source) for event in batch.events]
            if batch.position:
                positions[source] = batch.position
        if not fresh:
            return {}
        admitted, rejected = admit(readings)
        states = [lane.state for lane in shard.lanes.values()]
        told = not any(batch.history for _, batch in batches)
        events += [event for state in states for event in state.upstream.relief()]
        if shard.deriving is not None:
            self._live = None  # What is derived moves a state too.
            if derived := shard.deriving.step(admitted, events):
                admitted, _ = admit([*admitted, *derived])
        if self.admission is not None:
            events += self.admission.decide(admitted, shard.lanes, self.clock.now())
        # History is in order and has no watermark to wait for.
        admitted = arrivals(admitted, states, self.lateness if told else {})
        results = self._append(shard, admitted, tuple(events), positions, self.routes if told else None)
        self.rejected.extend(rejected)
        return results

    def finish(self) -> dict[str, Results]:
        """The stream has ended: let go of what prepare holds back. Part of the log, as everything is."""
        return self._append(self.live(), [], (WatermarkMoved(END),), {}, self.routes)

    def ahead(self, bound: Bound) -> Ahead:
        """A watch that is new, having folded the whole kept log; may be called in another thread, which is its use."""
        found = Ahead(lane_of(bound, self.store, self.shard))
        found.follow(self.store.log(self.shard, 0))
        return found

    def rebind(self, bounds: Sequence[Bound], ahead: Mapping[str, Ahead] | None = None) -> None:
        """Go on with other watches: those whose state may go on keep it, the others fold the kept log first.

        Parameters
        ----------
        bounds : sequence of Bound
            From now on.
        ahead : mapping of str to Ahead, optional
            By name, watches that have folded most of the log already.

        Raises
        ------
        TransientError
            The store failed: the watches before are restored when it can be reached.
        """
        check_names(bounds)
        shard, before = self.live(), {b.name: b for b in self.bounds}
        lanes: dict[str, Lane] = {}
        stopped: dict[str, Exception] = {}
        self._live = None
        self.routes = self.routes | {b.name: list(self.courier.sinks if b.sinks is None else b.sinks) for b in bounds}
        for bound in bounds:
            old, lane = before.get(bound.name), shard.lanes.get(bound.name)
            if old is None or lane is None or old.fingerprint != bound.fingerprint:
                try:
                    lanes[bound.name] = self._lane(bound, shard.sequence, (ahead or {}).get(bound.name))
                except (StateError, AdapterError):
                    raise
                except Exception as error:
                    stopped[bound.name] = error
                continue
            if old.watch != bound.watch:
                # What is judged otherwise from here on must not be judged so from an older snapshot on.
                self._write(lane)
            lane.rebind(bound)
            lanes[bound.name] = lane
        kept = {b.name for b in bounds}
        for name in before.keys() - kept:
            if over := orphans(self.store, name, shard.lanes.get(name)):
                self.store.adopt(self.shard, name, FoldRecord("", shard.sequence), over, self.routes[name])
            self.store.forget(self.shard, name)
        self.bounds, self.routes = list(bounds), {name: self.routes[name] for name in kept}
        self.stopped = stopped
        shard.lanes = lanes
        shard.shadows.rebind(lanes, shard.sequence)
        self._live = shard

    def express(self, expressions: Mapping[str, str], labelling: Labelling | None = None) -> None:
        """Derive other series from here on."""
        shard = self.live()
        if self.expressions != dict(expressions) or self.labelling != labelling:
            self.expressions, self.labelling, self._live = dict(expressions), labelling, None
            shard.deriving = Deriving(self.expressions, self.store, self.shard, labelling)
            self._live = shard

    @property
    def deriving(self) -> Deriving | None:
        """The expressions as far as they are in memory, for those who look after the process."""
        return None if self._live is None else self._live.deriving

    def shadow(self, fold: str) -> Lane | None:
        """A model in shadow as far as it is in memory, by the name of its fold."""
        return None if self._live is None else self._live.shadows.lanes.get(fold)

    def drop(self) -> None:
        """Forget what is in memory: another process may have written meanwhile."""
        self._live = None

    def save(self, least_s: float = 0.0) -> int:
        """Snapshot every watch that has folded entries since, where that costs a restart ``least_s``; how many."""
        shard, written = self.live(), self._save(least_s)
        if not least_s:
            shard.shadows.tidy(shard.lanes)
            if shard.deriving is not None:
                shard.deriving.save()
        return written

    def _save(self, least_s: float) -> int:
        shard = self.live()
        shard.shadows.save(least_s)
        lanes = [lane for lane in shard.lanes.values() if lane.sequence > lane.saved and lane.costs(least_s)]
        for lane in lanes:
            self._write(lane)
        return len(lanes)

    def live(self) -> Shard:
        """The shard in memory; restored from the store if it is not there."""
        if self._live is None:
            self._live = self._restore()
        return self._live

    def _restore(self) -> Shard:
        shard = Shard(Shadows(self.store, self.shard, self.on_shadows))
        head = self.store.head(self.shard)
        for source, position in self.store.positions(self.shard).items():
            shard.seen[source] = deque([position], maxlen=POSITIONS_MAX)
        shard.note(head, self.store.passed(self.shard, max(0, head - self.remembered)))
        shard.deriving = Deriving(self.expressions, self.store, self.shard, self.labelling)
        retire(self.store, self.shard, [b.name for b in self.bounds], self.everyone)
        self.stopped.clear()
        for bound in self.bounds:
            try:
                shard.lanes[bound.name] = self._lane(bound, head)
            except (StateError, AdapterError):
                # What fails is the store, not the watch.
                raise
            except Exception as error:
                self._stop(bound.name, error)
        shard.shadows.align(shard.lanes, head)
        return shard

    def _lane(self, bound: Bound, head: int, ahead: Ahead | None = None) -> Lane:
        """A watch where the log ends: from its snapshot, or from the beginning where it is new or another."""
        record = self.store.fold(self.shard, bound.name)
        if record is not None and record.fingerprint != bound.fingerprint:
            self.store.forget(self.shard, bound.name)
            record = None
        found = self.store.restore(self.shard, bound.name) if record else None
        if ahead is None or record is not None:
            ahead = Ahead(lane_of(bound, self.store, self.shard, found))
        lane = ahead.lane
        decided = record.decided if record else 0
        ahead.follow(self.store.log(self.shard, lane.sequence), decided)
        if record is None or decided < head:
            # What a new watch sees in the past is kept and told to nobody; what one missed while it stood still is.
            sinks = self.routes[bound.name] if record else ()
            self.store.adopt(
                self.shard, bound.name, FoldRecord(bound.fingerprint, head), last_versions(ahead.alerts), sinks=sinks
            )
        if over := left_open(self.store, lane, anew=record is None):
            self.store.adopt(self.shard, bound.name, FoldRecord(bound.fingerprint, head), over, self.routes[bound.name])
        lane.sequence = head
        return lane

    def _append(
        self,
        shard: Shard,
        readings: Sequence[Readings],
        events: Sequence[ControlEvent],
        positions: dict[str, str],
        routes: Mapping[str, Sequence[str]] | None,
    ) -> dict[str, Results]:
        changed = any(isinstance(event, ModelEvent) for event in events)
        if changed:
            # A restart then meets one change of models at most.
            self._save(0.0)
        self._live = None  # Until all of it is done nobody may go on with a state.
        entry = Commit(self.shard, shard.sequence + 1, readings, events, positions)
        results: dict[str, Results] = {}
        for name, lane in list(shard.lanes.items()):
            began = time.perf_counter()
            try:
                results[name] = lane.fold(entry)
            except Exception as error:
                del shard.lanes[name]  # It stands still before the entry, which is kept; the others go on.
                self._stop(name, error)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        in_shadow = shard.shadows.fold(shard.lanes, entry)
        if shard.deriving is not None:
            shard.deriving.word(results.values())
        alerts = [alert for found in results.values() for alert in found.alerts]
        marks = {
            (kind, name): marked
            for name, found in results.items()
            for kind, marked in shard.lanes[name].marker.marks(found).items()
        }
        early = {one for name, found in results.items() for one in too_early(shard.lanes[name].bound, found)}
        folds = [*results, *in_shadow]
        self.store.commit(replace(entry, alerts=alerts, folds=folds, routes=routes, marks=marks, early=early))
        shard.note(entry.sequence, [entry.positions])
        self._live = shard
        # The entry is kept: a notice or a snapshot is as good with the next.
        with suppress(TransientError):
            if self.courier.sinks:
                self.courier.deliver()
            if changed:
                self.save()
            for lane in (shard.lanes[name] for name in results):
                if lane.points >= self.snapshot_points:
                    self._write(lane)
            if shard.deriving is not None:
                shard.deriving.committed(entry)
        shard.shadows.tell(in_shadow)
        if self.on_results:
            for found in results.values():
                self.on_results(found)
        return results

    def _stop(self, name: str, error: Exception) -> None:
        self.stopped[name] = error
        if len(self.stopped) == len(self.bounds):
            raise error

    def _write(self, lane: Lane) -> None:
        began = time.perf_counter()
        self.store.snapshot(self.shard, lane.bound.name, lane.sequence, lane.state.to_bytes())
        lane.points, lane.saved, lane.seconds, lane.save_seconds = 0, lane.sequence, 0.0, time.perf_counter() - began
        self.snapshots += 1
