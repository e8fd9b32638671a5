"""Recompute: a watch folds the log again with what came late in its place, and what it then says replaces what it said.

Alerts keep their identity, which is of series, watch and time of opening. Those that are none any more are withdrawn:
closed at their opening, and saying why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watchband.core.alert import Alert
from watchband.core.clock import Clock
from watchband.core.events import Recomputed
from watchband.core.ports import Arrival, Commit, FoldRecord, Store
from watchband.pipeline.bound import Bound, last_versions
from watchband.pipeline.replay import Progress, late_in_place, loaded
from watchband.pipeline.reverting import lane_of

WITHDRAWN = " Withdrawn: with the readings that came late it is none."


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What became of a watch.

    Parameters
    ----------
    watch : str
        Which.
    late : int
        Readings that had come too late and are now in their place.
    entries : int
        Entries that were folded again.
    after : int
        The entry whose snapshot that began from; 0: the first entry that is kept.
    added, changed, withdrawn : int
        Alerts that are new, other than before, and none any more.
    """

    watch: str
    late: int = 0
    entries: int = 0
    after: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0


def recompute(
    bound: Bound,
    store: Store,
    shard: str,
    clock: Clock,
    *,
    sinks: Sequence[str] = (),
    dry: bool = False,
    progress: Progress | None = None,
) -> Recomputation:
    """Fold a watch again over the log and what came late; the store is this process's own meanwhile.

    Parameters
    ----------
    bound : Bound
        The watch.
    store, shard : Store, str
        Whose log.
    clock : Clock
        Says when it was done.
    sinks : sequence of str
        Who is told of alerts that are new or changed; nobody by default.
    dry : bool, default False
        Say what would come of it, and change nothing.
    progress : callable, optional
        Told of entries.
    """
    first, late = _affected(bound, store, shard)
    head = store.head(shard)
    if not late:
        return Recomputation(bound.name)
    states = [
        s for s in store.states() if (s.shard, s.name) == (shard, bound.name) and s.fingerprint == bound.fingerprint
    ]
    usable = [s.sequence for state in states for s in state.snapshots if s.sequence < first]
    lane = loaded(bound, store, shard, max(usable)) if usable else lane_of(bound, store, shard)
    after, found, earliest = lane.sequence, [], 2**63 - 1
    for entry in late_in_place(store.log(shard, after)):
        earliest = min([earliest, *(int(r.times.min()) for r in entry.readings if len(r.times))])
        found.append(lane.fold(entry).alerts)
        if progress:
            progress(bound.name, entry.sequence - after, head - after)
    alerts = last_versions(found)
    before = {a.id: a for a in store.alerts() if a.watch == bound.name}
    gone = _withdrawn(before, alerts, earliest if after else -(2**63))
    changed = [a for a in alerts if a.id in before and before[a.id] != a]
    added = [a for a in alerts if a.id not in before]
    told = Recomputation(bound.name, late, head - after, after, len(added), len(changed), len(gone))
    if dry:
        return told
    # The record first, with the alerts: should this end before the snapshot, the next start folds the log as it was.
    store.forget(shard, bound.name)
    store.adopt(shard, bound.name, FoldRecord(bound.fingerprint, head), [*added, *changed, *gone], sinks=sinks)
    store.snapshot(shard, bound.name, head, lane.state.to_bytes())
    store.commit(Commit(shard, head + 1, events=(Recomputed(bound.name, head, clock.now()),)))
    return told


def _affected(bound: Bound, store: Store, shard: str) -> tuple[int, int]:
    """The first entry that a late reading of the watch belongs to, or into one behind it; and how many there are."""
    late, earliest = 0, 2**63 - 1
    for entry in store.log(shard, 0):
        for r in entry.readings:
            if r.arrival is Arrival.LATE and len(r.times) and bound.takes(r.key):
                late += len(r.times)
                earliest = min(earliest, int(r.times.min()))
    if not late:
        return 0, 0
    for entry in store.log(shard, 0):
        if any(len(r.times) and int(r.times.max()) >= earliest for r in entry.readings):
            return entry.sequence, late
    return 0, late


def _withdrawn(before: dict[str, Alert], now: Sequence[Alert], since: int) -> list[Alert]:
    there = {a.id for a in now}
    return [
        replace(a, closed=a.opened, reason=a.reason.removesuffix(WITHDRAWN) + WITHDRAWN)
        for a in before.values()
        if a.id not in there and a.opened >= since and a.kind not in ("no data", "stuck") and WITHDRAWN not in a.reason
    ]
