"""Settle: alerts that a watch left open and no longer knows of, because it was changed or is gone, come to an end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from watchband.core.alert import Alert, alert_id
from watchband.core.ports import FoldRecord, Store
from watchband.pipeline.bound import Lane
from watchband.pipeline.deriving import FOLDS
from watchband.pipeline.lineage import is_model

CHANGED, GONE = "watch changed", "watch removed"


def open_ids(lane: Lane) -> set[str]:
    """The alerts that are open by the state of a watch."""
    watch, state = lane.bound.watch, lane.state
    pairs = [(row, watch.name, time) for row, time in watch.decide.opened(state.decide)]
    if watch.pulse and state.pulse:
        pairs += [(row, f"{watch.name}/{kind}", time) for row, kind, time in watch.pulse.told(state.pulse)]
    if watch.drift and watch.drift.alert and state.drift:
        pairs += [(row, f"{watch.name}/drift", time) for row, time in watch.drift.told(state.drift)]
    if watch.breach and state.breach:
        pairs += [(row, f"{watch.name}/breach", time) for row, time in watch.breach.told(state.breach)]
    return {alert_id(state.keys[row], name, time) for row, name, time in pairs}


def left_open(store: Store, lane: Lane, *, anew: bool) -> list[Alert]:
    """The ends of alerts that are open in the store and not in the state.

    ``anew``: the watch begins anew, so that also those count that people were not told of.
    """
    known = store.alerts() if anew else [alert for alert, _ in store.told()]
    mine = [a for a in known if a.watch == lane.bound.name and a.closed is None]
    if not mine:
        return []
    now, last = open_ids(lane), _last(lane)
    return ended((a for a in mine if a.id not in now), last, CHANGED)


def orphans(store: Store, watch: str, lane: Lane | None) -> list[Alert]:
    """The ends of alerts of a watch that is removed."""
    return ended((a for a, _ in store.told() if a.watch == watch), _last(lane) if lane else 0, GONE)


def retire(store: Store, shard: str, kept: Collection[str], sinks: Sequence[str]) -> None:
    """Let go of the watches that were removed while no process ran: what they left open is closed, and that is told.

    Who was told of it nobody knows any more, so all ``sinks`` are. A crash half way does it again, and tells it once.
    """
    for state in store.states():
        if state.shard != shard or state.name in {*kept, *FOLDS} or is_model(state.name):
            continue
        if over := orphans(store, state.name, None):
            store.adopt(shard, state.name, FoldRecord(state.fingerprint, state.decided), over, sinks)
        store.forget(shard, state.name)


def ended(alerts: Iterable[Alert], time: int, why: str) -> list[Alert]:
    """These alerts, closed at ``time`` (ns UTC) or when they were decided."""
    return [replace(a, closed=max(time, a.decided), policies=(*a.policies, why)) for a in alerts]


def _last(lane: Lane) -> int:
    times = lane.state.prepare.last_time
    return max(0, int(times.max())) if len(times) else 0
