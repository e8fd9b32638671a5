"""Reverting: what a watch learned is again what it was behind an earlier entry of the log.

The log says so by an event, so that a restart and a replay do the same: what the states were behind that entry follows
from a snapshot and the log, exactly.
"""

from __future__ import annotations

from functools import partial

from watchband.core.ports import Store
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.lineage import Model
from watchband.pipeline.watch_state import WatchState


def lane_of(bound: Bound, store: Store, shard: str, found: tuple[int, bytes] | None = None) -> Lane:
    """A watch from a snapshot (its entry and bytes), or as of a beginning; it can go back where the log says so."""
    lane = Lane(bound, bound.load(found[1]), found[0]) if found else Lane(bound)
    lane.past = partial(state_behind, bound, store, shard)
    lane.rival = partial(shadow_behind, bound, store, shard)
    return lane


def shadow_behind(bound: Bound, store: Store, shard: str, model: Model, sequence: int) -> WatchState | None:
    """The state of a model in shadow behind an entry; None where no snapshot from before it is kept."""
    shadow = bound.shadow(model)
    if store.restore(shard, shadow.name, sequence) is None:
        # It began from what it was primed with, which is not the beginning of the log.
        return None
    return state_behind(shadow, store, shard, sequence)


def state_behind(bound: Bound, store: Store, shard: str, sequence: int) -> WatchState | None:
    """The state of a watch behind an entry, from the last snapshot before it and the log since.

    None where neither a snapshot of then nor the whole log is kept any more.
    """
    record = store.fold(shard, bound.name)
    ours = record is not None and record.fingerprint == bound.fingerprint
    lane = lane_of(bound, store, shard, store.restore(shard, bound.name, sequence) if ours else None)
    if lane.sequence < sequence:
        first = next(iter(store.log(shard, lane.sequence)), None)
        if first is None or first.sequence != lane.sequence + 1:
            return None
        for entry in store.log(shard, lane.sequence):
            if entry.sequence > sequence:
                break
            lane.fold(entry)
    return None if lane.lost else lane.state
