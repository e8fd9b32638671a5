"""Shadows: models of watches that judge the same entries as the watches themselves, and that nobody is told of.

Which there are say the states of the watches (``lineage``), which follow from the log. Each is a fold of its own in the
store, with snapshots, so that a restart finds it as every watch is found: from a snapshot and the log since.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from watchband.core.errors import AdapterError, ConfigError
from watchband.core.events import ModelEvent
from watchband.core.ports import Commit, FoldRecord, Store
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.lineage import Model, fold_name, is_model
from watchband.pipeline.results import Results
from watchband.pipeline.reverting import shadow_behind
from watchband.pipeline.watch_state import WatchState

Lanes = Mapping[str, Lane]


class Shadows:
    """The models in shadow of one shard.

    Parameters
    ----------
    store, shard : Store, str
        Where their states are kept.
    on_results : callable, optional
        Called with the name of the fold and what it said of an entry that was kept.

    Attributes
    ----------
    lanes : dict of str to Lane
        By the names of their folds, behind the same entry as the watches.
    failed : dict of str to Exception
        Those that could not go on; the watches do.
    seconds : dict of str to float
        Time that each took over what was folded live.
    """

    def __init__(self, store: Store, shard: str, on_results: Callable[[str, Results], object] | None = None) -> None:
        self.store, self.shard, self.on_results = store, shard, on_results
        self.lanes: dict[str, Lane] = {}
        self.failed: dict[str, Exception] = {}
        self.seconds: dict[str, float] = {}

    def align(self, watches: Lanes, behind: int) -> None:
        """Have exactly the models in shadow that the watches say there are, each behind an entry.

        Raises
        ------
        TransientError
            The store failed.
        """
        wanted: dict[str, tuple[Lane, Model]] = {}
        for name, lane in watches.items():
            lane.rival = partial(self._rival, lane.bound)
            for model in lane.state.upstream.lineage.shadows:
                wanted[fold_name(name, model.number)] = lane, model
        for gone in (self.lanes.keys() | self.failed.keys()) - wanted.keys():
            self.lanes.pop(gone, None)
            self.failed.pop(gone, None)
        for fold, (lane, model) in wanted.items():
            if fold in self.lanes or fold in self.failed:
                continue
            try:
                self.lanes[fold] = self._found(lane, model, behind)
            except AdapterError:
                # What fails is the store, not the model.
                raise
            except Exception as error:
                self.failed[fold] = error
        for lane in watches.values():
            lane.demoted = None

    def rebind(self, watches: Lanes, behind: int) -> None:
        """Go on beside watches that were bound anew.

        Raises
        ------
        TransientError
            The store failed.
        """
        for name, watch in watches.items():
            for model in watch.state.upstream.lineage.shadows:
                fold = fold_name(name, model.number)
                try:
                    if fold in self.lanes:
                        lane = self.lanes[fold]
                        lane.bound = watch.bound.shadow(model)
                        lane.bound.watch.take_over(lane.state)
                except Exception as error:
                    del self.lanes[fold]
                    self.failed[fold] = error
        self.align(watches, behind)

    def _found(self, watch: Lane, model: Model, behind: int) -> Lane:
        bound = watch.bound.shadow(model)
        found = self.store.restore(self.shard, bound.name, behind)
        old = watch.demoted
        if old is not None and old[0] == model.number and (found is None or found[0] <= old[1]):
            # Whatever is kept of it is of an earlier time in shadow.
            lane = Lane(bound, old[2], old[1])
            lane.saved = -1
        elif found is not None:
            lane = Lane(bound, bound.load(found[1]), found[0])
        else:
            raise ConfigError(f"What model {model.number} of the watch {watch.bound.name!r} learned is no longer kept.")
        for entry in self.store.log(self.shard, lane.sequence) if lane.sequence < behind else ():
            if entry.sequence > behind:
                break
            lane.fold(entry)
        lane.sequence = behind
        return lane

    def _rival(self, bound: Bound, model: Model, behind: int) -> WatchState | None:
        lane = self.lanes.get(fold_name(bound.name, model.number))
        if lane is not None and lane.sequence == behind:
            return lane.state
        return shadow_behind(bound, self.store, self.shard, model, behind)

    def fold(self, watches: Lanes, entry: Commit) -> dict[str, Results]:
        """Move on over an entry that the watches have moved over; what each says of it.

        Raises
        ------
        TransientError
            The store failed, where models change.
        """
        if any(isinstance(event, ModelEvent) for event in entry.events):
            self.align(watches, entry.sequence - 1)
        found: dict[str, Results] = {}
        for name, lane in list(self.lanes.items()):
            began = time.perf_counter()
            try:
                found[name] = lane.fold(entry)
            except Exception as error:
                del self.lanes[name]
                self.failed[name] = error
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        return found

    def write(self, lane: Lane) -> None:
        """Keep a snapshot of a model in shadow, or of one that is about to be: the log says so after this.

        Raises
        ------
        TransientError
            The store failed.
        """
        record = FoldRecord(lane.bound.fingerprint, lane.sequence)
        if self.store.fold(self.shard, lane.bound.name) is None:
            self.store.adopt(self.shard, lane.bound.name, record)
        self.store.snapshot(self.shard, lane.bound.name, lane.sequence, lane.state.to_bytes())
        lane.points, lane.saved, lane.seconds = 0, lane.sequence, 0.0

    def save(self, least_s: float = 0.0) -> int:
        """Snapshot those that have moved, where that costs a restart ``least_s``; how many.

        Before the watches themselves are: one that another took the place of follows, until it has a snapshot, from one
        of the watch that was written before that.
        """
        due = [lane for lane in self.lanes.values() if lane.sequence > lane.saved]
        due = [lane for lane in due if lane.saved < 0 or lane.costs(least_s)]
        for lane in due:
            self.write(lane)
        return len(due)

    def tidy(self, watches: Lanes) -> None:
        """Drop the folds of models that no watch has and no snapshot of a watch needs any longer."""
        states = {s.name: s for s in self.store.states() if s.shard == self.shard}
        needed = {
            fold_name(name, m.number) for name, lane in watches.items() for m in lane.state.upstream.lineage.shadows
        }
        for name, lane in watches.items():
            mine = fold_name(name, lane.state.upstream.lineage.champion.number)
            record, own = states.get(mine), states.get(name)
            # A restart from a snapshot before the promotion meets it again.
            if record and own and own.snapshots and own.snapshots[-1].sequence <= record.covered:
                needed.add(mine)
        for name in states:
            if is_model(name) and name not in needed:
                self.store.forget(self.shard, name)

    def tell(self, results: Mapping[str, Results]) -> None:
        """Report what was said of an entry that is kept."""
        if self.on_results is not None:
            for name, found in results.items():
                self.on_results(name, found)
